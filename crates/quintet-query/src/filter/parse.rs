//! Reading property filters: a list, or a tree of AND and OR, of conditions on properties.
//!
//! Rules: `spec/filters-and-dates.md` section 1.

use regex::Regex;
use serde_json::Value;

use crate::GroupType;
use crate::error::{Error, Result};
use crate::reader::{Field, Object, Path, value_text};

use super::operator::WIRE_NAMES;
use super::{Operator, PropertyNode, PropertyScope};

/// Fields of a filter that only tell people what it is.
pub(crate) const HARMLESS: &[&str] = &[
    "label",
    "cohort_name",
    "group_key_names",
    "group_type",
    "sourceKey",
    "id",
];

/// `type`s of filters that PostHog knows and what they are about.
const OTHER_PRODUCTS: &[&str] = &[
    "data_warehouse",
    "data_warehouse_person_property",
    "error_tracking_issue",
    "error_tracking_issue_property",
    "log",
    "log_attribute",
    "log_entry",
    "log_resource_attribute",
    "recording",
    "revenue_analytics",
    "replay",
    "span",
    "span_attribute",
    "workflow_variable",
];

#[derive(Clone, Copy)]
enum Connective {
    And,
    Or,
}

impl PropertyNode {
    /// Reads the filters of the field, if it is there.
    pub(crate) fn parse_field(object: &mut Object<'_>, name: &'static str) -> Result<Self> {
        match object.get(name) {
            Some(field) => Self::parse(&field),
            None => Ok(Self::default()),
        }
    }

    /// Reads a list of filters, a group of them, or a single one.
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        match field.value {
            Value::Array(_) => Ok(Self::All(parse_all(field)?)),
            Value::Object(fields) if fields.is_empty() => Ok(Self::default()),
            Value::Object(fields) if fields.contains_key("values") => parse_group(field),
            _ => parse_filter(field),
        }
    }
}

fn parse_all(field: &Field<'_>) -> Result<Vec<PropertyNode>> {
    field.list()?.iter().map(PropertyNode::parse).collect()
}

fn parse_group(field: &Field<'_>) -> Result<PropertyNode> {
    let mut object = field.object()?;
    let connective = object
        .require("type")?
        .one_of(&[("AND", Connective::And), ("OR", Connective::Or)])?;
    let values = parse_all(&object.require("values")?)?;
    object.finish(&[HARMLESS])?;
    Ok(match connective {
        Connective::And => PropertyNode::All(values),
        Connective::Or => PropertyNode::Any(values),
    })
}

fn parse_filter(field: &Field<'_>) -> Result<PropertyNode> {
    let mut object = field.object()?;
    let kind = object.text("type")?;
    let node = match kind.as_deref().unwrap_or("event") {
        "empty" | "flag" => return Ok(PropertyNode::default()),
        "event" => parse_condition(&mut object, PropertyScope::Event, "")?,
        "feature" => parse_condition(&mut object, PropertyScope::Event, "$feature/")?,
        "event_metadata" => parse_condition(&mut object, PropertyScope::EventMetadata, "")?,
        "person" => parse_condition(&mut object, PropertyScope::Person, "")?,
        "session" => parse_condition(&mut object, PropertyScope::Session, "")?,
        "group" => {
            let group_type = GroupType::parse(&object.require("group_type_index")?)?;
            parse_condition(&mut object, PropertyScope::Group(group_type), "")?
        }
        "cohort" | "static-cohort" | "precalculated-cohort" => parse_cohort(&mut object)?,
        "element" => {
            return Err(unsupported(
                field,
                "element",
                "filter by an event property such as `$current_url`",
            ));
        }
        "hogql" => {
            return Err(unsupported(
                field,
                "hogql",
                "write it as property filters, or ask with SQL",
            ));
        }
        "behavioral" => {
            return Err(unsupported(
                field,
                "behavioral",
                "list the cohort's `distinct_ids`, or describe it by person properties",
            ));
        }
        other if OTHER_PRODUCTS.contains(&other) => {
            return Err(unsupported(
                field,
                other,
                "filter by properties of events, persons or groups",
            ));
        }
        other => {
            return Err(Error::invalid(
                &field.path.field("type"),
                format!(
                    "there is no filter type '{other}'; take event, person, group, cohort, session or event_metadata"
                ),
            ));
        }
    };
    // A group type beside a filter of another type is a leftover of the editor.
    object.get("group_type_index");
    object.finish(&[HARMLESS])?;
    Ok(node)
}

fn unsupported(field: &Field<'_>, kind: &str, instead: &str) -> Error {
    Error::unsupported(format!("a filter of type {kind} ({})", field.path), instead)
}

fn parse_condition(
    object: &mut Object<'_>,
    scope: PropertyScope,
    prefix: &str,
) -> Result<PropertyNode> {
    let key = object.text("key")?;
    let operator = object
        .one_of("operator", WIRE_NAMES)?
        .unwrap_or(Operator::Exact);
    let value = object.get("value");
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return Ok(PropertyNode::default());
    };
    if operator.takes_no_value() {
        return Ok(PropertyNode::property(
            scope,
            prefix.to_owned() + &key,
            operator,
            [],
        ));
    }
    let Some(value) = value else {
        return Ok(PropertyNode::default());
    };
    let values = value_texts(value.value);
    check_values(operator, &value, &values)?;
    // An empty list asks for nothing.
    if values.is_empty() {
        return Ok(PropertyNode::default());
    }
    Ok(PropertyNode::property(
        scope,
        prefix.to_owned() + &key,
        operator,
        values,
    ))
}

/// The values as text: strings as they are, everything else as JSON.
pub(crate) fn value_texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items
            .iter()
            .filter(|item| !item.is_null())
            .map(value_text)
            .collect(),
        other => vec![value_text(other)],
    }
}

fn check_values(operator: Operator, field: &Field<'_>, values: &[String]) -> Result<()> {
    match operator {
        Operator::In | Operator::NotIn if !field.value.is_array() => Err(field.invalid(format!(
            "the operator {} compares with a list; put the value in brackets",
            operator.name()
        ))),
        Operator::Between | Operator::NotBetween => check_range(operator, field, values),
        Operator::Regex | Operator::NotRegex => values
            .iter()
            .try_for_each(|value| check_regex(&field.path, value).map(drop)),
        _ => Ok(()),
    }
}

fn check_range(operator: Operator, field: &Field<'_>, values: &[String]) -> Result<()> {
    let name = operator.name();
    let bounds: Option<Vec<f64>> = values.iter().map(|value| finite_number(value)).collect();
    match bounds.as_deref() {
        Some([low, high]) if low <= high => Ok(()),
        Some([low, high]) => Err(field.invalid(format!(
            "the operator {name} takes the smaller number first, not [{low}, {high}]"
        ))),
        _ => Err(field.invalid(format!(
            "the operator {name} compares with a list of exactly two numbers"
        ))),
    }
}

fn finite_number(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
}

/// Compiles a regular expression, or says in one line why that cannot be done.
pub(crate) fn check_regex(path: &Path, pattern: &str) -> Result<Regex> {
    Regex::new(pattern).map_err(|error| {
        Error::invalid(
            path,
            format!(
                "'{pattern}' is not a regular expression: {}",
                one_line(&error)
            ),
        )
    })
}

/// The last line of a regex error says what is wrong; the lines before it draw where.
fn one_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default();
    last.trim().trim_start_matches("error: ").to_owned()
}

/// Who is in a cohort or is not, or in any of several.
pub(crate) fn parse_cohort(object: &mut Object<'_>) -> Result<PropertyNode> {
    object.get("key");
    let negated_by_operator = object
        .one_of(
            "operator",
            &[
                ("in", false),
                ("exact", false),
                ("not_in", true),
                ("is_not", true),
            ],
        )?
        .unwrap_or(false);
    let negated = object.flag("negation")? || negated_by_operator;
    let Some(value) = object.get("value") else {
        return Ok(PropertyNode::default());
    };
    let ids = match value.value {
        Value::Array(_) => value
            .list()?
            .iter()
            .map(Field::integer)
            .collect::<Result<Vec<_>>>()?,
        _ => vec![value.integer()?],
    };
    let cohorts = ids
        .into_iter()
        .map(|id| PropertyNode::Cohort { id, negated })
        .collect();
    Ok(if negated {
        PropertyNode::All(cohorts)
    } else {
        PropertyNode::Any(cohorts)
    })
}
