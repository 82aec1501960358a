//! Result rows as JSON, field by field as PostHog writes them. Rules: `spec/trends.md` section 9.

use serde_json::{Map, Value, json};

use crate::trends::{Breakdown, Formula, Series, Trends};

use super::Answer;
use super::lines::{Line, LineValue};
use super::numbers::{json_number, json_numbers};

/// Which of two compared periods a row is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    No,
    Current,
    Previous,
}

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
        series_label(trends, series, &line.value).into(),
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
    let compare_label = match answer.compared {
        Compared::No => None,
        Compared::Current => Some("current"),
        Compared::Previous => Some("previous"),
    };
    if let Some(label) = compare_label {
        row.insert("compare".to_owned(), true.into());
        row.insert("compare_label".to_owned(), label.into());
    }
    if let Some(value) = breakdown_value(trends, value) {
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

/// The value, after the series' name where there is more than one series; cohorts next to everybody are as many queries.
fn series_label(trends: &Trends, series: &Series, value: &LineValue) -> String {
    let (value, queries) = match (value, &trends.breakdown) {
        (LineValue::Labels(labels), _) => (labels.join("::"), trends.series.len()),
        (LineValue::Cohort(position), Some(Breakdown::Cohorts(cohorts))) => {
            let apart = cohorts.len() == 1 || cohorts.iter().any(Option::is_none);
            let queries = trends.series.len() * if apart { cohorts.len() } else { 1 };
            (cohort_name(trends, *position), queries)
        }
        _ => return series.echo.label.clone(),
    };
    if queries > 1 {
        format!("{} - {value}", series.echo.label)
    } else {
        value
    }
}

fn cohort_name(trends: &Trends, position: usize) -> String {
    match &trends.breakdown {
        Some(Breakdown::Cohorts(cohorts)) => match cohorts.get(position) {
            Some(Some(cohort)) => cohort.name.clone(),
            _ => "all users".to_owned(),
        },
        _ => String::new(),
    }
}

/// The breakdown value as rows hold it: a text, a list of texts in the list form, a cohort's number or `all`.
pub(super) fn breakdown_value(trends: &Trends, value: &LineValue) -> Option<Value> {
    match (value, &trends.breakdown) {
        (LineValue::Labels(labels), Some(Breakdown::Properties { list: true, .. })) => {
            Some(labels.as_slice().into())
        }
        (LineValue::Labels(labels), _) => labels.first().map(|label| label.as_str().into()),
        (LineValue::Cohort(position), Some(Breakdown::Cohorts(cohorts))) => {
            Some(match cohorts.get(*position) {
                Some(Some(cohort)) => cohort.id.into(),
                _ => "all".into(),
            })
        }
        _ => None,
    }
}
