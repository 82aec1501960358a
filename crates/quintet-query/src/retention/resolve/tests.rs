use serde_json::{Value, json};

use super::*;
use crate::breakdown::BreakdownProperty;
use crate::filter::{Operator, PropertyNode, PropertySource};
use crate::retention::{Measure, Reference, Rolling, Starts};
use crate::series::{ActionsNode, EventsNode};
use crate::testing::{asked, in_project, micros, with_fields};
use crate::{Query, WeekStart};

/// Midday of Thursday, 25 January 2024.
fn context() -> Context {
    in_project("2024-01-25T12:00:00Z")
}

fn berlin() -> Context {
    Context {
        timezone: chrono_tz::Europe::Berlin,
        ..context()
    }
}

fn query(filter: Value, fields: Value) -> Result<RetentionQuery> {
    let query = json!({"kind": "RetentionQuery", "retentionFilter": filter});
    asked!(Retention, with_fields(query, fields))
}

fn resolve(filter: Value, fields: Value) -> Retention {
    query(filter, fields).unwrap().resolve(&context()).unwrap()
}

fn refused(filter: Value, fields: Value) -> Error {
    query(filter, fields)
        .and_then(|query| query.resolve(&context()))
        .unwrap_err()
}

/// The dates of the rows.
fn dates(context: &Context, filter: Value, range: Value) -> Vec<String> {
    let query = query(filter, json!({"dateRange": range})).unwrap();
    let window = query.resolve(context).unwrap().window;
    assert_eq!(window.edges.len(), window.rows() + 1);
    window.dates
}

fn rolling(context: &Context, filter: Value, range: Value) -> Rolling {
    let query = query(filter, json!({"dateRange": range})).unwrap();
    match query.rolling().resolve(context).unwrap().mode {
        Mode::Rolling(rolling) => rolling,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_builder_and_json_say_the_same() {
    let read = query(
        json!({"period": "Week", "totalIntervals": 5, "retentionType": "retention_first_time", "minimumOccurrences": 2,
            "cumulative": true, "retentionCustomBrackets": [1.0, 2.9], "retentionReference": "previous",
            "targetEntity": {"id": 1, "type": "actions"},
            "returningEntity": {"id": "paid", "properties": [{"key": "plan", "value": "pro", "operator": "exact", "type": "event"}]},
            "meanRetentionCalculation": "weighted", "selectedInterval": null, "goalLines": [], "display": "ActionsTable"}),
        json!({"aggregation_group_type_index": 0, "dateRange": {"date_from": "-2m", "date_to": "2024-01-01"}, "filterTestAccounts": true,
            "samplingFactor": 0.5, "breakdownFilter": {"breakdown": "plan", "breakdown_type": "event", "breakdown_limit": 3}}),
    );
    let mut built = RetentionQuery::new()
        .interval(Interval::Week)
        .total_intervals(5)
        .starts(Starts::FirstTime)
        .minimum_occurrences(2)
        .cumulative()
        .brackets([1, 2])
        .reference(Reference::Previous)
        .target(ActionsNode::new(1))
        .returning(EventsNode::new("paid").filter(PropertyNode::event(
            "plan",
            Operator::Exact,
            "pro",
        )))
        .by_group(0)
        .date_range("-2m", Some("2024-01-01"))
        .without_test_accounts()
        .breakdown(BreakdownProperty::event("plan"))
        .breakdown_limit(3);
    built.sampling_factor = Some(0.5);
    assert_eq!(read.unwrap(), built);
}

#[test]
fn an_empty_filter_asks_for_persons_that_view_pages_over_seven_days() {
    let retention = resolve(json!({}), json!({}));
    assert_eq!(retention.actor, Actor::Person);
    assert_eq!(retention.start, Filter::Event("$pageview".to_owned()));
    assert_eq!(retention.returning, retention.start);
    let counts = Mode::Counts {
        minimum: 1,
        cumulative: false,
    };
    assert_eq!(retention.mode, counts);
    assert_eq!(retention.columns.reach, [1, 2, 3, 4, 5, 6]);
    let (first, last) = ("2024-01-19T00:00:00Z", "2024-01-25T00:00:00Z");
    assert_eq!(retention.window.rows(), 7);
    assert_eq!(retention.window.dates.first().unwrap(), first);
    assert_eq!(retention.window.dates.last().unwrap(), last);
    assert_eq!(retention.until(), Some(micros("2024-01-26T00:00:00Z")));
}

#[test]
fn no_intervals_are_seven() {
    let retention = resolve(json!({"totalIntervals": 0}), json!({}));
    assert_eq!(retention.columns.labels.len(), 7);
}

#[test]
fn a_start_of_the_range_decides_over_the_rows_alone() {
    let range = json!({"date_from": "2024-01-10T15:00:00", "date_to": "2024-01-17"});
    let retention = resolve(json!({}), json!({"dateRange": range}));
    assert_eq!(retention.window.rows(), 8);
    assert_eq!(retention.window.dates[0], "2024-01-10T00:00:00Z");
    assert_eq!(retention.columns.labels.len(), 7);
}

#[test]
fn the_period_of_the_end_is_whole() {
    let weeks = json!({"period": "Week", "totalIntervals": 2});
    let range = json!({"date_to": "2024-01-17"});
    let sundays = ["2024-01-07T00:00:00Z", "2024-01-14T00:00:00Z"];
    assert_eq!(dates(&context(), weeks.clone(), range.clone()), sundays);
    let from_monday = Context {
        week_start: WeekStart::Monday,
        ..context()
    };
    let mondays = ["2024-01-08T00:00:00Z", "2024-01-15T00:00:00Z"];
    assert_eq!(dates(&from_monday, weeks, range), mondays);
    let months = json!({"period": "Month", "totalIntervals": 2});
    let firsts = ["2023-12-01T00:00:00Z", "2024-01-01T00:00:00Z"];
    let range = json!({"date_to": "2024-01-31"});
    assert_eq!(dates(&context(), months, range), firsts);
}

#[test]
fn days_stay_at_local_midnight_when_the_clock_changes() {
    let range = json!({"date_from": "2024-03-30", "date_to": "2024-04-01"});
    let expected = [
        "2024-03-30T00:00:00+01:00",
        "2024-03-31T00:00:00+01:00",
        "2024-04-01T00:00:00+02:00",
    ];
    assert_eq!(dates(&berlin(), json!({}), range), expected);
}

#[test]
fn hours_are_absolute_when_the_clock_changes() {
    let hours = json!({"period": "Hour"});
    let lost = json!({"date_from": "2024-03-31T01:30:00", "date_to": "2024-03-31T03:30:00"});
    let expected = ["2024-03-31T01:00:00+01:00", "2024-03-31T03:00:00+02:00"];
    assert_eq!(dates(&berlin(), hours.clone(), lost), expected);
    let doubled = json!({"date_from": "2024-10-27T01:00:00", "date_to": "2024-10-27T03:00:00"});
    let expected = [
        "2024-10-27T01:00:00+02:00",
        "2024-10-27T02:00:00+02:00",
        "2024-10-27T02:00:00+01:00",
        "2024-10-27T03:00:00+01:00",
    ];
    assert_eq!(dates(&berlin(), hours, doubled), expected);
}

#[test]
fn hours_without_a_start_are_as_many_as_columns() {
    let hours = json!({"period": "Hour", "totalIntervals": 2});
    let expected = ["2024-01-25T11:00:00Z", "2024-01-25T12:00:00Z"];
    assert_eq!(dates(&context(), hours, json!({})), expected);
}

#[test]
fn all_starts_with_the_earliest_event_if_there_is_any() {
    let range = json!({"date_from": "all", "date_to": "2024-01-03"});
    let query = query(json!({}), json!({"dateRange": range})).unwrap();
    assert!(query.needs_earliest());
    let rows = |earliest| {
        let context = Context {
            earliest,
            ..context()
        };
        query.resolve(&context).unwrap().window.rows()
    };
    assert_eq!(rows(Some(micros("2024-01-02T12:00:00Z"))), 2);
    assert_eq!(rows(None), 7);
}

#[test]
fn a_range_that_ends_before_it_starts_is_refused() {
    let range = json!({"date_from": "2024-01-10", "date_to": "2024-01-09"});
    assert_eq!(
        refused(json!({}), json!({"dateRange": range})).path(),
        "dateRange"
    );
}

#[test]
fn brackets_are_sizes_in_whole_periods() {
    let brackets = json!({"period": "Week", "retentionCustomBrackets": [4, 1.9, 3]});
    let columns = resolve(brackets, json!({})).columns;
    assert_eq!(columns.labels, ["Week 0", "Week 1-4", "Week 5", "Week 6-8"]);
    assert_eq!(columns.reach, [4, 5, 8]);
    for wrong in [json!(0), json!(-1), json!(0.5), json!(1e300)] {
        let error = refused(json!({"retentionCustomBrackets": [4, wrong]}), json!({}));
        assert_eq!(error.path(), "retentionFilter.retentionCustomBrackets[1]");
    }
    let built = RetentionQuery::new().brackets([0]);
    assert!(built.resolve(&context()).is_err());
}

#[test]
fn rolling_days_are_24_hours_and_know_no_brackets() {
    let filter = json!({"totalIntervals": 3, "retentionCustomBrackets": [5]});
    let range = json!({"date_from": "2024-03-30", "date_to": "2024-03-31"});
    let days = rolling(&berlin(), filter.clone(), range.clone());
    assert_eq!(days.length, 24);
    assert_eq!(days.edges.len(), (2 + 3) * 24 + 1);
    assert_eq!(days.edges[0], micros("2024-03-29T23:00:00Z"));
    assert_eq!(days.edges[48], micros("2024-03-31T23:00:00Z"));
    let filter = json!({"timeWindowMode": "24_hour_windows", "totalIntervals": 3, "retentionCustomBrackets": [5]});
    let retention = resolve(filter, json!({"dateRange": range}));
    assert_eq!(retention.columns.labels, ["Day 0", "Day 1", "Day 2"]);
}

#[test]
fn rolling_weeks_and_months_are_so_many_local_days() {
    let range = json!({"date_from": "2024-03-01", "date_to": "2024-03-31"});
    let months = rolling(
        &berlin(),
        json!({"period": "Month", "totalIntervals": 2}),
        range.clone(),
    );
    assert_eq!(months.length, 30);
    assert_eq!(months.edges.len(), (1 + 2) * 30 + 1);
    assert_eq!(months.edges[30], micros("2024-03-30T23:00:00Z"));
    assert_eq!(months.edges[31], micros("2024-03-31T22:00:00Z"));
    assert_eq!(
        rolling(&context(), json!({"period": "Week"}), range).length,
        7
    );
}

#[test]
fn first_starts_need_all_that_was_before_and_rolling_ones_what_comes_after() {
    let first = RetentionQuery::new().starts(Starts::FirstTime);
    let calendar = first.resolve(&context()).unwrap();
    assert_eq!((calendar.begin(), calendar.until().is_some()), (None, true));
    let rolling = first.rolling().resolve(&context()).unwrap();
    assert_eq!((rolling.begin(), rolling.until()), (None, None));
    let recurring = RetentionQuery::new().rolling().resolve(&context()).unwrap();
    assert_eq!(recurring.begin(), Some(recurring.window.start()));
    assert_eq!(recurring.until(), Some(recurring.window.end()));
}

#[test]
fn an_entity_without_an_id_is_every_event() {
    for entity in [
        json!({}),
        json!({"id": null, "type": "events"}),
        json!({"id": ""}),
    ] {
        let retention = resolve(json!({"targetEntity": entity}), json!({}));
        assert_eq!(retention.start, Filter::always());
    }
}

#[test]
fn the_filters_of_an_action_are_those_of_the_start_but_not_of_the_candidate() {
    let condition = json!([{"key": "plan", "value": "pro", "operator": "exact", "type": "event"}]);
    let target = json!({"id": "1", "type": "actions", "properties": condition});
    let fields = json!({"filterTestAccounts": true});
    let retention = resolve(json!({"targetEntity": target}), fields);
    let sign_up = Filter::Event("sign up".to_owned());
    assert_eq!(retention.candidate, sign_up);
    let Filter::All(parts) = &retention.start else {
        panic!("{:?}", retention.start);
    };
    assert_eq!((parts.len(), &parts[0]), (2, &sign_up));
    assert!(matches!(retention.filter, Filter::Property(_)));
}

#[test]
fn amounts_of_one_event_are_told_by_what_it_is_and_its_filters() {
    let amounts = |target: Value, returning: Value| {
        let filter = json!({"targetEntity": target, "returningEntity": returning,
            "aggregationType": "avg", "aggregationProperty": "score", "aggregationPropertyType": "person"});
        match resolve(filter, json!({})).mode {
            Mode::Amounts(amounts) => amounts,
            other => panic!("{other:?}"),
        }
    };
    let same = amounts(
        json!({"id": "a", "name": "A"}),
        json!({"id": "a", "type": "events"}),
    );
    assert!(same.one_event);
    assert_eq!(same.measure, Measure::Average);
    assert_eq!(same.property.source, PropertySource::Person);
    let condition = json!([{"key": "plan", "value": "pro", "operator": "exact", "type": "event"}]);
    assert!(
        !amounts(
            json!({"id": "a"}),
            json!({"id": "a", "properties": condition})
        )
        .one_event
    );
    assert!(!amounts(json!({"id": "1"}), json!({"id": 1, "type": "actions"})).one_event);
}

#[test]
fn a_measure_without_a_property_counts() {
    let retention = resolve(json!({"aggregationType": "sum"}), json!({}));
    assert!(matches!(retention.mode, Mode::Counts { .. }));
}

#[test]
fn groups_are_followed_only_by_a_type_that_is_defined() {
    let by = |index: Value| json!({"aggregation_group_type_index": index});
    let company = resolve(json!({}), by(json!(0))).actor;
    assert!(matches!(company, Actor::Group(index) if index.get() == 0));
    assert_eq!(resolve(json!({}), by(json!(null))).actor, Actor::Person);
    for wrong in [2, 5, -1] {
        let error = refused(json!({}), by(json!(wrong)));
        assert_eq!(error.path(), "aggregation_group_type_index");
    }
}

#[test]
fn what_does_not_go_together_is_refused() {
    let rolling = "24_hour_windows";
    for filter in [
        json!({"cumulative": true, "timeWindowMode": rolling}),
        json!({"aggregationType": "sum", "aggregationProperty": "x", "timeWindowMode": rolling}),
        json!({"aggregationType": "avg", "aggregationProperty": "x", "cumulative": true}),
        json!({"aggregationType": "avg", "aggregationProperty": "x", "retentionCustomBrackets": [2]}),
    ] {
        assert_eq!(refused(filter, json!({})).code(), "unsupported");
    }
}

#[test]
fn what_is_not_known_is_refused_where_it_stands() {
    let wrong = [
        (json!({"period": "Year"}), "retentionFilter.period"),
        (
            json!({"totalIntervals": 1_000_000}),
            "retentionFilter.totalIntervals",
        ),
        (json!({"retention": 1}), "retentionFilter.retention"),
        (
            json!({"targetEntity": {"id": 7, "type": "actions"}}),
            "retentionFilter.targetEntity.id",
        ),
        (
            json!({"returningEntity": {"id": "a", "type": "pages"}}),
            "retentionFilter.returningEntity.type",
        ),
    ];
    for (filter, path) in wrong {
        assert_eq!(refused(filter, json!({})).path(), path);
    }
    let compare = refused(json!({}), json!({"compareFilter": {"compare": true}}));
    assert_eq!(compare.path(), "compareFilter");
    let warehouse =
        json!({"targetEntity": {"id": "t", "type": "data_warehouse", "table_name": "t"}});
    assert_eq!(refused(warehouse, json!({})).code(), "unsupported");
    let missing = Query::from_value(&json!({"kind": "RetentionQuery"}));
    assert_eq!(missing.unwrap_err().path(), "retentionFilter");
}

#[test]
fn a_window_of_too_many_rows_or_cells_is_refused() {
    let range = json!({"date_from": "1990-01-01"});
    let hours = refused(json!({"period": "Hour"}), json!({"dateRange": range}));
    assert_eq!(hours.path(), "dateRange");
    let cells = refused(json!({"totalIntervals": 2_000}), json!({}));
    assert_eq!(cells.path(), "retentionFilter");
}

#[test]
fn only_one_property_breaks_down() {
    let by = |breakdowns: Value| json!({"breakdownFilter": breakdowns});
    let list = |items: &[&str]| {
        let items: Vec<Value> = items
            .iter()
            .map(|key| json!({"property": key, "type": "event"}))
            .collect();
        by(json!({"breakdowns": items}))
    };
    assert!(resolve(json!({}), list(&["a"])).breakdown.is_some());
    for wrong in [
        list(&["a", "b"]),
        by(json!({"breakdown": ["a", "b"], "breakdown_type": "event"})),
        by(json!({"breakdown": "a", "breakdown_histogram_bin_count": 3})),
        by(json!({"breakdown": "a", "breakdown_true_other": true})),
    ] {
        assert_eq!(refused(json!({}), wrong).code(), "unsupported");
    }
}
