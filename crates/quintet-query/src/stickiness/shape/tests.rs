use super::*;
use crate::breakdown::{BreakdownProperty, NULL_LABEL, OTHER_LABEL};
use crate::series::{ActionsNode, EventsNode};
use crate::stickiness::StickinessQuery;
use crate::testing::{column, in_project};
use crate::{Context, Interval};

fn context() -> Context {
    in_project("2020-01-25T12:00:00Z")
}

/// Three days of the event `a`.
fn query() -> StickinessQuery {
    StickinessQuery::new()
        .series(EventsNode::new("a"))
        .date_range("2020-01-11", Some("2020-01-13"))
}

fn everybody(actors: &[(usize, u64)]) -> Vec<Figure> {
    vec![Figure {
        breakdown: Vec::new(),
        actors: actors.to_vec(),
    }]
}

fn with_value(value: &str, actors: &[(usize, u64)]) -> Figure {
    Figure {
        breakdown: vec![Some(value.to_owned()).filter(|value| !value.is_empty())],
        actors: actors.to_vec(),
    }
}

fn rows(query: &StickinessQuery, current: Vec<Vec<Figure>>) -> Vec<Value> {
    shape(&query.resolve(&context()).unwrap(), current, None).results
}

#[test]
fn a_row_has_the_shape_of_posthog() {
    assert_eq!(
        rows(&query(), vec![everybody(&[(3, 1), (1, 4)])]),
        [json!({
            "count": 5,
            "data": [4, 0, 1],
            "days": [1, 2, 3],
            "label": "a",
            "labels": ["1 day", "2 days", "3 days"],
            "action": {"order": 0, "type": "events", "name": "a", "id": "a", "custom_name": null},
        })]
    );
}

#[test]
fn a_series_without_events_is_a_row_of_zeros() {
    let rows = rows(&query(), vec![Vec::new()]);
    assert_eq!(column(&rows, "data"), json!([[0, 0, 0]]));
    assert_eq!(column(&rows, "count"), json!([0]));
}

#[test]
fn actions_are_named_by_their_name_and_every_event_has_no_id() {
    let query = StickinessQuery::new()
        .series(ActionsNode::new(1).named("Signups"))
        .series(EventsNode::all())
        .date_range("2020-01-11", Some("2020-01-13"));
    let rows = rows(&query, vec![everybody(&[]), everybody(&[])]);
    assert_eq!(column(&rows, "label"), json!(["signs up", "All events"]));
    let action = &rows[0]["action"];
    assert_eq!(
        (&action["id"], &action["type"], &action["custom_name"]),
        (&json!("signs up"), &json!("events"), &json!("Signups"))
    );
    assert_eq!(rows[1]["action"]["id"], Value::Null);
    assert_eq!(rows[1]["action"]["order"], 1);
}

#[test]
fn cumulative_points_hold_all_that_follow_and_the_count_stays() {
    let rows = rows(
        &query().cumulative(),
        vec![everybody(&[(1, 1), (2, 1), (3, 1)])],
    );
    assert_eq!(column(&rows, "data"), json!([[3, 2, 1]]));
    assert_eq!(column(&rows, "count"), json!([3]));
    assert_eq!(
        rows[0]["labels"],
        json!(["1 day or more", "2 days or more", "3 days or more"])
    );
}

#[test]
fn labels_of_joined_intervals_keep_the_bare_unit() {
    let rows = rows(&query().interval_count(2), vec![everybody(&[(1, 2)])]);
    assert_eq!(rows[0]["labels"], json!(["1 day", "2 days"]));
    assert_eq!(rows[0]["data"], json!([2, 0]));
}

#[test]
fn more_intervals_than_the_range_should_have_are_appended() {
    let query = query().interval(Interval::Week).interval_count(1);
    let rows = rows(&query, vec![everybody(&[(1, 2), (3, 1), (4, 0), (0, 9)])]);
    assert_eq!(rows[0]["data"], json!([2, 0, 1]));
    assert_eq!(rows[0]["labels"], json!(["1 week", "2 weeks", "3 weeks"]));
    assert_eq!(rows[0]["count"], 3);
}

#[test]
fn a_comparison_stands_below_its_series() {
    let query = query().series(EventsNode::new("b")).compare(None);
    let current = vec![everybody(&[(1, 1)]), everybody(&[(2, 2)])];
    let previous = vec![everybody(&[(3, 3)]), Vec::new()];
    let stickiness = query.resolve(&context()).unwrap();
    let rows = shape(&stickiness, current, Some(previous)).results;
    assert_eq!(column(&rows, "label"), json!(["a", "a", "b", "b"]));
    assert_eq!(
        column(&rows, "compare_label"),
        json!(["current", "previous", "current", "previous"])
    );
    assert_eq!(column(&rows, "count"), json!([1, 3, 2, 0]));
    assert_eq!(column(&rows, "compare"), json!([true, true, true, true]));
}

#[test]
fn values_of_a_breakdown_are_ordered_by_actors_and_the_rest_is_folded() {
    let query = query()
        .breakdown(BreakdownProperty::event("plan"))
        .breakdown_limit(2);
    let stickiness = query.resolve(&context()).unwrap();
    let figures = vec![
        with_value("free", &[(1, 5)]),
        with_value("", &[(1, 9), (2, 1)]),
        with_value("trial", &[(2, 1), (4, 1)]),
        with_value("pro", &[(3, 7)]),
    ];
    let result = shape(&stickiness, vec![figures], None);
    assert!(result.has_more);
    assert_eq!(
        column(&result.results, "breakdown_value"),
        json!(["pro", "free", OTHER_LABEL])
    );
    assert_eq!(
        column(&result.results, "data"),
        json!([[0, 0, 7], [5, 0, 0], [9, 2, 0, 1]])
    );
    assert_eq!(
        column(&result.results, "label"),
        json!(["pro", "free", OTHER_LABEL])
    );
}

#[test]
fn a_breakdown_has_no_row_without_events_and_a_missing_value_its_own() {
    let query = query()
        .series(EventsNode::new("b"))
        .breakdown(BreakdownProperty::event("plan"));
    let figures = vec![vec![with_value("", &[(1, 1)])], Vec::new()];
    let rows = rows(&query, figures);
    assert_eq!(column(&rows, "breakdown_value"), json!([NULL_LABEL]));
    assert_eq!(column(&rows, "label"), json!([format!("a - {NULL_LABEL}")]));
}
