//! Funnels after validation: what the engine plans, and what [`super::figures`] and [`super::shape`] turn into rows.
//!
//! Steps and positions count from 0; times and lengths of time are microseconds.

use serde_json::Value;

use crate::Period;
use crate::breakdown::Breakdown;
use crate::filter::Filter;
use crate::series::Actor;

/// A validated `FunnelsQuery`.
#[derive(Debug, Clone, PartialEq)]
pub struct Funnels {
    /// In the order asked, 2 to 32; more in trends.
    pub steps: Vec<Step>,
    /// What must not happen between two steps.
    pub exclusions: Vec<Exclusion>,
    /// What every event must satisfy, those between the steps of a strict funnel too.
    pub filter: Filter,
    /// Whose path is followed. Events without a group of the type take no part.
    pub actor: Actor,
    /// How the steps must follow each other.
    pub order: Order,
    /// From the entry to the last step at most, inclusive.
    pub window: i64,
    /// Events this close to the first of them count as simultaneous.
    pub simultaneity: i64,
    /// What is made of it.
    pub viz: Viz,
    /// The range asked for.
    pub current: Span,
    /// The range compared with.
    pub previous: Option<Span>,
    /// Counts by the values of something.
    pub breakdown: Option<Breakdown>,
    /// Under which of its values an actor is counted.
    pub attribution: Attribution,
    /// Share of distinct ids to read, in (0, 1); `None` reads all. Counts are scaled back.
    pub sampling: Option<f64>,
    /// Beyond PostHog: steps after the range count for those who entered in it.
    pub completes_after_range: bool,
    /// Beyond PostHog: those whose window is still open are told apart from those who are lost.
    pub pending: bool,
    /// The clock.
    pub now: i64,
}

/// One range of time. Events outside do not exist for the funnel.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// `from` and `to` are the range, both inclusive. Trends: its buckets are the periods of entrance; otherwise there is one.
    pub period: Period,
    /// Where only some weekdays count: starts and exclusive ends of the stretches that do, alternating, ascending.
    pub stretches: Option<Vec<i64>>,
}

/// One step.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// The step is met by an event that satisfies any of these.
    pub conditions: Vec<Condition>,
    /// May be left out.
    pub optional: bool,
    /// What rows echo about it.
    pub echo: StepEcho,
}

/// What an event must be to meet a step.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// What the event itself must be: its name, or the action.
    pub matching: Filter,
    /// The filters on it.
    pub filter: Filter,
    /// Only a person's first such event of all time up to the end of the range, whoever is counted.
    pub first_time: Option<FirstTime>,
}

/// Which event is a person's first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstTime {
    /// The first that matches; it must then satisfy the filters.
    Matching,
    /// The first that matches and satisfies the filters.
    Filtered,
}

/// What must not happen between two steps.
#[derive(Debug, Clone, PartialEq)]
pub struct Exclusion {
    /// Which events.
    pub filter: Filter,
    /// After this step was reached.
    pub from: usize,
    /// And before this one was.
    pub to: usize,
}

/// What rows say about a step.
#[derive(Debug, Clone, PartialEq)]
pub struct StepEcho {
    /// The event's name, the action's number, the joined names of a group of events, or null for any event.
    pub action_id: Value,
    /// Name of the event or action, null for any event.
    pub name: Option<String>,
    /// Name that a person gave the step.
    pub custom_name: Option<String>,
    /// `events`, `actions` or `group`.
    pub kind: &'static str,
}

/// How the steps must follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// In order, with anything between them.
    #[default]
    Ordered,
    /// In order, with nothing between them.
    Strict,
    /// In any order.
    Unordered,
}

/// What is made of a funnel.
#[derive(Debug, Clone, PartialEq)]
pub enum Viz {
    /// How many reached each step.
    Steps,
    /// The same rows; never compared.
    Flow,
    /// The share that converts, by period of entrance.
    Trends {
        /// Entrances are those who reached this step.
        from: usize,
        /// Conversions are those who reached this one.
        to: usize,
    },
    /// How long conversions take.
    TimeToConvert {
        /// From this step.
        from: usize,
        /// To this one.
        to: usize,
        /// Number of bins; by the number of conversions without.
        bins: Option<u32>,
    },
}

/// Under which breakdown values an actor is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attribution {
    /// That of its earliest event that has one.
    #[default]
    FirstTouch,
    /// That of its latest event that has one.
    LastTouch,
    /// Every value, each judged by its own events.
    AllEvents,
    /// Every value of the events that meet this step.
    Step(usize),
}
