//! Whether an answer is what a case expects, by the rules of `testdata/conformance/README.md`.

use std::collections::HashMap;

use serde_json::{Value, json};

const ABS_TOL: f64 = 1e-9;
const REL_TOL: f64 = 1e-6;

type Difference = Result<(), String>;

/// Holds an answer (`{"results": …}`) against a case's `expect`.
pub(crate) fn answer(case: &Value, answer: &Value) -> Difference {
    let expect = &case["expect"];
    let tolerance = expect["abs_tol"].as_f64().unwrap_or(ABS_TOL);
    let (expected, actual) = by_person(case, &expect["results"], &answer["results"]);
    rows(expect, &expected, &actual, tolerance)?;
    for (key, value) in expect["response"].as_object().into_iter().flatten() {
        same(value, &answer[key], &format!("response.{key}"), tolerance)?;
    }
    for key in ["summary", "columns"] {
        if let Some(value) = expect.get(key) {
            same(value, &answer[key], key, tolerance)?;
        }
    }
    Ok(())
}

fn rows(expect: &Value, expected: &Value, actual: &Value, tolerance: f64) -> Difference {
    if let Some(count) = expect["row_count"].as_u64() {
        let found = actual.as_array().map(Vec::len);
        return if found == Some(count as usize) {
            Ok(())
        } else {
            Err(format!("expected {count} rows, got {}", short(actual)))
        };
    }
    let flag = |name: &str| expect[name].as_bool().unwrap_or(false);
    let (Some(expected_rows), Some(actual_rows)) = (expected.as_array(), actual.as_array()) else {
        return same(expected, actual, "results", tolerance);
    };
    if !flag("unordered") && !flag("rows_subset") {
        return same(expected, actual, "results", tolerance);
    }
    if !flag("rows_subset") && expected_rows.len() != actual_rows.len() {
        return Err(format!(
            "expected {} rows, got {}: {}",
            expected_rows.len(),
            actual_rows.len(),
            short(actual)
        ));
    }
    let mut left: Vec<&Value> = actual_rows.iter().collect();
    for row in expected_rows {
        match left
            .iter()
            .position(|found| same(row, found, "", tolerance).is_ok())
        {
            Some(at) => left.remove(at),
            None => {
                return Err(format!(
                    "no row matches {} among {}",
                    short(row),
                    short(actual)
                ));
            }
        };
    }
    Ok(())
}

/// Actor rows are compared by person (any of its distinct ids) or by group key.
fn by_person(case: &Value, expected: &Value, actual: &Value) -> (Value, Value) {
    let lists_actors = |rows: &Value| {
        rows.as_array().is_some_and(|rows| {
            !rows.is_empty()
                && rows
                    .iter()
                    .all(|r| r.get("person").is_some() || r.get("group").is_some())
        })
    };
    if !lists_actors(expected) {
        return (expected.clone(), actual.clone());
    }
    let mut owner = HashMap::new();
    for person in case["persons"].as_array().into_iter().flatten() {
        for id in person["distinct_ids"].as_array().into_iter().flatten() {
            owner.insert(id.clone(), person["distinct_ids"][0].clone());
        }
    }
    let known = |id: &Value| owner.get(id).unwrap_or(id).clone();
    let mut expected = expected.clone();
    for row in expected
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter(|row| row.get("person").is_some())
    {
        row["person"] = known(&row["person"]);
    }
    let mut actual = actual.clone();
    for row in actual
        .as_array_mut()
        .into_iter()
        .flatten()
        .filter(|row| row.is_object())
    {
        if row["group_key"].is_null() {
            let ids = row["distinct_ids"].as_array().cloned().unwrap_or_default();
            let owned = ids.iter().find(|id| owner.contains_key(id)).or(ids.first());
            row["person"] = owned.map_or(Value::Null, known);
        } else {
            row["group"] = row["group_key"].clone();
        }
    }
    (expected, actual)
}

fn same(expected: &Value, actual: &Value, path: &str, tolerance: f64) -> Difference {
    // A JSON text column compares as a JSON value.
    if let (Value::Object(_) | Value::Array(_), Value::String(text)) = (expected, actual)
        && let Ok(parsed) = serde_json::from_str(text)
    {
        return same(expected, &parsed, path, tolerance);
    }
    let differ = || {
        Err(format!(
            "{path}: expected {}, got {}",
            short(expected),
            short(actual)
        ))
    };
    match (expected, actual) {
        (Value::Object(expected), Value::Object(actual)) => {
            expected
                .iter()
                .try_for_each(|(key, value)| match actual.get(key) {
                    Some(found) => same(value, found, &format!("{path}.{key}"), tolerance),
                    None => Err(format!("{path}.{key}: missing")),
                })
        }
        (Value::Array(expected), Value::Array(found)) if expected.len() == found.len() => {
            let mut pairs = expected.iter().zip(found).enumerate();
            pairs.try_for_each(|(i, (e, a))| same(e, a, &format!("{path}[{i}]"), tolerance))
        }
        (Value::Null, Value::String(text))
            if text.is_empty()
                && path
                    .rsplit('.')
                    .next()
                    .is_some_and(|p| p.starts_with("$group_")) =>
        {
            Ok(())
        }
        (Value::Number(_), Value::Bool(actual)) => {
            same(expected, &json!(u8::from(*actual)), path, tolerance)
        }
        (Value::Number(expected), Value::Number(actual)) => {
            let (e, a) = (
                expected.as_f64().unwrap_or(f64::NAN),
                actual.as_f64().unwrap_or(f64::NAN),
            );
            let close = (e - a).abs() <= tolerance.max(REL_TOL * e.abs().max(a.abs()));
            if close { Ok(()) } else { differ() }
        }
        _ if expected == actual => Ok(()),
        _ => differ(),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.len() <= 400 {
        text
    } else {
        text.chars().take(400).chain("…".chars()).collect()
    }
}
