use serde_json::{Value, json};

use super::*;
use crate::error::Error;
use crate::series::EventsNode;
use crate::testing::{asked, in_project, local, with_fields};
use crate::{Query, WeekStart};

fn context() -> Context {
    in_project("2020-01-25T12:00:00Z")
}

fn over(interval: Interval, from: &str, to: &str, context: &Context) -> Lifecycle {
    let query = LifecycleQuery::new()
        .series(EventsNode::new("a"))
        .interval(interval)
        .date_range(from, Some(to));
    query.resolve(context).unwrap()
}

fn edges(lifecycle: &Lifecycle, context: &Context) -> Vec<String> {
    let text = |edge: &i64| local(*edge, context.timezone, "%m-%d %H:%M");
    lifecycle.edges.iter().map(text).collect()
}

/// A lifecycle of the event `a` with these fields.
fn refused(fields: Value) -> Error {
    let query = json!({"kind": "LifecycleQuery", "series": [{"kind": "EventsNode", "event": "a"}]});
    asked!(Lifecycle, with_fields(query, fields))
        .and_then(|query| query.resolve(&context()))
        .unwrap_err()
}

#[test]
fn the_builder_and_json_say_the_same() {
    let json = r#"{"kind": "LifecycleQuery", "interval": "week", "filterTestAccounts": true,
        "dateRange": {"date_from": "-12w"}, "series": [{"kind": "EventsNode", "event": "paid", "math": "total"}],
        "lifecycleFilter": {"toggledLifecycles": ["new"], "stacked": true, "showLegend": true}}"#;
    let built = LifecycleQuery::new()
        .series(EventsNode::new("paid"))
        .interval(Interval::Week)
        .date_range("-12w", None)
        .without_test_accounts();
    assert_eq!(Query::parse(json).unwrap(), Query::Lifecycle(built));
}

#[test]
fn the_interval_before_the_range_is_looked_back_at() {
    let context = context();
    let lifecycle = over(Interval::Day, "2020-01-12", "2020-01-13", &context);
    assert_eq!(
        edges(&lifecycle, &context),
        ["01-11 00:00", "01-12 00:00", "01-13 00:00", "01-14 00:00"]
    );
    assert_eq!(lifecycle.shown, 1..3);
    assert_eq!(lifecycle.days, ["2020-01-12", "2020-01-13"]);
    assert_eq!(lifecycle.labels, ["12-Jan-2020", "13-Jan-2020"]);
}

#[test]
fn a_range_is_widened_to_whole_intervals() {
    let mut context = context();
    let lifecycle = over(Interval::Month, "2020-02-20", "2020-03-05", &context);
    assert_eq!(
        edges(&lifecycle, &context),
        ["01-01 00:00", "02-01 00:00", "03-01 00:00", "04-01 00:00"]
    );
    context.week_start = WeekStart::Monday;
    let lifecycle = over(Interval::Week, "2020-02-05", "2020-02-10", &context);
    assert_eq!(
        edges(&lifecycle, &context),
        ["01-27 00:00", "02-03 00:00", "02-10 00:00", "02-17 00:00"]
    );
    assert_eq!(lifecycle.labels, ["5–9 Feb", "10-Feb-2020"]);
}

#[test]
fn an_exact_range_does_not_show_the_interval_that_it_cuts() {
    let context = context();
    let mut query = LifecycleQuery::new()
        .series(EventsNode::new("a"))
        .interval(Interval::Hour)
        .date_range("2020-01-11T09:30:00Z", Some("2020-01-11T11:10:00Z"));
    query.date_range.explicit = true;
    let lifecycle = query.resolve(&context).unwrap();
    assert_eq!(lifecycle.shown, 2..4);
    assert_eq!(
        lifecycle.days,
        ["2020-01-11 10:00:00", "2020-01-11 11:00:00"]
    );
    assert_eq!(edges(&lifecycle, &context)[0], "01-11 08:00");
    assert_eq!(lifecycle.buckets(), 4);
}

#[test]
fn by_minute_days_have_no_time_but_labels_do() {
    let range = ("2020-01-11T09:30:00Z", "2020-01-11T09:31:00Z");
    let lifecycle = over(Interval::Minute, range.0, range.1, &context());
    assert_eq!(lifecycle.days, ["2020-01-11", "2020-01-11"]);
    assert_eq!(lifecycle.labels, ["11-Jan 09:30", "11-Jan 09:31"]);
}

#[test]
fn looking_back_skips_a_day_that_the_clock_skips() {
    let mut context = context();
    context.timezone = chrono_tz::Pacific::Apia;
    let lifecycle = over(Interval::Day, "2011-12-31", "2011-12-31", &context);
    assert_eq!(
        edges(&lifecycle, &context),
        ["12-29 00:00", "12-31 00:00", "01-01 00:00"]
    );
}

#[test]
fn events_satisfy_every_series_and_have_a_person_profile() {
    let query = LifecycleQuery::new()
        .series(EventsNode::new("a").named("A"))
        .series(EventsNode::new("b"));
    let lifecycle = query.resolve(&context()).unwrap();
    let Filter::All(conditions) = lifecycle.filter else {
        panic!()
    };
    assert_eq!(conditions.len(), 3);
    assert_eq!(conditions[0], Filter::Event("a".to_owned()));
    assert_eq!(conditions[1], Filter::Event("b".to_owned()));
    assert_eq!(conditions[2], has_person_profile());
    assert_eq!(lifecycle.echo.label, "a");
}

#[test]
fn groups_are_refused_with_the_insight_and_the_way_out() {
    let grouped = json!({"kind": "EventsNode", "math": "unique_group", "math_group_type_index": 0});
    for fields in [
        json!({"aggregation_group_type_index": 0}),
        json!({"series": [grouped]}),
    ] {
        let error = refused(fields);
        assert_eq!(error.code(), "unsupported");
        let text = error.to_string();
        assert!(text.contains("LifecycleQuery") && text.contains("StickinessQuery"));
    }
}

#[test]
fn what_it_cannot_do_is_refused() {
    for fields in [
        json!({"breakdownFilter": {"breakdown": "plan"}}),
        json!({"compareFilter": {"compare": true}}),
        json!({"intervalCount": 2}),
        json!({"customAggregationTarget": true}),
        json!({"series": [{"kind": "DataWarehouseNode"}]}),
    ] {
        assert_eq!(refused(fields.clone()).code(), "unsupported", "{fields}");
    }
    for (fields, path) in [
        (json!({"series": []}), "series"),
        (json!({"samplingFactor": 2}), "samplingFactor"),
        (json!({"stickinessFilter": {"a": 1}}), "stickinessFilter"),
        (
            json!({"series": [{"kind": "ActionsNode", "id": 7}]}),
            "series[0].id",
        ),
    ] {
        assert_eq!(refused(fields.clone()).path(), path, "{fields}");
    }
}
