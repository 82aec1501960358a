//! Series: which events an insight is about, as definitions name them, and what is counted of them.
//!
//! What the figures of a series are is for each insight to say; here is what they share.

mod math;
mod parse;
mod resolve;

use crate::GroupType;
use crate::filter::{PropertyNode, PropertyScope};

pub use math::Math;
pub(crate) use parse::{SERIES_HARMLESS, data_warehouse, parse_properties, parse_series};
pub(crate) use resolve::Conditions;
pub use resolve::{Actor, SeriesEcho};

/// One series as it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesNode {
    /// Which events.
    pub source: SeriesSource,
    /// Name as the definition gives it.
    pub name: Option<String>,
    /// Name that a person gave the series.
    pub custom_name: Option<String>,
    /// Conditions on its events.
    pub properties: PropertyNode,
    /// What is counted.
    pub math: Math,
    /// The property that property maths aggregate.
    pub math_property: Option<MathProperty>,
    /// The group type whose groups are counted.
    pub math_group_type: Option<GroupType>,
    /// Factor applied to the property first.
    pub math_multiplier: Option<f64>,
}

/// Which events a series is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeriesSource {
    /// Events of this name, or of every name.
    Event(Option<String>),
    /// The action of this number.
    Action(i64),
}

/// The property that property maths aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MathProperty {
    /// Whose property.
    pub scope: PropertyScope,
    /// Its name.
    pub key: String,
}

/// Starts a series on events.
#[derive(Debug)]
pub struct EventsNode;

/// Starts a series on an action.
#[derive(Debug)]
pub struct ActionsNode;

impl EventsNode {
    /// A series on the events of this name.
    #[allow(
        clippy::new_ret_no_self,
        reason = "named after the node that it writes"
    )]
    pub fn new(event: impl Into<String>) -> SeriesNode {
        SeriesNode::new(SeriesSource::Event(Some(event.into())))
    }

    /// A series on every event.
    pub fn all() -> SeriesNode {
        SeriesNode::new(SeriesSource::Event(None))
    }
}

impl ActionsNode {
    /// A series on the action of this number.
    #[allow(
        clippy::new_ret_no_self,
        reason = "named after the node that it writes"
    )]
    pub fn new(id: i64) -> SeriesNode {
        SeriesNode::new(SeriesSource::Action(id))
    }
}

impl SeriesNode {
    fn new(source: SeriesSource) -> Self {
        Self {
            source,
            name: None,
            custom_name: None,
            properties: PropertyNode::default(),
            math: Math::default(),
            math_property: None,
            math_group_type: None,
            math_multiplier: None,
        }
    }

    /// Counts this instead of events.
    #[must_use]
    pub fn math(mut self, math: Math) -> Self {
        self.math = math;
        self
    }

    /// The event property that property maths aggregate.
    #[must_use]
    pub fn property(mut self, key: impl Into<String>) -> Self {
        self.math_property = Some(MathProperty {
            scope: PropertyScope::Event,
            key: key.into(),
        });
        self
    }

    /// The group type whose groups are counted, by index or by name.
    #[must_use]
    pub fn group(mut self, group_type: impl Into<GroupType>) -> Self {
        self.math_group_type = Some(group_type.into());
        self
    }

    /// Counts only events that satisfy this too.
    #[must_use]
    pub fn filter(mut self, condition: PropertyNode) -> Self {
        self.properties.and(condition);
        self
    }

    /// Names the series.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.custom_name = Some(name.into());
        self
    }
}
