//! Results as one JSON value a line.

use serde_json::Value;

/// One line per row of the results; other results are one line. The steps of funnels by breakdown value are rows each.
pub(crate) fn ndjson(results: &Value) -> String {
    let rows = match results {
        Value::Array(rows) => rows.as_slice(),
        other => std::slice::from_ref(other),
    };
    let lines = rows.iter().flat_map(|row| match row {
        Value::Array(steps) if steps.first().is_some_and(Value::is_object) => steps.as_slice(),
        other => std::slice::from_ref(other),
    });
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_row_is_a_line() {
        assert_eq!(
            ndjson(&json!([{"a": 1}, {"a": "x\ny"}])),
            "{\"a\":1}\n{\"a\":\"x\\ny\"}\n"
        );
        assert_eq!(
            ndjson(&json!([[{"a": 1}, {"a": 2}], [{"a": 3}]])),
            "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"
        );
        assert_eq!(ndjson(&json!([[1, 2], [3, 4]])), "[1,2]\n[3,4]\n");
        assert_eq!(ndjson(&json!([[]])), "[]\n");
        assert_eq!(ndjson(&json!([])), "");
        assert_eq!(ndjson(&json!({"a": 1})), "{\"a\":1}\n");
    }
}
