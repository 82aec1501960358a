//! Steps and exclusions as they are asked for: the nodes that name their events, and a builder for Rust.

use crate::error::Result;
use crate::filter::PropertyNode;
use crate::insight::NODE_HARMLESS;
use crate::reader::{Field, Object};
use crate::series::{Math, SERIES_HARMLESS, SeriesNode, parse_properties};

/// Fields that say what other insights count of a series.
const MATH_HARMLESS: &[&str] = &[
    "math",
    "math_group_type_index",
    "math_hogql",
    "math_multiplier",
    "math_property",
    "math_property_revenue_currency",
    "math_property_type",
];

/// One step as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct StepNode {
    /// Which events meet it.
    pub events: StepEvents,
    /// May be left out.
    pub optional: bool,
}

/// The events that meet a step.
#[derive(Debug, Clone, PartialEq)]
pub enum StepEvents {
    /// Those of one node. Only the maths of first times mean anything.
    One(SeriesNode),
    /// Those of any of several nodes.
    Any {
        /// At least one.
        nodes: Vec<SeriesNode>,
        /// Conditions on all of them.
        properties: PropertyNode,
        /// Name that a person gave the step.
        custom_name: Option<String>,
    },
}

/// What must not happen between two steps, as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct ExclusionNode {
    /// Which events. Their math says nothing.
    pub events: SeriesNode,
    /// After the step at this position was reached.
    pub from: usize,
    /// And before the one at this position was.
    pub to: usize,
}

impl From<SeriesNode> for StepNode {
    fn from(node: SeriesNode) -> Self {
        Self {
            events: StepEvents::One(node),
            optional: false,
        }
    }
}

impl SeriesNode {
    /// The step of a funnel that these events meet and that may be left out.
    pub fn optional(self) -> StepNode {
        StepNode::from(self).optional()
    }
}

impl StepNode {
    /// A step that the events of any of these nodes meet.
    pub fn any(nodes: impl IntoIterator<Item = SeriesNode>) -> Self {
        Self {
            events: StepEvents::Any {
                nodes: nodes.into_iter().collect(),
                properties: PropertyNode::default(),
                custom_name: None,
            },
            optional: false,
        }
    }

    /// Lets the step be left out.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Every node whose events meet the step.
    pub(super) fn nodes(&self) -> &[SeriesNode] {
        match &self.events {
            StepEvents::One(node) => std::slice::from_ref(node),
            StepEvents::Any { nodes, .. } => nodes,
        }
    }

    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let optional = object.flag("optionalInFunnel")?;
        let events = if *object.require("kind")?.value == "GroupNode" {
            parse_any(object)?
        } else {
            StepEvents::One(parse_node(object)?)
        };
        Ok(Self { events, optional })
    }
}

fn parse_any(mut object: Object<'_>) -> Result<StepEvents> {
    if let Some(operator) = object.get("operator").filter(|field| field.value != "OR") {
        return Err(operator.invalid("must be OR: an event cannot be several at once"));
    }
    let nodes = object.require("nodes")?;
    let events = StepEvents::Any {
        nodes: nodes
            .list()?
            .iter()
            .map(|node| parse_node(node.object()?))
            .collect::<Result<_>>()?,
        properties: parse_properties(&mut object)?,
        custom_name: object.text("custom_name")?,
    };
    object.finish(&[NODE_HARMLESS, SERIES_HARMLESS, MATH_HARMLESS])?;
    Ok(events)
}

/// Reads one node, of whose maths only those of first times mean anything.
pub(super) fn parse_node(mut object: Object<'_>) -> Result<SeriesNode> {
    let mut node = SeriesNode::parse_events(&mut object)?;
    let math = object.get("math");
    node.math = match math.as_ref().and_then(|math| math.value.as_str()) {
        Some("first_time_for_user") => Math::FirstTimeForUser,
        Some("first_time_for_user_with_filters") => Math::FirstMatchingEventForUser,
        _ => Math::default(),
    };
    object.finish(&[NODE_HARMLESS, SERIES_HARMLESS, MATH_HARMLESS])?;
    Ok(node)
}

impl ExclusionNode {
    pub(super) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let from = object.require("funnelFromStep")?.count()?;
        let to = object.require("funnelToStep")?.count()?;
        let events = parse_node(object)?;
        Ok(Self { events, from, to })
    }
}
