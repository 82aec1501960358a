//! Parts of an answer's JSON, as the views need them.

use serde_json::{Map, Value};

use super::super::text::clean;
use super::value::plain;

pub(super) type Object = Map<String, Value>;

const NONE_LABEL: &str = "$$_posthog_breakdown_null_$$";
const OTHER_LABEL: &str = "$$_posthog_breakdown_other_$$";
/// What is shown for a value that is missing.
const NONE: &str = "(none)";

/// A list of objects only.
pub(super) fn objects(results: &Value) -> Option<Vec<&Object>> {
    results.as_array()?.iter().map(Value::as_object).collect()
}

/// Whether there are rows and all of them have these keys.
pub(super) fn have(rows: &[&Object], keys: &[&str]) -> bool {
    let has_all = |row: &&Object| keys.iter().all(|key| row.contains_key(*key));
    !rows.is_empty() && rows.iter().all(has_all)
}

/// Not a number where there is none.
pub(super) fn number(value: Option<&Value>) -> f64 {
    value.and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// Empty where there is no list.
pub(super) fn list(value: Option<&Value>) -> &[Value] {
    value
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The text under a key, as it may be shown.
pub(super) fn text(object: &Object, key: &str) -> Option<String> {
    let text = object.get(key)?.as_str()?;
    Some(clean(text).into_owned())
}

/// A label with the marks of "no value" and "all other values" put in words.
pub(super) fn readable_label(label: &str) -> String {
    let readable = label
        .replace(NONE_LABEL, NONE)
        .replace(OTHER_LABEL, "(other)");
    clean(&readable).into_owned()
}

/// What a row is broken down by; nothing where it is not.
pub(super) fn breakdown(row: &Object) -> Option<String> {
    let label = row.get("breakdown").or_else(|| row.get("breakdown_value"));
    label.filter(|value| !value.is_null()).map(breakdown_label)
}

fn breakdown_label(value: &Value) -> String {
    match value {
        Value::Array(parts) => {
            let labels: Vec<String> = parts.iter().map(breakdown_label).collect();
            labels.join(", ")
        }
        other => readable_value(&plain(other)),
    }
}

/// A value that may be missing.
pub(super) fn readable_value(value: &str) -> String {
    if value.is_empty() {
        NONE.into()
    } else {
        readable_label(value)
    }
}

/// A breakdown value with the period it is of, as a heading; nothing where there is neither.
pub(crate) fn heading(value: Option<&str>, period: Option<&str>) -> Option<String> {
    match (value, period) {
        (Some(value), Some(period)) => Some(format!("{value} ({period})")),
        (one, other) => one.or(other).map(str::to_owned),
    }
}
