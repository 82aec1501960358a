//! Retention as it is asked for: the fields of PostHog's `RetentionQuery`, and a builder for Rust.
//!
//! Nothing is looked up yet; [`RetentionQuery::resolve`] does that.

use crate::breakdown::BreakdownFilter;
use crate::filter::{PropertyNode, PropertyScope};
use crate::insight::{breakdown_builders, group_builders, interval_builders};
use crate::series::{EventsNode, MathProperty, SeriesNode};
use crate::{DateRange, GroupType, Interval};

use super::{Measure, Reference, Starts};

/// What both events are unless the definition says otherwise.
const DEFAULT_EVENT: &str = "$pageview";

/// Retention as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionQuery {
    /// What starts a cohort; a page view by default. Its math says nothing here.
    pub target: SeriesNode,
    /// What counts as coming back; a page view by default. Its math says nothing here.
    pub returning: SeriesNode,
    /// Which starts found a cohort.
    pub starts: Starts,
    /// Whose retention it is: that of groups of this type, of persons without.
    pub group_type: Option<GroupType>,
    /// Size of a period: hour, day, week or month; a day by default.
    pub interval: Interval,
    /// Number of columns, and of rows where the range has no start; seven by default.
    pub total_intervals: Option<usize>,
    /// Sizes of the columns after column 0, in periods; each is one period without.
    pub brackets: Vec<usize>,
    /// A return counts in the columns before it too.
    pub cumulative: bool,
    /// How many return events a period takes to be a return; 0 says the same as 1.
    pub minimum_occurrences: u64,
    /// Counts from each actor's own start, in windows of 24 hours for days.
    pub rolling: bool,
    /// Adds up a property beside counting actors.
    pub aggregate: Option<Aggregate>,
    /// Range of time that cohorts start in; as many periods as there are columns, up to now, by default.
    pub date_range: DateRange,
    /// Conditions on every event, the first ones too.
    pub properties: PropertyNode,
    /// Adds the project's test-account filters.
    pub filter_test_accounts: bool,
    /// Share of distinct ids to read, in [0, 1]. Counts and sums are scaled back.
    pub sampling_factor: Option<f64>,
    /// Rows by the values of a property, or by cohorts of persons.
    pub breakdown: BreakdownFilter,
    /// What percentages are percentages of.
    pub reference: Reference,
}

/// A property that is aggregated in each cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// Its sum or its average.
    pub measure: Measure,
    /// Of the event or its person.
    pub property: MathProperty,
}

impl Default for RetentionQuery {
    fn default() -> Self {
        Self {
            target: EventsNode::new(DEFAULT_EVENT),
            returning: EventsNode::new(DEFAULT_EVENT),
            starts: Starts::default(),
            group_type: None,
            interval: Interval::default(),
            total_intervals: None,
            brackets: Vec::new(),
            cumulative: false,
            minimum_occurrences: 1,
            rolling: false,
            aggregate: None,
            date_range: DateRange::default(),
            properties: PropertyNode::default(),
            filter_test_accounts: false,
            sampling_factor: None,
            breakdown: BreakdownFilter::default(),
            reference: Reference::default(),
        }
    }
}

impl RetentionQuery {
    /// Which persons that view a page do so again, over the last seven days.
    pub fn new() -> Self {
        Self::default()
    }

    interval_builders!();
    group_builders!();
    breakdown_builders!();

    /// Starts cohorts with this.
    #[must_use]
    pub fn target(mut self, target: SeriesNode) -> Self {
        self.target = target;
        self
    }

    /// Takes this as coming back.
    #[must_use]
    pub fn returning(mut self, returning: SeriesNode) -> Self {
        self.returning = returning;
        self
    }

    /// Says which starts found a cohort.
    #[must_use]
    pub fn starts(mut self, starts: Starts) -> Self {
        self.starts = starts;
        self
    }

    /// Shows this many columns, and rows where the range has no start.
    #[must_use]
    pub fn total_intervals(mut self, intervals: usize) -> Self {
        self.total_intervals = Some(intervals);
        self
    }

    /// Joins this many periods to each column after column 0.
    #[must_use]
    pub fn brackets(mut self, sizes: impl IntoIterator<Item = usize>) -> Self {
        self.brackets = sizes.into_iter().collect();
        self
    }

    /// Counts a return in the columns before it too.
    #[must_use]
    pub fn cumulative(mut self) -> Self {
        self.cumulative = true;
        self
    }

    /// Takes a period as a return only when it has this many return events.
    #[must_use]
    pub fn minimum_occurrences(mut self, events: u64) -> Self {
        self.minimum_occurrences = events;
        self
    }

    /// Counts from each actor's own start instead of by the calendar.
    #[must_use]
    pub fn rolling(mut self) -> Self {
        self.rolling = true;
        self
    }

    /// Adds up this property of events beside counting actors.
    #[must_use]
    pub fn sum(self, key: impl Into<String>) -> Self {
        self.aggregate(Measure::Sum, key)
    }

    /// Divides the sum of this property of events by the actors.
    #[must_use]
    pub fn average(self, key: impl Into<String>) -> Self {
        self.aggregate(Measure::Average, key)
    }

    fn aggregate(mut self, measure: Measure, key: impl Into<String>) -> Self {
        self.aggregate = Some(Aggregate {
            measure,
            property: MathProperty {
                scope: PropertyScope::Event,
                key: key.into(),
            },
        });
        self
    }

    /// Says what percentages are percentages of.
    #[must_use]
    pub fn reference(mut self, reference: Reference) -> Self {
        self.reference = reference;
        self
    }
}
