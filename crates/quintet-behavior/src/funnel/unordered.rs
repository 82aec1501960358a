//! Steps in any order, as far as one window reaches: `spec/funnels-more.md` §3.2, and §4.3 for historical trends.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use super::attribution::View;
use super::bits::{ascending, first};
use super::{Entrance, Event, Funnel, MOST_STEPS, Periods, Run};

/// The events that wait to be part of a completed funnel.
pub(super) struct Queues<'a> {
    funnel: &'a Funnel,
    /// Times of the events, by the step that they were taken for.
    queues: Vec<VecDeque<i64>>,
    /// How many queues are not empty, which is how many steps are done.
    done: usize,
}

impl<'a> Queues<'a> {
    /// For the runs over one actor's events.
    pub(super) fn new(funnel: &'a Funnel) -> Self {
        Self {
            funnel,
            queues: vec![VecDeque::new(); funnel.steps.min(MOST_STEPS)],
            done: 0,
        }
    }

    /// Walks over the events and says how many steps were done at most, and when.
    pub(super) fn run(&mut self, view: &View<'_>, found: &mut impl FnMut(Run<'_>)) {
        let mut times = Vec::new();
        let _stopped = self.walk(view, |_, queues| {
            if queues.done > times.len() {
                times.clear();
                times.extend(queues.queues.iter().filter_map(VecDeque::front));
            }
            if queues.complete() {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if times.is_empty() {
            return;
        }
        times.sort_unstable();
        for &value in view.values {
            found(Run {
                value,
                steps: first(times.len()),
                times: &times,
            });
        }
    }

    /// Walks over the events and says how each period in which one waited ended: by the most steps that were done by then.
    pub(super) fn entrances(
        &mut self,
        periods: &Periods,
        view: &View<'_>,
        found: &mut impl FnMut(Entrance),
    ) {
        let mut outcome = |(period, done): (usize, usize)| {
            for &value in view.values.iter().filter(|_| done > periods.from) {
                found(Entrance {
                    value,
                    period,
                    converted: done > periods.to,
                });
            }
        };
        // Events leave in the order of time, so a period is over when one of the next leaves.
        let mut latest: Option<(usize, usize)> = None;
        let _never = self.walk(view, |oldest, queues| {
            let entered = periods.around(oldest).map(|(period, _)| period);
            match (entered, &mut latest) {
                (Some(period), Some((same, done))) if period == *same => {
                    *done = queues.done.max(*done);
                }
                (Some(period), _) => {
                    if let Some(over) = latest.replace((period, queues.done)) {
                        outcome(over);
                    }
                }
                (None, _) => {}
            }
            ControlFlow::Continue(())
        });
        if let Some(over) = latest {
            outcome(over);
        }
    }

    /// Rules 1 to 4 of §3.2. Hands over the time of every event about to leave, with the queues as they still are.
    fn walk(
        &mut self,
        view: &View<'_>,
        mut leaves: impl FnMut(i64, &Self) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.clear();
        for event in view.events {
            self.drain(view, Some(event.time), &mut leaves)?;
            if event.exclusions != 0 {
                self.clear();
            } else if self.done > 0 || view.opens(event) {
                self.push(event);
            }
        }
        self.drain(view, None, &mut leaves)
    }

    /// Lets the oldest event go for as long as the funnel is complete or the window of that event is over by `now`; at the end
    /// of all events every one.
    fn drain(
        &mut self,
        view: &View<'_>,
        now: Option<i64>,
        leaves: &mut impl FnMut(i64, &Self) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        while let Some((step, oldest)) = self.oldest() {
            let open = now.is_some_and(|now| self.funnel.within(now, oldest));
            if open && !self.complete() {
                break;
            }
            if view.admits(oldest) {
                leaves(oldest, self)?;
            }
            self.pop(step);
        }
        ControlFlow::Continue(())
    }

    /// The oldest event that waits, and for which step; of equally old ones that of the lowest step.
    fn oldest(&self) -> Option<(usize, i64)> {
        let heads = self.queues.iter().map(VecDeque::front).enumerate();
        heads
            .filter_map(|(step, head)| Some((step, *head?)))
            .min_by_key(|(_, time)| *time)
    }

    fn complete(&self) -> bool {
        self.done == self.queues.len()
    }

    /// Takes the event for that of its steps that has waited longest for another one, or has none.
    fn push(&mut self, event: &Event) {
        let newest = |step: &usize| self.queues.get(*step).map(|queue| queue.back().copied());
        let steps = ascending(event.steps & first(self.queues.len()));
        let Some(queue) = steps
            .min_by_key(newest)
            .and_then(|step| self.queues.get_mut(step))
        else {
            return;
        };
        self.done += usize::from(queue.is_empty());
        queue.push_back(event.time);
    }

    fn pop(&mut self, step: usize) {
        if let Some(queue) = self.queues.get_mut(step) {
            queue.pop_front();
            self.done -= usize::from(queue.is_empty());
        }
    }

    fn clear(&mut self) {
        self.queues.iter_mut().for_each(VecDeque::clear);
        self.done = 0;
    }
}
