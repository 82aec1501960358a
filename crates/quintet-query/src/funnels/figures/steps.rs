//! Who did which step, and how long it took them. Rules: `spec/funnels.md` sections 8 and 9.

use super::super::outcome::{OpenWindow, is_done};
use super::super::{Funnels, Span};
use super::{ByValue, Durations};

/// Steps by breakdown value.
#[derive(Debug, Clone)]
pub(crate) struct StepFigures {
    steps: usize,
    /// Positions of the steps that may not be left out, the only ones with a time.
    required: Vec<usize>,
    /// Looked for only where it is shown.
    pending: Option<OpenWindow>,
    /// One tally per step.
    pub(crate) by_value: ByValue<Vec<StepTally>>,
    /// From the first to the last step, of all who did both, whatever their value.
    pub(crate) totals: Durations,
}

/// What is counted of one step.
#[derive(Debug, Clone, Default)]
pub(crate) struct StepTally {
    /// How many did it.
    pub(crate) count: u64,
    /// How many came exactly this far and still have time to go on.
    pub(crate) pending: u64,
    /// From the required step before to this one; steps done at once have no such time.
    pub(crate) gaps: Durations,
}

impl StepFigures {
    pub(super) fn of(funnels: &Funnels, span: &Span) -> Self {
        let steps = funnels.steps.iter().enumerate();
        Self {
            steps: funnels.steps.len(),
            required: steps
                .filter(|(_, step)| !step.optional)
                .map(|(position, _)| position)
                .collect(),
            pending: funnels.pending.then(|| OpenWindow::of(funnels, span)),
            by_value: ByValue::new(),
            totals: Durations::default(),
        }
    }

    pub(super) fn add(&mut self, value: &[String], steps: u64, times: &[i64]) {
        let completed = self
            .required
            .last()
            .is_some_and(|&last| is_done(steps, last));
        if let (true, [first, .., last]) = (completed, times) {
            self.totals.add(last.abs_diff(*first));
        }
        let is_pending = |pending: &OpenWindow| !completed && pending.has_time(times);
        let pending = self.pending.as_ref().is_some_and(is_pending);
        self.by_value.count(value, |tallies| {
            tallies.resize_with(self.steps, StepTally::default);
            for (position, tally) in tallies.iter_mut().enumerate() {
                tally.count += u64::from(is_done(steps, position));
                tally.pending += u64::from(pending && is_furthest(steps, position));
            }
            add_gaps(tallies, &self.required, times);
        });
    }

    /// From one required step to another of one run, in microseconds; none where it did not do both.
    pub(super) fn time_between(&self, from: usize, to: usize, times: &[i64]) -> Option<u64> {
        let time = |step| {
            let place = self.required.iter().position(|&position| position == step);
            times.get(place?)
        };
        Some(time(to)?.abs_diff(*time(from)?))
    }
}

impl StepTally {
    pub(crate) fn append(&mut self, other: Self) {
        self.count += other.count;
        self.pending += other.pending;
        self.gaps.append(other.gaps);
    }
}

/// True when the step is the last of those done.
fn is_furthest(steps: u64, position: usize) -> bool {
    steps
        .checked_ilog2()
        .is_some_and(|last| last as usize == position)
}

/// The time that each required step took after the one before.
fn add_gaps(tallies: &mut [StepTally], required: &[usize], times: &[i64]) {
    for (pair, &position) in times.windows(2).zip(required.iter().skip(1)) {
        if let ([earlier, later], Some(tally)) = (pair, tallies.get_mut(position)) {
            let gap = later.abs_diff(*earlier);
            if gap > 0 {
                tally.gaps.add(gap);
            }
        }
    }
}
