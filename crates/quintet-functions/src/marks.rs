//! Several columns as one: conditions as bits, texts as a list.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, AsArray, BooleanArray, StringViewArray, StringViewBuilder, UInt64Array,
};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::exec_err;
use datafusion::logical_expr::ScalarUDF;
use serde_json::Value;

use crate::columns::columns_function;

/// `marks(condition, …)`: bit `i` says whether condition `i` holds. A condition that is null does not.
pub(crate) fn marks() -> Arc<ScalarUDF> {
    columns_function("marks", DataType::Boolean, DataType::UInt64, |columns| {
        let Ok(bits @ 0..=64) = u32::try_from(columns.len()) else {
            return exec_err!("marks takes up to 64 conditions, not {}", columns.len());
        };
        let rows = columns.first().map_or(0, |column| column.len());
        let mut marks = vec![0; rows];
        for (bit, column) in (0..bits).zip(columns) {
            mark(column.as_boolean(), 1 << bit, &mut marks);
        }
        Ok(Arc::new(UInt64Array::from(marks)))
    })
}

/// Sets a bit where the condition holds.
fn mark(condition: &BooleanArray, bit: u64, marks: &mut [u64]) {
    let holds = match condition.nulls() {
        Some(known) => condition.values() & known.inner(),
        None => condition.values().clone(),
    };
    for row in holds.set_indices() {
        if let Some(marks) = marks.get_mut(row) {
            *marks |= bit;
        }
    }
}

/// `json_list(text, …)`: the texts as a JSON list; null is the empty text.
pub(crate) fn json_list() -> Arc<ScalarUDF> {
    let text = DataType::Utf8View;
    columns_function("json_list", text.clone(), text, |columns| {
        let columns: Vec<&StringViewArray> = columns.iter().map(|c| c.as_string_view()).collect();
        let rows = columns.first().map_or(0, |column| column.len());
        let mut lists = StringViewBuilder::with_capacity(rows);
        for row in 0..rows {
            let text = |texts: &&StringViewArray| {
                Value::from(if texts.is_valid(row) {
                    texts.value(row)
                } else {
                    ""
                })
            };
            let list: Value = columns.iter().map(text).collect();
            lists.append_value(list.to_string());
        }
        Ok(Arc::new(lists.finish()))
    })
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    async fn cell(sql: &str) -> String {
        let mut context = SessionContext::new();
        crate::register_all(&mut context).unwrap();
        let rows = context.sql(sql).await.unwrap().collect().await.unwrap();
        let table = datafusion::arrow::util::pretty::pretty_format_batches(&rows)
            .unwrap()
            .to_string();
        table
            .lines()
            .nth(3)
            .unwrap()
            .trim_matches(['|', ' '])
            .to_owned()
    }

    #[tokio::test]
    async fn conditions_are_bits_and_null_is_no() {
        assert_eq!(
            cell("select marks(true, false, null, true) as m").await,
            "9"
        );
        assert_eq!(
            cell("select sum(marks(x > 1, x > 2)) as m from (values (1), (2), (3)) as t(x)").await,
            "4"
        );
    }

    #[tokio::test]
    async fn texts_are_a_list_and_null_is_empty() {
        assert_eq!(
            cell("select json_list('a\"b', null) as l").await,
            r#"["a\"b",""]"#
        );
    }
}
