use serde_json::{Value, json};

use super::*;
use crate::filter::{Filter, Operator, PropertyFilter};
use crate::testing::{asked, defining, local, with_fields};
use crate::trends::{NULL_LABEL, OTHER_LABEL};

fn context() -> Context {
    let cohorts = json!([{"id": 1, "name": "c", "distinct_ids": ["p1"]}]);
    defining("2023-05-06T20:00:00Z", json!({ "cohorts": cohorts }))
}

/// The question with these fields about a trend with those.
fn ask(fields: Value, source: Value) -> Result<TrendsActors> {
    let trend = json!({
        "kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "a"}], "dateRange": {"date_from": "-7d"}});
    let question = json!({"kind": "InsightActorsQuery", "source": with_fields(trend, source)});
    asked!(TrendsActors, with_fields(question, fields))?.resolve(&context())
}

fn range(fields: Value, source: Value) -> (String, String) {
    let actors = ask(fields, source).unwrap();
    let text = |micros| local(micros, chrono_tz::UTC, "%Y-%m-%d %H:%M:%S");
    (text(actors.from), text(actors.to))
}

fn refused(fields: Value, source: Value) -> String {
    ask(fields, source).unwrap_err().to_string()
}

fn pair(from: &str, to: &str) -> (String, String) {
    (from.to_owned(), to.to_owned())
}

#[test]
fn a_figure_is_one_interval_from_its_day() {
    assert_eq!(
        range(json!({"day": "2023-05-01"}), json!({})),
        pair("2023-05-01 00:00:00", "2023-05-01 23:59:59")
    );
    assert_eq!(
        range(
            json!({"day": "2023-04-29T17:00:00Z"}),
            json!({"interval": "hour"})
        ),
        pair("2023-04-29 17:00:00", "2023-04-29 17:59:59")
    );
    assert_eq!(
        range(json!({"day": "2023-04-26"}), json!({"interval": "week"})),
        pair("2023-04-26 00:00:00", "2023-05-02 23:59:59")
    );
    assert_eq!(
        range(json!({"day": "2023-04-01"}), json!({"interval": "month"})),
        pair("2023-04-01 00:00:00", "2023-04-30 23:59:59")
    );
}

#[test]
fn active_actors_include_the_days_of_their_window() {
    let weekly = json!({"series": [{"kind": "EventsNode", "event": "a", "math": "weekly_active"}]});
    assert_eq!(
        range(json!({"day": "2023-05-01"}), weekly),
        pair("2023-04-25 00:00:00", "2023-05-01 23:59:59")
    );
}

#[test]
fn one_number_displays_have_no_day_and_series_over_time_need_one() {
    let pie = json!({"trendsFilter": {"display": "ActionsPie"}});
    assert_eq!(
        range(json!({}), pie.clone()),
        pair("2023-04-29 00:00:00", "2023-05-06 23:59:59")
    );
    assert!(refused(json!({"day": "2023-05-01"}), pie).starts_with("day: must be left out"));
    assert!(refused(json!({}), json!({})).starts_with("day: is missing"));
    assert!(refused(json!({"day": "soon"}), json!({})).starts_with("day: 'soon' is not a date"));
}

#[test]
fn the_previous_figure_is_as_much_earlier_as_the_range_goes_back() {
    let compared = |more: Value| {
        let mut source = json!({"compareFilter": {"compare": true}});
        source
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        range(json!({"day": "2023-05-06", "compare": "previous"}), source).0
    };
    assert_eq!(compared(json!({})), "2023-04-29 00:00:00");
    assert_eq!(
        compared(json!({"compareFilter": {"compare": true, "compare_to": "-1m"}})),
        "2023-04-06 00:00:00"
    );
    assert_eq!(
        compared(json!({"dateRange": {"date_from": "2023-05-05", "date_to": "2023-05-06"}})),
        "2023-05-04 00:00:00"
    );
    assert_eq!(
        compared(json!({"dateRange": {"date_from": "dStart"}})),
        "2023-05-05 00:00:00"
    );
    assert!(
        refused(
            json!({"day": "2023-05-06", "compare": "previous"}),
            json!({})
        )
        .starts_with("compare: is previous")
    );
}

#[test]
fn explicit_ranges_cut_their_buckets() {
    let explicit = json!({"dateRange": {"date_from": "2023-05-01 10:00", "date_to": "2023-05-02 11:00", "explicitDate": true}});
    assert_eq!(
        range(json!({"day": "2023-05-01"}), explicit),
        pair("2023-05-01 10:00:00", "2023-05-01 23:59:59")
    );
}

#[test]
fn a_breakdown_value_is_a_filter() {
    let single = || json!({"breakdownFilter": {"breakdown": "b", "breakdown_type": "event"}});
    let filter = |value: Value| {
        ask(json!({"day": "2023-05-01", "breakdown": value}), single())
            .unwrap()
            .series
            .filter
    };
    let condition = |operator, values: &[&str]| {
        Filter::Property(PropertyFilter {
            property: Property {
                source: crate::filter::PropertySource::Event,
                key: "b".to_owned(),
            },
            operator,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        })
    };
    assert_eq!(
        filter(json!("Safari")),
        condition(Operator::Exact, &["Safari"])
    );
    assert_eq!(filter(json!(10)), condition(Operator::Exact, &["10"]));
    assert_eq!(
        filter(json!(NULL_LABEL)),
        Filter::Any(vec![
            condition(Operator::IsNotSet, &[]),
            condition(Operator::Exact, &[""])
        ])
    );
    assert_eq!(filter(json!(OTHER_LABEL)), Filter::always());
    assert!(
        refused(
            json!({"day": "2023-05-01", "breakdown": ["a", "b"]}),
            single()
        )
        .starts_with("breakdown: has 2 values")
    );
    assert!(
        refused(json!({"day": "2023-05-01", "breakdown": "a"}), json!({}))
            .starts_with("breakdown: the query has no breakdown")
    );
}

#[test]
fn a_bin_is_two_numbers() {
    let binned =
        || json!({"breakdownFilter": {"breakdown": "b", "breakdown_histogram_bin_count": 4}});
    let bins = |bin: &str| {
        ask(json!({"day": "2023-05-01", "breakdown": bin}), binned())
            .unwrap()
            .bins
    };
    assert_eq!(
        bins("[0,20.01]")
            .iter()
            .map(|(_, low, high)| (*low, *high))
            .collect::<Vec<_>>(),
        [(0.0, 20.01)]
    );
    assert!(bins(r#"["",""]"#).is_empty());
    for wrong in [r#"["str","str"]"#, "5", "[1]", "[1,2,3]", "x"] {
        let error = refused(json!({"day": "2023-05-01", "breakdown": wrong}), binned());
        assert!(error.contains("valid float or int values"), "{error}");
    }
}

#[test]
fn a_stripped_url_is_compared_after_stripping() {
    let urls = json!({"breakdownFilter": {"breakdown": "u", "breakdown_normalize_url": true}});
    let actors = ask(
        json!({"day": "2023-05-01", "breakdown": "https://a.b"}),
        urls,
    )
    .unwrap();
    assert_eq!(actors.urls[0].1, "https://a.b");
    assert_eq!(actors.series.filter, Filter::always());
}

#[test]
fn a_cohort_is_a_filter_and_all_is_none() {
    let cohorts =
        || json!({"breakdownFilter": {"breakdown": [1, "all"], "breakdown_type": "cohort"}});
    let filter = |value: Value| {
        ask(json!({"day": "2023-05-01", "breakdown": value}), cohorts())
            .unwrap()
            .series
            .filter
    };
    assert!(matches!(
        filter(json!(1)),
        Filter::Cohort { negated: false, .. }
    ));
    assert_eq!(filter(json!("all")), Filter::always());
    assert!(
        refused(json!({"day": "2023-05-01", "breakdown": "x"}), cohorts())
            .starts_with("breakdown: ")
    );
}

#[test]
fn a_breakdown_value_never_makes_a_later_event_the_first() {
    let first = json!({
        "series": [{"kind": "EventsNode", "event": "a", "math": "first_matching_event_for_user", "properties": [{"key": "x", "value": 1}]}],
        "breakdownFilter": {"breakdown": "b"},
    });
    let series = ask(json!({"day": "2023-05-01", "breakdown": "v"}), first)
        .unwrap()
        .series;
    assert!(matches!(
        series.measure,
        Measure::FirstTime {
            matching: false,
            ..
        }
    ));
    assert!(matches!(series.matching, Filter::All(conditions) if conditions.len() == 2));
}

#[test]
fn errors_in_the_trend_are_placed_within_its_source() {
    assert!(
        refused(
            json!({"day": "2023-05-01"}),
            json!({"dateRange": {"date_from": "2023-02-30"}})
        )
        .starts_with("source.dateRange.date_from: ")
    );
    assert!(
        refused(json!({"day": "2023-05-01", "series": 3}), json!({}))
            .starts_with("series: there is no series 3")
    );
    assert!(
        refused(json!({"day": "2023-05-01"}), json!({"interval": "x"}))
            .starts_with("source.interval: ")
    );
}
