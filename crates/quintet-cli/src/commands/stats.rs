//! `quintet stats`: what is in a store.

use serde::Serialize;
use serde_json::{Value, json};

use super::engine;
use crate::arguments::{Limits, OutputFormat, Stats};
use crate::failure::{Failure, Result};
use crate::output::{self, Printed};
use crate::render::View;

pub(super) async fn run(stats: Stats, limits: Limits) -> Result<()> {
    let format = output::format(stats.output.format)?;
    let engine = engine(limits).open(&stats.store).await?;
    print_facts(&engine.stats().await?, format)
}

/// Prints what is known of a store, or was done to it.
pub(super) fn print_facts(known: &impl Serialize, format: OutputFormat) -> Result<()> {
    let json = serde_json::to_value(known).map_err(Failure::internal)?;
    let rows = facts(&json);
    output::print(
        &Printed {
            json: &json,
            view: View::rows(&rows, Vec::new()),
            rows: &rows,
        },
        format,
    )
}

/// One row per fact, what is nested named by its path.
pub(super) fn facts(stats: &Value) -> Value {
    let mut rows = Vec::new();
    collect("", stats, &mut rows);
    Value::Array(rows)
}

fn collect(path: &str, value: &Value, rows: &mut Vec<Value>) {
    let below = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| collect(&below(name), value, rows)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(i, item)| collect(&item_path(path, i, item), &without_name(item), rows)),
        Value::Null => {}
        fact => rows.push(json!({"fact": path, "value": fact})),
    }
}

/// The fields by which an item of a list goes, rather than by its position.
const NAMES: [&str; 2] = ["group_type", "name"];

fn item_path(path: &str, position: usize, item: &Value) -> String {
    let name = NAMES.iter().find_map(|field| item.get(field)?.as_str());
    name.map_or_else(
        || format!("{path}[{position}]"),
        |name| format!("{path}.{name}"),
    )
}

fn without_name(item: &Value) -> Value {
    let mut item = item.clone();
    if let Some(fields) = item.as_object_mut()
        && let Some(name) = NAMES.iter().find(|name| fields.contains_key(**name))
    {
        fields.shift_remove(*name);
    }
    item
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_facts_are_named_by_their_path() {
        let stats = json!({"rows": 3, "events": {"paid": 2}, "none": null, "groups": [{"group_type": "company", "index": 0}], "list": [1]});
        let expected = json!([
            {"fact": "rows", "value": 3},
            {"fact": "events.paid", "value": 2},
            {"fact": "groups.company.index", "value": 0},
            {"fact": "list[0]", "value": 1},
        ]);
        assert_eq!(facts(&stats), expected);
    }
}
