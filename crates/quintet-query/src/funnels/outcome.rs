//! What became of one run through a funnel: which steps it did, and whether it may still get further.
//!
//! Steps are bits of a number: those of the steps that were done, of unordered funnels the lowest ones, as many as were done.
//! Times are the instants of the required steps among them.

use crate::filter::Filter;

use super::{Funnels, Span};

impl Funnels {
    /// Position of the last step that may not be left out: a run that did it has converted.
    fn last_required_step(&self) -> usize {
        self.required_step_before(self.steps.len()).unwrap_or(0)
    }

    /// Position of the last step before this one that may not be left out.
    pub(crate) fn required_step_before(&self, step: usize) -> Option<usize> {
        self.steps
            .iter()
            .take(step)
            .rposition(|step| !step.optional)
    }

    /// True when the run did all that it must.
    pub fn is_converted(&self, steps: u64) -> bool {
        is_done(steps, self.last_required_step())
    }

    /// Last instant of the events that are seen for a range.
    pub fn last_seen(&self, span: &Span) -> i64 {
        if self.completes_after_range {
            span.period.to.saturating_add(self.window)
        } else {
            span.period.to
        }
    }

    /// True when the run has not converted and its window reaches beyond what has been seen.
    pub fn is_pending(&self, span: &Span, steps: u64, times: &[i64]) -> bool {
        !self.is_converted(steps) && OpenWindow::of(self, span).has_time(times)
    }

    /// What an event is by name or action when it may meet a step: where a range of "all" begins.
    pub fn any_step(&self) -> Filter {
        let conditions = self.steps.iter().flat_map(|step| &step.conditions);
        Filter::any(conditions.map(|condition| condition.matching.clone()))
    }
}

/// Whose window reaches beyond what has been seen.
#[derive(Debug, Clone)]
pub(super) struct OpenWindow {
    window: i64,
    /// No event later than this has been seen.
    horizon: i64,
}

impl OpenWindow {
    pub(super) fn of(funnels: &Funnels, span: &Span) -> Self {
        Self {
            window: funnels.window,
            horizon: funnels.now.min(funnels.last_seen(span)),
        }
    }

    pub(super) fn has_time(&self, times: &[i64]) -> bool {
        times
            .first()
            .is_some_and(|entry| entry.saturating_add(self.window) > self.horizon)
    }
}

/// True when the run did the step at this position.
pub(super) fn is_done(steps: u64, step: usize) -> bool {
    u32::try_from(step)
        .ok()
        .and_then(|step| steps.checked_shr(step))
        .is_some_and(|rest| rest & 1 == 1)
}

#[cfg(test)]
mod tests;
