//! Stickiness as it is asked for: the fields of PostHog's `StickinessQuery`, and a builder for Rust.
//!
//! Nothing is looked up yet; [`StickinessQuery::resolve`] does that.

use crate::breakdown::BreakdownFilter;
use crate::compare::CompareFilter;
use crate::filter::PropertyNode;
use crate::insight::{breakdown_and_compare_builders, series_builders};
use crate::series::SeriesNode;
use crate::{DateRange, Interval};

use super::Bound;

/// Stickiness as it is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StickinessQuery {
    /// Whose activity is counted: that of persons, or of groups with the math `unique_group`. Any other math says nothing here.
    pub series: Vec<SeriesNode>,
    /// Size of an interval; a day by default.
    pub interval: Interval,
    /// Joins this many intervals, counted back from the end of the range. Without, intervals are those of the calendar.
    pub interval_count: Option<u32>,
    /// Range of time; the last seven days by default.
    pub date_range: DateRange,
    /// Conditions on the events of every series.
    pub properties: PropertyNode,
    /// Adds the project's test-account filters.
    pub filter_test_accounts: bool,
    /// Share of distinct ids to read, in [0, 1]. Figures are those of the sample: they are not scaled back.
    pub sampling_factor: Option<f64>,
    /// How many events make an interval an active one; one by default.
    pub criterion: Bound,
    /// Counts the actors of this many intervals or more.
    pub cumulative: bool,
    /// One histogram per value of something.
    pub breakdown: BreakdownFilter,
    /// Compares with an earlier range.
    pub compare: CompareFilter,
}

impl StickinessQuery {
    /// Stickiness without series over the last seven days by day.
    pub fn new() -> Self {
        Self::default()
    }

    series_builders!();
    breakdown_and_compare_builders!();

    /// Joins this many intervals, counted back from the end of the range.
    #[must_use]
    pub fn interval_count(mut self, count: u32) -> Self {
        self.interval_count = Some(count);
        self
    }

    /// Takes an interval as active only when the actor's events in it are this many.
    #[must_use]
    pub fn criterion(mut self, events: Bound) -> Self {
        self.criterion = events;
        self
    }

    /// Counts the actors of this many intervals or more.
    #[must_use]
    pub fn cumulative(mut self) -> Self {
        self.cumulative = true;
        self
    }
}
