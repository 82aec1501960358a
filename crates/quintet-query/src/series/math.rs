//! What a series counts, as definitions name it.

/// What a series counts. Wire names: [`Math::name`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Math {
    /// Events.
    #[default]
    Total,
    /// Distinct persons, or groups when a group type is given.
    Dau,
    /// Distinct persons or groups in the trailing 7 days.
    WeeklyActive,
    /// Distinct persons or groups in the trailing 30 days.
    MonthlyActive,
    /// Distinct sessions.
    UniqueSession,
    /// Distinct groups of a type.
    UniqueGroup,
    /// Sum of a property.
    Sum,
    /// Mean of a property.
    Avg,
    /// Least value of a property.
    Min,
    /// Greatest value of a property.
    Max,
    /// Median of a property.
    Median,
    /// 75th percentile of a property.
    P75,
    /// 90th percentile of a property.
    P90,
    /// 95th percentile of a property.
    P95,
    /// 99th percentile of a property.
    P99,
    /// Mean count of events per actor.
    AvgCountPerActor,
    /// Least count of events per actor.
    MinCountPerActor,
    /// Greatest count of events per actor.
    MaxCountPerActor,
    /// Median count of events per actor.
    MedianCountPerActor,
    /// 75th percentile of the counts of events per actor.
    P75CountPerActor,
    /// 90th percentile of the counts of events per actor.
    P90CountPerActor,
    /// 95th percentile of the counts of events per actor.
    P95CountPerActor,
    /// 99th percentile of the counts of events per actor.
    P99CountPerActor,
    /// Persons whose first such event ever satisfies the filters.
    FirstTimeForUser,
    /// Persons by their first event that satisfies the filters.
    FirstMatchingEventForUser,
    /// Groups whose first such event ever satisfies the filters.
    FirstTimeForGroup,
    /// Groups by their first event that satisfies the filters.
    FirstMatchingEventForGroup,
}

pub(super) const WIRE_NAMES: &[(&str, Math)] = &[
    ("total", Math::Total),
    ("dau", Math::Dau),
    ("weekly_active", Math::WeeklyActive),
    ("monthly_active", Math::MonthlyActive),
    ("unique_session", Math::UniqueSession),
    ("unique_group", Math::UniqueGroup),
    ("sum", Math::Sum),
    ("avg", Math::Avg),
    ("min", Math::Min),
    ("max", Math::Max),
    ("median", Math::Median),
    ("p75", Math::P75),
    ("p90", Math::P90),
    ("p95", Math::P95),
    ("p99", Math::P99),
    ("avg_count_per_actor", Math::AvgCountPerActor),
    ("min_count_per_actor", Math::MinCountPerActor),
    ("max_count_per_actor", Math::MaxCountPerActor),
    ("median_count_per_actor", Math::MedianCountPerActor),
    ("p75_count_per_actor", Math::P75CountPerActor),
    ("p90_count_per_actor", Math::P90CountPerActor),
    ("p95_count_per_actor", Math::P95CountPerActor),
    ("p99_count_per_actor", Math::P99CountPerActor),
    ("first_time_for_user", Math::FirstTimeForUser),
    (
        "first_matching_event_for_user",
        Math::FirstMatchingEventForUser,
    ),
    ("first_time_for_group", Math::FirstTimeForGroup),
    (
        "first_matching_event_for_group",
        Math::FirstMatchingEventForGroup,
    ),
];

impl Math {
    /// True when it counts in a window that slides over the labels.
    pub(crate) fn is_sliding(self) -> bool {
        matches!(self, Self::WeeklyActive | Self::MonthlyActive)
    }

    /// Its wire name.
    pub fn name(self) -> &'static str {
        WIRE_NAMES
            .iter()
            .find(|(_, math)| *math == self)
            .map_or("total", |(name, _)| name)
    }
}
