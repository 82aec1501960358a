use serde_json::{Value, json};

use super::*;
use crate::Query;
use crate::testing::{asked, defining, with_fields};

fn context() -> Context {
    let cohorts = json!([{"id": 7, "name": "ours", "distinct_ids": []}, {"id": 8, "name": "theirs", "distinct_ids": []}]);
    defining("2021-05-20T12:00:00Z", json!({ "cohorts": cohorts }))
}

/// The question with these fields about the funnel from `a` over `b` to `c` with those.
fn ask(fields: Value, source: Value) -> Result<FunnelsActors> {
    let funnel = json!({"kind": "FunnelsQuery", "series": [
        {"kind": "EventsNode", "event": "a"}, {"kind": "EventsNode", "event": "b"}, {"kind": "EventsNode", "event": "c"}],
        "dateRange": {"date_from": "2021-05-01", "date_to": "2021-05-07"}});
    let question = json!({"kind": "FunnelsActorsQuery", "source": with_fields(funnel, source)});
    asked!(FunnelsActors, with_fields(question, fields))?.resolve(&context())
}

fn at_step(step: i64) -> Result<FunnelsActors> {
    ask(json!({"funnelStep": step}), json!({}))
}

/// Which of the runs that did one step, two and three are wanted.
fn wanted(actors: &FunnelsActors) -> [bool; 3] {
    [0b001, 0b011, 0b111].map(|steps| actors.wants_run(&[], steps, &[0]))
}

fn value(shown: Value, breakdown: Value) -> Result<Option<Vec<String>>> {
    let fields = json!({"funnelStep": 1, "funnelStepBreakdown": shown});
    Ok(ask(fields, json!({ "breakdownFilter": breakdown }))?.value)
}

fn texts(value: Result<Option<Vec<String>>>) -> Vec<String> {
    value.unwrap().unwrap()
}

#[test]
fn a_step_is_those_who_did_it() {
    assert_eq!(wanted(&at_step(1).unwrap()), [true, true, true]);
    assert_eq!(wanted(&at_step(2).unwrap()), [false, true, true]);
    assert_eq!(wanted(&at_step(3).unwrap()), [false, false, true]);
}

#[test]
fn a_step_with_a_minus_is_those_who_were_lost_before_it() {
    assert_eq!(wanted(&at_step(-2).unwrap()), [true, false, false]);
    assert_eq!(wanted(&at_step(-3).unwrap()), [false, true, false]);
}

#[test]
fn an_optional_step_is_looked_at_by_itself() {
    let optional = json!({"series": [{"kind": "EventsNode", "event": "a"},
        {"kind": "EventsNode", "event": "b", "optionalInFunnel": true}, {"kind": "EventsNode", "event": "c"}]});
    let wants = |step: i64, steps| {
        let actors = ask(json!({"funnelStep": step}), optional.clone()).unwrap();
        actors.wants_run(&[], steps, &[0])
    };
    assert!(wants(2, 0b011) && !wants(2, 0b101));
    assert!(wants(-2, 0b101) && !wants(-2, 0b011));
    assert!(wants(-3, 0b001) && wants(-3, 0b011) && !wants(-3, 0b101));
}

#[test]
fn there_must_be_such_a_step() {
    for step in [0, -1, 4, -4, i64::MIN, i64::MAX] {
        assert_eq!(at_step(step).unwrap_err().path(), "funnelStep", "{step}");
    }
    assert_eq!(ask(json!({}), json!({})).unwrap_err().path(), "funnelStep");
}

#[test]
fn times_to_convert_ask_for_steps_too_and_leave_values_aside() {
    let fields = json!({"funnelStep": 2, "funnelStepBreakdown": "x"});
    let source = json!({"funnelsFilter": {"funnelVizType": "time_to_convert"}, "breakdownFilter": {"breakdown": "p"}});
    let actors = ask(fields, source).unwrap();
    assert_eq!((actors.wanted, actors.value), (Wanted::Reached(1), None));
}

fn trend(fields: Value) -> Result<FunnelsActors> {
    ask(
        fields,
        json!({"interval": "week", "funnelsFilter": {"funnelVizType": "trends"}}),
    )
}

#[test]
fn trends_ask_for_a_period_and_an_outcome() {
    let actors = trend(
        json!({"funnelTrendsDropOff": false, "funnelTrendsEntrancePeriodStart": "2021-05-02 00:00:00"}),
    );
    let actors = actors.unwrap();
    assert_eq!(
        actors.wanted,
        Wanted::Entered {
            period: Some(1),
            converted: true
        }
    );
    assert!(actors.wants_entrance(&[], 1, true));
    assert!(!actors.wants_entrance(&[], 1, false) && !actors.wants_entrance(&[], 0, true));
    assert!(!actors.wants_run(&[], 0b111, &[0]));
    assert!(!at_step(1).unwrap().wants_entrance(&[], 0, true));
}

#[test]
fn trends_must_be_asked_for_both() {
    let start = json!({"funnelTrendsEntrancePeriodStart": "2021-05-02"});
    assert_eq!(trend(start).unwrap_err().path(), "funnelTrendsDropOff");
    let outcome = json!({"funnelTrendsDropOff": true});
    assert_eq!(
        trend(outcome).unwrap_err().path(),
        "funnelTrendsEntrancePeriodStart"
    );
    let no_date = json!({"funnelTrendsDropOff": true, "funnelTrendsEntrancePeriodStart": "soon"});
    assert_eq!(
        trend(no_date).unwrap_err().path(),
        "funnelTrendsEntrancePeriodStart"
    );
}

#[test]
fn nobody_enters_outside_the_range() {
    for start in ["2020-01-01", "2021-05-09"] {
        let actors =
            trend(json!({"funnelTrendsDropOff": true, "funnelTrendsEntrancePeriodStart": start}))
                .unwrap();
        assert_eq!(
            actors.wanted,
            Wanted::Entered {
                period: None,
                converted: false
            }
        );
        assert!(!actors.wants_entrance(&[], 0, false));
    }
}

#[test]
fn the_earlier_range_needs_a_comparison() {
    let previous = json!({"funnelStep": 1, "compare": "previous"});
    assert_eq!(
        ask(previous.clone(), json!({})).unwrap_err().path(),
        "compare"
    );
    let actors = ask(previous, json!({"compareFilter": {"compare": true}})).unwrap();
    assert_eq!(Some(actors.span()), actors.funnels.previous.as_ref());
    let current = at_step(1).unwrap();
    assert_eq!(current.span(), &current.funnels.current);
}

#[test]
fn a_value_is_a_list_of_one() {
    let by_browser = json!({"breakdown": "$browser"});
    assert_eq!(
        texts(value(json!("Chrome"), by_browser.clone())),
        ["Chrome"]
    );
    assert_eq!(
        texts(value(json!(["Chrome"]), by_browser.clone())),
        ["Chrome"]
    );
    assert_eq!(texts(value(json!(95), by_browser.clone())), ["95"]);
    assert_eq!(texts(value(json!([95.0]), by_browser.clone())), ["95"]);
    assert_eq!(texts(value(json!([1.5]), by_browser.clone())), ["1.5"]);
    assert_eq!(texts(value(json!(true), by_browser.clone())), ["true"]);
    assert_eq!(texts(value(json!([null]), by_browser.clone())), [""]);
    assert_eq!(value(json!(null), by_browser).unwrap(), None);
}

#[test]
fn only_runs_with_the_value_are_wanted() {
    let fields = json!({"funnelStep": 1, "funnelStepBreakdown": ["Chrome", "95"]});
    let actors = ask(
        fields,
        json!({"breakdownFilter": {"breakdown": ["$browser", "$version"]}}),
    )
    .unwrap();
    let run =
        |one: &str, other: &str| actors.wants_run(&[one.to_owned(), other.to_owned()], 1, &[0]);
    assert!(run("Chrome", "95"));
    assert!(!run("Chrome", "96") && !run("Safari", "95"));
}

#[test]
fn a_value_has_as_many_parts_as_the_breakdown() {
    for breakdown in [json!({}), json!({"breakdown": ["a", "b"]})] {
        let error = value(json!("x"), breakdown).unwrap_err();
        assert_eq!(error.path(), "funnelStepBreakdown");
    }
}

#[test]
fn cohorts_are_named_by_number_and_found_by_position() {
    let by = |cohorts: Value| json!({"breakdown": cohorts, "breakdown_type": "cohort"});
    let many = by(json!(["all", 7, 8]));
    assert_eq!(texts(value(json!(8), many.clone())), ["2"]);
    assert_eq!(texts(value(json!("theirs"), many.clone())), ["2"]);
    assert_eq!(texts(value(json!("7"), many.clone())), ["1"]);
    assert_eq!(texts(value(json!("all"), many.clone())), ["0"]);
    assert_eq!(texts(value(json!(0), many.clone())), ["0"]);
    assert!(value(json!(9), many.clone()).is_err());
    assert!(value(json!("Not in ours"), many).is_err());
}

#[test]
fn the_rest_of_a_single_cohort_stands_behind_it() {
    let only = json!({"breakdown": [7], "breakdown_type": "cohort"});
    assert_eq!(texts(value(json!(7), only.clone())), ["0"]);
    assert_eq!(
        texts(value(json!(4_503_599_627_370_496_i64), only.clone())),
        ["1"]
    );
    assert_eq!(texts(value(json!("Not in ours"), only)), ["1"]);
}

#[test]
fn those_still_on_their_way_are_not_lost() {
    let shown = json!({"funnelsFilter": {"funnelShowPending": true, "funnelWindowInterval": 1}});
    let lost = ask(json!({"funnelStep": -2}), shown.clone()).unwrap();
    let pending = ask(
        json!({"funnelStep": -2, "funnelPending": true}),
        shown.clone(),
    )
    .unwrap();
    let (early, late) = (
        lost.funnels.current.period.from,
        lost.funnels.current.period.to,
    );
    let wants = |actors: &FunnelsActors, entry| actors.wants_run(&[], 0b001, &[entry]);
    assert!(wants(&lost, early) && !wants(&lost, late));
    assert!(!wants(&pending, early) && wants(&pending, late));
    assert!(wants(&at_step(-2).unwrap(), late));
    for (fields, source) in [
        (json!({"funnelStep": 2, "funnelPending": true}), shown),
        (json!({"funnelStep": -2, "funnelPending": true}), json!({})),
    ] {
        assert_eq!(ask(fields, source).unwrap_err().path(), "funnelPending");
    }
}

#[test]
fn a_list_ends_after_a_hundred_unless_told() {
    assert_eq!(at_step(1).unwrap().page.limit, Some(100));
    let source =
        json!({"kind": "FunnelsQuery", "series": [{"kind": "EventsNode"}, {"kind": "EventsNode"}]});
    let wrapped = |fields: Value| {
        let query = json!({"kind": "ActorsQuery", "select": ["actor"],
            "source": {"kind": "FunnelsActorsQuery", "funnelStep": 1, "source": source.clone()}});
        asked!(FunnelsActors, with_fields(query, fields))
            .unwrap()
            .page
    };
    assert_eq!(wrapped(json!({"offset": 100})).limit, Some(100));
    assert_eq!(wrapped(json!({"offset": 100})).offset, 100);
    assert_eq!(wrapped(json!({"limit": 5})).limit, Some(5));
}

#[test]
fn the_source_is_a_funnel() {
    let query = json!({"kind": "FunnelsActorsQuery", "source": {"kind": "TrendsQuery"}});
    assert_eq!(Query::from_value(&query).unwrap_err().path(), "source.kind");
    let error = ask(json!({"funnelStep": 1}), json!({"series": []})).unwrap_err();
    assert_eq!(error.path(), "source.series");
}
