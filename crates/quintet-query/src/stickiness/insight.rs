//! Stickiness after validation: what the engine plans and [`super::shape`] turns into rows.
//!
//! For each series and range the engine counts: events per (breakdown value, actor, interval), intervals per (value, actor)
//! whose count of events meets the criterion, and actors per (value, number of intervals). Nothing else is needed of it.

use crate::Interval;
use crate::breakdown::Breakdown;
use crate::filter::Filter;
use crate::series::{Actor, SeriesEcho};

use super::{Bound, Intervals};

/// A validated `StickinessQuery`.
#[derive(Debug, Clone, PartialEq)]
pub struct Stickiness {
    /// In the order asked, at least one.
    pub series: Vec<Series>,
    /// The unit that labels name.
    pub interval: Interval,
    /// The range asked for.
    pub current: Intervals,
    /// The range compared with.
    pub previous: Option<Intervals>,
    /// How many events of an actor make an interval an active one.
    pub criterion: Bound,
    /// Rows count the actors of this many intervals or more. The engine counts those of exactly as many all the same.
    pub cumulative: bool,
    /// One histogram per value instead of one per series.
    pub breakdown: Option<Breakdown>,
    /// Share of distinct ids to read, in [0, 1); `None` reads all.
    pub sampling: Option<f64>,
}

/// One series: whose activity, and which events are activity.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Whose intervals are counted. Events without a group of the type are left out.
    pub actor: Actor,
    /// Everything that an event must satisfy.
    pub filter: Filter,
    /// What rows echo about the series.
    pub echo: SeriesEcho,
}
