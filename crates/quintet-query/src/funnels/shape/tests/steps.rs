use serde_json::json;

use super::*;

fn steps() -> Funnels {
    funnel(2, Viz::Steps)
}

#[test]
fn a_row_has_the_shape_of_posthog() {
    let funnels = steps();
    let figures = everybody(&funnels, &[&[0, 3600], &[0]]);
    assert_eq!(
        rows(&funnels, figures),
        [
            json!({
                "action_id": "sign up", "name": "sign up", "custom_name": null, "order": 0, "people": [],
                "count": 2, "type": "events", "average_conversion_time": null, "median_conversion_time": null,
            }),
            json!({
                "action_id": "play movie", "name": "play movie", "custom_name": null, "order": 1, "people": [],
                "count": 1, "type": "events", "average_conversion_time": 3600, "median_conversion_time": 3600,
            }),
        ]
    );
}

#[test]
fn nobody_in_the_funnel_is_no_row_at_all() {
    for funnels in [
        steps(),
        by_event(steps(), 25),
        by_cohorts(steps(), &[Some(1)]),
    ] {
        let result = shape(&funnels, Figures::of(&funnels, &funnels.current), None);
        assert_eq!(result.results, json!([]));
        assert_eq!(
            result.extra,
            [("total_median_conversion_time", Value::Null)]
        );
    }
}

#[test]
fn a_flow_has_the_same_rows() {
    let flow = funnel(2, Viz::Flow);
    let runs: &[&[i64]] = &[&[0, 3600], &[0]];
    assert_eq!(
        shape(&flow, everybody(&flow, runs), None),
        shape(&steps(), everybody(&steps(), runs), None)
    );
}

#[test]
fn steps_in_any_order_are_named_by_their_number() {
    let mut funnels = steps();
    funnels.order = Order::Unordered;
    funnels.steps[0].echo.custom_name = Some("mine".to_owned());
    let figures = everybody(&funnels, &[&[0, 1]]);
    let rows = rows(&funnels, figures);
    assert_eq!(
        column(&rows, "name"),
        json!(["Completed 1 step", "Completed 2 steps"])
    );
    assert_eq!(column(&rows, "action_id"), json!([null, null]));
    assert_eq!(column(&rows, "custom_name"), json!([null, null]));
    assert_eq!(column(&rows, "type"), json!(["events", "events"]));
}

#[test]
fn steps_done_at_once_convert_but_enter_no_average() {
    let funnels = steps();
    let figures = everybody(&funnels, &[&[5, 5], &[0, 10], &[0, 40]]);
    let result = shape(&funnels, figures, None);
    let rows = list(result.results);
    assert_eq!(rows[1]["count"], 3);
    assert_eq!(rows[1]["average_conversion_time"], 25);
    assert_eq!(rows[1]["median_conversion_time"], 25);
    assert_eq!(
        result.extra,
        [("total_median_conversion_time", json!(10))],
        "the whole way may take no time"
    );
}

#[test]
fn times_of_required_steps_skip_the_optional_ones() {
    let mut funnels = funnel(4, Viz::Steps);
    funnels.steps[1].optional = true;
    let mut figures = Figures::of(&funnels, &funnels.current);
    figures.add_run(&[], 0b1111, &[0, 30 * SECOND, 40 * SECOND]);
    figures.add_run(&[], 0b0101, &[0, 10 * SECOND]);
    figures.add_run(&[], 0b0011, &[0]);
    let result = shape(&funnels, figures, None);
    let rows = list(result.results);
    assert_eq!(column(&rows, "count"), json!([3, 2, 2, 1]));
    assert_eq!(
        column(&rows, "average_conversion_time"),
        json!([null, null, 20, 10])
    );
    assert_eq!(result.extra, [("total_median_conversion_time", json!(40))]);
}

#[test]
fn an_optional_last_step_leaves_the_total_to_the_last_required_one() {
    let mut funnels = funnel(3, Viz::Steps);
    funnels.steps[2].optional = true;
    let figures = everybody(&funnels, &[&[0, 7], &[0]]);
    let extra = shape(&funnels, figures, None).extra;
    assert_eq!(extra, [("total_median_conversion_time", json!(7))]);
}

#[test]
fn counts_of_a_sample_are_scaled_back_to_even_and_times_are_not() {
    let mut funnels = steps();
    funnels.sampling = Some(0.4);
    let figures = everybody(&funnels, &[&[0, 8], &[0], &[0]]);
    let sampled = rows(&funnels, figures);
    assert_eq!(column(&sampled, "count"), json!([8, 2]));
    assert_eq!(sampled[1]["average_conversion_time"], 8);
}

#[test]
fn those_who_still_have_time_are_told_apart_where_they_stand() {
    let mut funnels = funnel(3, Viz::Steps);
    funnels.pending = true;
    let figures = |funnels: &Funnels| {
        let late = 9 * 86_400;
        everybody(
            funnels,
            &[
                &[late],
                &[late, late + 1],
                &[late, late + 1, late + 2],
                &[0, 1],
                &[8 * 86_400],
            ],
        )
    };
    let pending = |funnels: &Funnels| column(&rows(funnels, figures(funnels)), "pending");
    assert_eq!(pending(&funnels), json!([2, 1, 0]), "until the range ends");
    funnels.now = 12 * DAY;
    funnels.completes_after_range = true;
    assert_eq!(pending(&funnels), json!([0, 0, 0]), "seen until later");
    funnels.now = 10 * DAY;
    assert_eq!(
        pending(&funnels),
        json!([1, 1, 0]),
        "the window is inclusive"
    );
    funnels.window = i64::MAX;
    funnels.now = i64::MAX;
    assert_eq!(pending(&funnels), json!([0, 0, 0]), "saturates");
}

#[test]
fn the_steps_of_both_ranges_follow_each_other() {
    let funnels = compared_with_before(steps());
    let result = shape(
        &funnels,
        everybody(&funnels, &[&[0, 1]]),
        Some(everybody(&funnels, &[&[0], &[0]])),
    );
    assert_eq!(result.extra, []);
    let rows = list(result.results);
    assert_eq!(column(&rows, "order"), json!([0, 1, 0, 1]));
    assert_eq!(column(&rows, "count"), json!([1, 1, 2, 0]));
    assert_eq!(
        column(&rows, "compare_label"),
        json!(["current", "current", "previous", "previous"])
    );
    assert_eq!(column(&rows, "compare"), json!([null, null, null, null]));
}

#[test]
fn a_side_without_anybody_is_a_copy_with_zeros() {
    let funnels = compared_with_before(steps());
    let nobody = || everybody(&funnels, &[]);
    let rows = rows_compared(&funnels, nobody(), everybody(&funnels, &[&[0, 5]]));
    assert_eq!(column(&rows, "count"), json!([0, 0, 1, 1]));
    assert_eq!(
        column(&rows, "average_conversion_time"),
        json!([null, null, null, 5])
    );
    assert!(rows_compared(&funnels, nobody(), nobody()).is_empty());
}

#[test]
fn steps_that_no_bit_can_stand_for_count_nobody() {
    let mut funnels = steps();
    funnels.steps = (0..70).map(|_| step("again")).collect();
    let mut figures = Figures::of(&funnels, &funnels.current);
    figures.add_run(&[], u64::MAX, &[i64::MIN, i64::MAX]);
    let rows = rows(&funnels, figures);
    assert_eq!(rows[63]["count"], 1);
    assert_eq!(rows[64]["count"], 0);
}
