//! Paths as they are asked for: the fields of PostHog's `PathsQuery`, and a builder for Rust.
//!
//! Nothing is looked up yet; [`PathsQuery::resolve`] does that.

use crate::filter::PropertyNode;
use crate::funnels::FunnelsQuery;
use crate::insight::event_builders;
use crate::{DateRange, PathCleaning};

use super::{FunnelPathsFilter, PathKeys};

/// Paths as they are asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PathsQuery {
    /// Range of time in whole days; the last seven days by default. One that ends before it starts holds no paths.
    pub date_range: DateRange,
    /// Conditions on the events. Others vanish: paths are made of what is left.
    pub properties: PropertyNode,
    /// Adds the project's test-account filters.
    pub filter_test_accounts: bool,
    /// Share of distinct ids to read, in [0, 1]; counts are scaled back.
    pub sampling_factor: Option<f64>,
    /// Which events are steps; none is all of them.
    pub include: Vec<EventKind>,
    /// Items that are no steps, after cleaning and grouping. As in PostHog nothing is left out unless `include` says something;
    /// without it, `$pageview` and `$screen` say that page views and screens go by these names.
    pub exclude: Vec<String>,
    /// The item that paths start with; it need not have happened first.
    pub start_point: Option<String>,
    /// The item that paths end with.
    pub end_point: Option<String>,
    /// Most steps of a path; 5 by default.
    pub step_limit: Option<usize>,
    /// Most links in the result; 50 by default.
    pub edge_limit: Option<usize>,
    /// Fewest paths of a link; 0 is any.
    pub min_edge_weight: usize,
    /// Most paths of a link; 0 is any.
    pub max_edge_weight: usize,
    /// Texts in which `*` is any text: items that they occur in are united.
    pub groupings: Vec<String>,
    /// Cleans items by the project's rules.
    pub project_cleaning: bool,
    /// Cleans items by these rules, after those of the project.
    pub cleaning: Vec<PathCleaning>,
    /// Around which part of which funnel.
    pub funnel: Option<FunnelPathsFilter>,
    /// The step or link whose persons are asked for. Says nothing to the paths themselves.
    pub keys: PathKeys,
}

/// Kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// `$pageview`, in paths by its URL.
    PageView,
    /// `$screen`, in paths by its screen's name.
    Screen,
    /// Every event whose name does not start with `$`.
    Custom,
}

impl PathsQuery {
    /// The paths of all events over the last seven days.
    pub fn new() -> Self {
        Self::default()
    }

    event_builders!();

    /// Takes events of this kind, besides other kinds that are named too.
    #[must_use]
    pub fn include(mut self, kind: EventKind) -> Self {
        self.include.push(kind);
        self
    }

    /// Leaves out an item. Needs at least one [`include`](Self::include).
    #[must_use]
    pub fn exclude(mut self, item: impl Into<String>) -> Self {
        self.exclude.push(item.into());
        self
    }

    /// Takes paths from this item on.
    #[must_use]
    pub fn start_point(mut self, item: impl Into<String>) -> Self {
        self.start_point = Some(item.into());
        self
    }

    /// Takes paths up to this item.
    #[must_use]
    pub fn end_point(mut self, item: impl Into<String>) -> Self {
        self.end_point = Some(item.into());
        self
    }

    /// Keeps this many steps of a path.
    #[must_use]
    pub fn step_limit(mut self, steps: usize) -> Self {
        self.step_limit = Some(steps);
        self
    }

    /// Keeps this many links.
    #[must_use]
    pub fn edge_limit(mut self, links: usize) -> Self {
        self.edge_limit = Some(links);
        self
    }

    /// Keeps links of at least and at most this many paths; 0 is any number.
    #[must_use]
    pub fn edge_weight(mut self, min: usize, max: usize) -> Self {
        self.min_edge_weight = min;
        self.max_edge_weight = max;
        self
    }

    /// Unites the items that a text occurs in, in which `*` is any text.
    #[must_use]
    pub fn grouping(mut self, text: impl Into<String>) -> Self {
        self.groupings.push(text.into());
        self
    }

    /// Cleans items by the project's rules.
    #[must_use]
    pub fn project_cleaning(mut self) -> Self {
        self.project_cleaning = true;
        self
    }

    /// Cleans items by a rule.
    #[must_use]
    pub fn cleaning(mut self, rule: PathCleaning) -> Self {
        self.cleaning.push(rule);
        self
    }

    /// Takes the events around a part of a funnel.
    #[must_use]
    pub fn around(mut self, funnel: FunnelPathsFilter) -> Self {
        self.funnel = Some(funnel);
        self
    }

    /// True when [`Context::earliest`](crate::Context::earliest) is needed to resolve it: its range, or that of the funnel that it
    /// is around, starts with the first event.
    pub fn needs_earliest(&self) -> bool {
        let funnel = self.funnel.as_ref().map(|around| &around.source);
        self.date_range.starts_with_first_event()
            || funnel.is_some_and(FunnelsQuery::needs_earliest)
    }
}
