use serde_json::{Value, json};

use super::*;
use crate::breakdown::BreakdownProperty;
use crate::funnels::{StepNode, Viz, WindowUnit};
use crate::paths::PathsQuery;
use crate::series::EventsNode;
use crate::testing::{asked, at};

/// Length of the funnels' window in microseconds.
const WINDOW: i64 = 7_000_000;

const DAY: i64 = 86_400_000_000;

fn context() -> Context {
    at("2024-02-01T00:00:00Z")
}

/// A funnel of as many steps as there are letters; `o` may be left out.
fn funnel(steps: &str) -> FunnelsQuery {
    let step = |(number, letter): (usize, char)| {
        let step = StepNode::from(EventsNode::new(format!("step {number}")));
        if letter == 'o' { step.optional() } else { step }
    };
    steps
        .chars()
        .enumerate()
        .map(step)
        .fold(FunnelsQuery::new(), FunnelsQuery::series)
        .window(7, WindowUnit::Second)
}

fn around(source: FunnelsQuery, part: FunnelPart, step: i64) -> Result<FunnelPaths> {
    FunnelPathsFilter { part, source, step }.resolve(&context())
}

fn within(steps: &str, part: FunnelPart, step: i64) -> Result<FunnelPaths> {
    around(funnel(steps), part, step)
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
fn a_funnel_is_one_of_persons() {
    let of_groups = around(funnel("xx").by_group(0), FunnelPart::After, 1).unwrap_err();
    assert_eq!(of_groups.code(), "unsupported");
    assert!(
        of_groups
            .to_string()
            .contains("funnelPathsFilter.funnelSource.aggregation_group_type_index")
    );
}

#[test]
fn how_a_funnel_is_shown_says_nothing() {
    let shown = |viz| {
        let source = funnel("xx")
            .viz(viz)
            .breakdown(BreakdownProperty::event("plan"))
            .compare(None);
        around(source, FunnelPart::After, 2).unwrap().funnel
    };
    let plain = within("xx", FunnelPart::After, 2).unwrap().funnel;
    assert_eq!((&plain.viz, &plain.previous), (&Viz::Steps, &None));
    for viz in [
        VizType::Steps,
        VizType::Flow,
        VizType::Trends,
        VizType::TimeToConvert,
    ] {
        assert_eq!(shown(viz), plain);
    }
}

#[test]
fn runs_are_those_that_reached_the_step_or_came_up_to_it() {
    let wants = |step, steps| {
        let paths = within("xxx", FunnelPart::After, step).unwrap();
        paths.wants_run(steps, &[0])
    };
    assert_eq!(
        [0b001, 0b011, 0b111].map(|steps| wants(2, steps)),
        [false, true, true]
    );
    assert_eq!(
        [0b001, 0b011, 0b111].map(|steps| wants(-3, steps)),
        [false, true, false]
    );
}

#[test]
fn where_pending_ones_are_told_apart_they_are_not_lost() {
    let now = context().now.timestamp_micros();
    let lost = |source| {
        let paths = around(source, FunnelPart::Before, -2).unwrap();
        [now - DAY, now].map(|entry| paths.wants_run(0b1, &[entry]))
    };
    assert_eq!(lost(funnel("xx")), [true, true]);
    assert_eq!(lost(funnel("xx").show_pending()), [true, false]);
}

/// The paths around this funnel, as JSON asks for them.
fn parse(filter: &Value) -> Result<PathsQuery> {
    asked!(
        Paths,
        json!({"kind": "PathsQuery", "funnelPathsFilter": filter})
    )
}

/// After the first step of this funnel.
fn after_first(source: Value) -> Value {
    json!({"funnelPathType": "funnel_path_after_step", "funnelStep": 1, "funnelSource": source})
}

fn two_steps() -> Value {
    json!({"kind": "FunnelsQuery", "series": [{"kind": "EventsNode", "event": "step 0"}, {"kind": "EventsNode", "event": "step 1"}],
        "funnelsFilter": {"funnelWindowInterval": 7, "funnelWindowIntervalUnit": "second"}})
}

#[test]
fn the_part_the_funnel_and_the_step_must_be_given() {
    let whole = after_first(two_steps());
    let filter = FunnelPathsFilter {
        part: FunnelPart::After,
        source: funnel("xx"),
        step: 1,
    };
    assert_eq!(parse(&whole).unwrap(), PathsQuery::new().around(filter));
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

#[test]
fn errors_of_the_funnel_are_those_within_the_filter() {
    let refused = |source: Value| {
        let query = parse(&after_first(source));
        let error = query
            .and_then(|query| query.resolve(&context()))
            .unwrap_err();
        error.path().to_owned()
    };
    let wrong_field = |field: &str, value: Value| {
        let mut source = two_steps();
        source[field] = value;
        refused(source)
    };
    let within = |field: &str| format!("funnelPathsFilter.funnelSource.{field}");
    assert_eq!(wrong_field("kind", "TrendsQuery".into()), within("kind"));
    assert_eq!(wrong_field("intervall", "day".into()), within("intervall"));
    assert_eq!(
        wrong_field("samplingFactor", 7.into()),
        within("samplingFactor")
    );
    assert_eq!(wrong_field("series", json!([])), within("series"));
}

#[test]
fn all_time_of_the_funnel_needs_the_earliest_event() {
    let needs = |source: FunnelsQuery| {
        let filter = FunnelPathsFilter {
            part: FunnelPart::After,
            source,
            step: 1,
        };
        PathsQuery::new().around(filter).needs_earliest()
    };
    assert!(needs(funnel("xx").date_range("all", None)));
    assert!(!needs(funnel("xx")));
    assert!(PathsQuery::new().date_range("all", None).needs_earliest());
}
