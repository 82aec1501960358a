use super::*;
use crate::trends::{BreakdownBy, BreakdownProperty, Display, EventsNode, Math, TrendsQuery};
use crate::{GroupType, Interval};

fn refused(text: &str) -> Error {
    Query::parse(text).unwrap_err()
}

/// A trend with these fields in its only series.
fn series(fields: &str) -> String {
    format!(
        r#"{{"kind": "TrendsQuery", "series": [{{"kind": "EventsNode", "event": "a", {fields}}}]}}"#
    )
}

/// A trend with these fields.
fn trend(fields: &str) -> String {
    format!(
        r#"{{"kind": "TrendsQuery", "series": [{{"kind": "EventsNode", "event": "a"}}], {fields}}}"#
    )
}

#[test]
fn wrappers_are_taken_off() {
    let inner = trend(r#""interval": "week""#);
    let wrapped = format!(r#"{{"kind": "InsightVizNode", "full": true, "source": {inner}}}"#);
    assert_eq!(
        Query::parse(&wrapped).unwrap(),
        Query::parse(&inner).unwrap()
    );
}

#[test]
fn the_builder_and_json_say_the_same() {
    let json = r#"{"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "-12m", "date_to": "-1mEnd"},
        "series": [{"kind": "EventsNode", "event": "paid", "math": "unique_group", "math_group_type_index": 1},
                   {"kind": "EventsNode", "event": null, "math": "sum", "math_property": "amount", "custom_name": "all"}],
        "breakdownFilter": {"breakdowns": [{"property": "plan", "type": "group", "group_type_index": 0},
                                           {"property": "age", "type": "person", "histogram_bin_count": 5}], "breakdown_limit": 3},
        "compareFilter": {"compare": true, "compare_to": "-1y"}, "filterTestAccounts": true,
        "trendsFilter": {"display": "ActionsBar", "formula": "A/B", "smoothingIntervals": null}}"#;
    let mut built = TrendsQuery::new()
        .series(EventsNode::new("paid").math(Math::UniqueGroup).group(1))
        .series(
            EventsNode::all()
                .math(Math::Sum)
                .property("amount")
                .named("all"),
        )
        .interval(Interval::Month)
        .date_range("-12m", Some("-1mEnd"))
        .breakdown(BreakdownProperty::group(0, "plan"))
        .breakdown(BreakdownProperty::person("age").bins(5))
        .breakdown_limit(3)
        .compare(Some("-1y"))
        .without_test_accounts()
        .display(Display::ActionsBar)
        .formula("A/B");
    built.smoothing_intervals = 1;
    assert_eq!(Query::parse(json).unwrap(), Query::Trends(built));
}

#[test]
fn actors_queries_are_read_with_and_without_their_wrapper() {
    let inner = format!(
        r#"{{"kind": "InsightActorsQuery", "day": "2024-01-01", "series": 0, "source": {}}}"#,
        trend(r#""tags": {}"#)
    );
    let wrapped = format!(
        r#"{{"kind": "ActorsQuery", "select": ["actor", "event_count"], "orderBy": ["event_count DESC", "actor_id DESC"],
            "limit": 100, "offset": 5, "search": "acme", "properties": [], "source": {inner}}}"#
    );
    let Query::TrendsActors(alone) = Query::parse(&inner).unwrap() else {
        panic!()
    };
    let Query::TrendsActors(wrapped) = Query::parse(&wrapped).unwrap() else {
        panic!()
    };
    assert_eq!((alone.page.limit, alone.page.offset), (None, 0));
    assert_eq!(
        (
            wrapped.page.limit,
            wrapped.page.offset,
            wrapped.page.search.as_deref()
        ),
        (Some(100), 5, Some("acme"))
    );
    assert_eq!(alone.source, wrapped.source);
}

#[test]
fn sql_is_carried_as_text() {
    assert_eq!(
        Query::parse(r#"{"kind": "SQL", "query": "select 1"}"#).unwrap(),
        Query::Sql("select 1".to_owned())
    );
    assert_eq!(refused(r#"{"kind": "SQL"}"#).path(), "query");
}

#[test]
fn kinds_that_are_not_run_yet_are_named() {
    for kind in ["PersonsNode", "EventsQuery"] {
        let error = refused(&format!(r#"{{"kind": "{kind}"}}"#));
        assert_eq!(error.code(), "unsupported");
        assert!(error.to_string().contains(kind));
    }
    let inside = refused(
        r#"{"kind": "ActorsQuery", "source": {"kind": "InsightActorsQuery", "source": {"kind": "FunnelsQuery"}}}"#,
    );
    assert_eq!(inside.code(), "unsupported");
}

#[test]
fn questions_for_actors_are_those_of_their_source() {
    let ask = |kind: &str, source: &str| {
        let question = format!(
            r#"{{"kind": "{kind}", "source": {{"kind": "{source}", "series": [{{"kind": "EventsNode"}}]}}}}"#
        );
        let wrapped = format!(r#"{{"kind": "ActorsQuery", "limit": 5, "source": {question}}}"#);
        (Query::parse(&question), Query::parse(&wrapped))
    };
    let (Ok(Query::StickinessActors(alone)), Ok(Query::StickinessActors(wrapped))) =
        ask("InsightActorsQuery", "StickinessQuery")
    else {
        panic!()
    };
    assert_eq!((alone.page.limit, wrapped.page.limit), (None, Some(5)));
    let (Ok(Query::LifecycleActors(alone)), Ok(Query::LifecycleActors(wrapped))) =
        ask("InsightActorsQuery", "LifecycleQuery")
    else {
        panic!()
    };
    assert_eq!((alone.page.limit, wrapped.page.limit), (None, Some(5)));
    let (operated, _) = ask("StickinessActorsQuery", "StickinessQuery");
    assert!(matches!(operated, Ok(Query::StickinessActors(_))));
    let (foreign, wrapped) = ask("StickinessActorsQuery", "TrendsQuery");
    assert_eq!(foreign.unwrap_err().path(), "source.kind");
    assert_eq!(wrapped.unwrap_err().path(), "source.kind");
}

#[test]
fn unknown_kinds_are_wrong_at_kind() {
    assert_eq!(refused(r#"{"kind": "TrendQuery"}"#).path(), "kind");
    assert_eq!(refused(r#"{"series": []}"#).path(), "kind");
    assert_eq!(refused(r#"{"kind": 5}"#).path(), "kind");
    assert_eq!(refused(r#"{"kind": "InsightVizNode"}"#).path(), "kind");
}

#[test]
fn what_is_not_json_is_refused_and_deep_nesting_too() {
    assert!(
        refused("{")
            .to_string()
            .starts_with("the definition is not JSON: ")
    );
    assert!(refused("[]").to_string().starts_with("must be an object"));
    assert!(
        refused(&"[".repeat(100_000))
            .to_string()
            .starts_with("the definition is not JSON: ")
    );
    let deep = format!(
        r#"{{"kind": "TrendsQuery", "properties": {}"#,
        r#"{"type": "AND", "values": ["#.repeat(100_000)
    );
    assert!(
        refused(&deep)
            .to_string()
            .starts_with("the definition is not JSON: ")
    );
}

#[test]
fn fields_that_only_change_the_looks_are_accepted() {
    for fields in [
        r#""trendsFilter": {"showLegend": true, "goalLines": [{"label": "x", "value": 1}], "yAxisScaleType": "log10",
            "hiddenLegendIndexes": [1], "resultCustomizations": {}, "aggregationAxisFormat": "percentage", "decimalPlaces": 2,
            "showValuesOnSeries": true, "showPercentStackView": false}"#,
        r#""version": 2, "tags": {"a": 1}, "modifiers": {}, "response": {}, "kind": "TrendsQuery", "aggregation_group_type_index": 0"#,
        r#""somethingNew": null, "compareFilter": {"compare": false, "compare_to": null}, "breakdownFilter": null"#,
    ] {
        Query::parse(&trend(fields)).unwrap();
    }
}

#[test]
fn fields_that_could_change_figures_are_refused_with_their_place() {
    for (text, path) in [
        (trend(r#""intervall": "day""#), "intervall"),
        (
            trend(r#""trendsFilter": {"smoothing": 7}"#),
            "trendsFilter.smoothing",
        ),
        (trend(r#""dateRange": {"from": "x"}"#), "dateRange.from"),
        (trend(r#""compareFilter": {"to": "x"}"#), "compareFilter.to"),
        (
            trend(r#""breakdownFilter": {"breakdowns": [{"property": "a", "bins": 3}]}"#),
            "breakdownFilter.breakdowns[0].bins",
        ),
        (series(r#""maths": "dau""#), "series[0].maths"),
    ] {
        assert_eq!(refused(&text).path(), path);
    }
}

#[test]
fn wrong_values_name_their_place() {
    for (text, path) in [
        (trend(r#""interval": "fortnight""#), "interval"),
        (trend(r#""series": {}"#), "series"),
        (
            trend(r#""filterTestAccounts": "yes""#),
            "filterTestAccounts",
        ),
        (trend(r#""samplingFactor": "all""#), "samplingFactor"),
        (
            trend(r#""trendsFilter": {"display": "Pie"}"#),
            "trendsFilter.display",
        ),
        (
            trend(r#""trendsFilter": {"smoothingIntervals": -1}"#),
            "trendsFilter.smoothingIntervals",
        ),
        (
            trend(r#""trendsFilter": {"formulaNodes": [{}]}"#),
            "trendsFilter.formulaNodes[0].formula",
        ),
        (series(r#""math": "dua""#), "series[0].math"),
        (
            series(r#""math_group_type_index": 5"#),
            "series[0].math_group_type_index",
        ),
        (
            series(r#""math_group_type_index": 1.5"#),
            "series[0].math_group_type_index",
        ),
        (
            series(r#""properties": [{"key": "a", "value": 1, "operator": "="}]"#),
            "series[0].properties[0].operator",
        ),
        (
            trend(r#""breakdownFilter": {"breakdown": "a", "breakdown_type": "group"}"#),
            "breakdownFilter.breakdown_group_type_index",
        ),
        (
            trend(r#""breakdownFilter": {"breakdown": "x", "breakdown_type": "cohort"}"#),
            "breakdownFilter.breakdown",
        ),
        (
            trend(r#""breakdownFilter": {"breakdown": "x", "breakdown_type": "company"}"#),
            "breakdownFilter.breakdown_type",
        ),
        (
            trend(r#""breakdownFilter": {"breakdown": "x", "breakdown_histogram_bin_count": -4}"#),
            "breakdownFilter.breakdown_histogram_bin_count",
        ),
        (
            trend(r#""breakdownFilter": {"breakdowns": [{"property": "a", "type": "cohort"}]}"#),
            "breakdownFilter.breakdowns[0].type",
        ),
    ] {
        assert_eq!(refused(&text).path(), path, "{text}");
    }
    let four = format!(
        r#""breakdownFilter": {{"breakdowns": [{}]}}"#,
        [r#"{"property": "a"}"#; 4].join(", ")
    );
    let error = refused(&trend(&four));
    assert!(error.to_string().contains("at most 3"));
}

#[test]
fn what_this_version_does_not_count_says_what_to_use() {
    for text in [
        series(r#""math": "hogql", "math_hogql": "count()""#),
        trend(r#""breakdownFilter": {"breakdown": "a", "breakdown_type": "hogql"}"#),
        trend(r#""interval": "second""#),
        trend(r#""trendsFilter": {"excludeIncompletePeriods": true}"#),
        r#"{"kind": "TrendsQuery", "series": [{"kind": "DataWarehouseNode", "id": "x"}]}"#
            .to_owned(),
        r#"{"kind": "TrendsQuery", "series": [{"kind": "GroupNode", "nodes": []}]}"#.to_owned(),
    ] {
        assert_eq!(refused(&text).code(), "unsupported", "{text}");
    }
}

#[test]
fn the_list_form_of_a_breakdown_decides() {
    let both = trend(
        r#""breakdownFilter": {"breakdown": "a", "breakdown_type": "event", "breakdowns": [{"property": "b"}]}"#,
    );
    let Query::Trends(query) = Query::parse(&both).unwrap() else {
        panic!()
    };
    assert_eq!(
        query.breakdown.by,
        BreakdownBy::Properties(vec![BreakdownProperty::event("b")])
    );
}

#[test]
fn all_time_needs_the_earliest_event() {
    assert!(
        Query::parse(&trend(r#""dateRange": {"date_from": "all"}"#))
            .unwrap()
            .needs_earliest()
    );
    assert!(
        !Query::parse(&trend(r#""dateRange": {"date_from": "-7d"}"#))
            .unwrap()
            .needs_earliest()
    );
}

#[test]
fn group_types_in_json_are_numbers() {
    assert_eq!(
        refused(&series(r#""math_group_type_index": "company""#)).path(),
        "series[0].math_group_type_index"
    );
    assert_eq!(
        GroupType::from("company"),
        GroupType::Name("company".to_owned())
    );
}
