use chrono::Weekday;
use serde_json::{Value, json};

use super::*;
use crate::breakdown::{BreakdownBy, BreakdownProperty};
use crate::filter::{Operator, PropertyFilter, PropertyNode};
use crate::funnels::{Order, Window, WindowUnit};
use crate::series::{ActionsNode, Actor, EventsNode};
use crate::testing::{asked, in_project, with_fields};
use crate::{GroupIndex, Interval, Query};

fn context() -> Context {
    in_project("2024-03-15T12:00:00Z")
}

fn parse(fields: Value) -> Result<FunnelsQuery> {
    let query = json!({"kind": "FunnelsQuery", "series": [
        {"kind": "EventsNode", "event": "a"}, {"kind": "EventsNode", "event": "b"}]});
    asked!(Funnels, with_fields(query, fields))
}

/// The funnel from `a` to `b` with these fields.
fn resolve(fields: Value) -> Result<Funnels> {
    parse(fields)?.resolve(&context())
}

fn refused(fields: Value) -> Error {
    resolve(fields).unwrap_err()
}

fn filtered(fields: Value) -> Result<Funnels> {
    resolve(json!({ "funnelsFilter": fields }))
}

fn step(node: Value) -> Step {
    let other = json!({"kind": "EventsNode", "event": "b"});
    let mut steps = resolve(json!({"series": [node, other]})).unwrap().steps;
    steps.swap_remove(0)
}

#[test]
fn the_builder_and_json_say_the_same() {
    let read = parse(json!({
        "interval": "week", "dateRange": {"date_from": "-12w", "date_to": null, "daysOfWeek": [1, 7]},
        "filterTestAccounts": true, "aggregation_group_type_index": 0,
        "series": [{"kind": "EventsNode", "event": "a", "math": "first_time_for_user_with_filters"},
                   {"kind": "GroupNode", "operator": "OR", "optionalInFunnel": true,
                    "nodes": [{"kind": "EventsNode", "event": "b"}, {"kind": "ActionsNode", "id": 1}]},
                   {"kind": "EventsNode", "event": null}],
        "breakdownFilter": {"breakdown": "plan", "breakdown_limit": 3},
        "compareFilter": {"compare": true, "compare_to": "-1y"},
        "funnelsFilter": {"funnelVizType": "steps", "funnelOrderType": "strict", "funnelWindowInterval": 2,
            "funnelWindowIntervalUnit": "hour", "breakdownAttributionType": "step", "breakdownAttributionValue": "2",
            "exclusions": [{"kind": "EventsNode", "event": "x", "funnelFromStep": 0, "funnelToStep": 1}],
            "funnelCompleteAfterDateRange": true, "funnelShowPending": true,
            "layout": "horizontal", "funnelStepReference": "total", "hiddenLegendBreakdowns": [], "binCount": null,
            "useUdf": true, "showValuesOnSeries": true, "resultCustomizations": {}}}))
    .unwrap();
    let built = FunnelsQuery::new()
        .series(EventsNode::new("a").math(Math::FirstMatchingEventForUser))
        .series(StepNode::any([EventsNode::new("b"), ActionsNode::new(1)]).optional())
        .series(EventsNode::all())
        .interval(Interval::Week)
        .date_range("-12w", None)
        .days_of_week([Weekday::Mon, Weekday::Sun])
        .without_test_accounts()
        .by_group(0)
        .breakdown(BreakdownProperty::event("plan"))
        .breakdown_limit(3)
        .compare(Some("-1y"))
        .order(Order::Strict)
        .window(2, WindowUnit::Hour)
        .attribution(Attribution::Step(2))
        .exclusion(EventsNode::new("x"), 0, 1)
        .complete_after_range()
        .show_pending();
    assert_eq!(read, built);
}

#[test]
fn nothing_said_is_two_weeks_in_order_for_persons() {
    let funnels = resolve(json!({})).unwrap();
    assert_eq!(funnels.window, 14 * 86_400 * 1_000_000);
    assert_eq!(funnels.order, Order::Ordered);
    assert_eq!(funnels.viz, Viz::Steps);
    assert_eq!(funnels.actor, Actor::Person);
    assert_eq!(funnels.attribution, Attribution::FirstTouch);
    assert_eq!(funnels.simultaneity, 50_000);
    assert_eq!(funnels.now, context().now.timestamp_micros());
    assert!(!funnels.completes_after_range && !funnels.pending);
}

#[test]
fn a_window_without_length_is_fourteen_units() {
    for length in [json!(null), json!(0), json!(-3)] {
        let funnels =
            filtered(json!({"funnelWindowInterval": length, "funnelWindowIntervalUnit": "second"}));
        assert_eq!(funnels.unwrap().window, 14_000_000);
    }
    assert_eq!(
        parse(json!({"funnelsFilter": {"funnelWindowIntervalUnit": "month"}}))
            .unwrap()
            .window,
        Window {
            length: 14,
            unit: WindowUnit::Month
        }
    );
}

#[test]
fn simultaneity_is_told_in_milliseconds() {
    assert_eq!(
        filtered(json!({"simultaneityWindowMs": 0}))
            .unwrap()
            .simultaneity,
        0
    );
    assert_eq!(
        filtered(json!({"simultaneityWindowMs": 2}))
            .unwrap()
            .simultaneity,
        2_000
    );
    let longest = json!({"simultaneityWindowMs": i64::MAX});
    assert_eq!(filtered(longest).unwrap().simultaneity, i64::MAX);
}

#[test]
fn groups_are_named_by_index_or_by_name() {
    let by_index = resolve(json!({"aggregation_group_type_index": 0})).unwrap();
    let built = FunnelsQuery::new()
        .series(EventsNode::new("a"))
        .series(EventsNode::new("b"))
        .by_group("company");
    assert_eq!(by_index.actor, Actor::Group(GroupIndex::new(0).unwrap()));
    assert_eq!(built.resolve(&context()).unwrap().actor, by_index.actor);
    let error = refused(json!({"aggregation_group_type_index": 5}));
    assert_eq!(error.path(), "aggregation_group_type_index");
}

#[test]
fn maths_other_than_first_times_say_nothing() {
    for math in [
        "dau",
        "weekly_active",
        "hogql",
        "no such math",
        "first_matching_event_for_user",
    ] {
        let step = step(
            json!({"kind": "EventsNode", "event": "a", "math": math, "math_hogql": "count()"}),
        );
        assert_eq!(step.conditions[0].first_time, None, "{math}");
    }
    let first = |math: &str| {
        step(json!({"kind": "ActionsNode", "id": 1, "math": math})).conditions[0].first_time
    };
    assert_eq!(first("first_time_for_user"), Some(FirstTime::Matching));
    assert_eq!(
        first("first_time_for_user_with_filters"),
        Some(FirstTime::Filtered)
    );
}

#[test]
fn a_step_keeps_what_the_event_is_apart_from_the_filters_on_it() {
    let step = step(
        json!({"kind": "ActionsNode", "id": 1, "custom_name": "starts",
        "properties": [{"key": "plan", "value": "pro"}]}),
    );
    let [condition] = step.conditions.as_slice() else {
        panic!("{step:?}");
    };
    assert_eq!(condition.matching, Filter::Event("sign up".to_owned()));
    assert!(matches!(&condition.filter, Filter::Property(filter) if filter.property.key == "plan"));
    assert_eq!(
        step.echo,
        StepEcho {
            action_id: json!(1),
            name: Some("signs up".to_owned()),
            custom_name: Some("starts".to_owned()),
            kind: "actions",
        }
    );
}

#[test]
fn any_event_has_no_name() {
    let echo = step(json!({"kind": "EventsNode", "event": null, "name": "mine"})).echo;
    assert_eq!((echo.action_id, echo.name), (Value::Null, None));
    assert_eq!((echo.kind, echo.custom_name), ("events", None));
}

#[test]
fn a_group_of_nodes_is_met_by_any_of_them() {
    let step = step(
        json!({"kind": "GroupNode", "operator": "OR", "custom_name": "looks",
        "properties": [{"key": "plan", "value": "pro"}],
        "nodes": [{"kind": "EventsNode", "event": "x", "properties": [{"key": "os", "value": "mac"}]},
                  {"kind": "EventsNode", "math": "first_time_for_user"}, {"kind": "ActionsNode", "id": 1}]}),
    );
    let filters: Vec<usize> = step
        .conditions
        .iter()
        .map(|condition| match &condition.filter {
            Filter::All(filters) => filters.len(),
            _ => 1,
        })
        .collect();
    assert_eq!(filters, [2, 1, 1]);
    assert_eq!(step.conditions[1].first_time, Some(FirstTime::Matching));
    assert_eq!(
        step.echo,
        StepEcho {
            action_id: json!("x, All events, signs up"),
            name: Some("x, All events, signs up".to_owned()),
            custom_name: Some("looks".to_owned()),
            kind: "group",
        }
    );
}

#[test]
fn the_query_s_conditions_hold_for_every_event() {
    let funnels = resolve(
        json!({"filterTestAccounts": true, "properties": [{"key": "plan", "value": "pro"}]}),
    );
    assert!(matches!(funnels.unwrap().filter, Filter::All(filters) if filters.len() == 2));
    assert_eq!(resolve(json!({})).unwrap().filter, Filter::always());
}

#[test]
fn the_key_of_a_group_is_a_column_of_the_event() {
    let condition = |key: &str| {
        let node = PropertyNode::event(key, Operator::Exact, "org:5");
        match node.resolve(&context(), &Path::root()).unwrap() {
            Filter::Property(PropertyFilter { property, .. }) => property.source,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(condition("$group_0"), PropertySource::EventMetadata);
    assert_eq!(condition("$group_4"), PropertySource::EventMetadata);
    assert_eq!(condition("$group_5"), PropertySource::Event);
    assert_eq!(condition("$group_00"), PropertySource::Event);
    assert_eq!(condition("$groups"), PropertySource::Event);
}

#[test]
fn an_exclusion_is_an_event_with_its_filters() {
    let funnels = filtered(
        json!({"exclusions": [{"kind": "EventsNode", "event": "x", "math": "dau",
        "properties": [{"key": "plan", "value": "pro"}], "funnelFromStep": 0, "funnelToStep": 1}]}),
    );
    let exclusions = funnels.unwrap().exclusions;
    assert_eq!((exclusions[0].from, exclusions[0].to), (0, 1));
    assert!(matches!(&exclusions[0].filter, Filter::All(filters) if filters.len() == 2));
}

#[test]
fn trends_and_times_look_at_the_whole_funnel_unless_told() {
    let viz = |fields: Value| filtered(fields).unwrap().viz;
    assert_eq!(
        viz(json!({"funnelVizType": "trends"})),
        Viz::Trends { from: 0, to: 1 }
    );
    assert_eq!(
        viz(json!({"funnelVizType": "time_to_convert", "funnelToStep": 1, "binCount": 500})),
        Viz::TimeToConvert {
            from: 0,
            to: 1,
            bins: Some(90)
        }
    );
    assert_eq!(
        viz(json!({"funnelVizType": "time_to_convert", "binCount": 0})),
        Viz::TimeToConvert {
            from: 0,
            to: 1,
            bins: Some(1)
        }
    );
    assert_eq!(
        viz(json!({"funnelVizType": "flow", "binCount": "auto"})),
        Viz::Flow
    );
}

fn broken_down(filter: Value) -> Result<Option<Breakdown>> {
    Ok(resolve(json!({ "breakdownFilter": filter }))?.breakdown)
}

/// Number of parts, whether values are lists, and the limit.
fn parts(filter: Value) -> (usize, bool, usize) {
    match broken_down(filter).unwrap().unwrap() {
        Breakdown::Properties {
            parts, list, limit, ..
        } => (parts.len(), list, limit),
        other => panic!("{other:?}"),
    }
}

#[test]
fn values_are_lists_except_those_of_one_group_property() {
    assert_eq!(parts(json!({"breakdown": "a"})), (1, true, 25));
    assert_eq!(
        parts(json!({"breakdown": ["a"], "breakdown_limit": 3})),
        (1, true, 3)
    );
    let many = json!({"breakdown": ["a", "b", "c", "d"], "breakdown_type": "person"});
    assert_eq!(parts(many), (4, true, 25));
    for key in [json!("industry"), json!(["industry"])] {
        let group =
            json!({"breakdown": key, "breakdown_type": "group", "breakdown_group_type_index": 0});
        assert_eq!(parts(group), (1, false, 25));
    }
}

#[test]
fn a_list_of_breakdowns_says_nothing() {
    assert_eq!(
        broken_down(json!({"breakdowns": [{"property": "a"}]})).unwrap(),
        None
    );
    assert_eq!(
        parse(json!({"breakdownFilter": {"breakdowns": [{"property": "a"}], "breakdown": "b"}}))
            .unwrap()
            .breakdown
            .by,
        BreakdownBy::Property(BreakdownProperty::event("b"))
    );
}

#[test]
fn cohorts_keep_their_order() {
    let cohorts = broken_down(json!({"breakdown": ["all", 7], "breakdown_type": "cohort"}));
    match cohorts.unwrap().unwrap() {
        Breakdown::Cohorts(cohorts) => {
            let ids: Vec<Option<i64>> = cohorts
                .iter()
                .map(|cohort| cohort.as_ref().map(|cohort| cohort.id))
                .collect();
            assert_eq!(ids, [None, Some(7)]);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn times_to_convert_are_not_broken_down() {
    let funnels = resolve(json!({"breakdownFilter": {"breakdown": "a"},
        "funnelsFilter": {"funnelVizType": "time_to_convert", "breakdownAttributionType": "all_events"}}));
    let funnels = funnels.unwrap();
    assert_eq!(
        (funnels.breakdown, funnels.attribution),
        (None, Attribution::FirstTouch)
    );
}

#[test]
fn attribution_to_a_step_must_name_one() {
    let attributed = |value: Value| {
        resolve(
            json!({"breakdownFilter": {"breakdown": "a"}, "funnelsFilter":
            {"breakdownAttributionType": "step", "breakdownAttributionValue": value}}),
        )
    };
    assert_eq!(
        attributed(json!("1")).unwrap().attribution,
        Attribution::Step(1)
    );
    assert_eq!(
        attributed(json!(null)).unwrap().attribution,
        Attribution::Step(0)
    );
    assert_eq!(
        attributed(json!(2)).unwrap_err().path(),
        "funnelsFilter.breakdownAttributionValue"
    );
}

#[test]
fn what_cannot_be_counted_says_what_to_use() {
    for fields in [
        json!({"breakdownFilter": {"breakdown": "a", "breakdown_type": "hogql"}}),
        json!({"breakdownFilter": {"breakdown": "a", "breakdown_histogram_bin_count": 3}}),
        json!({"breakdownFilter": {"breakdown": "a", "breakdown_true_other": true}}),
        json!({"funnelsFilter": {"funnelAggregateByHogQL": "properties.$session_id"}}),
        json!({"series": [{"kind": "EventsNode", "event": "a"}, {"kind": "DataWarehouseNode", "id": "x"}]}),
        json!({"series": [{"kind": "EventsNode", "event": "a"}, {"kind": "FunnelsDataWarehouseNode", "id": "x"}]}),
        json!({"interval": "second"}),
    ] {
        assert_eq!(refused(fields.clone()).code(), "unsupported", "{fields}");
    }
}

#[test]
fn an_expression_says_nothing_beside_a_group_type_or_when_empty() {
    let expression = json!({"funnelAggregateByHogQL": "properties.$session_id"});
    let by_group = json!({"aggregation_group_type_index": 0, "funnelsFilter": expression});
    assert!(resolve(by_group).is_ok());
    assert!(filtered(json!({"funnelAggregateByHogQL": ""})).is_ok());
    assert!(filtered(json!({"funnelAggregateByHogQL": null})).is_ok());
}

#[test]
fn fields_that_are_wrong_are_named() {
    for (fields, path) in [
        (
            json!({"funnelsFilter": {"funnelWindow": 3}}),
            "funnelsFilter.funnelWindow",
        ),
        (json!({"seriez": []}), "seriez"),
        (
            json!({"dateRange": {"daysOfWeek": [0]}}),
            "dateRange.daysOfWeek[0]",
        ),
        (
            json!({"dateRange": {"daysOfWeek": [i64::MIN]}}),
            "dateRange.daysOfWeek[0]",
        ),
        (
            json!({"funnelsFilter": {"funnelOrderType": "random"}}),
            "funnelsFilter.funnelOrderType",
        ),
        (
            json!({"funnelsFilter": {"exclusions": [{"kind": "EventsNode", "event": "x", "funnelFromStep": 0}]}}),
            "funnelsFilter.exclusions[0].funnelToStep",
        ),
        (json!({"samplingFactor": 0}), "samplingFactor"),
        (json!({"samplingFactor": 2}), "samplingFactor"),
    ] {
        assert_eq!(refused(fields.clone()).path(), path, "{fields}");
    }
}

#[test]
fn only_funnels_choose_days_of_the_week() {
    let trend = json!({"kind": "TrendsQuery", "series": [{"kind": "EventsNode"}], "dateRange": {"daysOfWeek": [1]}});
    let error = Query::from_value(&trend).unwrap_err();
    assert_eq!(error.path(), "dateRange.daysOfWeek");
}
