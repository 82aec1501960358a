//! Trends: how often something happened, or how many did it, over time and by value.
//!
//! `query` is what is asked, `insight` what that means, `shape` how the answer looks. Rules: `spec/trends.md`.

mod actors;
mod display;
mod formula;
mod insight;
mod parse;
mod query;
mod resolve;
mod shape;

pub use actors::{InsightActorsQuery, TrendsActors};
pub use display::Display;
pub use formula::Formula;
pub use insight::{Aggregate, Measure, Series, Trends};
pub use query::{FormulaNode, TrendsQuery};
pub use shape::{Figure, TrendsResult, kept_values, shape};

pub use crate::breakdown::{
    ActorsBreakdown, Breakdown, BreakdownBy, BreakdownFilter, BreakdownPart, BreakdownProperty,
    CohortChoice, NULL_LABEL, OTHER_LABEL,
};
pub use crate::compare::CompareFilter;
pub use crate::period::Period;
pub use crate::series::{
    ActionsNode, Actor, EventsNode, Math, MathProperty, SeriesEcho, SeriesNode, SeriesSource,
};
