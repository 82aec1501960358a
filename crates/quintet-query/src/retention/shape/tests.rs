use std::sync::Arc;

use super::*;
use crate::breakdown::BreakdownProperty;
use crate::filter::{Cohort, CohortMembers};
use crate::retention::RetentionQuery;
use crate::testing::at;

/// Two days with two columns.
fn question() -> RetentionQuery {
    RetentionQuery::new()
        .total_intervals(2)
        .date_range("2024-01-01", Some("2024-01-02"))
}

fn resolve(question: RetentionQuery) -> Retention {
    question.resolve(&at("2024-02-01T00:00:00Z")).unwrap()
}

fn by_plan(limit: usize) -> Retention {
    let by = BreakdownProperty::event("plan");
    resolve(question().breakdown(by).breakdown_limit(limit))
}

/// Breakdown value and counts of every row.
fn counts(retention: &Retention, figures: &Figures) -> Vec<(Value, Vec<f64>)> {
    of_cells(retention, figures, "count")
}

fn of_cells(retention: &Retention, figures: &Figures, key: &str) -> Vec<(Value, Vec<f64>)> {
    let rows = shape(retention, figures).results;
    let cells = |row: &Value| {
        let values = row["values"].as_array().unwrap().iter();
        values.map(|cell| cell[key].as_f64().unwrap()).collect()
    };
    rows.iter()
        .map(|row| (row["breakdown_value"].clone(), cells(row)))
        .collect()
}

/// Actors of the first row, none of whom came back.
fn sizes(sizes: &[(&str, u64)]) -> Figures {
    let mut figures = Figures::default();
    for (value, size) in sizes {
        figures.add(Some(value), 0, 0, *size, 0.0);
    }
    figures
}

/// The breakdown values of the blocks.
fn order(retention: &Retention, figures: &Figures) -> Vec<String> {
    let rows = counts(retention, figures);
    let first_rows = rows.iter().step_by(retention.window.rows());
    first_rows
        .map(|(value, _)| value.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn nobody_is_a_grid_of_zeros_and_nothing_by_value() {
    let zeros = vec![(Value::Null, vec![0.0, 0.0]); 2];
    assert_eq!(counts(&resolve(question()), &Figures::default()), zeros);
    assert_eq!(counts(&by_plan(25), &Figures::default()), []);
}

#[test]
fn rows_and_columns_are_named() {
    let mut figures = Figures::default();
    figures.add_actor(None, 1, &[0], &[]);
    let result = shape(&resolve(question()), &figures);
    let expected = json!({
        "values": [{"count": 1, "label": "Day 0"}, {"count": 0, "label": "Day 1"}],
        "label": "Day 1",
        "date": "2024-01-02T00:00:00Z",
        "breakdown_value": null,
    });
    assert_eq!(result.results[1], expected);
    let range =
        json!({"date_from": "2024-01-01T00:00:00+00:00", "date_to": "2024-01-02T23:59:59+00:00"});
    assert_eq!(result.resolved_date_range, range);
    assert!(!result.has_more);
}

#[test]
fn figures_outside_of_the_grid_do_no_harm() {
    let mut figures = Figures::default();
    figures.add_actor(None, 7, &[0, 9], &[1.0]);
    figures.add_actor(None, 0, &[0, 9], &[]);
    let expected = [(Value::Null, vec![1.0, 0.0]), (Value::Null, vec![0.0, 0.0])];
    assert_eq!(counts(&resolve(question()), &figures), expected);
}

#[test]
fn values_are_ranked_by_the_size_of_their_cohorts_and_then_by_text() {
    let mut figures = sizes(&[("b", 1), ("a", 1), ("c", 1), ("", 3)]);
    figures.add(Some("c"), 1, 0, 1, 0.0);
    figures.add(Some("c"), 0, 1, 9, 0.0);
    assert_eq!(order(&by_plan(25), &figures), ["", "c", "a", "b"]);
}

#[test]
fn a_value_that_nobody_starts_with_is_not_shown() {
    let mut figures = sizes(&[("a", 1)]);
    figures.add(None, 0, 1, 5, 0.0);
    assert_eq!(order(&by_plan(25), &figures), ["a"]);
}

#[test]
fn values_beyond_the_limit_are_added_up_cell_by_cell() {
    let mut figures = sizes(&[("a", 3), ("b", 2), ("c", 1)]);
    figures.add(Some("c"), 0, 1, 1, 0.0);
    figures.add(Some("b"), 0, 1, 1, 0.0);
    let retention = by_plan(1);
    assert!(shape(&retention, &figures).has_more);
    let other = (Value::from(OTHER_LABEL), vec![3.0, 2.0]);
    assert_eq!(counts(&retention, &figures)[2], other);
    let mut hidden = question()
        .breakdown(BreakdownProperty::event("plan"))
        .breakdown_limit(1);
    hidden.breakdown.hide_other = true;
    assert_eq!(order(&resolve(hidden), &figures), ["a"]);
}

#[test]
fn an_average_is_that_of_actors_under_other_too() {
    let question = question()
        .average("x")
        .breakdown(BreakdownProperty::event("plan"));
    let retention = resolve(question.breakdown_limit(1));
    let mut figures = Figures::default();
    figures.add(Some("a"), 0, 0, 5, 10.0);
    figures.add(Some("b"), 0, 0, 3, 9.0);
    figures.add_actor(Some("c"), 0, &[0], &[1.0]);
    let values = of_cells(&retention, &figures, "aggregation_value");
    assert_eq!(values[0].1, [2.0, 0.0]);
    assert_eq!(values[2].1, [2.5, 0.0]);
}

#[test]
fn counts_and_sums_of_a_sample_are_scaled_back_but_averages_are_not() {
    let mut figures = Figures::default();
    figures.add(None, 0, 0, 3, 10.0);
    let first = |mut question: RetentionQuery, factor: f64, key: &str| {
        question.sampling_factor = Some(factor);
        of_cells(&resolve(question), &figures, key)[0].1[0]
    };
    assert_eq!(first(question().sum("x"), 0.4, "count"), 8.0);
    assert_eq!(first(question().sum("x"), 0.4, "aggregation_value"), 25.0);
    let average = first(question().average("x"), 0.4, "aggregation_value");
    assert_eq!(average, 10.0 / 3.0);
    assert_eq!(first(question(), 0.0, "count"), 0.0);
    assert_eq!(first(question(), 1.0, "count"), 3.0);
}

#[test]
fn cohorts_show_their_number_and_all_of_them() {
    let cohort = |id| {
        Some(Arc::new(Cohort {
            id,
            name: "some".to_owned(),
            members: CohortMembers::Listed(vec![]),
        }))
    };
    let retention = Retention {
        breakdown: Some(Breakdown::Cohorts(
            (7..40).map(cohort).chain([None]).collect(),
        )),
        ..resolve(question())
    };
    let everybody: Vec<String> = (0..34).map(|at| at.to_string()).collect();
    let everybody: Vec<(&str, u64)> = everybody.iter().map(|at| (at.as_str(), 1)).collect();
    assert_eq!(order(&retention, &sizes(&everybody)).len(), 34);
    let figures = sizes(&[("0", 1), ("1", 2), ("33", 1)]);
    assert_eq!(order(&retention, &figures), ["8", "0", "7"]);
}
