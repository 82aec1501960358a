//! Reading what a condition of a flag demands: properties, cohorts and other flags.
//!
//! Operators are those of all property filters; what is different is whose property is meant.

use serde_json::Value;

use crate::GroupType;
use crate::error::{Error, Result};
use crate::filter::{
    HARMLESS, Operator, PropertyNode, PropertyScope, WIRE_NAMES, parse_cohort, value_texts,
};
use crate::reader::{Field, Object, value_text};
use crate::trends::Actor;

use super::{FlagNode, FlagProperty, FlagWanted};

/// Fields of a filter of a flag that only tell people what it is.
const HARMLESS_HERE: &[&str] = &["dependency_chain"];

impl FlagNode {
    /// Reads a list of filters, a group of them, or a single one. What does not say whose property it means, means those of `by`.
    pub(crate) fn parse(field: &Field<'_>, by: Actor) -> Result<Self> {
        match field.value {
            Value::Array(_) => Ok(Self::All(parse_all(field, by)?)),
            Value::Object(fields) if fields.is_empty() => Ok(Self::All(Vec::new())),
            Value::Object(fields) if fields.contains_key("values") => {
                let mut object = field.object()?;
                let connective = object.require("type")?;
                let values = parse_all(&object.require("values")?, by)?;
                let node = match connective.one_of(&[("AND", true), ("OR", false)])? {
                    true => Self::All(values),
                    false => Self::Any(values),
                };
                negated(object, node)
            }
            _ => parse_filter(field, by),
        }
    }

    /// The same demand written as a filter of insights; nothing where it asks about anything but a person.
    pub(crate) fn of_person(node: &PropertyNode) -> Option<Self> {
        let all = |nodes: &[PropertyNode]| -> Option<Vec<Self>> {
            nodes.iter().map(Self::of_person).collect()
        };
        Some(match node {
            PropertyNode::All(nodes) => Self::All(all(nodes)?),
            PropertyNode::Any(nodes) => Self::Any(all(nodes)?),
            PropertyNode::Property(condition) => {
                if condition.scope != PropertyScope::Person {
                    return None;
                }
                Self::Property(FlagProperty {
                    of: Actor::Person,
                    key: condition.key.clone(),
                    operator: condition.operator,
                    values: condition.values.clone(),
                })
            }
            PropertyNode::Cohort { id, negated } => Self::Cohort(*id).unless(*negated),
        })
    }

    fn unless(self, negated: bool) -> Self {
        if negated {
            Self::Not(Box::new(self))
        } else {
            self
        }
    }
}

fn parse_all(field: &Field<'_>, by: Actor) -> Result<Vec<FlagNode>> {
    let fields = field.list()?;
    fields.iter().map(|one| FlagNode::parse(one, by)).collect()
}

/// The node, or its opposite where `negation` is set, once nothing is left to read.
fn negated(mut object: Object<'_>, node: FlagNode) -> Result<FlagNode> {
    let is_negated = object.flag("negation")?;
    object.finish(&[HARMLESS, HARMLESS_HERE])?;
    Ok(node.unless(is_negated))
}

fn parse_filter(field: &Field<'_>, by: Actor) -> Result<FlagNode> {
    let mut object = field.object()?;
    let kind = object.text("type")?;
    let group_type = object.get("group_type_index");
    let of = match kind.as_deref() {
        None => by,
        Some("person") => Actor::Person,
        Some("group") => match (group_type, by) {
            (Some(field), _) => Actor::Group(GroupType::parse_index(&field)?),
            (None, Actor::Group(_)) => by,
            (None, Actor::Person) => {
                return Err(Error::invalid(
                    &field.path.field("group_type_index"),
                    "is missing; the condition is about persons, so that it is not clear whose property is meant",
                ));
            }
        },
        Some("cohort" | "static-cohort" | "precalculated-cohort") => {
            object.require("value")?;
            let node = parse_cohort(&mut object)?;
            object.finish(&[HARMLESS, HARMLESS_HERE])?;
            return FlagNode::of_person(&node)
                .ok_or_else(|| field.invalid("is not about a cohort; give its number as `value`"));
        }
        Some("flag") => {
            let node = parse_dependency(&mut object)?;
            return negated(object, node);
        }
        Some(other) => {
            return Err(Error::unsupported(
                format!("a flag's filter of type {other} ({})", field.path),
                "flags ask about properties of a person or a group, about cohorts of such, and about flags",
            ));
        }
    };
    let node = parse_property(&mut object, of)?;
    negated(object, node)
}

fn parse_property(object: &mut Object<'_>, of: Actor) -> Result<FlagNode> {
    let key = object.require("key")?.text()?;
    let operator = object.one_of("operator", WIRE_NAMES)?;
    let operator = operator.unwrap_or(Operator::Exact);
    let value = object.get("value");
    let values = match value {
        _ if operator.takes_no_value() => Vec::new(),
        Some(value) => value_texts(value.value),
        None => {
            return Err(Error::invalid(
                &object.path.field("value"),
                format!("is missing; {} compares with a value", operator.name()),
            ));
        }
    };
    Ok(FlagNode::Property(FlagProperty {
        of,
        key,
        operator,
        values,
    }))
}

fn parse_dependency(object: &mut Object<'_>) -> Result<FlagNode> {
    let key = object.require("key")?;
    let flag = match key.value {
        Value::Number(_) => value_text(key.value),
        _ => key.text()?,
    };
    object.one_of("operator", &[("flag_evaluates_to", ())])?;
    let value = object.require("value")?;
    let wanted = match value.value {
        Value::Bool(true) => FlagWanted::On,
        Value::Bool(false) => FlagWanted::Off,
        Value::String(variant) => FlagWanted::Variant(variant.clone()),
        _ => return Err(value.invalid("must be true, false or the key of a variant")),
    };
    Ok(FlagNode::Flag { flag, wanted })
}
