//! Reading questions about groups from JSON.

use std::borrow::Cow;

use serde_json::{Value, json};

use crate::GroupType;
use crate::error::Result;
use crate::filter::PropertyNode;
use crate::insight::NODE_HARMLESS;
use crate::reader::{Field, Object, value_text};

use super::columns::GroupOrder;
use super::list::{USUAL_PAGE, selected};
use super::{
    GroupFind, GroupPageQuery, GroupPropertyValues, GroupsListQuery, GroupsQuery, RelatedGroups,
    RelatedTo, page, related,
};

impl GroupsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let group_type = group_type(&mut object)?;
        let columns = object.list("select")?;
        let select = match columns.as_slice() {
            [] => Self::of(group_type.clone()).select,
            columns => selected(columns)?,
        };
        let query = Self {
            properties: parse_properties(&mut object, &group_type)?,
            group_type,
            select,
            search: search(&mut object, "search")?,
            order_by: parse_order(&object.list("orderBy")?)?,
            limit: object.count("limit")?.unwrap_or(USUAL_PAGE),
            offset: object.count("offset")?.unwrap_or(0),
            include_seen: object.flag("includeSeen")?,
        };
        object.finish(&[NODE_HARMLESS])?;
        Ok(query)
    }
}

impl GroupsListQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = GroupsQuery {
            search: search(&mut object, "search")?,
            limit: object.count("limit")?.unwrap_or(USUAL_PAGE),
            offset: object.count("offset")?.unwrap_or(0),
            ..GroupsQuery::of(group_type(&mut object)?)
        };
        object.finish(&[NODE_HARMLESS])?;
        Ok(Self(query))
    }
}

impl GroupFind {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            group_type: group_type(&mut object)?,
            key: key(&object.require("group_key")?)?,
        };
        object.finish(&[NODE_HARMLESS])?;
        Ok(query)
    }
}

impl GroupPropertyValues {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            group_type: group_type(&mut object)?,
            key: object.require("key")?.text()?,
            search: search(&mut object, "value")?,
            limit: object.count("limit")?,
        };
        object.finish(&[NODE_HARMLESS])?;
        Ok(query)
    }
}

impl RelatedGroups {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let of = match object.get("person") {
            Some(person) => {
                let others = [object.get("group_type_index"), object.get("id")];
                if let Some(other) = others.into_iter().flatten().next() {
                    return Err(
                        other.invalid("stands beside `person`; ask for a group or for a person")
                    );
                }
                RelatedTo::Person(key(&person)?)
            }
            None => RelatedTo::Group(group_type(&mut object)?, key(&object.require("id")?)?),
        };
        let query = Self {
            of,
            days: object.count("days")?.unwrap_or(related::USUAL_DAYS),
            limit: object.count("limit")?,
        };
        object.finish(&[NODE_HARMLESS])?;
        Ok(query)
    }
}

impl GroupPageQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            group_type: group_type(&mut object)?,
            key: key(&object.require("group_key")?)?,
            days: object.count("days")?.unwrap_or(page::USUAL_DAYS),
            top: object.count("limit")?.unwrap_or(page::USUAL_TOP),
        };
        object.finish(&[NODE_HARMLESS])?;
        Ok(query)
    }
}

fn group_type(object: &mut Object<'_>) -> Result<GroupType> {
    GroupType::parse(&object.require("group_type_index")?)
}

/// A group's key or a person's id: a text, or a number as text.
fn key(field: &Field<'_>) -> Result<String> {
    match field.value {
        Value::String(text) if text.is_empty() => Err(field.invalid("must not be empty")),
        Value::String(_) | Value::Number(_) => Ok(value_text(field.value)),
        _ => field.text(),
    }
}

/// Blank text searches for nothing.
fn search(object: &mut Object<'_>, name: &'static str) -> Result<Option<String>> {
    Ok(object.text(name)?.filter(|text| !text.trim().is_empty()))
}

fn parse_order(columns: &[Field<'_>]) -> Result<Vec<GroupOrder>> {
    columns
        .iter()
        .filter_map(|field| GroupOrder::parse(field).transpose())
        .collect()
}

/// Filters on the groups themselves: what does not say whose property it means, means these groups'.
fn parse_properties(object: &mut Object<'_>, group_type: &GroupType) -> Result<PropertyNode> {
    let (Some(field), GroupType::Index(index)) = (object.get("properties"), group_type) else {
        return Ok(PropertyNode::default());
    };
    let mut filters = Cow::Borrowed(field.value);
    complete(filters.to_mut(), *index);
    PropertyNode::parse(&Field::new(field.path, &filters))
}

fn complete(filter: &mut Value, index: u8) {
    match filter {
        Value::Array(filters) => filters.iter_mut().for_each(|one| complete(one, index)),
        Value::Object(fields) => match fields.get_mut("values") {
            Some(filters) => complete(filters, index),
            None => {
                let is_of_groups = matches!(
                    fields.get("type").and_then(Value::as_str),
                    None | Some("group")
                );
                let unset = |fields: &serde_json::Map<String, Value>, name| {
                    fields.get(name).is_none_or(Value::is_null)
                };
                if is_of_groups && !fields.is_empty() {
                    fields.insert("type".into(), json!("group"));
                    if unset(fields, "group_type_index") {
                        fields.insert("group_type_index".into(), json!(index));
                    }
                }
            }
        },
        _ => {}
    }
}
