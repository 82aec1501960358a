//! A trend as it is asked for: the fields of PostHog's `TrendsQuery`, and a builder for Rust.
//!
//! Nothing is looked up yet; [`TrendsQuery::resolve`] does that.

use crate::breakdown::BreakdownFilter;
use crate::compare::CompareFilter;
use crate::filter::PropertyNode;
use crate::insight::{breakdown_and_compare_builders, series_builders};
use crate::series::SeriesNode;
use crate::{DateRange, Interval};

use super::Display;

/// A trend as it is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TrendsQuery {
    /// What is counted; letters `A`, `B`, … of formulas go by position.
    pub series: Vec<SeriesNode>,
    /// Size of a bucket; a day by default.
    pub interval: Interval,
    /// Range of time; the last seven days by default.
    pub date_range: DateRange,
    /// Conditions on the events of every series.
    pub properties: PropertyNode,
    /// Adds the project's test-account filters.
    pub filter_test_accounts: bool,
    /// Share of distinct ids to read, in (0, 1].
    pub sampling_factor: Option<f64>,
    /// How it is shown.
    pub display: Display,
    /// Width of the trailing mean, in buckets; 0 and 1 are none.
    pub smoothing_intervals: usize,
    /// Formulas over the series; their rows replace those of the series.
    pub formulas: Vec<FormulaNode>,
    /// One row per value of something.
    pub breakdown: BreakdownFilter,
    /// Compares with an earlier range.
    pub compare: CompareFilter,
}

/// A formula over the series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormulaNode {
    /// Its text, such as `A / B * 100`.
    pub formula: String,
    /// Label of its row; `Formula (<text>)` without.
    pub custom_name: Option<String>,
}

impl TrendsQuery {
    /// A trend without series over the last seven days by day.
    pub fn new() -> Self {
        Self::default()
    }

    series_builders!();
    breakdown_and_compare_builders!();

    /// Shows it this way.
    #[must_use]
    pub fn display(mut self, display: Display) -> Self {
        self.display = display;
        self
    }

    /// Replaces the rows of the series by one of this formula; may be called again.
    #[must_use]
    pub fn formula(mut self, formula: impl Into<String>) -> Self {
        self.formulas.push(FormulaNode {
            formula: formula.into(),
            custom_name: None,
        });
        self
    }
}
