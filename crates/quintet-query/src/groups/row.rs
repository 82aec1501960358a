//! One group as it was found, and how it is called.

use serde_json::{Value, json};

use crate::GroupIndex;
use crate::reader::value_text;

/// One group as it was found.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRow {
    /// The key that events use.
    pub key: String,
    /// When it began, RFC 3339 in UTC; none for a group that was only seen on events.
    pub created_at: Option<String>,
    /// Its properties, an object.
    pub properties: Value,
}

impl GroupRow {
    /// How it is called.
    pub fn display_name(&self) -> String {
        display_name(&self.properties, &self.key)
    }

    /// The row as PostHog's REST answers show it.
    pub fn to_json(&self, group_type: GroupIndex) -> Value {
        json!({
            "group_type_index": group_type.get(),
            "group_key": self.key,
            "group_properties": self.properties,
            "created_at": self.created_at,
        })
    }
}

/// How a group is called: its property `name` as text, else its key.
pub fn display_name(properties: &Value, key: &str) -> String {
    match properties.get("name") {
        None | Some(Value::Null) => key.to_owned(),
        Some(name) => value_text(name),
    }
}
