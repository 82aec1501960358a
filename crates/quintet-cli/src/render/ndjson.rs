//! Results as one JSON value a line.

use serde_json::Value;

/// One line per row of the results; other results are one line.
pub(crate) fn ndjson(results: &Value) -> String {
    match results {
        Value::Array(rows) => rows.iter().map(|row| format!("{row}\n")).collect(),
        other => format!("{other}\n"),
    }
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
        assert_eq!(ndjson(&json!([])), "");
        assert_eq!(ndjson(&json!({"a": 1})), "{\"a\":1}\n");
    }
}
