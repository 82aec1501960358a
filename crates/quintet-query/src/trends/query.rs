//! A trend as it is asked for: the fields of PostHog's `TrendsQuery`, and a builder for Rust.
//!
//! Nothing is looked up yet; [`TrendsQuery::resolve`] does that.

use crate::filter::{PropertyNode, PropertyScope};
use crate::{DateRange, GroupType, Interval};

use super::{Display, Math};

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

/// One series as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesNode {
    /// Which events.
    pub source: SeriesSource,
    /// Name as the definition gives it.
    pub name: Option<String>,
    /// Name that a person gave the series.
    pub custom_name: Option<String>,
    /// Conditions on its events.
    pub properties: PropertyNode,
    /// What is counted.
    pub math: Math,
    /// The property that property maths aggregate.
    pub math_property: Option<MathProperty>,
    /// The group type whose groups are counted.
    pub math_group_type: Option<GroupType>,
    /// Factor applied to the property first.
    pub math_multiplier: Option<f64>,
}

/// Which events a series is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesSource {
    /// Events of this name, or of every name.
    Event(Option<String>),
    /// The action of this number.
    Action(i64),
}

/// The property that property maths aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MathProperty {
    /// Whose property.
    pub scope: PropertyScope,
    /// Its name.
    pub key: String,
}

/// A formula over the series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormulaNode {
    /// Its text, such as `A / B * 100`.
    pub formula: String,
    /// Label of its row; `Formula (<text>)` without.
    pub custom_name: Option<String>,
}

/// One row per value of something.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BreakdownFilter {
    /// Of what; nothing by default.
    pub by: BreakdownBy,
    /// How many values keep a row of their own; 25 by default.
    pub limit: Option<usize>,
    /// Drops the rows of the rest.
    pub hide_other: bool,
}

/// What rows are broken down by.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum BreakdownBy {
    /// Nothing: one row per series.
    #[default]
    Nothing,
    /// The single form (`breakdown`): values are texts.
    Property(BreakdownProperty),
    /// The list form (`breakdowns`), of one to three: values are lists.
    Properties(Vec<BreakdownProperty>),
    /// Membership of cohorts.
    Cohorts(Vec<CohortChoice>),
}

/// A property that rows are broken down by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakdownProperty {
    /// Whose property.
    pub scope: PropertyScope,
    /// Its name.
    pub key: String,
    /// Strips trailing `/?#`.
    pub normalize_url: bool,
    /// Number of bins of equal width.
    pub bins: Option<u32>,
}

/// A row of a cohort breakdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CohortChoice {
    /// Everybody.
    All,
    /// The members of the cohort of this number.
    Cohort(i64),
}

/// Compares with an earlier range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompareFilter {
    /// False: no comparison.
    pub compare: bool,
    /// How much earlier, such as `-1w`; the length of the range without.
    pub compare_to: Option<String>,
}

/// Starts a series on events.
#[derive(Debug)]
pub struct EventsNode;

/// Starts a series on an action.
#[derive(Debug)]
pub struct ActionsNode;

impl EventsNode {
    /// A series on the events of this name.
    #[allow(
        clippy::new_ret_no_self,
        reason = "named after the node that it writes"
    )]
    pub fn new(event: impl Into<String>) -> SeriesNode {
        SeriesNode::new(SeriesSource::Event(Some(event.into())))
    }

    /// A series on every event.
    pub fn all() -> SeriesNode {
        SeriesNode::new(SeriesSource::Event(None))
    }
}

impl ActionsNode {
    /// A series on the action of this number.
    #[allow(
        clippy::new_ret_no_self,
        reason = "named after the node that it writes"
    )]
    pub fn new(id: i64) -> SeriesNode {
        SeriesNode::new(SeriesSource::Action(id))
    }
}

impl SeriesNode {
    pub(super) fn new(source: SeriesSource) -> Self {
        Self {
            source,
            name: None,
            custom_name: None,
            properties: PropertyNode::default(),
            math: Math::default(),
            math_property: None,
            math_group_type: None,
            math_multiplier: None,
        }
    }

    /// Counts this instead of events.
    #[must_use]
    pub fn math(mut self, math: Math) -> Self {
        self.math = math;
        self
    }

    /// The event property that property maths aggregate.
    #[must_use]
    pub fn property(mut self, key: impl Into<String>) -> Self {
        self.math_property = Some(MathProperty {
            scope: PropertyScope::Event,
            key: key.into(),
        });
        self
    }

    /// The group type whose groups are counted, by index or by name.
    #[must_use]
    pub fn group(mut self, group_type: impl Into<GroupType>) -> Self {
        self.math_group_type = Some(group_type.into());
        self
    }

    /// Counts only events that satisfy this too.
    #[must_use]
    pub fn filter(mut self, condition: PropertyNode) -> Self {
        self.properties.and(condition);
        self
    }

    /// Names the series.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.custom_name = Some(name.into());
        self
    }
}

impl BreakdownProperty {
    /// A property as it is.
    pub fn new(scope: PropertyScope, key: impl Into<String>) -> Self {
        Self {
            scope,
            key: key.into(),
            normalize_url: false,
            bins: None,
        }
    }

    /// A property of the event.
    pub fn event(key: impl Into<String>) -> Self {
        Self::new(PropertyScope::Event, key)
    }

    /// A property of the event's person.
    pub fn person(key: impl Into<String>) -> Self {
        Self::new(PropertyScope::Person, key)
    }

    /// A property of the event's group of this type.
    pub fn group(group_type: impl Into<GroupType>, key: impl Into<String>) -> Self {
        Self::new(PropertyScope::Group(group_type.into()), key)
    }

    /// Cuts the numbers between least and greatest into this many bins of equal width.
    #[must_use]
    pub fn bins(mut self, bins: u32) -> Self {
        self.bins = Some(bins);
        self
    }
}

impl TrendsQuery {
    /// A trend without series over the last seven days by day.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a series.
    #[must_use]
    pub fn series(mut self, series: SeriesNode) -> Self {
        self.series.push(series);
        self
    }

    /// Cuts time into buckets of this size.
    #[must_use]
    pub fn interval(mut self, interval: Interval) -> Self {
        self.interval = interval;
        self
    }

    /// From and to, as absolute (`2024-01-31`) or relative (`-7d`, `mStart`) dates; no end is now.
    #[must_use]
    pub fn date_range(mut self, from: impl Into<String>, to: Option<&str>) -> Self {
        self.date_range = DateRange {
            date_from: Some(from.into()),
            date_to: to.map(str::to_owned),
            explicit: false,
        };
        self
    }

    /// Counts only events that satisfy this too, in every series.
    #[must_use]
    pub fn filter(mut self, condition: PropertyNode) -> Self {
        self.properties.and(condition);
        self
    }

    /// Leaves out the project's test accounts.
    #[must_use]
    pub fn without_test_accounts(mut self) -> Self {
        self.filter_test_accounts = true;
        self
    }

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

    /// Adds a property to break down by: one row per value. A single one gives plain values, several give lists.
    #[must_use]
    pub fn breakdown(mut self, property: BreakdownProperty) -> Self {
        self.breakdown.by = match self.breakdown.by {
            BreakdownBy::Property(first) => BreakdownBy::Properties(vec![first, property]),
            BreakdownBy::Properties(mut properties) => {
                properties.push(property);
                BreakdownBy::Properties(properties)
            }
            BreakdownBy::Nothing | BreakdownBy::Cohorts(_) => BreakdownBy::Property(property),
        };
        self
    }

    /// Keeps a row of their own for this many values.
    #[must_use]
    pub fn breakdown_limit(mut self, limit: usize) -> Self {
        self.breakdown.limit = Some(limit);
        self
    }

    /// Compares with the range before, or with the range this much earlier (`-1w`).
    #[must_use]
    pub fn compare(mut self, to: Option<&str>) -> Self {
        self.compare = CompareFilter {
            compare: true,
            compare_to: to.map(str::to_owned),
        };
        self
    }

    /// True when [`Context::earliest`](crate::Context::earliest) is needed to resolve it: its range starts with the first event.
    pub fn needs_earliest(&self) -> bool {
        self.date_range.starts_with_first_event()
    }
}
