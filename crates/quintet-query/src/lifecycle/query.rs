//! A lifecycle as it is asked for: the fields of PostHog's `LifecycleQuery`, and a builder for Rust.
//!
//! Nothing is looked up yet; [`LifecycleQuery::resolve`] does that.

use crate::filter::PropertyNode;
use crate::insight::series_builders;
use crate::series::SeriesNode;
use crate::{DateRange, Interval};

/// A lifecycle as it is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LifecycleQuery {
    /// What is activity: events that satisfy every series. Rows are named after the first. Their math says nothing here.
    pub series: Vec<SeriesNode>,
    /// Size of an interval; a day by default.
    pub interval: Interval,
    /// Range of time; the last seven days by default. It is widened to whole intervals.
    pub date_range: DateRange,
    /// Conditions on the events.
    pub properties: PropertyNode,
    /// Adds the project's test-account filters.
    pub filter_test_accounts: bool,
    /// Share of distinct ids to read, in [0, 1]; figures are scaled back.
    pub sampling_factor: Option<f64>,
}

impl LifecycleQuery {
    /// A lifecycle without series over the last seven days by day.
    pub fn new() -> Self {
        Self::default()
    }

    series_builders!();
}
