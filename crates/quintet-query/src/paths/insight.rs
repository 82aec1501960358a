//! Paths after validation: what the engine plans and [`super::shape`] turns into rows.
//!
//! The engine names each event by [`Items`], gives the items of each person in order of time to `quintet-behavior`, which
//! finds the paths and their links, and counts the links.

use std::ops::RangeInclusive;

use crate::PathCleaning;
use crate::filter::Filter;

use super::FunnelPaths;

/// A validated `PathsQuery`. Times and lengths of time are microseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct Paths {
    /// Everything that an event must satisfy; what [`Items::excluded`] leaves out is no part of it.
    pub filter: Filter,
    /// First instant of events that count.
    pub from: i64,
    /// Last instant of events that count, inclusive; before `from` there are none.
    pub to: i64,
    /// Share of distinct ids to read, in [0, 1); `None` reads all.
    pub sampling: Option<f64>,
    /// How events are named.
    pub items: Items,
    /// A new path starts when this much time has passed since the person's event before.
    pub gap: i64,
    /// Most steps of a path.
    pub step_limit: usize,
    /// The item that paths start with.
    pub start_point: Option<String>,
    /// The item that paths end with.
    pub end_point: Option<String>,
    /// Most links in the result.
    pub edge_limit: usize,
    /// How many paths a link may have.
    pub weights: RangeInclusive<u64>,
    /// Around which part of which funnel.
    pub funnel: Option<FunnelPaths>,
}

/// How events are named in paths: a page view by its URL, a screen by its name, any other by its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Items {
    /// False: page views are named as other events are.
    pub urls: bool,
    /// False: screens are named as other events are.
    pub screen_names: bool,
    /// What is rewritten, each in the result of the one before.
    pub cleaning: Vec<PathCleaning>,
    /// Texts in which `*` is any text, none of them empty. They replace the items that they occur in.
    pub groupings: Vec<String>,
    /// Items that take no part, after all that.
    pub excluded: Vec<String>,
}
