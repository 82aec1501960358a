#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use serde_json::json;

use super::*;
use crate::filter::Filter;
use crate::funnels::{Attribution, Order, Span, Step, StepEcho, Viz};
use crate::{GroupIndex, Period, Query};

const WINDOW: i64 = 7;

/// A funnel of as many steps as there are letters; `o` may be left out.
fn funnel(steps: &str) -> Funnels {
    let step = |letter: char| Step {
        conditions: Vec::new(),
        optional: letter == 'o',
        echo: StepEcho {
            action_id: Value::Null,
            name: None,
            custom_name: None,
            kind: "events",
        },
    };
    let span = Span {
        period: Period {
            from: 0,
            to: 1,
            edges: vec![0, 2],
            days: Vec::new(),
            labels: Vec::new(),
            range: (String::new(), String::new()),
            sliding: None,
        },
        stretches: None,
    };
    Funnels {
        steps: steps.chars().map(step).collect(),
        exclusions: Vec::new(),
        filter: Filter::always(),
        actor: Actor::Person,
        order: Order::Ordered,
        window: WINDOW,
        simultaneity: 0,
        viz: Viz::Steps,
        previous: Some(span.clone()),
        current: span,
        breakdown: None,
        attribution: Attribution::FirstTouch,
        sampling: None,
        completes_after_range: false,
        pending: false,
        now: 0,
    }
}

fn within(steps: &str, part: FunnelPart, step: i64) -> Result<FunnelPaths> {
    let filter = FunnelPathsFilter {
        part,
        source: Value::Null,
        step,
    };
    filter.within(funnel(steps))
}

/// Who is meant, and which of their events: step reached, step missed, bounds.
type Meaning = (
    usize,
    Option<usize>,
    Option<(usize, i64)>,
    Option<(usize, i64)>,
);

fn meaning(steps: &str, part: FunnelPart, step: i64) -> Meaning {
    let paths = within(steps, part, step).unwrap();
    let moment = |moment: Option<Moment>| moment.map(|at| (at.step, at.later));
    (
        paths.reached,
        paths.missed,
        moment(paths.from),
        moment(paths.to),
    )
}

#[test]
fn the_part_bounds_the_events_by_the_times_of_steps() {
    let meaning = |part| meaning("xxx", part, 2);
    assert_eq!(meaning(FunnelPart::After), (1, None, Some((1, 0)), None));
    assert_eq!(meaning(FunnelPart::Before), (1, None, None, Some((1, 0))));
    assert_eq!(
        meaning(FunnelPart::Between),
        (1, None, Some((0, 0)), Some((1, 0)))
    );
}

#[test]
fn those_who_did_not_reach_a_step_count_from_the_end_of_the_window() {
    let meaning = |part| meaning("xxx", part, -3);
    assert_eq!(
        meaning(FunnelPart::After),
        (1, Some(2), Some((1, WINDOW)), None)
    );
    assert_eq!(
        meaning(FunnelPart::Before),
        (1, Some(2), None, Some((1, 0)))
    );
    assert_eq!(
        meaning(FunnelPart::Between),
        (1, Some(2), Some((0, 0)), Some((1, 0)))
    );
}

#[test]
fn steps_that_may_be_left_out_have_no_time() {
    assert_eq!(
        meaning("xoxx", FunnelPart::Between, 3),
        (2, None, Some((0, 0)), Some((1, 0)))
    );
    assert_eq!(
        meaning("xoxx", FunnelPart::Before, -3),
        (0, Some(2), None, Some((0, 0)))
    );
    assert_eq!(
        meaning("xoxx", FunnelPart::Before, -2),
        (0, Some(1), None, Some((0, 0)))
    );
    let error = within("xoxx", FunnelPart::After, 2).unwrap_err();
    assert_eq!(error.code(), "unsupported");
}

#[test]
fn steps_that_are_not_there_are_refused() {
    for step in [0, -1, 4, -4, i64::MIN, i64::MAX] {
        let error = within("xxx", FunnelPart::After, step).unwrap_err();
        assert_eq!(error.path(), "funnelPathsFilter.funnelStep", "{step}");
    }
    for step in [1, -2] {
        let error = within("xxx", FunnelPart::Between, step).unwrap_err();
        assert_eq!(error.path(), "funnelPathsFilter.funnelStep", "{step}");
    }
}

#[test]
fn a_funnel_is_one_of_persons_in_one_range() {
    let of_groups = Funnels {
        actor: Actor::Group(GroupIndex::new(0).unwrap()),
        ..funnel("xx")
    };
    let filter = FunnelPathsFilter {
        part: FunnelPart::After,
        source: Value::Null,
        step: 1,
    };
    assert_eq!(filter.within(of_groups).unwrap_err().code(), "unsupported");
    assert_eq!(filter.within(funnel("xx")).unwrap().funnel.previous, None);
}

#[test]
fn the_part_the_funnel_and_the_step_must_be_given() {
    let whole = json!({"funnelPathType": "funnel_path_after_step", "funnelStep": 1,
        "funnelSource": {"kind": "FunnelsQuery"}});
    let parse = |filter: &Value| {
        Query::from_value(&json!({"kind": "PathsQuery", "funnelPathsFilter": filter}))
    };
    let Ok(Query::Paths(query)) = parse(&whole) else {
        panic!()
    };
    let filter = FunnelPathsFilter {
        part: FunnelPart::After,
        source: json!({"kind": "FunnelsQuery"}),
        step: 1,
    };
    assert_eq!(query.funnel, Some(filter));
    for field in ["funnelPathType", "funnelStep", "funnelSource"] {
        let mut without = whole.clone();
        without[field] = Value::Null;
        let error = parse(&without).unwrap_err();
        assert_eq!(error.path(), format!("funnelPathsFilter.{field}"));
    }
    let mut unknown = whole.clone();
    unknown["funnelPathType"] = "funnel_path".into();
    assert_eq!(
        parse(&unknown).unwrap_err().path(),
        "funnelPathsFilter.funnelPathType"
    );
}
