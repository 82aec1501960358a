//! Breakdowns: one row per value of something, as asked and after validation. Rules: `spec/trends.md` section 4.
//!
//! `lines` ranks, folds and orders the values, `label` writes them, `actors` says what a value demands of events.

mod actors;
mod label;
mod lines;
mod parse;
mod resolve;

use std::sync::Arc;

use crate::GroupType;
use crate::filter::{Cohort, Property, PropertyScope};

pub use actors::ActorsBreakdown;
pub(crate) use actors::Restriction;
pub(crate) use label::{breakdown_value, row_label};
pub(crate) use lines::{Line, LineValue, Lines, Rank};

/// Label of the row whose value is null, absent or empty.
pub const NULL_LABEL: &str = "$$_posthog_breakdown_null_$$";
/// Label of the row that holds the values beyond the limit.
pub const OTHER_LABEL: &str = "$$_posthog_breakdown_other_$$";

/// One row per value of something.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BreakdownFilter {
    /// Of what; nothing by default.
    pub by: BreakdownBy,
    /// How many values keep a row of their own; 25 by default.
    pub limit: Option<usize>,
    /// Drops the rows of the rest.
    pub hide_other: bool,
    /// Beyond PostHog: the row of the rest holds its true figure (each actor once) instead of the sum of what was folded.
    pub true_other: bool,
}

/// What rows are broken down by.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum BreakdownBy {
    /// Nothing: one row per series.
    #[default]
    Nothing,
    /// The single form (`breakdown`): values are texts.
    Property(BreakdownProperty),
    /// The list form (`breakdowns`), of one to three, in funnels of any number: values are lists.
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

/// A row per value of something.
#[derive(Debug, Clone, PartialEq)]
pub enum Breakdown {
    /// By the values of properties.
    Properties {
        /// One to three; in funnels at least one.
        parts: Vec<BreakdownPart>,
        /// True when asked as a list (`breakdowns`), and in funnels by anything but one property of groups: values are lists then, even of one.
        list: bool,
        /// How many values keep a row of their own.
        limit: usize,
        /// Drop the rows that hold the rest.
        hide_other: bool,
        /// The engine counts the rest by itself; otherwise it is summed up from what is folded.
        true_other: bool,
    },
    /// By membership of cohorts, in the order asked; `None` is everyone.
    Cohorts(Vec<Option<Arc<Cohort>>>),
}

/// One property that rows are broken down by.
#[derive(Debug, Clone, PartialEq)]
pub struct BreakdownPart {
    /// Which property.
    pub property: Property,
    /// Strip trailing `/?#`.
    pub normalize_url: bool,
    /// Number of equal-width bins of a numeric property.
    pub bins: Option<u32>,
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
