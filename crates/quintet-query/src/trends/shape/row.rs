//! Result rows as JSON, field by field as PostHog writes them. Rules: `spec/trends.md` section 9.

use serde_json::{Map, Value, json};

use crate::breakdown::{Line, LineValue, breakdown_value, row_label};
use crate::numbers::{json_number, json_numbers};
use crate::trends::{Formula, Series, Trends};

use super::Answer;

/// The row of a line of a series.
pub(super) fn of_series(
    trends: &Trends,
    series: &Series,
    answer: &Answer<'_>,
    line: &Line,
) -> Value {
    let mut row = Map::new();
    row.insert("action".to_owned(), action(series, answer));
    row.insert(
        "label".to_owned(),
        row_label(
            &series.echo.label,
            trends.series.len(),
            trends.breakdown.as_ref(),
            &line.value,
        )
        .into(),
    );
    row.insert("order".to_owned(), series.echo.order.into());
    if trends.display.is_one_number() {
        let figure = line.data.first().copied().unwrap_or(0.0);
        row.insert("data".to_owned(), json!([]));
        row.insert("days".to_owned(), json!([]));
        row.insert("count".to_owned(), json!(0));
        row.insert("aggregated_value".to_owned(), json_number(figure));
    } else {
        row.insert("count".to_owned(), line.count.into());
        insert_points(&mut row, answer, line);
    }
    insert_context(&mut row, trends, answer, &line.value);
    Value::Object(row)
}

/// The row of a line of the formula at this position.
pub(super) fn of_formula(
    trends: &Trends,
    formula: (usize, &Formula),
    answer: &Answer<'_>,
    line: &Line,
) -> Value {
    let (order, formula) = formula;
    let mut row = Map::new();
    row.insert("action".to_owned(), Value::Null);
    row.insert("label".to_owned(), formula.label.as_str().into());
    row.insert("order".to_owned(), order.into());
    if trends.display.is_one_number() {
        row.insert("data".to_owned(), Value::Null);
        row.insert("days".to_owned(), json!([]));
        row.insert("count".to_owned(), json!(0));
        row.insert("aggregated_value".to_owned(), line.total().into());
    } else {
        row.insert("count".to_owned(), line.count.into());
        insert_points(&mut row, answer, line);
    }
    insert_context(&mut row, trends, answer, &line.value);
    Value::Object(row)
}

fn insert_points(row: &mut Map<String, Value>, answer: &Answer<'_>, line: &Line) {
    row.insert("data".to_owned(), json_numbers(&line.data));
    row.insert("labels".to_owned(), answer.period.labels.as_slice().into());
    row.insert("days".to_owned(), answer.period.days.as_slice().into());
}

/// Which period and which breakdown value the row is about.
fn insert_context(
    row: &mut Map<String, Value>,
    trends: &Trends,
    answer: &Answer<'_>,
    value: &LineValue,
) {
    answer.compared.insert(row);
    if let Some(value) = breakdown_value(trends.breakdown.as_ref(), value) {
        row.insert("breakdown_value".to_owned(), value);
    }
}

fn action(series: &Series, answer: &Answer<'_>) -> Value {
    let echo = &series.echo;
    json!({
        "days": answer.period.days,
        "id": echo.id,
        "type": echo.kind,
        "order": echo.order,
        "name": echo.name,
        "custom_name": echo.custom_name,
        "math": echo.math,
        "math_property": echo.math_property,
        "math_hogql": null,
        "math_group_type_index": echo.math_group_type_index,
        "properties": {},
    })
}
