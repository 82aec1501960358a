use serde_json::{Value, json};

use super::*;
use crate::filter::PropertyNode;
use crate::testing::{asked, defining, local, with_fields};
use crate::{PathCleaning, Query};

fn context() -> Context {
    defining(
        "2020-01-25T12:00:00Z",
        json!({
            "path_cleaning_filters": [{"regex": r"\d+", "alias": ":id"}],
            "test_account_filters": [{"key": "email", "type": "person", "operator": "not_icontains", "value": "@us"}],
        }),
    )
}

/// Paths with these fields.
fn resolve(fields: Value) -> Result<Paths> {
    let query = with_fields(json!({"kind": "PathsQuery"}), fields);
    asked!(Paths, query)?.resolve(&context())
}

/// Paths with these fields in their own filter.
fn with(fields: Value) -> Result<Paths> {
    resolve(json!({"pathsFilter": fields}))
}

fn instants(fields: Value) -> (String, String) {
    let paths = resolve(fields).unwrap();
    let text = |micros| local(micros, chrono_tz::UTC, "%m-%d %T%.f");
    (text(paths.from), text(paths.to))
}

#[test]
fn the_builder_and_json_say_the_same() {
    let json = r#"{"kind": "PathsQuery", "dateRange": {"date_from": "-30d"}, "filterTestAccounts": true,
        "properties": [{"key": "$browser", "value": "Chrome", "operator": "exact", "type": "event"}],
        "pathsFilter": {"includeEventTypes": ["$pageview", "custom_event"], "excludeEvents": ["/a"], "startPoint": "/b",
                        "endPoint": "/c", "stepLimit": 4, "edgeLimit": 20, "minEdgeWeight": 2, "maxEdgeWeight": 9,
                        "pathGroupings": ["/d/*"], "pathReplacements": true, "showFullUrls": true,
                        "localPathCleaningFilters": [{"regex": "/(e)", "alias": "\\1", "order": 0}]}}"#;
    let built = PathsQuery::new()
        .date_range("-30d", None)
        .without_test_accounts()
        .filter(PropertyNode::event("$browser", Operator::Exact, "Chrome"))
        .include(EventKind::PageView)
        .include(EventKind::Custom)
        .exclude("/a")
        .start_point("/b")
        .end_point("/c")
        .step_limit(4)
        .edge_limit(20)
        .edge_weight(2, 9)
        .grouping("/d/*")
        .project_cleaning()
        .cleaning(PathCleaning {
            regex: "/(e)".to_owned(),
            alias: r"\1".to_owned(),
        });
    assert_eq!(Query::parse(json).unwrap(), Query::Paths(built));
}

#[test]
fn without_words_they_are_the_paths_of_all_events_of_the_last_week() {
    let paths = resolve(json!({})).unwrap();
    assert_eq!(paths.filter, Filter::always());
    assert_eq!((paths.step_limit, paths.edge_limit), (5, 50));
    assert_eq!(paths.weights, 0..=u64::MAX);
    assert_eq!(paths.gap, 1_800_000_000);
    assert_eq!((paths.start_point, paths.end_point), (None, None));
    assert_eq!(
        instants(json!({})),
        ("01-18 00:00:00".into(), "01-25 23:59:59.999999".into())
    );
}

#[test]
fn days_of_the_range_are_whole() {
    let range = |from, to| instants(json!({"dateRange": {"date_from": from, "date_to": to}}));
    assert_eq!(
        range("2020-01-05 13:00:00", "2020-01-06 00:00:00"),
        ("01-05 00:00:00".into(), "01-06 23:59:59.999999".into())
    );
}

#[test]
fn a_range_that_ends_before_it_starts_holds_nothing() {
    let inverted = json!({"dateRange": {"date_from": "2020-01-22", "date_to": "2020-01-08"}});
    let paths = resolve(inverted).unwrap();
    assert!(paths.from > paths.to);
}

#[test]
fn kinds_of_events_the_query_and_the_project_filter_together() {
    let event = |name: &str| Filter::Event(name.to_owned());
    let kinds = |kinds: &[&str]| with(json!({"includeEventTypes": kinds})).unwrap().filter;
    assert_eq!(kinds(&[]), Filter::always());
    assert_eq!(kinds(&["$screen"]), event("$screen"));
    let custom = Filter::event_name(Operator::NotRegex, vec![r"^\$".to_owned()]);
    let all = [event("$pageview"), event("$screen"), custom];
    assert_eq!(
        kinds(&["$pageview", "$screen", "custom_event"]),
        Filter::any(all)
    );
    let paths = resolve(json!({
        "pathsFilter": {"includeEventTypes": ["$pageview"]},
        "properties": {"type": "AND", "values": [{"key": "a", "value": "1"}]},
        "filterTestAccounts": true,
    }));
    match paths.unwrap().filter {
        Filter::All(conditions) => assert_eq!(conditions.len(), 3),
        other => panic!("{other:?}"),
    }
}

#[test]
fn items_are_excluded_only_where_kinds_of_events_are_named() {
    let excluded = json!(["/a", "$screen"]);
    let items = with(json!({"excludeEvents": excluded.clone(), "includeEventTypes": ["$screen"]}));
    let items = items.unwrap().items;
    assert_eq!(items.excluded, ["/a", "$screen"]);
    assert!(items.urls && items.screen_names);
    let items = with(json!({"excludeEvents": excluded})).unwrap().items;
    assert_eq!(items.excluded, [""; 0]);
    assert!(items.urls && !items.screen_names);
}

#[test]
fn rules_of_the_project_clean_if_asked_for_and_before_those_of_the_query() {
    let rules = |fields| -> Vec<String> {
        let cleaning = with(fields).unwrap().items.cleaning;
        cleaning.into_iter().map(|rule| rule.alias).collect()
    };
    let local =
        json!([{"regex": "b", "alias": "2", "order": 9}, {"regex": "a", "alias": "1", "order": 1}]);
    assert_eq!(rules(json!({})), [""; 0]);
    assert_eq!(rules(json!({"pathReplacements": true})), [":id"]);
    assert_eq!(
        rules(json!({"pathReplacements": true, "localPathCleaningFilters": local})),
        [":id", "2", "1"]
    );
}

#[test]
fn one_point_alone_loses_a_slash_at_its_end() {
    let points = |start: &str, end: &str| {
        let paths = with(json!({"startPoint": start, "endPoint": end})).unwrap();
        (paths.start_point, paths.end_point)
    };
    assert_eq!(points("/a/", ""), (Some("/a".into()), None));
    assert_eq!(points("", "/a/"), (None, Some("/a".into())));
    assert_eq!(points("/", ""), (Some("/".into()), None));
    assert_eq!(
        points("/a/", "/b/"),
        (Some("/a/".into()), Some("/b/".into()))
    );
}

#[test]
fn a_weight_of_none_is_no_bound() {
    let weights = |min, max| {
        with(json!({"minEdgeWeight": min, "maxEdgeWeight": max}))
            .unwrap()
            .weights
    };
    assert_eq!(weights(json!(2), json!(null)), 2..=u64::MAX);
    assert_eq!(weights(json!(0), json!(0)), 0..=u64::MAX);
    assert_eq!(weights(json!(2), json!(3)), 2..=3);
}

#[test]
fn what_is_wrong_is_named_by_its_place() {
    for (fields, path) in [
        (json!({"stepLimit": -1}), "stepLimit"),
        (json!({"edgeLimit": -1}), "edgeLimit"),
        (json!({"minEdgeWeight": -1}), "minEdgeWeight"),
        (json!({"maxEdgeWeight": 1.5}), "maxEdgeWeight"),
        (
            json!({"includeEventTypes": ["$autocapture"]}),
            "includeEventTypes[0]",
        ),
        (json!({"pathGroupings": ["/a", ""]}), "pathGroupings[1]"),
        (
            json!({"localPathCleaningFilters": [{"regex": "(", "alias": ""}]}),
            "localPathCleaningFilters[0].regex",
        ),
        (
            json!({"localPathCleaningFilters": [{"regex": "a", "alias": r"\1"}]}),
            "localPathCleaningFilters[0].alias",
        ),
        (json!({"pathType": "x"}), "pathType"),
    ] {
        let error = with(fields.clone()).unwrap_err();
        assert_eq!(error.path(), format!("pathsFilter.{path}"), "{fields}");
    }
    for (fields, path) in [
        (json!({"samplingFactor": 2}), "samplingFactor"),
        (
            json!({"dateRange": {"date_from": "2020-02-30"}}),
            "dateRange.date_from",
        ),
        (json!({"series": [1]}), "series"),
    ] {
        assert_eq!(
            resolve(fields.clone()).unwrap_err().path(),
            path,
            "{fields}"
        );
    }
}

#[test]
fn groups_and_expressions_are_refused_with_the_way_out() {
    for error in [
        resolve(json!({"aggregation_group_type_index": 0})).unwrap_err(),
        with(json!({"includeEventTypes": ["hogql"], "pathsHogQLExpression": "event"})).unwrap_err(),
        with(json!({"pathsHogQLExpression": "event"})).unwrap_err(),
    ] {
        assert_eq!(error.code(), "unsupported");
    }
    assert!(resolve(json!({"aggregation_group_type_index": null})).is_ok());
    assert!(
        with(json!({"includeEventTypes": ["$screen"], "pathsHogQLExpression": "event"})).is_ok()
    );
    assert!(with(json!({"pathsHogQLExpression": ""})).is_ok());
}

#[test]
fn all_time_asks_for_the_first_event() {
    let all = json!({"kind": "PathsQuery", "dateRange": {"date_from": "all"}});
    assert!(Query::from_value(&all).unwrap().needs_earliest());
}
