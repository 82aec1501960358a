//! Historical trends of steps in order: every period of entrance has an outcome of its own, `spec/funnels-more.md` §4.2.

use super::attribution::View;
use super::bits::{bit, descending, first, has};
use super::{Entrance, Event, Funnel, MOST_STEPS, Order, Periods};

/// How far the entrances of one period came.
#[derive(Debug, Clone, Copy)]
struct Entered {
    /// Position of the period.
    period: usize,
    /// When the period ends, exclusively.
    end: i64,
    /// The latest entrance.
    latest: i64,
    /// Bit `i`: slot `i` holds an entrance that did step `i`.
    filled: u64,
    /// Bit `i`: the entrance in slot `i` met an exclusion.
    excluded: u64,
    /// The furthest step done, and when.
    best: (usize, i64),
    spoilt: Spoilt,
    converted: bool,
}

/// What exclusions did to the best entrance of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spoilt {
    No,
    /// It met one, and came no further.
    Partly,
    /// It met one and came further all the same.
    Fully,
}

/// The periods that an actor entered in.
pub(super) struct Trends<'a> {
    funnel: &'a Funnel,
    periods: &'a Periods,
    /// The step that converts. Those beyond it play no part.
    goal: usize,
    /// In the order of time, so that only the last can be entered again.
    entered: Vec<Entered>,
    /// When the entrances in the slots happened, a row of `goal + 1` per period.
    entries: Vec<i64>,
    /// How many of the periods, from the oldest on, nothing can change any more.
    closed: usize,
}

impl<'a> Trends<'a> {
    /// For the runs over one actor's events.
    pub(super) fn new(funnel: &'a Funnel, periods: &'a Periods) -> Self {
        Self {
            funnel,
            periods,
            goal: periods.to.min(MOST_STEPS - 1),
            entered: Vec::new(),
            entries: Vec::new(),
            closed: 0,
        }
    }

    /// Walks over the events and says how each period ended. One that is fully spoilt takes all that have not converted with it.
    pub(super) fn run(&mut self, view: &View<'_>, found: &mut impl FnMut(Entrance)) {
        self.entered.clear();
        self.entries.clear();
        self.closed = 0;
        self.walk(view);
        let voids = |entered: &Entered| !entered.converted && entered.spoilt == Spoilt::Fully;
        let void = self.entered.iter().any(voids);
        for entered in &self.entered {
            let reached = entered.best.0 >= self.periods.from && entered.spoilt == Spoilt::No;
            let counts = entered.converted || (reached && !void);
            for &value in view.values.iter().filter(|_| counts) {
                found(Entrance {
                    value,
                    period: entered.period,
                    converted: entered.converted,
                });
            }
        }
    }

    /// Event after event. At one instant with a step no exclusion lies between steps, as in funnels without periods.
    fn walk(&mut self, view: &View<'_>) {
        let played = first(self.goal + 1);
        for instant in view.events.chunk_by(|one, other| one.time == other.time) {
            let stepped = instant.iter().any(|event| event.steps & played != 0);
            for event in instant {
                let excludes = event.steps & played == 0 && event.exclusions & played != 0;
                if !(stepped && excludes) {
                    self.feed(view, event, played);
                }
            }
        }
    }

    /// One event, from its highest mark down.
    fn feed(&mut self, view: &View<'_>, event: &Event, played: u64) {
        let (funnel, goal, time) = (self.funnel, self.goal, event.time);
        self.close(time);
        for step in descending(event.exclusions & played & !bit(0)) {
            self.open()
                .for_each(|(entered, entries)| entered.exclude(funnel, entries, step, time));
        }
        for step in descending(view.steps(event, time) & played) {
            if step == 0 {
                self.enter(time);
                continue;
            }
            for (entered, entries) in self.open() {
                entered.take(funnel, entries, step, time);
                entered.converted = has(entered.filled, goal);
            }
        }
        if funnel.order == Order::Strict {
            self.open()
                .for_each(|(entered, _)| entered.filled &= event.steps);
        }
    }

    /// The periods that have not converted, with their rows of entries.
    fn open(&mut self) -> impl Iterator<Item = (&mut Entered, &mut [i64])> {
        let rows = self.entries.chunks_exact_mut(self.goal + 1);
        let entered = self.entered.iter_mut().skip(self.closed);
        let open = entered.zip(rows.skip(self.closed));
        open.filter(|(entered, _)| !entered.converted)
    }

    /// Sets the oldest periods aside whose last entrance has run out of time.
    fn close(&mut self, time: i64) {
        while let Some(oldest) = self.entered.get(self.closed)
            && oldest.end <= time
            && !self.funnel.within(time, oldest.latest)
        {
            self.closed += 1;
        }
    }

    /// The first step. A spoilt period that came no further than it starts afresh.
    fn enter(&mut self, time: i64) {
        let Some((period, end)) = self.periods.around(time) else {
            return;
        };
        let fresh = Entered {
            period,
            end,
            latest: time,
            filled: bit(0),
            excluded: 0,
            best: (0, time),
            spoilt: Spoilt::No,
            converted: self.goal == 0,
        };
        match self.entered.last_mut() {
            Some(last) if last.period == period => {
                if last.converted {
                    return;
                }
                if last.best.0 == 0 && last.spoilt != Spoilt::No {
                    *last = fresh;
                }
                last.latest = time;
                last.filled |= bit(0);
                last.excluded &= !bit(0);
            }
            _ => {
                self.entered.push(fresh);
                let length = self.entries.len() + self.goal + 1;
                self.entries.resize(length, 0);
            }
        }
        if let Some([entry, ..]) = self.entries.rchunks_exact_mut(self.goal + 1).next() {
            *entry = time;
        }
    }
}

impl Entered {
    /// The entrance that an event may lead on to the step, by its time.
    fn before(&self, funnel: &Funnel, entries: &[i64], step: usize, time: i64) -> Option<i64> {
        let entry = |step: usize| entries.get(step).filter(|_| has(self.filled, step));
        let before = entry(step.checked_sub(1)?)?;
        let passed = entry(step) == Some(before);
        (!passed && funnel.within(time, *before)).then_some(*before)
    }

    /// The event must not lie before the step.
    fn exclude(&mut self, funnel: &Funnel, entries: &[i64], step: usize, time: i64) {
        if self.before(funnel, entries, step, time).is_none() {
            return;
        }
        self.excluded |= bit(step - 1);
        let (best, at) = self.best;
        if best == step - 1 && funnel.within(time, at) {
            self.spoilt = Spoilt::Partly;
        }
    }

    /// The event takes the step, which is not the first.
    fn take(&mut self, funnel: &Funnel, entries: &mut [i64], step: usize, time: i64) {
        let Some(entry) = self.before(funnel, entries, step, time) else {
            return;
        };
        let excluded = has(self.excluded, step - 1);
        if !excluded && let Some(slot) = entries.get_mut(step) {
            *slot = entry;
            self.filled |= bit(step);
            self.excluded &= !bit(step);
        }
        if step > self.best.0 || (step == self.best.0 && self.spoilt == Spoilt::Partly) {
            self.best = (step, time);
            self.spoilt = if excluded { Spoilt::Fully } else { Spoilt::No };
        }
    }
}
