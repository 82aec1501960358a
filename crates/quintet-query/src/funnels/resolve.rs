//! From a funnel as it is asked for to what it means in a context. Rules: `spec/funnels.md` sections 1, 2, 6, 7 and 12.

use serde_json::Value;

use crate::Context;
use crate::breakdown::{Breakdown, BreakdownPart};
use crate::error::{Error, Result};
use crate::filter::{Filter, Property, PropertySource};
use crate::insight::{followed, sampling_to_scale};
use crate::reader::Path;
use crate::series::{Math, SeriesNode};

use super::refusals::filter_field;
use super::step::StepEvents;
use super::{
    Attribution, Condition, Exclusion, ExclusionNode, FirstTime, Funnels, FunnelsQuery, Step,
    StepEcho, StepNode, Viz, VizType,
};

pub(crate) const DEFAULT_SIMULTANEITY_MS: u64 = 50;

impl FunnelsQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Funnels> {
        self.check()?;
        let steps = self.resolve_steps(context)?;
        let breakdown = self.resolve_breakdown(context)?;
        let (current, previous) = self.spans(context)?;
        Ok(Funnels {
            steps,
            exclusions: self.resolve_exclusions(context)?,
            filter: self.conditions().of_query(context)?,
            actor: followed(self.group_type.as_ref(), context)?,
            order: self.order,
            window: self.window.micros(),
            simultaneity: self.simultaneity(),
            viz: self.resolve_viz(),
            current,
            previous,
            attribution: self.resolve_attribution(breakdown.is_some())?,
            breakdown,
            sampling: sampling_to_scale(self.sampling_factor)?,
            completes_after_range: self.complete_after_range,
            pending: self.show_pending,
            now: context.now.timestamp_micros(),
        })
    }

    fn resolve_steps(&self, context: &Context) -> Result<Vec<Step>> {
        self.series
            .iter()
            .enumerate()
            .map(|(index, node)| node.resolve(context, &Path::root().field("series").index(index)))
            .collect()
    }

    fn resolve_exclusions(&self, context: &Context) -> Result<Vec<Exclusion>> {
        let path = filter_field("exclusions");
        self.exclusions
            .iter()
            .enumerate()
            .map(|(index, node)| node.resolve(context, &path.index(index)))
            .collect()
    }

    fn simultaneity(&self) -> i64 {
        let length = self.simultaneity_ms.unwrap_or(DEFAULT_SIMULTANEITY_MS);
        i64::try_from(length)
            .unwrap_or(i64::MAX)
            .saturating_mul(1_000)
    }

    fn resolve_viz(&self) -> Viz {
        let from = self.from_step.unwrap_or(0);
        let to = self.to_step.unwrap_or(self.last_step());
        match self.viz {
            VizType::Steps => Viz::Steps,
            VizType::Flow => Viz::Flow,
            VizType::Trends => Viz::Trends { from, to },
            VizType::TimeToConvert => Viz::TimeToConvert {
                from,
                to,
                bins: self.bins,
            },
        }
    }

    /// Times to convert are never broken down.
    fn resolve_breakdown(&self, context: &Context) -> Result<Option<Breakdown>> {
        if self.viz == VizType::TimeToConvert {
            return Ok(None);
        }
        self.breakdown.refuse_true_other("a funnel")?;
        let limit = self.breakdown.limit();
        let mut breakdown = self.breakdown.resolve_any_number(limit, context)?;
        if let Some(Breakdown::Properties { parts, list, .. }) = &mut breakdown {
            if parts.iter().any(|part| part.bins.is_some()) {
                return Err(Error::unsupported(
                    "a funnel by numeric bins (breakdownFilter.breakdown_histogram_bin_count)",
                    "break down by a property with few values",
                ));
            }
            *list = !is_one_of_groups(parts);
        }
        Ok(breakdown)
    }

    fn resolve_attribution(&self, broken_down: bool) -> Result<Attribution> {
        match self.attribution {
            _ if !broken_down => Ok(Attribution::default()),
            Attribution::Step(step) if step > self.last_step() => Err(Error::invalid(
                &filter_field("breakdownAttributionValue"),
                format!("must be a step, 0 to {}", self.last_step()),
            )),
            attribution => Ok(attribution),
        }
    }
}

/// The values of a single property of groups are plain texts, all others lists.
fn is_one_of_groups(parts: &[BreakdownPart]) -> bool {
    matches!(
        parts,
        [BreakdownPart {
            property: Property {
                source: PropertySource::Group(_),
                ..
            },
            ..
        }]
    )
}

impl StepNode {
    fn resolve(&self, context: &Context, path: &Path) -> Result<Step> {
        Ok(Step {
            conditions: self.resolve_conditions(context, path)?,
            optional: self.optional,
            echo: self.echo(context),
        })
    }

    /// The events that meet it, for those to whom first times mean nothing.
    pub(crate) fn filter(&self, context: &Context, path: &Path) -> Result<Filter> {
        let conditions = self.resolve_conditions(context, path)?;
        if conditions.iter().any(|one| one.first_time.is_some()) {
            return Err(Error::unsupported(
                format!("a first time as a step ({path}.math)"),
                "leave out its math: only events after the exposure count",
            ));
        }
        let of_one = |one: Condition| Filter::all([one.matching, one.filter]);
        Ok(Filter::any(conditions.into_iter().map(of_one)))
    }

    fn resolve_conditions(&self, context: &Context, path: &Path) -> Result<Vec<Condition>> {
        let (nodes, properties) = match &self.events {
            StepEvents::One(node) => return Ok(vec![resolve_condition(node, context, path)?]),
            StepEvents::Any {
                nodes, properties, ..
            } => (nodes, properties),
        };
        let shared = properties.resolve(context, &path.field("properties"))?;
        let path = path.field("nodes");
        let one = |(index, node): (usize, &SeriesNode)| {
            let condition = resolve_condition(node, context, &path.index(index))?;
            Ok(Condition {
                filter: Filter::all([condition.filter, shared.clone()]),
                ..condition
            })
        };
        nodes.iter().enumerate().map(one).collect()
    }

    fn echo(&self, context: &Context) -> StepEcho {
        match &self.events {
            StepEvents::One(node) => {
                let (kind, action_id, name) = node.identity(node.action(context));
                StepEcho {
                    name: (!action_id.is_null()).then_some(name),
                    action_id,
                    custom_name: node.custom_name.clone(),
                    kind,
                }
            }
            StepEvents::Any {
                nodes, custom_name, ..
            } => {
                let names: Vec<String> = nodes
                    .iter()
                    .map(|node| node.identity(node.action(context)).2)
                    .collect();
                let name = names.join(", ");
                StepEcho {
                    action_id: Value::from(name.as_str()),
                    name: Some(name),
                    custom_name: custom_name.clone(),
                    kind: "group",
                }
            }
        }
    }
}

impl ExclusionNode {
    fn resolve(&self, context: &Context, path: &Path) -> Result<Exclusion> {
        let condition = resolve_condition(&self.events, context, path)?;
        Ok(Exclusion {
            filter: Filter::all([condition.matching, condition.filter]),
            from: self.from,
            to: self.to,
        })
    }
}

/// What an event must be to be one of this node's.
pub(super) fn resolve_condition(
    node: &SeriesNode,
    context: &Context,
    path: &Path,
) -> Result<Condition> {
    let action = node.known_action(context, path)?;
    Ok(Condition {
        matching: node.matching(action, context, path)?,
        filter: node
            .properties
            .resolve(context, &path.field("properties"))?,
        first_time: match node.math {
            Math::FirstTimeForUser => Some(FirstTime::Matching),
            Math::FirstMatchingEventForUser => Some(FirstTime::Filtered),
            _ => None,
        },
    })
}

#[cfg(test)]
mod tests;
