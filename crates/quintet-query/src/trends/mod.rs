//! Trends: how often something happened, or how many did it, over time and by value.
//!
//! `query` is what is asked, `insight` what that means, `shape` how the answer looks. Rules: `spec/trends.md`.

mod actors;
mod display;
mod formula;
mod insight;
mod math;
mod parse;
mod query;
mod resolve;
mod shape;

pub use actors::{ActorsBreakdown, InsightActorsQuery, TrendsActors};
pub use display::Display;
pub use formula::Formula;
pub use insight::{
    Actor, Aggregate, Breakdown, BreakdownPart, Measure, Series, SeriesEcho, Trends,
};
pub use math::Math;
pub use query::{
    ActionsNode, BreakdownBy, BreakdownFilter, BreakdownProperty, CohortChoice, CompareFilter,
    EventsNode, FormulaNode, MathProperty, SeriesNode, SeriesSource, TrendsQuery,
};
pub use shape::{Figure, NULL_LABEL, OTHER_LABEL, TrendsResult, shape};

pub use crate::Period;
