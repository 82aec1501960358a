//! Funnels as `spec/funnels.md` and `spec/funnels-more.md` tell them, rule by rule; obvious, and slow.
//!
//! Written from the notes alone. Steps count from 1 here, as in the notes' algorithms.

mod steps;
mod trends;
mod unordered;
mod values;

use quintet_behavior::funnel::{Attribution, Event, Funnel, Order, Periods};

/// What a [`quintet_behavior::funnel::Run`] says, owned.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FoundRun {
    pub(super) value: u32,
    /// Steps done, from 1.
    pub(super) steps: Vec<usize>,
    pub(super) times: Vec<i64>,
}

/// What a [`quintet_behavior::funnel::Entrance`] says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct FoundEntrance {
    pub(super) value: u32,
    pub(super) period: usize,
    pub(super) converted: bool,
}

/// An event with its lists of marks, both ascending.
#[derive(Debug, Clone)]
struct Seen {
    id: usize,
    time: i64,
    value: u32,
    steps: Vec<usize>,
    exclusions: Vec<usize>,
}

/// What an event may do to a funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Step(usize),
    Exclusion(usize),
}

impl Seen {
    /// Exclusions first, then steps, each from the highest down.
    fn marks(&self) -> Vec<Mark> {
        let exclusions = self.exclusions.iter().rev().map(|&k| Mark::Exclusion(k));
        let steps = self.steps.iter().rev().map(|&k| Mark::Step(k));
        exclusions.chain(steps).collect()
    }
}

/// One evaluation of an actor: the value it stands for and what it sees.
struct Evaluation {
    value: u32,
    events: Vec<Seen>,
}

/// The numbers of the bits that are set, from 1.
pub(super) fn numbers(bits: u64) -> Vec<usize> {
    (0..64)
        .filter(|bit| bits >> bit & 1 == 1)
        .map(|bit| bit + 1)
        .collect()
}

fn seen(events: &[Event]) -> Vec<Seen> {
    let with_marks = |(id, event): (usize, &Event)| Seen {
        id,
        time: event.time,
        value: event.value,
        steps: numbers(event.steps),
        exclusions: numbers(event.exclusions),
    };
    events.iter().enumerate().map(with_marks).collect()
}

/// The window is inclusive.
fn within(window: i64, from: i64, to: i64) -> bool {
    to.saturating_sub(from) <= window
}

impl Evaluation {
    /// Only an event of this evaluation's value may take the step that values are attributed to.
    fn refuses(&self, funnel: &Funnel, event: &Seen, step: usize) -> bool {
        funnel.attribution == Attribution::Step(step - 1) && event.value != self.value
    }
}

/// May a try begin at this time?
fn may_enter(funnel: &Funnel, time: i64) -> bool {
    funnel.entry_until.is_none_or(|until| time <= until)
}

pub(super) fn runs(funnel: &Funnel, events: &[Event], empty: Option<u32>) -> Vec<FoundRun> {
    let events = seen(events);
    // funnels.md §4: near ties count only for actors without any exclusion mark, and not in strict funnels.
    let has_exclusions = events.iter().any(|event| !event.exclusions.is_empty());
    let exact = has_exclusions || funnel.order == Order::Strict;
    let tolerance = if exact { 0 } else { funnel.simultaneity };
    let mut found: Vec<FoundRun> = values::evaluations(funnel, &events, empty)
        .into_iter()
        .filter_map(|evaluation| match funnel.order {
            Order::Unordered => unordered::run(funnel, &evaluation),
            Order::Ordered | Order::Strict => steps::run(funnel, &evaluation, tolerance),
        })
        .collect();
    found.sort();
    found
}

pub(super) fn entrances(
    funnel: &Funnel,
    periods: &Periods,
    events: &[Event],
    empty: Option<u32>,
) -> Vec<FoundEntrance> {
    let mut found: Vec<FoundEntrance> = values::evaluations(funnel, &seen(events), empty)
        .into_iter()
        .flat_map(|evaluation| match funnel.order {
            Order::Unordered => unordered::entrances(funnel, periods, &evaluation),
            Order::Ordered | Order::Strict => trends::entrances(funnel, periods, &evaluation),
        })
        .collect();
    found.sort();
    found
}

/// The period that a time lies in.
fn period_of(periods: &Periods, time: i64) -> Option<usize> {
    periods
        .edges
        .windows(2)
        .position(|edge| edge[0] <= time && time < edge[1])
}
