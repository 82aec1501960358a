use serde_json::{Value, json};

use super::*;
use crate::Query;
use crate::funnels::{Viz, Wanted};
use crate::testing::{asked, defining, with_fields};

fn context() -> Context {
    let pays = json!({"id": 1, "name": "pays", "steps": [
        {"event": "paid", "properties": [{"key": "plan", "value": "pro"}]}, {"event": "invoiced"}, {"url": "/paid"}]});
    defining("2020-01-15T00:00:00Z", json!({ "actions": [pays] }))
}

/// A correlation of this kind with these fields, for the funnel from signing up to the action.
fn correlation(kind: &str, fields: Value) -> Value {
    let query = json!({"kind": "FunnelCorrelationQuery", "funnelCorrelationType": kind, "source":
        {"kind": "FunnelsActorsQuery", "source": {"kind": "FunnelsQuery", "dateRange": {"date_from": "2020-01-01"},
         "funnelsFilter": {"funnelVizType": "trends"},
         "series": [{"kind": "EventsNode", "event": "signed up"}, {"kind": "ActionsNode", "id": 1}]}}});
    with_fields(query, fields)
}

fn resolve(query: Value) -> Result<Option<FunnelCorrelation>> {
    asked!(FunnelCorrelation, query)?.resolve(&context())
}

fn correlated(kind: &str, fields: Value) -> Result<Correlated> {
    Ok(resolve(correlation(kind, fields))?.unwrap().of)
}

fn actors(kind: &str, fields: Value) -> Result<FunnelCorrelationActors> {
    let query =
        json!({"kind": "FunnelCorrelationActorsQuery", "source": correlation(kind, json!({}))});
    asked!(FunnelCorrelationActors, with_fields(query, fields))?.resolve(&context())
}

fn left_out(filter: &Filter) -> &[String] {
    match filter {
        Filter::Property(condition) if condition.operator == Operator::IsNot => &condition.values,
        other => panic!("{other:?}"),
    }
}

#[test]
fn everybody_who_entered_is_looked_at() {
    let found = resolve(correlation("events", json!({}))).unwrap().unwrap();
    assert_eq!(found.population.wanted, Wanted::Reached(0));
    assert_eq!(found.population.funnels.viz, Viz::Steps);
}

#[test]
fn a_funnel_without_steps_correlates_with_nothing() {
    let mut query = correlation("properties", json!({}));
    query["source"]["source"]["series"] = json!([]);
    assert_eq!(resolve(query.clone()).unwrap(), None);
    query["funnelCorrelationNames"] = json!(["a"]);
    query["source"]["source"]["series"] = json!([{"kind": "EventsNode"}]);
    assert_eq!(resolve(query).unwrap_err().path(), "source.source.series");
}

#[test]
fn the_funnel_s_own_events_and_those_of_its_actions_are_left_out() {
    match correlated(
        "events",
        json!({"funnelCorrelationExcludeEventNames": ["clicked"]}),
    )
    .unwrap()
    {
        Correlated::Events(filter) => {
            assert_eq!(
                left_out(&filter),
                ["invoiced", "paid", "signed up", "clicked"]
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn properties_of_events_are_those_of_the_named_ones() {
    let fields = json!({"funnelCorrelationEventNames": ["watched", "paid"],
        "funnelCorrelationEventExcludePropertyNames": ["source"]});
    assert_eq!(
        correlated("event_with_properties", fields).unwrap(),
        Correlated::EventProperties {
            events: Filter::Event("watched".to_owned()),
            without: vec!["source".to_owned()],
        }
    );
    let error = correlated("event_with_properties", json!({})).unwrap_err();
    assert_eq!(error.path(), "funnelCorrelationEventNames");
}

#[test]
fn properties_of_actors_are_named_or_all() {
    let keys = |names: Value, without: Value| {
        correlated(
            "properties",
            json!({"funnelCorrelationNames": names, "funnelCorrelationExcludeNames": without}),
        )
    };
    assert_eq!(
        keys(json!(["a", "b"]), json!(["b"])).unwrap(),
        Correlated::ActorProperties(PropertyKeys::Named(vec!["a".to_owned()]))
    );
    assert_eq!(
        keys(json!(["$all"]), json!(["b"])).unwrap(),
        Correlated::ActorProperties(PropertyKeys::AllBut(vec!["b".to_owned()]))
    );
    assert_eq!(
        keys(json!([]), json!([])).unwrap_err().path(),
        "funnelCorrelationNames"
    );
}

#[test]
fn actors_of_an_event_did_it_on_the_way_whatever_is_left_out_of_the_list() {
    let event = json!({"kind": "EventsNode", "event": "watched", "properties": [{"key": "a", "value": "b"}]});
    let actors = actors("events", json!({"funnelCorrelationPersonEntity": event})).unwrap();
    let Some(Filter::All(conditions)) = &actors.event else {
        panic!("{actors:?}");
    };
    let [name, property, not_of_steps] = conditions.as_slice() else {
        panic!("{conditions:?}");
    };
    assert_eq!(*name, Filter::Event("watched".to_owned()));
    assert!(matches!(property, Filter::Property(condition) if condition.property.key == "a"));
    assert_eq!(left_out(not_of_steps), ["invoiced", "paid", "signed up"]);
}

#[test]
fn actors_with_a_property_are_those_of_a_narrower_funnel() {
    let fields = json!({"funnelCorrelationPropertyValues": [{"key": "foo", "value": "bar", "type": "person"}]});
    let actors = actors("properties", fields).unwrap();
    assert_eq!(actors.event, None);
    assert!(
        matches!(&actors.population.funnels.filter, Filter::Property(condition) if condition.property.key == "foo")
    );
}

#[test]
fn actors_have_the_outcome_that_is_asked_for() {
    let event = json!({"kind": "EventsNode", "event": "watched"});
    let wants = |converted: Value| {
        let fields = json!({"funnelCorrelationPersonEntity": event, "funnelCorrelationPersonConverted": converted});
        let actors = actors("events", fields).unwrap();
        [0b01, 0b11].map(|steps| actors.wants_run(&[], steps, &[0]))
    };
    assert_eq!(wants(json!(true)), [false, true]);
    assert_eq!(wants(json!(false)), [true, false]);
    assert_eq!(wants(json!(null)), [true, true]);
}

#[test]
fn actors_need_an_event_or_a_property() {
    let path = |kind| actors(kind, json!({})).unwrap_err().path().to_owned();
    assert_eq!(path("events"), "funnelCorrelationPersonEntity");
    assert_eq!(
        path("event_with_properties"),
        "funnelCorrelationPersonEntity"
    );
    assert_eq!(path("properties"), "funnelCorrelationPropertyValues");
}

#[test]
fn sources_are_of_the_right_kind() {
    let query = json!({"kind": "FunnelCorrelationQuery", "funnelCorrelationType": "events", "source": {"kind": "FunnelsQuery"}});
    assert_eq!(Query::from_value(&query).unwrap_err().path(), "source.kind");
    let query =
        json!({"kind": "FunnelCorrelationActorsQuery", "source": {"kind": "FunnelsActorsQuery"}});
    assert_eq!(Query::from_value(&query).unwrap_err().path(), "source.kind");
}
