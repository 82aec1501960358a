use super::{Attribution, Funnel, entrances, funnel, periods, runs, strict};

/// The runs of an ordered funnel of three steps as `value: steps`.
fn by_value(attribution: Attribution, text: &str) -> Vec<String> {
    let attributed = Funnel {
        attribution,
        ..funnel(3)
    };
    let runs = runs(&attributed, text);
    runs.iter()
        .map(|(value, steps, _)| format!("{value}: {steps}"))
        .collect()
}

#[test]
fn without_a_breakdown_there_is_one_run() {
    assert_eq!(by_value(Attribution::None, "0a 1b"), ["0: ab"]);
}

#[test]
fn a_touch_is_the_value_of_the_first_or_last_event_that_has_one() {
    let text = "0a 1b@2 2c@1 3c";
    assert_eq!(by_value(Attribution::FirstTouch, text), ["2: abc"]);
    assert_eq!(by_value(Attribution::LastTouch, text), ["1: abc"]);
}

#[test]
fn without_any_value_a_touch_is_empty() {
    assert_eq!(by_value(Attribution::FirstTouch, "0a 1b"), ["0: ab"]);
    assert_eq!(by_value(Attribution::LastTouch, "0a 1b"), ["0: ab"]);
    assert!(by_value(Attribution::LastTouch, "").is_empty());
}

#[test]
fn every_value_is_judged_by_its_own_events() {
    let text = "0a@1 1a@2 2b@1 3b 4c@1";
    assert_eq!(by_value(Attribution::AllEvents, text), ["1: abc", "2: a"]);
}

#[test]
fn every_value_but_the_empty_one_is_judged_by_all_events() {
    let text = "0a@2 1b 2c@1";
    assert_eq!(by_value(Attribution::AnyEvent, text), ["1: abc", "2: abc"]);
    assert!(by_value(Attribution::AnyEvent, "0a 1b").is_empty());
}

#[test]
fn a_step_is_taken_by_events_of_the_value_only() {
    let text = "0a@3 1b@1 2b@2 3c";
    assert_eq!(by_value(Attribution::Step(0), text), ["3: abc"]);
    assert_eq!(by_value(Attribution::Step(1), text), ["1: abc", "2: abc"]);
    assert_eq!(by_value(Attribution::Step(2), text), ["0: abc"]);
    assert_eq!(
        by_value(Attribution::Step(1), "0a@1 1b@2 20b@1"),
        ["1: a", "2: ab"]
    );
    assert!(by_value(Attribution::Step(1), "0a@1 1c@1").is_empty());
}

#[test]
fn events_of_other_values_still_interrupt_a_strict_run_or_do_not() {
    let attributed = |attribution| Funnel {
        attribution,
        ..strict(2)
    };
    let all = runs(&attributed(Attribution::AllEvents), "0a@1 1.@2 2b@1");
    assert_eq!(all, [(1, "ab".to_owned(), vec![0, 2])]);
    let first = runs(&attributed(Attribution::FirstTouch), "0a@1 1.@2 2b@1");
    assert_eq!(first, [(1, "a".to_owned(), vec![0])]);
}

#[test]
fn trends_have_outcomes_by_value_too() {
    let attributed = Funnel {
        attribution: Attribution::AllEvents,
        ..funnel(2)
    };
    let text = "0a@1 1b@1 2a@2";
    assert_eq!(entrances(&attributed, &periods(0, 1), text), "0+@1 0@2");
}
