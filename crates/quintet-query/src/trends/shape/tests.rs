use super::*;
use crate::Context;
use crate::testing::{asked, column, defining};
use crate::trends::{
    BreakdownProperty, Display, EventsNode, Math, NULL_LABEL, OTHER_LABEL, TrendsQuery,
};

fn context() -> Context {
    let cohorts = json!([{"id": 7, "name": "seven", "distinct_ids": []}, {"id": 5, "name": "five", "distinct_ids": []}]);
    defining("2020-01-03T12:00:00Z", json!({ "cohorts": cohorts }))
}

/// Three days, the first to the third of January, by day.
fn query(series: usize) -> TrendsQuery {
    ["a", "b", "c"].into_iter().take(series).fold(
        TrendsQuery::new().date_range("2020-01-01", None),
        |query, event| query.series(EventsNode::new(event)),
    )
}

fn by_browser(series: usize) -> TrendsQuery {
    query(series).breakdown(BreakdownProperty::event("browser"))
}

fn figure(values: &[&str], data: &[f64]) -> Figure {
    Figure {
        breakdown: values
            .iter()
            .map(|value| Some((*value).to_owned()).filter(|value| !value.is_empty()))
            .collect(),
        data: data.to_vec(),
    }
}

fn shaped(
    query: &TrendsQuery,
    current: Vec<Vec<Figure>>,
    previous: Option<Vec<Vec<Figure>>>,
) -> TrendsResult {
    shape(&query.resolve(&context()).unwrap(), current, previous)
}

fn rows(query: &TrendsQuery, current: Vec<Vec<Figure>>) -> Vec<Value> {
    shaped(query, current, None).results
}

#[test]
fn a_row_over_time_has_the_shape_of_posthog() {
    let trends = query(1).resolve(&context()).unwrap();
    let result = shape(&trends, vec![vec![figure(&[], &[1.0, 0.0, 2.0])]], None);
    assert_eq!(
        result.results,
        [json!({
            "action": {
                "days": ["2020-01-01", "2020-01-02", "2020-01-03"], "id": "a", "type": "events", "order": 0, "name": "a",
                "custom_name": null, "math": null, "math_property": null, "math_hogql": null,
                "math_group_type_index": null, "properties": {},
            },
            "label": "a", "order": 0, "count": 3.0, "data": [1, 0, 2],
            "labels": ["1-Jan-2020", "2-Jan-2020", "3-Jan-2020"], "days": ["2020-01-01", "2020-01-02", "2020-01-03"],
        })]
    );
    assert_eq!(
        result.resolved_date_range,
        json!({"date_from": "2020-01-01T00:00:00+00:00", "date_to": "2020-01-03T23:59:59+00:00"})
    );
    assert!(!result.has_more);
}

#[test]
fn a_row_of_one_number_has_no_points() {
    let row = &rows(
        &query(1).display(Display::BoldNumber),
        vec![vec![figure(&[], &[2.5])]],
    )[0];
    assert_eq!(
        (
            &row["data"],
            &row["days"],
            &row["count"],
            &row["aggregated_value"]
        ),
        (&json!([]), &json!([]), &json!(0), &json!(2.5))
    );
    assert!(row.get("labels").is_none());
}

#[test]
fn a_series_without_events_is_a_row_of_zeros_or_none_with_a_breakdown() {
    assert_eq!(rows(&query(1), vec![vec![]])[0]["data"], json!([0, 0, 0]));
    assert!(rows(&by_browser(1), vec![vec![]]).is_empty());
}

#[test]
fn a_series_on_an_unknown_action_has_no_row() {
    let query = query(1).series(crate::trends::ActionsNode::new(404));
    assert_eq!(
        column(&rows(&query, vec![vec![], vec![]]), "label"),
        json!(["a"])
    );
}

#[test]
fn cumulative_rows_add_up_and_count_their_last_point() {
    let row = &rows(
        &query(1).display(Display::ActionsLineGraphCumulative),
        vec![vec![figure(&[], &[1.0, 0.0, 2.0])]],
    )[0];
    assert_eq!(
        (&row["data"], &row["count"]),
        (&json!([1, 1, 3]), &json!(3.0))
    );
}

#[test]
fn smoothing_is_a_trailing_mean_rounded_down() {
    assert_eq!(
        numbers::trailing_means(&[1.0, 0.0, 1.0, 3.0, 8.0], 3),
        [1.0, 0.0, 0.0, 1.0, 4.0]
    );
    let mut smooth = query(1);
    smooth.smoothing_intervals = 2;
    assert_eq!(
        rows(&smooth, vec![vec![figure(&[], &[1.0, 2.0, 4.0])]])[0]["data"],
        json!([1, 1, 3])
    );
}

#[test]
fn values_are_ordered_plain_null_other_then_by_total_then_by_text() {
    let figures = vec![
        figure(&[""], &[9.0, 0.0, 0.0]),
        figure(&["16"], &[1.0, 0.0, 0.0]),
        figure(&["128"], &[0.0, 1.0, 0.0]),
        figure(&["z"], &[0.0, 2.0, 0.0]),
    ];
    let rows = rows(&by_browser(1), vec![figures]);
    assert_eq!(
        column(&rows, "breakdown_value"),
        json!(["z", "128", "16", NULL_LABEL])
    );
    assert_eq!(
        column(&rows, "label"),
        json!(["z", "128", "16", NULL_LABEL])
    );
}

#[test]
fn values_beyond_the_limit_are_folded_and_the_null_row_is_the_first_to_go() {
    let figures = || {
        vec![vec![
            figure(&[""], &[9.0, 0.0, 0.0]),
            figure(&["b"], &[1.0, 0.0, 1.0]),
            figure(&["a"], &[1.0, 1.0, 0.0]),
            figure(&["c"], &[0.0, 0.0, 1.0]),
        ]]
    };
    let result = shaped(&by_browser(1).breakdown_limit(2), figures(), None);
    assert_eq!(
        column(&result.results, "breakdown_value"),
        json!(["a", "b", OTHER_LABEL])
    );
    assert_eq!(result.results[2]["data"], json!([9, 0, 1]));
    assert!(result.has_more);
    assert!(!shaped(&by_browser(1).breakdown_limit(4), figures(), None).has_more);
    let mut hidden = by_browser(1).breakdown_limit(2);
    hidden.breakdown.hide_other = true;
    let result = shaped(&hidden, figures(), None);
    assert_eq!(
        column(&result.results, "breakdown_value"),
        json!(["a", "b"])
    );
    assert!(result.has_more);
}

#[test]
fn single_numbers_rank_the_null_row_like_any_other() {
    let pie = by_browser(1)
        .display(Display::ActionsPie)
        .breakdown_limit(1);
    let rows = rows(
        &pie,
        vec![vec![figure(&[""], &[9.0]), figure(&["a"], &[2.0])]],
    );
    assert_eq!(
        column(&rows, "breakdown_value"),
        json!([NULL_LABEL, OTHER_LABEL])
    );
    assert_eq!(column(&rows, "aggregated_value"), json!([9, 2]));
}

#[test]
fn the_list_form_has_lists_and_several_series_have_prefixes() {
    let query = by_browser(2)
        .breakdown(BreakdownProperty::event("os"))
        .breakdown_limit(1);
    let figures = vec![
        figure(&["Safari", "2"], &[3.0, 0.0, 0.0]),
        figure(&["Chrome", ""], &[1.0, 0.0, 0.0]),
    ];
    let rows = rows(&query, vec![figures, vec![]]);
    assert_eq!(
        column(&rows, "label"),
        json!(["a - Safari::2", format!("a - {OTHER_LABEL}::{OTHER_LABEL}")])
    );
    assert_eq!(
        column(&rows, "breakdown_value"),
        json!([["Safari", "2"], [OTHER_LABEL, OTHER_LABEL]])
    );
}

fn by_cohorts(series: usize, cohorts: &Value) -> TrendsQuery {
    let filter = json!({"kind": "TrendsQuery", "breakdownFilter": {"breakdown": cohorts, "breakdown_type": "cohort"}});
    TrendsQuery {
        breakdown: asked!(Trends, filter).unwrap().breakdown,
        ..query(series)
    }
}

#[test]
fn several_cohorts_are_ordered_by_total_and_named() {
    let rows = rows(
        &by_cohorts(1, &json!([7, 5])),
        vec![vec![figure(&["0"], &[1.0]), figure(&["1"], &[2.0])]],
    );
    assert_eq!(column(&rows, "label"), json!(["five", "seven"]));
    assert_eq!(column(&rows, "breakdown_value"), json!([5, 7]));
}

#[test]
fn cohorts_next_to_everybody_keep_their_order_and_carry_the_series() {
    let figures = vec![figure(&["1"], &[5.0]), figure(&["0"], &[1.0])];
    let rows = rows(&by_cohorts(1, &json!([7, "all"])), vec![figures]);
    assert_eq!(
        column(&rows, "label"),
        json!(["a - seven", "a - all users"])
    );
    assert_eq!(column(&rows, "breakdown_value"), json!([7, "all"]));
}

#[test]
fn everybody_alone_is_just_that() {
    let rows = rows(
        &by_cohorts(1, &json!("all")),
        vec![vec![figure(&["0"], &[1.0])]],
    );
    assert_eq!(column(&rows, "label"), json!(["all users"]));
}

#[test]
fn compared_rows_come_after_all_current_ones_with_their_own_days() {
    let current = vec![vec![figure(&[], &[1.0])], vec![]];
    let previous = vec![vec![figure(&[], &[2.0])], vec![]];
    let rows = shaped(&query(2).compare(None), current, Some(previous)).results;
    assert_eq!(
        column(&rows, "compare_label"),
        json!(["current", "current", "previous", "previous"])
    );
    assert_eq!(column(&rows, "label"), json!(["a", "b", "a", "b"]));
    assert_eq!(
        rows[2]["days"],
        json!(["2019-12-29", "2019-12-30", "2019-12-31"])
    );
    assert_eq!(rows[2]["compare"], json!(true));
}

#[test]
fn samples_are_scaled_back_unless_the_figure_is_a_mean() {
    let sampled = |math| {
        let mut query = TrendsQuery::new()
            .date_range("2020-01-01", None)
            .series(EventsNode::new("a").math(math).property("x"));
        query.sampling_factor = Some(0.3);
        let row = &rows(&query, vec![vec![figure(&[], &[1.0, 2.0, 0.0])]])[0];
        (row["data"].clone(), row["count"].clone())
    };
    assert_eq!(sampled(Math::Dau), (json!([3, 7, 0]), json!(10.0)));
    assert_eq!(sampled(Math::Sum), (json!([3, 7, 0]), json!(10.0)));
    assert_eq!(sampled(Math::Avg), (json!([1, 2, 0]), json!(3.0)));
    assert_eq!(
        sampled(Math::AvgCountPerActor),
        (json!([1, 2, 0]), json!(3.0))
    );
}

#[test]
fn formulas_replace_the_rows_of_their_series() {
    let figures = vec![
        vec![figure(&[], &[1.0, 2.0, 0.0])],
        vec![figure(&[], &[2.0, 0.0, 0.0])],
    ];
    let rows = rows(&query(2).formula("A / B").formula("A + B"), figures);
    assert_eq!(
        column(&rows, "label"),
        json!(["Formula (A / B)", "Formula (A + B)"])
    );
    assert_eq!(column(&rows, "data"), json!([[0.5, 0, 0], [3, 2, 0]]));
    assert_eq!(column(&rows, "order"), json!([0, 1]));
    assert_eq!(column(&rows, "action"), json!([null, null]));
    assert_eq!(column(&rows, "count"), json!([0.5, 5.0]));
}

#[test]
fn a_formula_of_single_numbers_has_no_data_at_all() {
    let figures = vec![vec![figure(&[], &[1.0])], vec![figure(&[], &[2.0])]];
    let row = &rows(
        &query(2).formula("A + B").display(Display::BoldNumber),
        figures,
    )[0];
    assert_eq!(
        (&row["data"], &row["count"], &row["aggregated_value"]),
        (&Value::Null, &json!(0), &json!(3.0))
    );
}

#[test]
fn formulas_meet_every_value_and_zero_rows_run_from_z_to_a() {
    let one = vec![figure(&["London"], &[1.0]), figure(&[""], &[9.0])];
    let other = vec![figure(&["Paris"], &[1.0])];
    let rows = rows(&by_browser(2).formula("A * B"), vec![one, other]);
    assert_eq!(
        column(&rows, "breakdown_value"),
        json!(["Paris", "London", NULL_LABEL])
    );
}

#[test]
fn lists_are_never_taken_for_null_in_formulas() {
    let query = by_browser(1)
        .breakdown(BreakdownProperty::event("os"))
        .formula("A");
    let figures = vec![figure(&["x", "y"], &[1.0]), figure(&["", ""], &[9.0])];
    let rows = rows(&query, vec![figures]);
    assert_eq!(
        column(&rows, "breakdown_value"),
        json!([[NULL_LABEL, NULL_LABEL], ["x", "y"]])
    );
}

#[test]
fn compared_formulas_are_ordered_by_period_then_count_then_naturally() {
    let figures = || {
        vec![vec![
            figure(&["b10"], &[1.0]),
            figure(&["B9"], &[1.0]),
            figure(&["c"], &[4.0]),
        ]]
    };
    let rows = shaped(
        &by_browser(1).formula("A").compare(None),
        figures(),
        Some(figures()),
    )
    .results;
    assert_eq!(
        column(&rows, "breakdown_value"),
        json!(["c", "B9", "b10", "c", "B9", "b10"])
    );
    assert_eq!(rows[3]["compare_label"], json!("previous"));
}

#[test]
fn formulas_over_cohorts_and_everybody_go_cohort_by_cohort() {
    let figures = vec![vec![figure(&["0"], &[1.0]), figure(&["1"], &[5.0])]];
    let rows = rows(
        &by_cohorts(1, &json!([7, "all"]))
            .formula("A")
            .formula("A+1"),
        figures,
    );
    assert_eq!(
        column(&rows, "breakdown_value"),
        json!([7, 7, "all", "all"])
    );
    assert_eq!(
        column(&rows, "label"),
        json!([
            "Formula (A)",
            "Formula (A+1)",
            "Formula (A)",
            "Formula (A+1)"
        ])
    );
}
