use serde_json::json;

use super::*;

/// Of the first step of each list.
fn values(lists: &[Value], name: &str) -> Value {
    lists.iter().map(|steps| steps[0][name].clone()).collect()
}

fn steps() -> Funnels {
    funnel(2, Viz::Steps)
}

#[test]
fn values_are_ranked_by_those_who_came_furthest_and_then_by_value() {
    let funnels = by_event(steps(), 25);
    let figures = with_values(
        &funnels,
        &[
            ("b", &[0]),
            ("a", &[0]),
            ("few", &[0, 1]),
            ("", &[0, 1]),
            ("", &[0]),
        ],
    );
    let lists = rows(&funnels, figures);
    assert_eq!(
        values(&lists, "breakdown_value"),
        json!([[""], ["few"], ["a"], ["b"]])
    );
    assert_eq!(
        values(&lists, "breakdown"),
        values(&lists, "breakdown_value")
    );
    assert_eq!(
        columns(&lists, "count"),
        json!([[2, 1], [1, 1], [1, 0], [1, 0]])
    );
}

#[test]
fn values_beyond_the_limit_are_pooled_and_ranked_among_the_others() {
    let funnels = by_event(steps(), 1);
    let figures = with_values(
        &funnels,
        &[
            ("a", &[0, 10]),
            ("a", &[0, 20]),
            ("b", &[0, 1]),
            ("c", &[0, 4]),
            ("c", &[0]),
        ],
    );
    let lists = rows(&funnels, figures);
    assert_eq!(values(&lists, "breakdown_value"), json!([["Other"], ["a"]]));
    assert_eq!(columns(&lists, "count"), json!([[3, 2], [2, 2]]));
    assert_eq!(lists[0][1]["average_conversion_time"], 2.5);
    assert_eq!(lists[0][1]["median_conversion_time"], 2.5);
}

#[test]
fn the_total_median_is_over_all_values() {
    let funnels = by_event(steps(), 1);
    let figures = with_values(&funnels, &[("a", &[0, 1]), ("b", &[0, 2]), ("c", &[0, 9])]);
    let extra = shape(&funnels, figures, None).extra;
    assert_eq!(extra, [("total_median_conversion_time", json!(2))]);
}

#[test]
fn a_value_of_several_properties_is_a_list_and_the_pool_has_one_element() {
    let event = PropertySource::Event;
    let funnels = by_properties(steps(), &[event, event], 1);
    let value = |version: &str| vec!["Chrome".to_owned(), version.to_owned()];
    let figures = figures(&funnels, &[(&value("95"), &[0, 1]), (&value("96"), &[0])]);
    assert_eq!(
        values(&rows(&funnels, figures), "breakdown"),
        json!([["Chrome", "95"], ["Other"]])
    );
}

#[test]
fn a_property_of_a_group_has_plain_values() {
    let funnels = by_group(steps(), 1);
    let figures = with_values(&funnels, &[("finance", &[0, 1]), ("", &[0])]);
    let lists = rows(&funnels, figures);
    assert_eq!(values(&lists, "breakdown"), json!(["finance", "Other"]));
    assert_eq!(
        values(&lists, "breakdown_value"),
        json!(["finance", "Other"])
    );
}

#[test]
fn columns_of_events_have_a_hundred_rows_at_most_and_no_pool() {
    let funnels = by_properties(steps(), &[PropertySource::EventMetadata], 2);
    let mut figures = Figures::of(&funnels, &funnels.current);
    for number in 0..120 {
        add(&mut figures, &value(&format!("{number:03}")), &[0]);
    }
    let lists = rows(&funnels, figures);
    assert_eq!(lists.len(), 100);
    assert_eq!(lists[99][0]["breakdown_value"], json!(["099"]));
}

#[test]
fn cohorts_are_named_by_name_and_number_and_everybody_is_number_zero() {
    let funnels = by_cohorts(steps(), &[Some(7), None]);
    let figures = with_values(&funnels, &[("0", &[0]), ("1", &[0, 1])]);
    let lists = rows(&funnels, figures);
    assert_eq!(
        values(&lists, "breakdown"),
        json!(["all users", "cohort 7"])
    );
    assert_eq!(values(&lists, "breakdown_value"), json!([0, 7]));
}

#[test]
fn a_single_cohort_and_those_outside_it_both_have_a_row() {
    let funnels = by_cohorts(steps(), &[Some(7)]);
    let inside = rows(&funnels, with_values(&funnels, &[("0", &[0, 1])]));
    assert_eq!(
        values(&inside, "breakdown"),
        json!(["cohort 7", "Not in cohort 7"])
    );
    assert_eq!(
        values(&inside, "breakdown_value"),
        json!([7, 4_503_599_627_370_496_i64])
    );
    assert_eq!(columns(&inside, "count"), json!([[1, 1], [0, 0]]));
    let outside = rows(&funnels, with_values(&funnels, &[("1", &[0, 1])]));
    assert_eq!(
        values(&outside, "breakdown"),
        json!(["Not in cohort 7", "cohort 7"])
    );
}

#[test]
fn of_several_cohorts_only_those_with_somebody_have_a_row() {
    let funnels = by_cohorts(steps(), &[Some(7), Some(8)]);
    let figures = with_values(&funnels, &[("1", &[0])]);
    assert_eq!(
        values(&rows(&funnels, figures), "breakdown"),
        json!(["cohort 8"])
    );
}

#[test]
fn both_sides_list_the_values_of_either() {
    let funnels = compared_with_before(by_event(steps(), 25));
    let current = with_values(&funnels, &[("Safari", &[0]), ("Chrome", &[0, 1])]);
    let previous = with_values(&funnels, &[("Firefox", &[0, 1]), ("Chrome", &[0])]);
    let lists = rows_compared(&funnels, current, previous);
    assert_eq!(
        values(&lists, "breakdown_value"),
        json!([
            ["Chrome"],
            ["Safari"],
            ["Firefox"],
            ["Chrome"],
            ["Safari"],
            ["Firefox"]
        ])
    );
    assert_eq!(
        columns(&lists, "count"),
        json!([[1, 1], [1, 0], [0, 0], [1, 0], [0, 0], [1, 1]])
    );
    assert_eq!(lists[2][1]["compare_label"], "current");
    assert_eq!(lists[3][1]["compare_label"], "previous");
}
