//! A funnel as it is asked for: the fields of PostHog's `FunnelsQuery`, and a builder for Rust.
//!
//! Nothing is looked up yet; [`FunnelsQuery::resolve`] does that.

use chrono::Weekday;

use crate::breakdown::BreakdownFilter;
use crate::compare::CompareFilter;
use crate::filter::PropertyNode;
use crate::insight::{breakdown_and_compare_builders, group_builders, series_builders};
use crate::series::SeriesNode;
use crate::{DateRange, GroupType, Interval};

use super::{Attribution, ExclusionNode, Order, StepNode, Window, WindowUnit};

/// A funnel as it is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FunnelsQuery {
    /// The steps, two or more.
    pub series: Vec<StepNode>,
    /// Size of a period of entrance in trends; a day by default. Otherwise it only decides how an open end is rounded.
    pub interval: Interval,
    /// Range of time; the last seven days by default. Every step must lie in it.
    pub date_range: DateRange,
    /// Only events on these days of the week, in the project's zone; all when empty.
    pub days_of_week: Vec<Weekday>,
    /// Conditions on every event.
    pub properties: PropertyNode,
    /// Adds the project's test-account filters.
    pub filter_test_accounts: bool,
    /// Share of distinct ids to read, in (0, 1]; counts are scaled back.
    pub sampling_factor: Option<f64>,
    /// Whose groups are followed; persons without.
    pub group_type: Option<GroupType>,
    /// How the steps must follow each other.
    pub order: Order,
    /// What is made of it.
    pub viz: VizType,
    /// How long after the entry the last step may come; 14 days by default.
    pub window: Window,
    /// What must not happen between two steps.
    pub exclusions: Vec<ExclusionNode>,
    /// Trends and times to convert look from the step at this position; the first without.
    pub from_step: Option<usize>,
    /// And to the one at this position; the last without.
    pub to_step: Option<usize>,
    /// Number of bins of times to convert, 1 to 90; by the number of conversions without.
    pub bins: Option<u32>,
    /// Leaves out the periods of trends in which entrants may still convert.
    pub hide_incomplete_periods: bool,
    /// Counts by the values of something.
    pub breakdown: BreakdownFilter,
    /// Under which of its values an actor is counted.
    pub attribution: Attribution,
    /// Compares with an earlier range.
    pub compare: CompareFilter,
    /// Events so many milliseconds after the first of them count as simultaneous; 50 by default.
    pub simultaneity_ms: Option<u64>,
    /// Beyond PostHog: steps after the range count for those who entered in it.
    pub complete_after_range: bool,
    /// Beyond PostHog: those whose window is still open are told apart from those who are lost.
    pub show_pending: bool,
}

/// What is made of a funnel, as it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum VizType {
    /// How many reached each step.
    #[default]
    Steps,
    /// The same rows; never compared.
    Flow,
    /// The share that converts, by period of entrance.
    Trends,
    /// How long conversions take.
    TimeToConvert,
}

impl FunnelsQuery {
    /// A funnel without steps over the last seven days.
    pub fn new() -> Self {
        Self::default()
    }

    series_builders!(StepNode);
    group_builders!();
    breakdown_and_compare_builders!();

    /// How the steps must follow each other.
    #[must_use]
    pub fn order(mut self, order: Order) -> Self {
        self.order = order;
        self
    }

    /// Makes this of it.
    #[must_use]
    pub fn viz(mut self, viz: VizType) -> Self {
        self.viz = viz;
        self
    }

    /// Lets the last step come this long after the entry.
    #[must_use]
    pub fn window(mut self, length: i64, unit: WindowUnit) -> Self {
        self.window = Window { length, unit };
        self
    }

    /// Leaves out those to whom this happens between the steps at these positions.
    #[must_use]
    pub fn exclusion(mut self, events: SeriesNode, from: usize, to: usize) -> Self {
        self.exclusions.push(ExclusionNode { events, from, to });
        self
    }

    /// Counts an actor under these breakdown values.
    #[must_use]
    pub fn attribution(mut self, attribution: Attribution) -> Self {
        self.attribution = attribution;
        self
    }

    /// Reads only events on these days of the week.
    #[must_use]
    pub fn days_of_week(mut self, days: impl IntoIterator<Item = Weekday>) -> Self {
        self.days_of_week = days.into_iter().collect();
        self
    }

    /// Counts steps after the range for those who entered in it.
    #[must_use]
    pub fn complete_after_range(mut self) -> Self {
        self.complete_after_range = true;
        self
    }

    /// Tells those whose window is still open apart from those who are lost.
    #[must_use]
    pub fn show_pending(mut self) -> Self {
        self.show_pending = true;
        self
    }
}
