//! What the engine counts of a funnel in one range: outcomes of actors in, figures for [`super::shape()`] out.
//!
//! Nothing is ranked, scaled or written here. `steps` counts who did which step, `entrances` who entered when and converted,
//! `durations` keeps lengths of time, of which medians need every one.

mod by_value;
mod durations;
mod entrances;
mod steps;

pub(crate) use by_value::ByValue;
pub(crate) use durations::Durations;
pub(crate) use entrances::{EntranceFigures, Entrances};
pub(crate) use steps::{StepFigures, StepTally};

use super::{Funnels, Span, Viz};

/// The figures of a funnel in one range, filled actor by actor.
///
/// A breakdown value is one text per part, empty where the actor has none; of cohorts one text, the position in
/// [`Breakdown::Cohorts`](crate::breakdown::Breakdown::Cohorts), where the position behind a single cohort is everybody outside it.
/// Without a breakdown it is empty.
#[derive(Debug, Clone)]
pub struct Figures {
    viz: Viz,
    /// Filled for [`Viz::Steps`] and [`Viz::Flow`].
    pub(crate) steps: StepFigures,
    /// Filled for [`Viz::Trends`].
    pub(crate) entrances: EntranceFigures,
    /// Filled for [`Viz::TimeToConvert`].
    pub(crate) conversions: Durations,
}

impl Figures {
    /// Nobody yet, for this range of the funnel.
    pub fn of(funnels: &Funnels, span: &Span) -> Self {
        Self {
            viz: funnels.viz.clone(),
            steps: StepFigures::of(funnels, span),
            entrances: EntranceFigures::of(span),
            conversions: Durations::default(),
        }
    }

    /// Adds how far an actor came under a value; trends take entrances instead.
    ///
    /// Bit `i` of `steps` is set when step `i` is done; in unordered funnels the lowest bits, as many as there are steps done.
    /// `times` are the microseconds at which the required steps among them were done, ascending.
    pub fn add_run(&mut self, value: &[String], steps: u64, times: &[i64]) {
        match self.viz {
            Viz::Steps | Viz::Flow => self.steps.add(value, steps, times),
            Viz::TimeToConvert { from, to, .. } => {
                if let Some(time) = self.steps.time_between(from, to, times) {
                    self.conversions.add(time);
                }
            }
            Viz::Trends { .. } => {}
        }
    }

    /// Adds an actor that entered in the period at this position, of a funnel shown as trends.
    pub fn add_entrance(&mut self, value: &[String], period: usize, converted: bool) {
        self.entrances.add(value, period, converted);
    }
}
