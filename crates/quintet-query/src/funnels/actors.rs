//! The actors behind one figure of a funnel: who reached a step or was lost before it, or who entered in a period.
//!
//! Rules: `spec/funnels-more.md` section 6.

mod parse;
mod value;

use crate::compare::not_compared;
use crate::dates::parse_instant;
use crate::error::{Error, Result};
use crate::period::micros;
use crate::reader::Path;
use crate::{ActorsPage, Context};

pub(super) use parse::usual_page;

use super::outcome::is_done;
use super::{Funnels, FunnelsQuery, Span, Viz};

/// A question for the actors behind one figure of a funnel.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FunnelsActorsQuery {
    /// The funnel.
    pub source: FunnelsQuery,
    /// The step, counted from 1, that they did; negative: the step that they did not do after the one before it. Not for trends.
    pub step: Option<i64>,
    /// Their breakdown value, one text per property; any without. A cohort is named by its number.
    pub breakdown: Option<Vec<String>>,
    /// Trends: true for those who did not convert.
    pub drop_off: Option<bool>,
    /// Trends: a day or instant in the period in which they entered.
    pub entrance_period_start: Option<String>,
    /// True for a figure of the range compared with.
    pub previous: bool,
    /// Beyond PostHog: of those who did not do the step, the ones whose window is still open. Those are left out otherwise.
    pub pending: bool,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

/// A resolved question for the actors behind one figure: those with a run or an entrance that it wants.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelsActors {
    /// The funnel.
    pub funnels: Funnels,
    /// True when its range compared with is meant. There is one then.
    pub previous: bool,
    /// What they did.
    pub wanted: Wanted,
    /// Their breakdown value as runs name it; any without.
    pub value: Option<Vec<String>>,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

/// What the actors behind a figure did. Positions of steps count from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// They did this step.
    Reached(usize),
    /// They did not do a step.
    Lost {
        /// The last required step before it, which they did.
        after: usize,
        /// The step.
        before: usize,
        /// Where it is told apart: those whose window is still open instead of those who are lost for good.
        pending: bool,
    },
    /// They entered in a period of a trend.
    Entered {
        /// Position of the period; `None` is one outside the range, in which nobody enters.
        period: Option<usize>,
        /// Whether they converted.
        converted: bool,
    },
}

impl FunnelsActorsQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<FunnelsActors> {
        let funnels = self.source.resolve(context).map_err(Error::in_source)?;
        if self.previous && funnels.previous.is_none() {
            return Err(not_compared());
        }
        let wanted = match funnels.viz {
            Viz::Trends { .. } => self.wanted_entrances(&funnels, context)?,
            _ => self.wanted_runs(&funnels)?,
        };
        Ok(FunnelsActors {
            previous: self.previous,
            wanted,
            value: self.resolve_value(&funnels)?,
            page: self.page.clone(),
            funnels,
        })
    }

    fn wanted_runs(&self, funnels: &Funnels) -> Result<Wanted> {
        let path = Path::root().field("funnelStep");
        let step = self.step.ok_or_else(|| {
            Error::invalid(
                &path,
                "is missing: name the step that they did, or with a minus the one that they did not do",
            )
        })?;
        let position = usize::try_from(step.unsigned_abs())
            .ok()
            .and_then(|number| number.checked_sub(1))
            .filter(|position| *position < funnels.steps.len())
            .ok_or_else(|| {
                Error::invalid(
                    &path,
                    format!(
                        "there is no step {step}; the funnel has {}, counted from 1",
                        funnels.steps.len()
                    ),
                )
            })?;
        self.check_pending(funnels, step < 0)?;
        if step > 0 {
            return Ok(Wanted::Reached(position));
        }
        let after = funnels.required_step_before(position).ok_or_else(|| {
            Error::invalid(
                &path,
                "nobody drops off before the first step; take -2 for those lost after it",
            )
        })?;
        Ok(Wanted::Lost {
            after,
            before: position,
            pending: self.pending,
        })
    }

    fn check_pending(&self, funnels: &Funnels, lost: bool) -> Result<()> {
        if self.pending && !(funnels.pending && lost) {
            return Err(Error::invalid(
                &Path::root().field("funnelPending"),
                "needs a negative funnelStep and a funnel with funnelShowPending",
            ));
        }
        Ok(())
    }

    fn wanted_entrances(&self, funnels: &Funnels, context: &Context) -> Result<Wanted> {
        let root = Path::root();
        let missing = |field, what| Error::invalid(&root.field(field), what);
        self.check_pending(funnels, false)?;
        let drop_off = self.drop_off.ok_or_else(|| {
            missing(
                "funnelTrendsDropOff",
                "is missing: say whether those who did not convert are meant",
            )
        })?;
        let path = root.field("funnelTrendsEntrancePeriodStart");
        let start = self.entrance_period_start.as_deref().ok_or_else(|| {
            missing(
                "funnelTrendsEntrancePeriodStart",
                "is missing: say in which period they entered",
            )
        })?;
        let instant = micros(parse_instant(start, context, &path)?);
        let span = funnels.span(self.previous);
        Ok(Wanted::Entered {
            period: period_of(&span.period.edges, instant),
            converted: !drop_off,
        })
    }
}

impl Wanted {
    /// True when this is what a run did in this range of a funnel, with these steps at these times. Never in trends.
    pub(crate) fn is_of(self, funnels: &Funnels, span: &Span, steps: u64, times: &[i64]) -> bool {
        match self {
            Self::Reached(step) => is_done(steps, step),
            Self::Lost {
                after,
                before,
                pending,
            } => {
                is_done(steps, after)
                    && !is_done(steps, before)
                    && (!funnels.pending || funnels.is_pending(span, steps, times) == pending)
            }
            Self::Entered { .. } => false,
        }
    }
}

/// The period that holds the instant.
fn period_of(edges: &[i64], instant: i64) -> Option<usize> {
    let period = edges
        .partition_point(|edge| *edge <= instant)
        .checked_sub(1)?;
    (period + 1 < edges.len()).then_some(period)
}

impl Funnels {
    /// The range compared with where that is meant and there is one, else the range asked for.
    fn span(&self, previous: bool) -> &Span {
        match &self.previous {
            Some(span) if previous => span,
            _ => &self.current,
        }
    }
}

impl FunnelsActors {
    /// The range of the figure.
    pub fn span(&self) -> &Span {
        self.funnels.span(self.previous)
    }

    /// True when a run with this breakdown value, these steps and these times is one of the figure's. Never in trends.
    pub fn wants_run(&self, value: &[String], steps: u64, times: &[i64]) -> bool {
        self.wants_value(value) && self.wanted.is_of(&self.funnels, self.span(), steps, times)
    }

    /// True when an entrance with this breakdown value in this period is one of the figure's. Only in trends.
    pub fn wants_entrance(&self, value: &[String], period: usize, converted: bool) -> bool {
        let entered = Wanted::Entered {
            period: Some(period),
            converted,
        };
        self.wanted == entered && self.wants_value(value)
    }

    fn wants_value(&self, value: &[String]) -> bool {
        self.value.as_deref().is_none_or(|wanted| wanted == value)
    }
}

#[cfg(test)]
mod tests;
