//! For whom a flag is asked: ids, groups, and the properties that the caller knows better than the store.

use serde_json::{Map, Value};

use crate::error::Result;
use crate::reader::{Field, Object, value_text};

/// For whom a flag is asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FlagContext {
    /// The id that the person goes by.
    pub distinct_id: Option<String>,
    /// The id of its device.
    pub device_id: Option<String>,
    /// Properties of the person, laid over those that are stored.
    pub person_properties: Map<String, Value>,
    /// Its groups: type and key. An empty key is no group.
    pub groups: Vec<(String, String)>,
    /// Properties of its groups by type, laid over those that are stored.
    pub group_properties: Vec<(String, Map<String, Value>)>,
}

impl FlagContext {
    /// Reads the fields of a context. Those that are missing are taken from `usual`.
    pub(crate) fn parse_fields(object: &mut Object<'_>, usual: &Self) -> Result<Self> {
        let mut context = usual.clone();
        if let Some(id) = id(object, "distinct_id")? {
            context.distinct_id = Some(id);
        }
        if let Some(id) = id(object, "device_id")? {
            context.device_id = Some(id);
        }
        if let Some(field) = object.get("person_properties") {
            context.person_properties = properties(&field)?;
        }
        if let Some(field) = object.get("groups") {
            let keys = entries(&field)?.into_iter();
            context.groups = keys
                .map(|(name, field)| Ok((name, key(&field)?)))
                .collect::<Result<_>>()?;
        }
        if let Some(field) = object.get("group_properties") {
            let groups = entries(&field)?.into_iter();
            context.group_properties = groups
                .map(|(name, field)| Ok((name, properties(&field)?)))
                .collect::<Result<_>>()?;
        }
        Ok(context)
    }

    pub(crate) fn parse(field: &Field<'_>, usual: &Self) -> Result<Self> {
        let mut object = field.object()?;
        let context = Self::parse_fields(&mut object, usual)?;
        object.finish(&[])?;
        Ok(context)
    }
}

/// An id: a text, or a number as text.
fn id(object: &mut Object<'_>, name: &'static str) -> Result<Option<String>> {
    object.get(name).map(|field| key(&field)).transpose()
}

fn key(field: &Field<'_>) -> Result<String> {
    match field.value {
        Value::Null => Ok(String::new()),
        Value::Number(_) | Value::Bool(_) => Ok(value_text(field.value)),
        _ => field.text(),
    }
}

fn entries<'a>(field: &Field<'a>) -> Result<Vec<(String, Field<'a>)>> {
    field.object()?;
    let fields = field.value.as_object().into_iter().flatten();
    Ok(fields
        .map(|(name, value)| (name.clone(), Field::new(field.path.field(name), value)))
        .collect())
}

fn properties(field: &Field<'_>) -> Result<Map<String, Value>> {
    if field.value.is_null() {
        return Ok(Map::new());
    }
    field.object()?;
    Ok(field.value.as_object().cloned().unwrap_or_default())
}
