use serde_json::{Value, json};

use super::*;
use crate::filter::{Operator, PropertyFilter};
use crate::series::Actor;
use crate::testing::{asked, at, with_fields};

/// The question of this kind with these fields about stickiness with those.
fn ask(kind: &str, fields: Value, source: Value) -> Result<StickinessActors> {
    let stickiness = json!({"kind": "StickinessQuery", "series": [
        {"kind": "EventsNode", "event": "a"},
        {"kind": "EventsNode", "event": "b", "math": "unique_group", "math_group_type_index": 2}],
        "dateRange": {"date_from": "2020-01-11", "date_to": "2020-01-13"}});
    let question = json!({"kind": kind, "source": with_fields(stickiness, source)});
    asked!(StickinessActors, with_fields(question, fields))?.resolve(&at("2020-01-25T12:00:00Z"))
}

fn insight(fields: Value, source: Value) -> Result<StickinessActors> {
    ask("InsightActorsQuery", fields, source)
}

#[test]
fn a_figure_is_those_with_exactly_as_many_intervals() {
    assert_eq!(
        insight(json!({"day": 2}), json!({})).unwrap().active,
        Bound::exactly(2)
    );
    assert_eq!(
        insight(json!({"day": "2"}), json!({})).unwrap().active,
        Bound::exactly(2)
    );
}

#[test]
fn without_a_number_it_is_everybody() {
    assert_eq!(
        insight(json!({}), json!({})).unwrap().active,
        Bound::at_least(1)
    );
}

#[test]
fn its_own_query_has_an_operator() {
    let active = |operator: &str| {
        let fields = json!({"day": 2, "operator": operator});
        ask("StickinessActorsQuery", fields, json!({})).map(|actors| actors.active)
    };
    assert_eq!(active("gte").unwrap(), Bound::at_least(2));
    assert_eq!(active("lte").unwrap(), Bound::at_most(2));
    assert_eq!(active("exact").unwrap(), Bound::exactly(2));
    assert_eq!(active("gt").unwrap_err().path(), "operator");
    let elsewhere = insight(json!({"day": 2, "operator": "gte"}), json!({}));
    assert_eq!(elsewhere.unwrap_err().path(), "operator");
}

#[test]
fn cumulative_figures_are_those_of_as_many_or_more() {
    let cumulative = json!({"stickinessFilter": {"computedAs": "cumulative"}});
    let fields = json!({"day": 2, "operator": "lte"});
    let actors = ask("StickinessActorsQuery", fields, cumulative).unwrap();
    assert_eq!(actors.active, Bound::at_least(2));
}

#[test]
fn the_series_decides_who_the_actors_are() {
    let actor = |series: usize| insight(json!({"series": series}), json!({}));
    assert_eq!(actor(0).unwrap().series.actor, Actor::Person);
    assert!(matches!(actor(1).unwrap().series.actor, Actor::Group(index) if index.get() == 2));
    assert_eq!(actor(2).unwrap_err().path(), "series");
}

#[test]
fn a_previous_figure_is_of_the_range_compared_with() {
    let compared = json!({"compareFilter": {"compare": true}});
    let current = insight(json!({}), compared.clone()).unwrap();
    let previous = insight(json!({"compare": "previous"}), compared).unwrap();
    assert!(previous.intervals.to < current.intervals.from);
    let alone = insight(json!({"compare": "previous"}), json!({}));
    assert_eq!(alone.unwrap_err().path(), "compare");
}

#[test]
fn a_breakdown_value_restricts_the_events() {
    let broken_down = json!({"breakdownFilter": {"breakdown": "plan"}});
    let actors = insight(json!({"breakdown": "pro"}), broken_down.clone()).unwrap();
    let Filter::All(conditions) = actors.series.filter else {
        panic!()
    };
    assert!(conditions.contains(&Filter::Property(PropertyFilter {
        property: crate::filter::Property {
            source: crate::filter::PropertySource::Event,
            key: "plan".to_owned()
        },
        operator: Operator::Exact,
        values: vec!["pro".to_owned()],
    })));
    let rest = insight(json!({"breakdown": OTHER_LABEL}), broken_down);
    assert_eq!(rest.unwrap_err().code(), "unsupported");
    let without = insight(json!({"breakdown": "pro"}), json!({}));
    assert_eq!(without.unwrap_err().path(), "breakdown");
}

#[test]
fn errors_of_the_insight_are_those_within_its_source() {
    let wrong = insight(json!({}), json!({"intervalCount": 400}));
    assert_eq!(wrong.unwrap_err().path(), "source.intervalCount");
}
