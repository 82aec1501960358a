//! From the persons that the engine counted to the rows of the result. Pure: nothing is counted here.
//!
//! Rules: `spec/lifecycle.md` sections 2 and 3.

use serde_json::{Map, Value, json};

use crate::numbers::scaled_back;

use super::{Lifecycle, Status};

/// How many persons an interval is this to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Position of the bucket in [`Lifecycle::edges`]. Those that are not shown do no harm, nor does the one behind the last,
    /// in which persons active in the last bucket would be dormant.
    pub bucket: usize,
    /// What it is.
    pub status: Status,
    /// How many persons.
    pub persons: u64,
}

/// The rows of a lifecycle, and what stands beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct LifecycleResult {
    /// The rows, one per status.
    pub results: Vec<Value>,
    /// `{"date_from", "date_to"}` of the range, in the project's zone.
    pub resolved_date_range: Value,
}

/// The rows of a lifecycle from its figures, in any order; buckets without one have nobody.
pub fn shape(lifecycle: &Lifecycle, figures: impl IntoIterator<Item = Figure>) -> LifecycleResult {
    let mut data = Status::ALL.map(|status| (status, vec![0; lifecycle.shown.len()]));
    for figure in figures {
        for (_, points) in data
            .iter_mut()
            .filter(|(status, _)| *status == figure.status)
        {
            let at = figure.bucket.checked_sub(lifecycle.shown.start);
            if let Some(point) = at.and_then(|at| points.get_mut(at)) {
                *point += figure.persons;
            }
        }
    }
    let (from, to) = &lifecycle.range;
    LifecycleResult {
        results: data
            .into_iter()
            .map(|(status, points)| {
                let points = points.into_iter();
                let data: Vec<f64> = points.map(|n| signed(lifecycle, status, n)).collect();
                row(lifecycle, status, &data)
            })
            .collect(),
        resolved_date_range: json!({"date_from": from, "date_to": to}),
    }
}

/// Scaled back from a sample, of which an empty one knows nobody; those who stay away count downwards.
fn signed(lifecycle: &Lifecycle, status: Status, persons: u64) -> f64 {
    let persons = persons as f64;
    let persons = match lifecycle.sampling {
        None => persons,
        Some(0.0) => 0.0,
        Some(factor) => scaled_back(persons, factor),
    };
    match status {
        // Subtracted, for the negative of nobody would be -0.
        Status::Dormant => 0.0 - persons,
        Status::New | Status::Returning | Status::Resurrecting => persons,
    }
}

fn row(lifecycle: &Lifecycle, status: Status, data: &[f64]) -> Value {
    json!({
        "action": action(lifecycle),
        "data": data,
        "count": data.iter().fold(0.0, |sum, point| sum + point),
        "labels": lifecycle.labels,
        "days": lifecycle.days,
        "label": format!("{} - {}", lifecycle.echo.label, status.name()),
        "status": status.name(),
    })
}

fn action(lifecycle: &Lifecycle) -> Value {
    let echo = &lifecycle.echo;
    let mut action = Map::new();
    action.insert("id".to_owned(), id_text(&echo.id));
    action.insert("name".to_owned(), echo.label.as_str().into());
    action.insert("type".to_owned(), echo.kind.into());
    action.insert("order".to_owned(), 0.into());
    action.insert("math".to_owned(), "total".into());
    if let Some(name) = &echo.custom_name {
        action.insert("custom_name".to_owned(), name.as_str().into());
    }
    Value::Object(action)
}

/// The number of an action is a text here.
fn id_text(id: &Value) -> Value {
    match id {
        Value::Number(number) => number.to_string().into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests;
