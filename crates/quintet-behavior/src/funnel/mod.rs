//! Funnels: how far one actor came in a sequence of steps, and when. Rules: `spec/funnels.md`, `spec/funnels-more.md`.
//!
//! Whoever calls this prepares the events of one actor, sorted by [`Event::cmp`]; the machines walk over them once per run.
//!
//! - `attribution`: the runs, by breakdown value.
//! - `ordered`, `unordered`: how far a run came, with steps in order or in any.
//! - `trends`: the same period by period, with steps in order.

mod attribution;
mod bits;
mod ordered;
#[cfg(test)]
mod tests;
mod trends;
mod unordered;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use ordered::Tries;
use trends::Trends;
use unordered::Queues;

/// As many as there are bits to mark them.
const MOST_STEPS: usize = 64;

/// One event of an actor as a funnel sees it. Steps count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// Microseconds.
    pub time: i64,
    /// Bit `i`: the event meets step `i`.
    pub steps: u64,
    /// Bit `i`: the event must not lie between step `i - 1` and step `i`. Bit 0 is never set.
    pub exclusions: u64,
    /// Rank of the event's breakdown value among all values of the actor or more; 0 without a breakdown.
    pub value: u32,
}

/// What an actor's events are matched against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Funnel {
    /// Number of steps, 2 to 64.
    pub steps: usize,
    /// How the steps must follow each other.
    #[serde(default)]
    pub order: Order,
    /// How long after the entry the last step may come, in microseconds, inclusive.
    pub window: i64,
    /// Bit `i`: step `i` may be left out. Never bit 0.
    #[serde(default)]
    pub optional: u64,
    /// Events this close to the first of them count as simultaneous, in microseconds.
    #[serde(default)]
    pub simultaneity: i64,
    /// Which breakdown values an actor is counted under.
    #[serde(default)]
    pub attribution: Attribution,
    /// Entries after this instant do not count, later steps do. `None`: every entry counts.
    #[serde(default)]
    pub entry_until: Option<i64>,
}

/// How the steps must follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// In order, with anything between them.
    #[default]
    Ordered,
    /// In order, with nothing between them.
    Strict,
    /// In any order.
    Unordered,
}

/// Which breakdown values an actor is counted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// There is no breakdown.
    #[default]
    None,
    /// That of the earliest event that has one.
    FirstTouch,
    /// That of the latest event that has one.
    LastTouch,
    /// Every value, each judged by its own events only.
    AllEvents,
    /// Every value that is not empty, each judged by all events.
    AnyEvent,
    /// Every value of the events that meet this step; in the run for a value, only its own events take the step.
    Step(usize),
}

/// How far an actor came under one breakdown value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// The breakdown value.
    pub value: u32,
    /// Bit `i`: step `i` is done. In unordered funnels the lowest bits, as many as there are steps done.
    pub steps: u64,
    /// When each required step that is done was done, in the order of steps (unordered: in the order of time). At least one.
    pub times: &'a [i64],
}

/// What a historical trend looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Periods {
    /// Starts of the periods of entrance, ascending, then the exclusive end of the last one.
    pub edges: Vec<i64>,
    /// An entrance counts from this step on.
    pub from: usize,
    /// A conversion is to reach this step.
    pub to: usize,
}

/// An actor's outcome for one period of entrance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entrance {
    /// The breakdown value.
    pub value: u32,
    /// Position of the period.
    pub period: usize,
    /// True when the actor reached the step it was to reach.
    pub converted: bool,
}

/// Walks over the events of one actor after the other, without asking for memory each time.
pub struct Machine<'a> {
    funnel: &'a Funnel,
    steps: Steps<'a>,
}

enum Steps<'a> {
    InOrder(Tries<'a>),
    InAnyOrder(Queues<'a>),
}

impl Machine<'_> {
    /// As [`Funnel::runs`].
    pub fn runs(&mut self, events: &[Event], empty: Option<u32>, mut found: impl FnMut(Run<'_>)) {
        match &mut self.steps {
            Steps::InOrder(tries) => {
                if tries.meet(events) {
                    self.funnel
                        .views(events, empty, |view| tries.run(view, &mut found));
                }
            }
            Steps::InAnyOrder(queues) => {
                self.funnel
                    .views(events, empty, |view| queues.run(view, &mut found));
            }
        }
    }
}

impl Event {
    /// All that it is matched by.
    fn marks(&self) -> (u64, u64) {
        (self.steps, self.exclusions)
    }
}

impl Ord for Event {
    /// By time; at one instant by what the events are, so that no result depends on the order in which they were stored:
    /// those that meet fewer steps first, then lower steps first, exclusions last.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let at_one_instant = |event: &Self| {
            (
                event.steps == 0,
                event.steps.count_ones(),
                event.steps,
                event.exclusions,
                event.value,
            )
        };
        let by_time = self.time.cmp(&other.time);
        by_time.then_with(|| at_one_instant(self).cmp(&at_one_instant(other)))
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Periods {
    /// The period that the instant lies in, and when that ends, exclusively.
    fn around(&self, time: i64) -> Option<(usize, i64)> {
        let after = self.edges.partition_point(|edge| *edge <= time);
        Some((after.checked_sub(1)?, *self.edges.get(after)?))
    }
}

impl Funnel {
    /// How far the actor came, once per breakdown value that it counts under, each handed to `found`.
    ///
    /// `events` are sorted by [`Event::cmp`]. `empty` is the value that no touch takes, if any has it.
    pub fn runs(&self, events: &[Event], empty: Option<u32>, found: impl FnMut(Run<'_>)) {
        self.machine().runs(events, empty, found);
    }

    /// What [`runs`](Self::runs) takes place in, to be used for many actors.
    pub fn machine(&self) -> Machine<'_> {
        let steps = match self.order {
            Order::Ordered | Order::Strict => Steps::InOrder(Tries::new(self)),
            Order::Unordered => Steps::InAnyOrder(Queues::new(self)),
        };
        Machine {
            funnel: self,
            steps,
        }
    }

    /// The actor's outcome for every period in which it entered, once per breakdown value, each handed to `found`.
    ///
    /// `events` and `empty` are as in [`runs`](Self::runs). No step is optional.
    pub fn entrances(
        &self,
        periods: &Periods,
        events: &[Event],
        empty: Option<u32>,
        mut found: impl FnMut(Entrance),
    ) {
        if self.order == Order::Unordered {
            let mut queues = Queues::new(self);
            self.views(events, empty, |view| {
                queues.entrances(periods, view, &mut found);
            });
        } else {
            let mut trends = Trends::new(self, periods);
            self.views(events, empty, |view| trends.run(view, &mut found));
        }
    }

    /// Whether the window of an entry is still open.
    fn within(&self, time: i64, entry: i64) -> bool {
        time.saturating_sub(entry) <= self.window
    }
}
