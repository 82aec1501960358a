//! Funnels that make no sense, in the order in which they are noticed. Rules: `spec/funnels.md` section 12.

use crate::error::{Error, Result};
use crate::filter::PropertyNode;
use crate::reader::Path;
use crate::series::SeriesNode;

use super::step::StepEvents;
use super::{Attribution, ExclusionNode, FunnelsQuery, Order, StepNode, VizType};

const MOST_STEPS: usize = 32;
/// Steps are bits of a 64-bit number.
const MOST_STEPS_OF_TRENDS: usize = 64;

impl FunnelsQuery {
    /// The position of the last step.
    pub(super) fn last_step(&self) -> usize {
        self.series.len().saturating_sub(1)
    }

    /// Refuses what no context could give a meaning.
    pub(super) fn check(&self) -> Result<()> {
        self.check_steps()?;
        self.check_step_range()?;
        for (index, exclusion) in self.exclusions.iter().enumerate() {
            self.check_exclusion(exclusion, &filter_field("exclusions").index(index))?;
        }
        self.check_optional_steps()?;
        self.check_attribution()?;
        self.check_pending()
    }

    fn check_steps(&self) -> Result<()> {
        let path = Path::root().field("series");
        let most = match self.viz {
            VizType::Trends => MOST_STEPS_OF_TRENDS,
            _ => MOST_STEPS,
        };
        if self.series.len() < 2 {
            return Err(Error::invalid(&path, "Funnels require at least two steps."));
        }
        if self.series.len() > most {
            return Err(Error::invalid(
                &path,
                format!("Funnels support up to {most} steps."),
            ));
        }
        let without_events = self.series.iter().position(|step| step.nodes().is_empty());
        match without_events {
            Some(index) => Err(Error::invalid(
                &path.index(index).field("nodes"),
                "must hold at least one event or action",
            )),
            None => Ok(()),
        }
    }

    fn check_step_range(&self) -> Result<()> {
        let last = self.last_step();
        let (from, to) = (self.from_step.unwrap_or(0), self.to_step.unwrap_or(last));
        if from >= last {
            let most = last.saturating_sub(1);
            return Err(Error::invalid(
                &filter_field("funnelFromStep"),
                format!("funnelFromStep is out of bounds. It must be between 0 and {most}."),
            ));
        }
        if to < 1 || to > last {
            return Err(Error::invalid(
                &filter_field("funnelToStep"),
                format!("funnelToStep is out of bounds. It must be between 1 and {last}."),
            ));
        }
        if from >= to {
            return Err(Error::invalid(
                &filter_field("funnelToStep"),
                "Funnel step range is invalid. funnelToStep should be greater than funnelFromStep.",
            ));
        }
        Ok(())
    }

    fn check_exclusion(&self, exclusion: &ExclusionNode, path: &Path) -> Result<()> {
        let ExclusionNode { events, from, to } = exclusion;
        let last = self.last_step();
        let refused = |field, reason: &str| Err(Error::invalid(&path.field(field), reason));
        if self.order == Order::Unordered && (*from, *to) != (0, last) {
            return refused(
                "funnelToStep",
                "Partial exclusions are not allowed in unordered funnels; exclude from the first step to the last.",
            );
        }
        if from >= to {
            return refused(
                "funnelToStep",
                "Exclusion event range is invalid. End of range should be greater than start.",
            );
        }
        if *from >= last {
            return refused(
                "funnelFromStep",
                "Exclusion event range is invalid. Start of range is greater than number of steps.",
            );
        }
        if *to > last {
            return refused(
                "funnelToStep",
                "Exclusion event range is invalid. End of range is greater than number of steps.",
            );
        }
        let excluded = StepNode::from(events.clone());
        let mut steps = self.series.iter().take(to + 1).skip(*from);
        if steps.any(|step| excluded.is_part_of(step)) {
            return Err(Error::invalid(
                path,
                "Exclusion steps cannot contain an event that's part of funnel steps.",
            ));
        }
        Ok(())
    }

    fn check_optional_steps(&self) -> Result<()> {
        let optional_field = |index| {
            let path = Path::root().field("series").index(index);
            path.field("optionalInFunnel")
        };
        let Some(first) = self.series.iter().position(|step| step.optional) else {
            return Ok(());
        };
        if self.order == Order::Unordered || !matches!(self.viz, VizType::Steps | VizType::Flow) {
            return Err(Error::invalid(
                &optional_field(first),
                "Optional funnel steps are only supported in funnels with step order Sequential or Strict and the graph type \"Conversion Steps\".",
            ));
        }
        if first == 0 {
            return Err(Error::invalid(
                &optional_field(first),
                "The first step of a funnel cannot be optional.",
            ));
        }
        let neighbours = self.series.iter().zip(self.series.iter().skip(1));
        for (index, (step, next)) in neighbours.enumerate() {
            if step.optional && !next.optional && step.is_part_of(next) {
                return Err(Error::invalid(
                    &optional_field(index),
                    "An optional step cannot be the same as the following required step.",
                ));
            }
        }
        Ok(())
    }

    fn check_attribution(&self) -> Result<()> {
        match self.attribution {
            Attribution::Step(step) if step > 0 && self.order == Order::Unordered => {
                Err(Error::invalid(
                    &filter_field("breakdownAttributionValue"),
                    "Only the first step can be used for breakdown attribution in unordered funnels.",
                ))
            }
            _ => Ok(()),
        }
    }

    fn check_pending(&self) -> Result<()> {
        if self.show_pending && self.viz != VizType::Steps {
            return Err(Error::invalid(
                &filter_field("funnelShowPending"),
                "those whose window is still open are shown by step only; take the funnelVizType steps or leave it out",
            ));
        }
        Ok(())
    }
}

/// Where a field of the funnel's own filter stands.
pub(super) fn filter_field(name: &str) -> Path {
    Path::root().field("funnelsFilter").field(name)
}

impl StepNode {
    /// True when every event that meets this step is seen to meet the other one too.
    fn is_part_of(&self, other: &Self) -> bool {
        self.nodes().iter().all(|node| {
            let conditions = self.conditions(node);
            other.nodes().iter().any(|wider| {
                wider.source == node.source
                    && other
                        .conditions(wider)
                        .iter()
                        .all(|condition| conditions.contains(condition))
            })
        })
    }

    /// What must hold of the events of this node, one by one.
    fn conditions<'a>(&'a self, node: &'a SeriesNode) -> Vec<&'a PropertyNode> {
        let mut conditions = Vec::new();
        add_conditions(&node.properties, &mut conditions);
        if let StepEvents::Any { properties, .. } = &self.events {
            add_conditions(properties, &mut conditions);
        }
        conditions
    }
}

fn add_conditions<'a>(properties: &'a PropertyNode, conditions: &mut Vec<&'a PropertyNode>) {
    match properties {
        PropertyNode::All(inner) => {
            for node in inner {
                add_conditions(node, conditions);
            }
        }
        one => conditions.push(one),
    }
}

#[cfg(test)]
mod tests;
