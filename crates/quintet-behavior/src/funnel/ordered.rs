//! Steps in order, with anything or nothing between them: `spec/funnels.md` §3 to §5 and §8, `spec/funnels-more.md` §3.1.

use std::ops::Range;

use super::attribution::View;
use super::bits::{ascending, bit, descending, first, has};
use super::{Event, Funnel, MOST_STEPS, Order, Run};

/// An attempt at the funnel, as far as it came.
#[derive(Debug, Clone, Copy, Default)]
struct Try {
    /// When it was opened. No other try of the actor has the same.
    anchor: i64,
    /// Whether it met an exclusion.
    excluded: bool,
    /// Bit `i`: it did step `i`.
    steps: u64,
}

/// A required step that a try did.
#[derive(Debug, Clone, Copy, Default)]
struct Visit {
    time: i64,
    /// Position of the event that took the step.
    event: usize,
}

/// The tries of an actor that can still get further, and the one that came furthest.
///
/// Many tries go on at once, yet few need to be remembered: slot `k` holds the latest one whose last step is the `k`-th, counted
/// from 1. Slot 0 holds the try that an event of the first step would open now. So step `i`, counted from 0 as everywhere else,
/// leads from slot `i` to slot `i + 1`.
pub(super) struct Tries<'a> {
    funnel: &'a Funnel,
    /// The steps there are. Nothing else is looked at, so that every slot and row exists.
    all: u64,
    optional: u64,
    /// How far apart the events of a tie group may be.
    tolerance: i64,
    slots: Vec<Option<Try>>,
    /// What the tries in the slots visited, slot after slot; see [`row`].
    visits: Vec<Visit>,
    /// The slot that the furthest try got to, and that try.
    best: Option<(usize, Try)>,
    /// When the best try did its required steps.
    times: Vec<i64>,
}

impl<'a> Tries<'a> {
    /// For any number of runs.
    pub(super) fn new(funnel: &'a Funnel) -> Self {
        let steps = funnel.steps.min(MOST_STEPS);
        Self {
            funnel,
            all: first(steps),
            optional: funnel.optional & !bit(0),
            tolerance: 0,
            slots: vec![None; steps + 1],
            visits: vec![Visit::default(); row(steps + 1)],
            best: None,
            times: Vec::new(),
        }
    }

    /// The runs to come are over these events of another actor. Says whether there can be any: all begin with the first step.
    pub(super) fn meet(&mut self, events: &[Event]) -> bool {
        let is_exact =
            self.funnel.order == Order::Strict || events.iter().any(|event| event.exclusions != 0);
        self.tolerance = if is_exact {
            0
        } else {
            self.funnel.simultaneity.max(0)
        };
        events.iter().any(|event| has(event.steps, 0))
    }

    /// Walks over the events and says how far the actor came. One whose best try is spoilt has left the funnel.
    pub(super) fn run(&mut self, view: &View<'_>, found: &mut impl FnMut(Run<'_>)) {
        self.slots.fill(None);
        self.best = None;
        self.walk(view);
        let Some((_, best)) = self.best.filter(|(_, best)| !best.excluded) else {
            return;
        };
        for &value in view.values {
            found(Run {
                value,
                steps: best.steps,
                times: &self.times,
            });
        }
    }

    /// Tie group after tie group (§4), until the actor has converted.
    fn walk(&mut self, view: &View<'_>) {
        let mut rest = view.events;
        let mut position = 0;
        while let Some(head) = rest.first()
            && !self.converted()
        {
            let near = |event: &&Event| event.time.saturating_sub(head.time) <= self.tolerance;
            let (group, after) = rest.split_at(rest.iter().take_while(near).count());
            self.slots[0] = Some(Try {
                anchor: head.time,
                ..Try::default()
            });
            if group.iter().all(|event| event.marks() == head.marks()) {
                self.one_by_one(view, group, position);
            } else {
                self.at_once(view, group, head.time, position);
            }
            position += group.len();
            rest = after;
        }
    }

    fn converted(&self) -> bool {
        self.slots.last().is_some_and(Option::is_some)
    }

    /// Events whose order is known, or does not matter. From the highest mark down, so that no event takes two steps of a try.
    fn one_by_one(&mut self, view: &View<'_>, group: &[Event], position: usize) {
        for (position, event) in (position..).zip(group) {
            let visit = Visit {
                time: event.time,
                event: position,
            };
            for step in descending(event.exclusions & self.all & !bit(0)) {
                self.exclude(step, event.time);
            }
            match view.steps(event, event.time) & self.all {
                // Most events of most funnels.
                steps if steps == bit(0) => self.enter(visit),
                steps => descending(steps).for_each(|step| self.take(step, visit)),
            }
            if self.funnel.order == Order::Strict {
                self.keep(event.steps);
            }
        }
    }

    /// Different events of one instant, in whatever order gets furthest; none of them can be said to lie between others.
    fn at_once(&mut self, view: &View<'_>, group: &[Event], time: i64, position: usize) {
        let met = group.iter().fold(0, |met, event| met | event.steps);
        for step in ascending(met & self.all) {
            for (position, event) in (position..).zip(group) {
                let visit = Visit {
                    time,
                    event: position,
                };
                if has(view.steps(event, time), step) {
                    self.take(step, visit);
                }
            }
        }
    }

    /// Strict: whatever stands at a step that the event does not meet is interrupted.
    fn keep(&mut self, steps: u64) {
        for (step, slot) in self.slots.iter_mut().skip(1).enumerate() {
            if !has(steps, step) {
                *slot = None;
            }
        }
    }

    /// Rules 1 and 2 of §3: the slot from which an event may lead to the step, and the try in it.
    fn before(&self, step: usize, time: i64) -> Option<(usize, Try)> {
        let live = |slot: usize| {
            self.slots[slot].filter(|attempt| self.funnel.within(time, attempt.anchor))
        };
        let mut slot = step;
        while slot > 0 && has(self.optional, slot - 1) && live(slot).is_none() {
            slot -= 1;
        }
        let attempt = live(slot)?;
        let passed = self.slots[step + 1].is_some_and(|other| other.anchor == attempt.anchor);
        (!passed).then_some((slot, attempt))
    }

    /// Rule 3 of §3.
    fn exclude(&mut self, step: usize, time: i64) {
        let Some((slot, attempt)) = self.before(step, time) else {
            return;
        };
        self.slots[slot] = Some(Try {
            excluded: true,
            ..attempt
        });
        if let Some((reached, best)) = &mut self.best
            && *reached == slot
            && self.funnel.within(time, best.anchor)
        {
            best.excluded = true;
        }
    }

    /// Rule 4 of §3. Where order is known, no event is in a try already when it comes to a step, so there is no need to tell
    /// tie groups apart.
    fn take(&mut self, step: usize, visit: Visit) {
        let Some((slot, before)) = self.before(step, visit.time) else {
            return;
        };
        let visited = self.visited(slot, before);
        let used = |other: &Visit| other.event == visit.event;
        if self.visits[visited.clone()].iter().any(used) {
            return;
        }
        let (slot, required) = (step + 1, !has(self.optional, step));
        let attempt = Try {
            steps: before.steps | bit(step),
            ..before
        };
        if self.is_better(slot) {
            self.best = Some((slot, attempt));
            self.times.clear();
            let visits = &self.visits[visited.clone()];
            self.times.extend(visits.iter().map(|visit| visit.time));
            self.times.extend(required.then_some(visit.time));
        }
        if !attempt.excluded {
            let count = visited.len();
            self.visits.copy_within(visited, row(slot));
            if required {
                self.visits[row(slot) + count] = visit;
            }
            self.slots[slot] = Some(attempt);
        }
    }

    /// What [`take`](Self::take) comes to for the first step: a new try, unless there is one of this instant already.
    fn enter(&mut self, visit: Visit) {
        let [Some(open), entered, ..] = self.slots.as_mut_slice() else {
            return;
        };
        if entered.is_some_and(|other| other.anchor == open.anchor) {
            return;
        }
        let attempt = Try {
            steps: bit(0),
            ..*open
        };
        *entered = Some(attempt);
        self.visits[row(1)] = visit;
        if self.is_better(1) {
            self.best = Some((1, attempt));
            self.times.clear();
            self.times.push(visit.time);
        }
    }

    /// Whether a try that gets to the slot replaces the best one. A spoilt one does so too, if it gets further.
    fn is_better(&self, slot: usize) -> bool {
        self.best
            .is_none_or(|(reached, best)| slot > reached || (slot == reached && best.excluded))
    }

    /// Where the visits of the try in a slot stand.
    fn visited(&self, slot: usize, attempt: Try) -> Range<usize> {
        let count = (attempt.steps & !self.optional).count_ones() as usize;
        row(slot)..row(slot) + count
    }
}

/// Where the visits of a slot begin. Slot `k` needs room for `k` of them.
fn row(slot: usize) -> usize {
    slot * slot.saturating_sub(1) / 2
}
