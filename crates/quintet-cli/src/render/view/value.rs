//! Single JSON values as text.

use serde_json::Value;

use super::super::text::{clean, figure};

/// The text of one value: strings bare, nothing for null, JSON for lists and objects.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text of one value for reading.
pub(crate) fn readable(value: &Value) -> String {
    match value {
        Value::Number(n) if n.is_f64() => n.as_f64().map(figure).unwrap_or_default(),
        other => clean(&plain(other)).into_owned(),
    }
}
