use serde_json::json;

use super::*;
use crate::GroupIndex;
use crate::filter::Filter;
use crate::testing::{asked, in_project};
use crate::trends::{ActionsNode, Breakdown, BreakdownProperty, EventsNode};

fn context() -> Context {
    in_project("2020-01-04T13:01:01Z")
}

fn group(index: u8) -> Actor {
    Actor::Group(GroupIndex::new(index).unwrap())
}

fn measure(node: SeriesNode, interval: Interval) -> Measure {
    let trends = TrendsQuery::new()
        .series(node)
        .interval(interval)
        .resolve(&context())
        .unwrap();
    trends.series[0].measure.clone()
}

fn refused(query: TrendsQuery) -> String {
    query.resolve(&context()).unwrap_err().to_string()
}

fn breakdown(filter: serde_json::Value) -> Breakdown {
    let query = json!({"kind": "TrendsQuery", "series": [], "breakdownFilter": filter});
    let query = asked!(Trends, query).unwrap();
    query.resolve(&context()).unwrap().breakdown.unwrap()
}

#[test]
fn maths_say_what_is_counted_and_whom() {
    let by = |math| EventsNode::new("a").math(math);
    assert_eq!(measure(by(Math::Total), Interval::Day), Measure::Total);
    assert_eq!(
        measure(by(Math::Dau), Interval::Day),
        Measure::Unique(Actor::Person)
    );
    assert_eq!(
        measure(by(Math::Dau).group("project"), Interval::Day),
        Measure::Unique(group(1))
    );
    assert_eq!(
        measure(by(Math::UniqueGroup).group(4), Interval::Day),
        Measure::Unique(group(4))
    );
    assert_eq!(
        measure(by(Math::Total).group(1), Interval::Day),
        Measure::Total
    );
    assert_eq!(
        measure(by(Math::FirstMatchingEventForGroup).group(0), Interval::Day),
        Measure::FirstTime {
            actor: group(0),
            matching: true
        }
    );
    assert_eq!(
        measure(by(Math::AvgCountPerActor), Interval::Day),
        Measure::CountPerActor {
            aggregate: Aggregate::Average,
            actor: Actor::Person
        }
    );
}

#[test]
fn active_actors_of_long_buckets_are_distinct_actors() {
    let weekly = || EventsNode::new("a").math(Math::WeeklyActive).group(0);
    let monthly = || EventsNode::new("a").math(Math::MonthlyActive);
    assert_eq!(
        measure(weekly(), Interval::Day),
        Measure::Active {
            actor: group(0),
            days: 7
        }
    );
    assert_eq!(measure(weekly(), Interval::Week), Measure::Unique(group(0)));
    assert_eq!(
        measure(weekly(), Interval::Month),
        Measure::Unique(group(0))
    );
    assert_eq!(
        measure(monthly(), Interval::Week),
        Measure::Active {
            actor: Actor::Person,
            days: 30
        }
    );
    assert_eq!(
        measure(monthly(), Interval::Month),
        Measure::Unique(Actor::Person)
    );
}

#[test]
fn property_maths_without_property_count_events() {
    assert_eq!(
        measure(EventsNode::new("a").math(Math::Sum), Interval::Day),
        Measure::Total
    );
    assert_eq!(
        measure(
            EventsNode::new("a")
                .math(Math::Avg)
                .property("$session_duration"),
            Interval::Day
        ),
        Measure::SessionDuration(Aggregate::Average)
    );
}

#[test]
fn counting_groups_needs_their_type() {
    let query = |node: SeriesNode| TrendsQuery::new().series(EventsNode::new("b")).series(node);
    let unique = || EventsNode::new("a").math(Math::UniqueGroup);
    assert_eq!(
        refused(query(unique())),
        "series[1].math_group_type_index: the math unique_group needs the index of a group type, 0 to 4"
    );
    assert!(
        refused(query(unique().group(5)))
            .starts_with("series[1].math_group_type_index: there is no group type 5")
    );
    assert!(refused(query(unique().group("team"))).contains("known are company, project"));
}

#[test]
fn filters_of_series_query_and_test_accounts_all_hold() {
    use crate::filter::{Operator, PropertyNode};
    let trends = TrendsQuery::new()
        .series(EventsNode::new("a").filter(PropertyNode::event("x", Operator::Exact, "1")))
        .filter(PropertyNode::event("y", Operator::Exact, "2"))
        .without_test_accounts()
        .resolve(&context())
        .unwrap();
    match &trends.series[0].filter {
        Filter::All(conditions) => assert_eq!(conditions.len(), 3),
        other => panic!("{other:?}"),
    }
    assert_eq!(trends.series[0].matching, Filter::Event("a".to_owned()));
}

#[test]
fn actions_are_lowered_and_unknown_ones_match_nothing() {
    let trends = TrendsQuery::new()
        .series(ActionsNode::new(1))
        .series(ActionsNode::new(2))
        .series(EventsNode::all())
        .resolve(&context())
        .unwrap();
    let [known, unknown, all] = trends.series.as_slice() else {
        panic!()
    };
    assert_eq!(
        (&known.matching, known.echo.label.as_str()),
        (&Filter::Event("sign up".to_owned()), "signs up")
    );
    assert_eq!(
        (&unknown.matching, unknown.unknown_action),
        (&Filter::never(), true)
    );
    assert_eq!(
        (&all.matching, all.echo.label.as_str()),
        (&Filter::always(), "All events")
    );
}

#[test]
fn breakdowns_have_their_limits() {
    let limit = |filter| match breakdown(filter) {
        Breakdown::Properties { limit, list, .. } => (limit, list),
        other => panic!("{other:?}"),
    };
    assert_eq!(limit(json!({"breakdown": "a"})), (25, false));
    assert_eq!(
        limit(json!({"breakdowns": [{"property": "a"}], "breakdown_limit": 3})),
        (3, true)
    );
    let map = TrendsQuery::new()
        .display(Display::WorldMap)
        .breakdown(BreakdownProperty::event("country"))
        .breakdown_limit(3)
        .resolve(&context())
        .unwrap();
    assert!(matches!(
        map.breakdown,
        Some(Breakdown::Properties { limit: 250, .. })
    ));
}

#[test]
fn cohort_breakdowns_keep_their_order_and_all_is_everybody() {
    for all in [json!("all"), json!(0)] {
        let Breakdown::Cohorts(cohorts) =
            breakdown(json!({"breakdown": [1, all], "breakdown_type": "cohort"}))
        else {
            panic!()
        };
        assert_eq!(
            cohorts
                .iter()
                .map(|cohort| cohort.as_ref().map(|cohort| cohort.id))
                .collect::<Vec<_>>(),
            [Some(1), None]
        );
    }
}

#[test]
fn more_than_three_breakdowns_are_refused_from_rust_too() {
    let query = ["a", "b", "c", "d"]
        .into_iter()
        .fold(TrendsQuery::new(), |query, key| {
            query.breakdown(BreakdownProperty::event(key))
        });
    assert_eq!(
        refused(query),
        "breakdownFilter.breakdowns: there can be at most 3 breakdowns, not 4"
    );
}

#[test]
fn one_number_displays_have_a_single_bucket_by_day() {
    let query = TrendsQuery::new()
        .interval(Interval::Hour)
        .date_range("-7d", None);
    let pie = query
        .clone()
        .display(Display::ActionsPie)
        .resolve(&context())
        .unwrap();
    assert_eq!((pie.current.buckets(), pie.current.days.len()), (1, 0));
    assert_eq!(pie.current.range.1, "2020-01-04T23:59:59+00:00");
    let bold = query
        .display(Display::BoldNumber)
        .compare(None)
        .resolve(&context())
        .unwrap();
    assert_eq!(
        bold.current.range,
        (
            "2019-12-28T13:01:01+00:00".to_owned(),
            "2020-01-04T13:01:01+00:00".to_owned()
        )
    );
    assert_eq!(bold.previous.unwrap().range.0, "2019-12-21T13:01:01+00:00");
}

#[test]
fn sampling_everything_is_no_sampling() {
    let sampled = |factor| {
        let mut query = TrendsQuery::new();
        query.sampling_factor = Some(factor);
        query.resolve(&context())
    };
    assert_eq!(sampled(1.0).unwrap().sampling, None);
    assert_eq!(sampled(0.1).unwrap().sampling, Some(0.1));
    for wrong in [0.0, -1.0, 1.1, f64::NAN] {
        assert_eq!(sampled(wrong).unwrap_err().path(), "samplingFactor");
    }
}

#[test]
fn formulas_are_checked_against_the_series() {
    let query = TrendsQuery::new()
        .series(EventsNode::new("a"))
        .formula("A + B");
    assert!(
        refused(query)
            .starts_with("trendsFilter.formula: in the formula 'A + B' 'B' is not a series")
    );
}
