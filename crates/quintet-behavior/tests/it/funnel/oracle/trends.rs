//! Trends of ordered and strict funnels: funnels-more.md §4.2.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use quintet_behavior::funnel::{Funnel, Order, Periods};

use super::{Evaluation, FoundEntrance, Mark, Seen, may_enter, period_of, within};

#[derive(Debug, Clone, Copy)]
struct Slot {
    entry: i64,
    excluded: bool,
}

/// Did an exclusion hit the best step of a period?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Excluded {
    No,
    Partially,
    Fully,
}

/// A period that was entered and has not converted yet.
struct Open {
    slots: HashMap<usize, Slot>,
    best_step: usize,
    best_time: i64,
    excluded: Excluded,
}

struct Machine<'a> {
    funnel: &'a Funnel,
    periods: &'a Periods,
    evaluation: &'a Evaluation,
    open: BTreeMap<usize, Open>,
    converted: BTreeSet<usize>,
}

pub(super) fn entrances(
    funnel: &Funnel,
    periods: &Periods,
    evaluation: &Evaluation,
) -> Vec<FoundEntrance> {
    let mut machine = Machine {
        funnel,
        periods,
        evaluation,
        open: BTreeMap::new(),
        converted: BTreeSet::new(),
    };
    for event in without_tied_exclusions(&without_later_steps(&evaluation.events, periods.to)) {
        machine.process(&event);
    }
    machine.outcome()
}

/// Steps beyond `to` play no part.
fn without_later_steps(events: &[Seen], to: usize) -> Vec<Seen> {
    let up_to = |steps: &[usize]| steps.iter().copied().filter(|&k| k <= to + 1).collect();
    let cut = |event: &Seen| Seen {
        steps: up_to(&event.steps),
        exclusions: up_to(&event.exclusions),
        ..event.clone()
    };
    events.iter().map(cut).collect()
}

/// Our decision on quirk 3 of §9: an exclusion at the instant of a step is ignored, as in step funnels.
fn without_tied_exclusions(events: &[Seen]) -> Vec<Seen> {
    let beside_a_step = |event: &Seen| {
        let tied = |other: &Seen| other.time == event.time && !other.steps.is_empty();
        events.iter().any(tied)
    };
    let is_only_exclusion = |event: &Seen| event.steps.is_empty() && !event.exclusions.is_empty();
    events
        .iter()
        .filter(|event| !(is_only_exclusion(event) && beside_a_step(event)))
        .cloned()
        .collect()
}

impl Machine<'_> {
    fn process(&mut self, event: &Seen) {
        for mark in event.marks() {
            match mark {
                Mark::Step(1) => self.enter(event),
                _ => self.advance_all(event, mark),
            }
        }
        if self.funnel.order == Order::Strict {
            for open in self.open.values_mut() {
                open.slots.retain(|step, _| event.steps.contains(step));
            }
        }
    }

    fn enter(&mut self, event: &Seen) {
        if self.evaluation.refuses(self.funnel, event, 1) || !may_enter(self.funnel, event.time) {
            return;
        }
        let Some(period) = period_of(self.periods, event.time) else {
            return;
        };
        if self.converted.contains(&period) {
            return;
        }
        let slot = Slot {
            entry: event.time,
            excluded: false,
        };
        match self.open.get_mut(&period) {
            Some(open) if !(open.best_step == 1 && open.excluded != Excluded::No) => {
                open.slots.insert(1, slot);
            }
            _ => {
                let afresh = Open {
                    slots: HashMap::from([(1, slot)]),
                    best_step: 1,
                    best_time: event.time,
                    excluded: Excluded::No,
                };
                self.open.insert(period, afresh);
            }
        }
    }

    fn advance_all(&mut self, event: &Seen, mark: Mark) {
        let periods: Vec<usize> = self.open.keys().copied().collect();
        for period in periods {
            self.advance(period, event, mark);
        }
    }

    fn advance(&mut self, period: usize, event: &Seen, mark: Mark) {
        let window = self.funnel.window;
        let (Mark::Step(s) | Mark::Exclusion(s)) = mark;
        let open = self.open.get_mut(&period).unwrap();
        let Some(before) = open.slots.get(&(s - 1)).copied() else {
            return;
        };
        let passed = open
            .slots
            .get(&s)
            .is_some_and(|slot| slot.entry == before.entry);
        if passed || !within(window, before.entry, event.time) {
            return;
        }
        if matches!(mark, Mark::Exclusion(_)) {
            open.slots.get_mut(&(s - 1)).unwrap().excluded = true;
            if open.best_step == s - 1 && within(window, open.best_time, event.time) {
                open.excluded = Excluded::Partially;
            }
            return;
        }
        if self.evaluation.refuses(self.funnel, event, s) {
            return;
        }
        if !before.excluded {
            open.slots.insert(s, before);
        }
        if open.slots.contains_key(&(self.periods.to + 1)) {
            self.open.remove(&period);
            self.converted.insert(period);
        } else if s > open.best_step
            || (s == open.best_step && open.excluded == Excluded::Partially)
        {
            open.best_step = s;
            open.best_time = event.time;
            open.excluded = if before.excluded {
                Excluded::Fully
            } else {
                Excluded::No
            };
        }
    }

    fn outcome(self) -> Vec<FoundEntrance> {
        let value = self.evaluation.value;
        let spoiled = self
            .open
            .values()
            .any(|open| open.excluded == Excluded::Fully);
        let dropped_off = self
            .open
            .iter()
            .filter(|(_, open)| !spoiled && open.excluded == Excluded::No)
            .filter(|(_, open)| open.best_step > self.periods.from)
            .map(|(&period, _)| (period, false));
        let converted = self.converted.iter().map(|&period| (period, true));
        converted
            .chain(dropped_off)
            .map(|(period, converted)| FoundEntrance {
                value,
                period,
                converted,
            })
            .collect()
    }
}
