use super::{Attribution, Funnel, entrances, periods, run, runs, unordered};

#[test]
fn steps_are_done_in_any_order() {
    assert_eq!(run(&unordered(3), "0c 1a 2b"), "abc 0 1 2");
    assert_eq!(run(&unordered(3), "3c"), "a 3");
    assert_eq!(run(&unordered(3), "0. 3z"), "");
}

#[test]
fn the_window_begins_at_the_oldest_of_them_and_includes_its_end() {
    assert_eq!(run(&unordered(2), "0b 10a"), "ab 0 10");
    assert_eq!(run(&unordered(2), "0b 11a"), "a 0");
    assert_eq!(run(&unordered(3), "0a 5b 11c 12a"), "abc 5 11 12");
}

#[test]
fn the_first_completion_is_the_outcome() {
    assert_eq!(run(&unordered(2), "0a 5b 20a 21b"), "ab 0 5");
    assert_eq!(run(&unordered(3), "0a 1b 20c 21b"), "ab 0 1");
}

#[test]
fn an_event_takes_the_step_that_waits_for_it_longest() {
    assert_eq!(run(&unordered(2), "0ab 1ab"), "ab 0 1");
    assert_eq!(run(&unordered(3), "0a 1ab 2ac"), "abc 0 1 2");
}

#[test]
fn an_exclusion_takes_all_progress_with_it() {
    assert_eq!(run(&unordered(3), "0a 1b 2B"), "");
    assert_eq!(run(&unordered(3), "0a 1b 2B 3c"), "a 3");
    assert_eq!(run(&unordered(2), "0a 1b 2B"), "ab 0 1");
    assert_eq!(run(&unordered(3), "0a 1b 20B"), "ab 0 1");
}

#[test]
fn entries_after_the_last_instant_begin_nothing() {
    let until = Funnel {
        entry_until: Some(5),
        ..unordered(2)
    };
    assert_eq!(run(&until, "5a 8b"), "ab 5 8");
    assert_eq!(run(&until, "6a 8b"), "");
    // Once the first event has left, those that are left began too late.
    assert_eq!(run(&until, "0a 6a 16b"), "a 0");
    assert_eq!(entrances(&until, &periods(0, 1), "5a 12b 14a"), "0+");
}

#[test]
fn a_run_begins_with_an_event_of_its_value() {
    let step = Funnel {
        attribution: Attribution::Step(0),
        ..unordered(2)
    };
    let expected = [
        (1, "ab".to_owned(), vec![0, 1]),
        (2, "a".to_owned(), vec![1]),
    ];
    assert_eq!(runs(&step, "0a@1 1b@2"), expected);
}

#[test]
fn a_completed_run_uses_up_its_oldest_event_only() {
    let long = Funnel {
        window: 1000,
        ..unordered(3)
    };
    assert_eq!(
        entrances(
            &long,
            &periods(0, 2),
            "0a 10a 20a 30a 40a 50a 60a 70a 80b 81c"
        ),
        "0+ 1+ 2+ 3+ 4+ 5+ 6+ 7+ 8"
    );
}

#[test]
fn a_period_reaches_what_the_furthest_of_its_events_reached() {
    assert_eq!(
        entrances(&unordered(3), &periods(0, 2), "0a 20a 21b"),
        "0 2"
    );
    assert_eq!(
        entrances(&unordered(3), &periods(0, 1), "0a 20a 21b"),
        "0 2+"
    );
    assert_eq!(entrances(&unordered(3), &periods(1, 2), "0a 20a 21b"), "2");
}

#[test]
fn an_exclusion_voids_what_has_not_left_yet() {
    let window = Funnel {
        window: 6,
        ..unordered(3)
    };
    assert_eq!(entrances(&window, &periods(0, 1), "0a 1b 2B 3c"), "0");
    assert_eq!(entrances(&window, &periods(0, 1), "0a 1b 2c"), "0+");
    assert_eq!(entrances(&window, &periods(0, 1), "0a 1b 2B"), "");
    assert_eq!(entrances(&window, &periods(0, 1), "0a 1b 8B"), "0+");
}

#[test]
fn entrances_outside_the_periods_do_not_count() {
    assert_eq!(entrances(&unordered(2), &periods(0, 1), "-5a 1b"), "0");
    assert_eq!(entrances(&unordered(2), &periods(0, 1), "99a 100b"), "9+");
    assert_eq!(entrances(&unordered(2), &periods(0, 1), "100a 101b"), "");
}
