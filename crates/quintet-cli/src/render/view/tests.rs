#![allow(clippy::panic, reason = "tests")]

use serde_json::json;

use super::super::samples;
use super::*;

fn series(results: Value) -> Vec<(String, Whole)> {
    let View::Over(over) = View::of(&results) else {
        panic!("not over time")
    };
    over.series
        .into_iter()
        .map(|series| (series.name, series.whole))
        .collect()
}

#[test]
fn counts_are_added_up_and_unique_actors_are_not() {
    let row = |math: Value| {
        json!({"label": "paid", "data": [1, 3], "days": ["2024-01-01", "2024-01-02"], "count": 4.0,
        "action": {"id": "paid", "math": math, "math_group_type_index": 1}})
    };
    assert_eq!(
        series(json!([row(json!(null)), row(json!("unique_group"))])),
        [
            ("paid".into(), Whole::Total(4.0)),
            ("paid (unique_group 1)".into(), Whole::Average(2.0))
        ]
    );
}

#[test]
fn a_running_sum_comes_to_its_last_point() {
    let row = json!({"label": "paid", "data": [1, 3], "days": ["a", "b"], "count": 3.0, "action": {"math": "total"}});
    assert_eq!(series(json!([row]))[0].1, Whole::InAll(3.0));
}

#[test]
fn labels_of_none_and_other_are_put_in_words_and_custom_names_win() {
    let row = |label: &str, value: &str| {
        json!({"label": label, "breakdown_value": value, "data": [1], "days": ["a"], "count": 1.0,
        "action": {"id": "paid", "name": "paid", "custom_name": "Sales", "math": "total"}})
    };
    let names: Vec<_> = series(json!([
        row("paid - $$_posthog_breakdown_null_$$", ""),
        row("$$_posthog_breakdown_other_$$", "")
    ]))
    .into_iter()
    .map(|(name, _)| name)
    .collect();
    assert_eq!(names, ["Sales - (none)", "(other)"]);
}

#[test]
fn the_previous_period_says_where_it_begins() {
    let row = |period: &str, day: &str| json!({"label": "paid", "compare_label": period, "data": [1], "days": [day], "count": 1.0});
    let names: Vec<_> = series(json!([
        row("current", "2024-02-01"),
        row("previous", "2024-01-01")
    ]))
    .into_iter()
    .map(|(name, _)| name)
    .collect();
    assert_eq!(
        names,
        ["paid (current)", "paid (previous, from 2024-01-01)"]
    );
}

#[test]
fn rows_have_every_column_that_any_of_them_has() {
    let view = View::rows(&json!([{"a": 1}, {"b": "x", "a": null}]), Vec::new());
    let expected = Rows {
        columns: vec!["a".into(), "b".into()],
        rows: vec![vec![json!(1), Value::Null], vec![Value::Null, json!("x")]],
    };
    assert_eq!(view, View::Rows(expected));
}

#[test]
fn named_columns_stand_even_without_rows() {
    let expected = Rows {
        columns: vec!["n".into()],
        rows: Vec::new(),
    };
    assert_eq!(
        View::rows(&json!([]), vec!["n".into()]),
        View::Rows(expected)
    );
    assert_eq!(View::rows(&json!([]), Vec::new()), View::Nothing);
}

#[test]
fn an_empty_list_is_nothing_and_an_object_stays_json() {
    assert_eq!(View::of(&json!([])), View::Nothing);
    assert_eq!(View::of(&json!({"a": 1})), View::Json(json!({"a": 1})));
}

#[test]
fn labels_of_steps_are_the_names_given_to_them_else_the_events_else_any() {
    let step = |names: Value| samples::with(samples::step(0, "", 1, None), &names);
    let results = json!([
        step(json!({"name": "paid", "custom_name": "Sales"})),
        step(json!({"name": "paid\u{1b}", "custom_name": ""})),
        step(json!({"name": null})),
    ]);
    let View::Funnels(funnels) = View::of(&results) else {
        panic!("no funnel")
    };
    let names: Vec<&str> = funnels[0]
        .steps
        .iter()
        .map(|step| step.name.as_str())
        .collect();
    assert_eq!(names, ["Sales", "paid ", "any event"]);
}

#[test]
fn cohorts_of_a_breakdown_go_by_their_names() {
    let cohort =
        json!({"breakdown": "Not in paying", "breakdown_value": 4_503_599_627_370_496_i64});
    let View::Funnels(funnels) = View::of(&json!([[samples::with(
        samples::step(0, "a", 1, None),
        &cohort
    )]])) else {
        panic!("no funnel")
    };
    assert_eq!(funnels[0].heading().as_deref(), Some("Not in paying"));
}

#[test]
fn rates_of_a_funnel_are_averaged_even_where_they_look_like_running_sums() {
    let rates = json!({"count": 2, "data": [10.0, 2.0], "days": ["a", "b"], "labels": ["a", "b"]});
    assert_eq!(
        series(json!([rates])),
        [("conversion".into(), Whole::Average(6.0))]
    );
}

#[test]
fn results_that_only_resemble_an_insight_stay_rows_or_json() {
    let rows = json!([{"source": "a", "target": "b", "value": 1}]);
    assert!(matches!(View::of(&rows), View::Rows(_)));
    let rows = json!([{"label": "a", "values": []}]);
    assert!(matches!(View::of(&rows), View::Rows(_)));
    for json in [
        json!([[]]),
        json!([[1]]),
        json!({"bins": 1}),
        json!({"events": [1], "skewed": true}),
        json!("text"),
        json!(null),
    ] {
        assert!(matches!(View::of(&json), View::Json(_)));
    }
}
