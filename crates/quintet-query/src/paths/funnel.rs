//! Paths around a funnel: which actors of it are meant, and which of their events. Rules: `spec/paths.md` section 3.

use crate::Context;
use crate::breakdown::BreakdownFilter;
use crate::compare::CompareFilter;
use crate::error::{Error, Result};
use crate::funnels::{Funnels, FunnelsQuery, VizType, Wanted};
use crate::insight::parse_source;
use crate::reader::{Field, Path};

/// A part of a funnel, as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelPathsFilter {
    /// Which events.
    pub part: FunnelPart,
    /// The funnel, of persons.
    pub source: FunnelsQuery,
    /// Number of a step, counted from 1: of those who reached it. Negative: of those who came up to it and no further.
    pub step: i64,
}

/// Which events around a step of a funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FunnelPart {
    /// From the step on; where it was not reached, from the end of the time in which it should have been.
    After,
    /// Up to the step; where it was not reached, up to the last one that was.
    Before,
    /// From the step before to the step, with both.
    Between,
}

const PARTS: &[(&str, FunnelPart)] = &[
    ("funnel_path_after_step", FunnelPart::After),
    ("funnel_path_before_step", FunnelPart::Before),
    ("funnel_path_between_steps", FunnelPart::Between),
];

/// A part of a funnel. Only the events of these actors within these bounds are part of paths; steps count from 0.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelPaths {
    /// The funnel, of persons and by steps. It is neither compared nor broken down.
    pub funnel: Funnels,
    /// The step that they did.
    pub reached: usize,
    /// The step that they did not.
    pub missed: Option<usize>,
    /// First instant of an actor's events, inclusive.
    pub from: Option<Moment>,
    /// Last instant of an actor's events, inclusive.
    pub to: Option<Moment>,
}

/// An instant in an actor's way through a funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// Position among the times of the required steps that the actor did.
    pub step: usize,
    /// Microseconds after it.
    pub later: i64,
}

impl FunnelPathsFilter {
    pub(super) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let source = object.require("funnelSource")?;
        let read = Self {
            part: object.require("funnelPathType")?.one_of(PARTS)?,
            source: parse_source(&source, "FunnelsQuery", FunnelsQuery::parse)?,
            step: object.require("funnelStep")?.integer()?,
        };
        object.finish(&[])?;
        Ok(read)
    }

    pub(super) fn resolve(&self, context: &Context) -> Result<FunnelPaths> {
        let path = Path::root().field("funnelPathsFilter");
        let funnel = self.funnel(context, &path.field("funnelSource"))?;
        let asked = self.asked(&funnel, &path.field("funnelStep"))?;
        let (reached, missed) = if self.step > 0 {
            (asked, None)
        } else {
            (funnel.required_step_before(asked).unwrap_or(0), Some(asked))
        };
        let at = |step: usize, later: i64| Moment {
            step: required_before(&funnel, step),
            later,
        };
        let waited = if missed.is_some() { funnel.window } else { 0 };
        let (from, to) = match self.part {
            FunnelPart::After => (Some(at(reached, waited)), None),
            FunnelPart::Before => (None, Some(at(reached, 0))),
            FunnelPart::Between => {
                let earlier = funnel.required_step_before(reached).ok_or_else(|| {
                    Error::invalid(
                        &path.field("funnelStep"),
                        "is about the first step, and none comes before it; take a later one, or funnel_path_after_step",
                    )
                })?;
                (Some(at(earlier, 0)), Some(at(reached, 0)))
            }
        };
        Ok(FunnelPaths {
            reached,
            missed,
            from,
            to,
            funnel,
        })
    }

    /// Who does which steps and when. How the funnel is shown, broken down and compared says nothing about that.
    fn funnel(&self, context: &Context, path: &Path) -> Result<Funnels> {
        if self.source.group_type.is_some() {
            return Err(Error::unsupported(
                format!("a path around a funnel of groups ({path}.aggregation_group_type_index)"),
                "leave it out: paths are those of persons, and so is the funnel",
            ));
        }
        let by_step = FunnelsQuery {
            viz: VizType::Steps,
            breakdown: BreakdownFilter::default(),
            compare: CompareFilter::default(),
            ..self.source.clone()
        };
        by_step
            .resolve(context)
            .map_err(|error| error.within(&path.to_string()))
    }

    /// The step that is named, counted from 0.
    fn asked(&self, funnel: &Funnels, path: &Path) -> Result<usize> {
        let number = usize::try_from(self.step.unsigned_abs()).unwrap_or(usize::MAX);
        let first = if self.step < 0 { 2 } else { 1 };
        let steps = funnel.steps.len();
        if !(first..=steps).contains(&number) {
            return Err(Error::invalid(
                path,
                format!(
                    "must be a step, 1 to {steps}, or a negative one for those who did not reach it, -2 to -{steps}"
                ),
            ));
        }
        let asked = number - 1;
        if self.step > 0 && is_optional(funnel, asked) {
            return Err(Error::unsupported(
                format!("a path around an optional step ({path})"),
                "take a step that is required",
            ));
        }
        Ok(asked)
    }
}

impl FunnelPaths {
    /// True when a run with these steps and times is one of those meant.
    pub fn wants_run(&self, steps: u64, times: &[i64]) -> bool {
        let wanted = match self.missed {
            None => Wanted::Reached(self.reached),
            Some(missed) => Wanted::Lost {
                after: self.reached,
                before: missed,
                pending: false,
            },
        };
        wanted.is_of(&self.funnel, &self.funnel.current, steps, times)
    }
}

fn is_optional(funnel: &Funnels, step: usize) -> bool {
    funnel.steps.get(step).is_some_and(|step| step.optional)
}

/// How many required steps come before this one.
fn required_before(funnel: &Funnels, step: usize) -> usize {
    (0..step).filter(|step| !is_optional(funnel, *step)).count()
}

#[cfg(test)]
mod tests;
