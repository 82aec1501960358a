//! Ordered and strict step funnels: funnels.md §3, §4, §5, §8; funnels-more.md §3.1.

use quintet_behavior::funnel::{Funnel, Order};

use super::{Evaluation, FoundRun, Mark, Seen, may_enter, within};

/// How far one try came.
#[derive(Debug, Clone, Default)]
struct Slot {
    anchor: i64,
    excluded: bool,
    times: Vec<i64>,
    used: Vec<usize>,
    done: Vec<usize>,
}

struct Machine<'a> {
    funnel: &'a Funnel,
    evaluation: &'a Evaluation,
    slots: Vec<Option<Slot>>,
    best_step: usize,
    best: Slot,
}

pub(super) fn run(funnel: &Funnel, evaluation: &Evaluation, tolerance: i64) -> Option<FoundRun> {
    let mut machine = Machine {
        funnel,
        evaluation,
        slots: vec![None; funnel.steps + 1],
        best_step: 0,
        best: Slot::default(),
    };
    for group in tie_groups(&evaluation.events, tolerance) {
        machine.process_group(&group);
        if machine.slots[funnel.steps].is_some() {
            break;
        }
    }
    if machine.best_step == 0 || machine.best.excluded {
        return None;
    }
    let mut steps = machine.best.done;
    steps.sort_unstable();
    Some(FoundRun {
        value: evaluation.value,
        steps,
        times: machine.best.times,
    })
}

/// §4: events that are near to the first of their group; groups are not chained.
fn tie_groups(events: &[Seen], tolerance: i64) -> Vec<Vec<Seen>> {
    let mut groups: Vec<Vec<Seen>> = Vec::new();
    for event in events {
        match groups.last_mut() {
            Some(group) if within(tolerance, group[0].time, event.time) => {
                group.push(event.clone());
            }
            _ => groups.push(vec![event.clone()]),
        }
    }
    groups
}

impl Machine<'_> {
    fn process_group(&mut self, group: &[Seen]) {
        let start = group[0].time;
        self.slots[0] = Some(Slot {
            anchor: start,
            ..Slot::default()
        });
        if group.iter().all(|event| event.marks() == group[0].marks()) {
            for event in group {
                for mark in event.marks() {
                    self.process(event, mark, false);
                }
                self.clear_if_strict(event);
            }
            return;
        }
        for step in 1..=self.funnel.steps {
            for event in group.iter().filter(|event| event.steps.contains(&step)) {
                let at_start = Seen {
                    time: start,
                    ..event.clone()
                };
                self.process(&at_start, Mark::Step(step), true);
            }
        }
    }

    fn process(&mut self, event: &Seen, mark: Mark, mixed: bool) {
        let (Mark::Step(k) | Mark::Exclusion(k)) = mark;
        // Rule 1.
        let mut p = k - 1;
        while p > 0 && self.in_window(p, event).is_none() && self.is_optional(p) {
            p -= 1;
        }
        // Rule 2.
        let Some(before) = self.in_window(p, event) else {
            return;
        };
        if let Some(already) = &self.slots[k]
            && already.anchor == before.anchor
        {
            return;
        }
        match mark {
            Mark::Exclusion(_) => self.exclude(event, p),
            Mark::Step(_) => self.step(event, k, p, before, mixed),
        }
    }

    /// Rule 3.
    fn exclude(&mut self, event: &Seen, p: usize) {
        if let Some(slot) = &mut self.slots[p] {
            slot.excluded = true;
        }
        if self.best_step == p && within(self.funnel.window, self.best.anchor, event.time) {
            self.best.excluded = true;
        }
    }

    /// Rule 4.
    fn step(&mut self, event: &Seen, k: usize, p: usize, before: Slot, mixed: bool) {
        if self.evaluation.refuses(self.funnel, event, k)
            || (mixed && before.used.contains(&event.id))
            || (k == 1 && !may_enter(self.funnel, event.time))
        {
            return;
        }
        let mut new = before;
        new.done.push(k);
        if !self.is_optional(k) {
            new.times.push(event.time);
            new.used.push(event.id);
        }
        if !self.slots[p].as_ref().unwrap().excluded {
            self.slots[k] = Some(new.clone());
        }
        if k > self.best_step || (k == self.best_step && self.best.excluded) {
            self.best_step = k;
            self.best = new;
        }
    }

    /// funnels-more.md §3.1: whatever is not in a strict funnel's event ends there.
    fn clear_if_strict(&mut self, event: &Seen) {
        if self.funnel.order == Order::Strict {
            for step in 1..=self.funnel.steps {
                if !event.steps.contains(&step) {
                    self.slots[step] = None;
                }
            }
        }
    }

    fn in_window(&self, step: usize, event: &Seen) -> Option<Slot> {
        self.slots[step]
            .clone()
            .filter(|slot| within(self.funnel.window, slot.anchor, event.time))
    }

    fn is_optional(&self, step: usize) -> bool {
        self.funnel.optional >> (step - 1) & 1 == 1
    }
}
