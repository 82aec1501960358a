//! Answers in the columns and units of the peers: days since the start, weeks from Sunday 29 December 2024, months from January.
//!
//! Our results have every interval; peers group what there is, so figures of zero are left out here.

use quintet::Answer;
use serde_json::{Value, json};

/// The day of the generated data on which their last 30 begin.
const LAST_30: usize = 150;

/// Day and figure.
pub(super) fn by_day(answer: &Answer) -> Vec<Value> {
    series(answer).flat_map(|row| points(row, &[], 0)).collect()
}

/// Day and figure of a range that begins later.
pub(super) fn by_day_of_the_last_30(answer: &Answer) -> Vec<Value> {
    series(answer)
        .flat_map(|row| points(row, &[], LAST_30))
        .collect()
}

/// Week and figure: the first bucket is the week that the data begin in.
pub(super) fn by_week(answer: &Answer) -> Vec<Value> {
    by_day(answer)
}

/// Value, day and figure.
pub(super) fn by_value_and_day(answer: &Answer) -> Vec<Value> {
    let of_value = |row: &Value| {
        let value = row.get("breakdown_value").cloned().unwrap_or_default();
        points(row, &[value], 0)
    };
    series(answer).flat_map(of_value).collect()
}

/// Week, status and number of persons, which the peers never count below zero.
pub(super) fn lifecycle(answer: &Answer) -> Vec<Value> {
    let of_status = |row: &Value| {
        let status = row.get("status").cloned().unwrap_or_default();
        let weeks = figures(row).map(|(week, figure)| json!([week, status, figure.abs()]));
        weeks.collect::<Vec<Value>>()
    };
    series(answer).flat_map(of_status).collect()
}

/// Number of intervals and of actors.
pub(super) fn stickiness(answer: &Answer) -> Vec<Value> {
    series(answer).flat_map(|row| points(row, &[], 1)).collect()
}

/// Cohort, distance from it and number of actors; not beyond the last cohort.
pub(super) fn retention(answer: &Answer) -> Vec<Value> {
    let cells = cells_of_cohorts(answer);
    cells
        .filter(|(_, _, count, _)| *count > 0.0)
        .map(|(cohort, distance, count, _)| json!([cohort, distance, count]))
        .collect()
}

/// The same, but with the cells of zero of cohorts that have anybody: so the peers' SQL of first times has them.
pub(super) fn retention_of_first_times(answer: &Answer) -> Vec<Value> {
    let cells = cells_of_cohorts(answer);
    cells
        .filter(|(_, _, _, size)| *size > 0.0)
        .map(|(cohort, distance, count, _)| json!([cohort, distance, count]))
        .collect()
}

/// Step and count.
pub(super) fn steps(answer: &Answer) -> Vec<Value> {
    series(answer)
        .filter_map(|step| counted(step, &[]))
        .collect()
}

/// Value, step and count.
pub(super) fn steps_by_value(answer: &Answer) -> Vec<Value> {
    let steps = series(answer).filter_map(Value::as_array).flatten();
    let value = |step: &Value| step.pointer("/breakdown_value/0").cloned();
    steps
        .filter_map(|step| counted(step, &[value(step)?]))
        .collect()
}

/// The cells of every row, in the order of the statement.
pub(super) fn of_sql(answer: &Answer) -> Vec<Value> {
    let cells = |row: &Value| Some(row.as_object()?.values().cloned().collect());
    series(answer).filter_map(cells).collect()
}

/// Cohort, distance, number of actors there and in the cohort as a whole.
fn cells_of_cohorts(answer: &Answer) -> impl Iterator<Item = (usize, usize, f64, f64)> {
    let cohorts = series(answer).count();
    series(answer).enumerate().flat_map(move |(cohort, row)| {
        let cells = row.get("values").and_then(Value::as_array);
        let count = |cell: &Value| cell.get("count").and_then(Value::as_f64).unwrap_or(0.0);
        let counts: Vec<f64> = cells.into_iter().flatten().map(count).collect();
        let size = counts.first().copied().unwrap_or(0.0);
        let within = counts.into_iter().take(cohorts - cohort).enumerate();
        within.map(move |(distance, count)| (cohort, distance, count, size))
    })
}

fn series(answer: &Answer) -> impl Iterator<Item = &Value> {
    answer.results().as_array().into_iter().flatten()
}

/// What stands `before` them, positions counted from `first` and figures of a series.
fn points(row: &Value, before: &[Value], first: usize) -> Vec<Value> {
    let point = |(position, figure): (usize, f64)| {
        let mut cells = before.to_vec();
        cells.extend([json!(first + position), json!(figure)]);
        Value::Array(cells)
    };
    figures(row).map(point).collect()
}

/// The figures of a series with their positions, without those of zero.
fn figures(row: &Value) -> impl Iterator<Item = (usize, f64)> {
    let data = row.get("data").and_then(Value::as_array);
    let numbers = data.into_iter().flatten().filter_map(Value::as_f64);
    numbers.enumerate().filter(|(_, number)| *number != 0.0)
}

/// Steps that nobody did are left out, as peers do.
fn counted(step: &Value, before: &[Value]) -> Option<Value> {
    let count = step.get("count")?.as_f64().filter(|count| *count > 0.0)?;
    let number = step.get("order")?.as_u64()? + 1;
    let mut row = before.to_vec();
    row.extend([json!(number), json!(count)]);
    Some(Value::Array(row))
}
