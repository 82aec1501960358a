//! A trends insight after validation: what the engine plans and [`super::shape`] turns into rows.
//!
//! Everything relative is resolved (clock, zone, week start); an illegal combination cannot be expressed.
//! Rules: `spec/trends.md`.

use crate::breakdown::Breakdown;
use crate::filter::{Filter, Property};
use crate::series::{Actor, SeriesEcho};
use crate::{Interval, Period};

use super::{Display, Formula};

/// A validated `TrendsQuery`.
#[derive(Debug, Clone, PartialEq)]
pub struct Trends {
    /// In the order asked; letters `A`, `B`, … of formulas go by position.
    pub series: Vec<Series>,
    /// Size of a bucket.
    pub interval: Interval,
    /// The range asked for.
    pub current: Period,
    /// The range compared with.
    pub previous: Option<Period>,
    /// One row per value instead of one per series.
    pub breakdown: Option<Breakdown>,
    /// How the figures are shown; decides between one figure and a time series.
    pub display: Display,
    /// Width of the trailing mean; 1 is none.
    pub smoothing: usize,
    /// When not empty, their rows replace those of the series.
    pub formulas: Vec<Formula>,
    /// Share of distinct ids to read, in (0, 1); `None` reads all.
    pub sampling: Option<f64>,
}

/// One series: which events, and what is counted of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Event, action step or every event: what "the event" means for first-time measures. No property filters of the series or query.
    pub matching: Filter,
    /// Property filters of the series, of the query and of test accounts, combined.
    pub filter: Filter,
    /// The figure per bucket.
    pub measure: Measure,
    /// True when the series is on an action that nobody defined: it matches nothing and has no row.
    pub unknown_action: bool,
    /// What rows echo about the series.
    pub echo: SeriesEcho,
}

/// The figure of a bucket.
#[derive(Debug, Clone, PartialEq)]
pub enum Measure {
    /// Number of events.
    Total,
    /// Distinct actors.
    Unique(Actor),
    /// Distinct actors in the trailing `days` days (7 or 30).
    Active {
        /// Who is counted.
        actor: Actor,
        /// Length of the window.
        days: u32,
    },
    /// Distinct `$session_id`; events without one share the empty id.
    UniqueSessions,
    /// An aggregate over a numeric property; empty gives 0.
    Property {
        /// The aggregate.
        aggregate: Aggregate,
        /// Of which property.
        property: Property,
        /// Factor applied to the property first.
        multiplier: f64,
    },
    /// An aggregate over the length in seconds of each session once (`$session_duration`).
    SessionDuration(Aggregate),
    /// An aggregate over the counts of events per actor; actors without events take no part.
    CountPerActor {
        /// The aggregate.
        aggregate: Aggregate,
        /// Per whom events are counted.
        actor: Actor,
    },
    /// Actors whose first event ever lies in the bucket.
    FirstTime {
        /// Who is counted.
        actor: Actor,
        /// True when the property filters are part of what is looked for (`first_matching_event_*`).
        matching: bool,
    },
}

/// An aggregate over numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "each is its name")]
pub enum Aggregate {
    Sum,
    Average,
    Minimum,
    Maximum,
    /// Linear interpolation at `q * (n - 1)` of the sorted values; the median is 0.5.
    Quantile(f64),
}

impl Measure {
    /// Whose list stands behind a figure of this measure.
    pub fn actor(&self) -> Actor {
        match self {
            Self::Unique(actor)
            | Self::Active { actor, .. }
            | Self::CountPerActor { actor, .. }
            | Self::FirstTime { actor, .. } => *actor,
            _ => Actor::Person,
        }
    }
}
