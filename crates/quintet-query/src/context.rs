//! What a query is resolved against, so that one definition and one context give one insight.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use crate::Definitions;

/// What a query is resolved against: nothing else decides what relative dates, names and ids mean.
#[derive(Debug, Clone)]
pub struct Context {
    /// The clock.
    pub now: DateTime<Utc>,
    /// Zone in which dates are read and buckets are cut.
    pub timezone: Tz,
    /// First day of a week.
    pub week_start: WeekStart,
    /// Names of the group types by index.
    pub group_types: Vec<Option<String>>,
    /// Actions, cohorts and test-account filters that queries refer to.
    pub definitions: Definitions,
    /// Timestamp of the earliest event in microseconds since 1970: of the query's series for trends, of those that meet a step
    /// ([`Funnels::any_step`](crate::funnels::Funnels::any_step)) for funnels, of all events later than 2015-01-01 for stickiness,
    /// lifecycle, retention and paths (also for a funnel that these are around). Asked for only when
    /// [`Query::needs_earliest`](crate::Query::needs_earliest).
    pub earliest: Option<i64>,
}

impl Context {
    /// A context in UTC with weeks from Sunday, without group types and definitions.
    pub fn new(now: DateTime<Utc>) -> Self {
        Self {
            now,
            timezone: Tz::UTC,
            week_start: WeekStart::Sunday,
            group_types: Vec::new(),
            definitions: Definitions::default(),
            earliest: None,
        }
    }
}

/// First day of a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[allow(missing_docs, reason = "each is its name")]
pub enum WeekStart {
    #[default]
    Sunday,
    Monday,
}

/// Size of a bucket of time, in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[allow(missing_docs, reason = "each is its name")]
pub enum Interval {
    Minute,
    Hour,
    #[default]
    Day,
    Week,
    Month,
    Quarter,
}

impl Interval {
    /// Its wire name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
        }
    }

    /// True when buckets are cut within days.
    pub(crate) const fn is_within_days(self) -> bool {
        matches!(self, Self::Minute | Self::Hour)
    }
}
