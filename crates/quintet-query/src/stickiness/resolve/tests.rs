use serde_json::{Value, json};

use super::*;
use crate::breakdown::Breakdown;
use crate::series::{ActionsNode, EventsNode};
use crate::testing::{asked, in_project, with_fields};
use crate::{GroupIndex, Query};

fn context() -> Context {
    in_project("2020-01-25T12:00:00Z")
}

/// Stickiness of the event `a` with these fields.
fn resolve(fields: Value) -> Result<Stickiness> {
    let query =
        json!({"kind": "StickinessQuery", "series": [{"kind": "EventsNode", "event": "a"}]});
    asked!(Stickiness, with_fields(query, fields))?.resolve(&context())
}

fn refused(fields: Value) -> Error {
    resolve(fields).unwrap_err()
}

fn actor(node: SeriesNode) -> Actor {
    let query = StickinessQuery::new().series(node);
    query.resolve(&context()).unwrap().series[0].actor
}

#[test]
fn the_builder_and_json_say_the_same() {
    let json = r#"{"kind": "StickinessQuery", "interval": "week", "intervalCount": 2,
        "dateRange": {"date_from": "-12w", "date_to": null}, "filterTestAccounts": true,
        "series": [{"kind": "EventsNode", "event": "paid", "math": "unique_group", "math_group_type_index": 0}],
        "stickinessFilter": {"stickinessCriteria": {"operator": "gte", "value": 3}, "computedAs": "cumulative",
                             "display": "ActionsBar", "showLegend": true},
        "breakdownFilter": {"breakdown": "plan", "breakdown_type": "event", "breakdown_limit": 3},
        "compareFilter": {"compare": true, "compare_to": "-1y"}}"#;
    let built = StickinessQuery::new()
        .series(EventsNode::new("paid").math(Math::UniqueGroup).group(0))
        .interval(crate::Interval::Week)
        .interval_count(2)
        .date_range("-12w", None)
        .without_test_accounts()
        .criterion(Bound::at_least(3))
        .cumulative()
        .breakdown(crate::breakdown::BreakdownProperty::event("plan"))
        .breakdown_limit(3)
        .compare(Some("-1y"));
    assert_eq!(Query::parse(json).unwrap(), Query::Stickiness(built));
}

#[test]
fn only_unique_group_counts_groups() {
    let group = Actor::Group(GroupIndex::new(0).unwrap());
    let node = || EventsNode::new("a");
    assert_eq!(actor(node()), Actor::Person);
    assert_eq!(
        actor(node().math(Math::UniqueGroup).group("company")),
        group
    );
    assert_eq!(actor(node().math(Math::Dau).group(0)), Actor::Person);
    assert_eq!(actor(node().math(Math::WeeklyActive)), Actor::Person);
    let without_type = json!([{"kind": "EventsNode", "math": "unique_group"}]);
    assert_eq!(
        refused(json!({"series": without_type})).path(),
        "series[0].math_group_type_index"
    );
}

#[test]
fn conditions_of_the_series_the_query_and_the_project_hold_together() {
    let stickiness = resolve(json!({
        "series": [{"kind": "ActionsNode", "id": 1, "properties": [{"key": "b", "value": "1"}]}],
        "properties": [{"key": "c", "value": "2"}],
        "filterTestAccounts": true,
    }))
    .unwrap();
    match &stickiness.series[0].filter {
        Filter::All(conditions) => assert_eq!(conditions.len(), 4),
        other => panic!("{other:?}"),
    }
    assert_eq!(stickiness.series[0].echo.label, "signs up");
}

#[test]
fn an_interval_is_active_with_one_event_unless_a_criterion_says_otherwise() {
    assert_eq!(resolve(json!({})).unwrap().criterion, Bound::at_least(1));
    let with = |operator: &str, value: i64| {
        resolve(
            json!({"stickinessFilter": {"stickinessCriteria": {"operator": operator, "value": value}}}),
        )
    };
    assert_eq!(with("exact", 2).unwrap().criterion, Bound::exactly(2));
    assert_eq!(with("lte", 2).unwrap().criterion, Bound::at_most(2));
    assert_eq!(with("gte", 0).unwrap().criterion, Bound::at_least(0));
    for (operator, value) in [("exact", 0), ("lte", 0), ("gte", -1)] {
        assert_eq!(
            with(operator, value).unwrap_err().path(),
            "stickinessFilter.stickinessCriteria.value"
        );
    }
    assert_eq!(
        with("between", 1).unwrap_err().path(),
        "stickinessFilter.stickinessCriteria.operator"
    );
}

#[test]
fn what_is_wrong_is_named_by_its_place() {
    for (fields, path) in [
        (json!({"series": []}), "series"),
        (json!({"intervalCount": 0}), "intervalCount"),
        (json!({"intervalCount": -3}), "intervalCount"),
        (json!({"intervalCount": 366}), "intervalCount"),
        (json!({"samplingFactor": 1.5}), "samplingFactor"),
        (json!({"funnelsFilter": {"a": 1}}), "funnelsFilter"),
        (
            json!({"series": [{"kind": "ActionsNode", "id": 7}]}),
            "series[0].id",
        ),
        (
            json!({"series": [{"kind": "EventsNode", "math": "unique_group", "math_group_type_index": 5}]}),
            "series[0].math_group_type_index",
        ),
    ] {
        assert_eq!(refused(fields.clone()).path(), path, "{fields}");
    }
    let unknown = StickinessQuery::new().series(ActionsNode::new(7));
    let error = unknown.resolve(&context()).unwrap_err();
    assert!(error.to_string().contains("Action ID 7 does not exist"));
}

#[test]
fn groups_of_the_query_as_a_whole_are_refused_with_the_way_out() {
    let error = refused(json!({"aggregation_group_type_index": 0}));
    assert_eq!(error.code(), "unsupported");
    assert!(error.to_string().contains("unique_group"));
}

#[test]
fn a_sample_may_be_empty_and_a_whole_one_is_none() {
    let sampled = |factor: f64| resolve(json!({"samplingFactor": factor})).unwrap().sampling;
    assert_eq!(sampled(0.0), Some(0.0));
    assert_eq!(sampled(0.1), Some(0.1));
    assert_eq!(sampled(1.0), None);
}

#[test]
fn beyond_posthog_it_can_be_broken_down() {
    let broken_down = json!({"breakdownFilter": {"breakdown": "industry", "breakdown_type": "group", "breakdown_group_type_index": 0}});
    let Some(Breakdown::Properties { parts, limit, .. }) = resolve(broken_down).unwrap().breakdown
    else {
        panic!()
    };
    assert_eq!((parts.len(), limit), (1, 25));
}
