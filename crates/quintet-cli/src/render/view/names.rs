//! What rows are called: by their labels, by the names that the definition gives, by what they are broken down by.

use serde_json::Value;

use super::json::{Object, breakdown, readable_label};

/// The rate of a funnel, which has no label.
const CONVERSION: &str = "conversion";

/// One name per row, told apart by the math where the labels are the same.
pub(super) fn names(objects: &[&Object]) -> Vec<String> {
    let mut names: Vec<String> = objects.iter().map(|row| name(row)).collect();
    tell_apart(&mut names, |i| math(objects[i]).unwrap_or_default());
    tell_apart(&mut names, |i| format!("row {}", i + 1));
    names
}

fn tell_apart(names: &mut [String], suffix: impl Fn(usize) -> String) {
    let before = names.to_vec();
    for (i, name) in names.iter_mut().enumerate() {
        let suffix = suffix(i);
        if !suffix.is_empty() && before.iter().filter(|other| *other == name).count() > 1 {
            *name = format!("{name} ({suffix})");
        }
    }
}

fn name(row: &Object) -> String {
    let mut name = match row.get("label") {
        Some(label) => labelled(row, label.as_str().unwrap_or_default()),
        None => breakdown(row).unwrap_or_else(|| CONVERSION.into()),
    };
    if let Some(period) = row.get("compare_label").and_then(Value::as_str) {
        let first = row
            .get("days")
            .and_then(|days| days.get(0))
            .and_then(Value::as_str);
        let from = first
            .filter(|_| period == "previous")
            .map(|day| format!(", from {day}"))
            .unwrap_or_default();
        name.push_str(&format!(" ({period}{from})"));
    }
    name
}

fn labelled(row: &Object, label: &str) -> String {
    match custom_name(row, label) {
        Some(custom) => readable_label(&custom),
        None => readable_label(label),
    }
}

/// The name that the definition gives to the series, in place of the event's in the label.
fn custom_name(row: &Object, label: &str) -> Option<String> {
    let action = row.get("action")?;
    let custom = action
        .get("custom_name")?
        .as_str()
        .filter(|name| !name.is_empty())?;
    let Some(value) = row.get("breakdown_value") else {
        return Some(custom.to_owned());
    };
    let event = action
        .get("name")
        .or_else(|| action.get("id"))
        .and_then(Value::as_str)?;
    let rest = label.strip_prefix(event)?.strip_prefix(" - ")?;
    (!value.is_null()).then(|| format!("{custom} - {rest}"))
}

fn math(row: &Object) -> Option<String> {
    let action = row.get("action")?;
    let math = action.get("math")?.as_str()?;
    Some(
        match action.get("math_group_type_index").and_then(Value::as_u64) {
            Some(index) => format!("{math} {index}"),
            None => math.to_owned(),
        },
    )
}
