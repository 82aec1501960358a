use super::{Funnel, funnel, run, strict};

#[test]
fn steps_are_done_in_order_with_anything_between_them() {
    assert_eq!(run(&funnel(3), "0a 1c 2b 3. 4c"), "abc 0 2 4");
    assert_eq!(run(&funnel(3), "0b 1a 2c"), "a 1");
    assert_eq!(run(&funnel(2), "0b"), "");
    assert_eq!(run(&funnel(2), ""), "");
}

#[test]
fn the_window_runs_from_the_entry_and_includes_its_end() {
    assert_eq!(run(&funnel(3), "0a 5b 10c"), "abc 0 5 10");
    assert_eq!(run(&funnel(3), "0a 5b 11c"), "ab 0 5");
}

#[test]
fn the_latest_entry_before_the_second_step_is_the_one_that_converts() {
    assert_eq!(run(&funnel(2), "0a 3a 4b"), "ab 3 4");
    assert_eq!(run(&funnel(3), "0a 1b 2a 3c"), "abc 0 1 3");
}

#[test]
fn of_equally_far_tries_the_first_is_the_outcome() {
    assert_eq!(run(&funnel(3), "0a 1b 20a 22b"), "ab 0 1");
}

#[test]
fn a_later_try_may_do_what_an_earlier_one_did_too_late() {
    assert_eq!(run(&funnel(2), "0a 20b 30a 31b"), "ab 30 31");
}

#[test]
fn nothing_after_the_conversion_matters() {
    assert_eq!(run(&funnel(2), "0a 1b 2a 3b 4B 5a 6B"), "ab 0 1");
}

#[test]
fn an_event_takes_one_step_of_a_try() {
    assert_eq!(run(&funnel(2), "0ab"), "a 0");
    assert_eq!(run(&funnel(2), "0ab 1ab"), "ab 0 1");
    assert_eq!(run(&funnel(3), "0ab 1b 2bc"), "abc 0 1 2");
}

#[test]
fn an_exclusion_between_its_steps_removes_the_actor() {
    assert_eq!(run(&funnel(2), "0a 1B 2b"), "");
    assert_eq!(run(&funnel(2), "0a 1B"), "");
    assert_eq!(run(&funnel(3), "0a 1b 2B 3c"), "abc 0 1 3");
    assert_eq!(run(&funnel(3), "0a 1b 2C 3c"), "");
    assert_eq!(run(&funnel(3), "0a 1B 2b 3c"), "");
}

#[test]
fn an_exclusion_after_the_window_is_ignored() {
    assert_eq!(run(&funnel(2), "0a 10B"), "");
    assert_eq!(run(&funnel(2), "0a 11B"), "a 0");
}

#[test]
fn a_clean_try_that_gets_as_far_rescues_the_actor() {
    assert_eq!(run(&funnel(2), "0a 1B 2b 3a 4b"), "ab 3 4");
    assert_eq!(run(&funnel(3), "0a 1b 2C 3a 4b"), "ab 3 4");
    assert_eq!(run(&funnel(3), "0a 1b 2C 3a"), "");
}

#[test]
fn an_earlier_clean_try_counts_unless_a_spoilt_one_goes_further() {
    assert_eq!(run(&funnel(2), "0a 20a 21B"), "a 0");
    assert_eq!(run(&funnel(2), "0a 20a 21B 22b"), "");
    assert_eq!(run(&funnel(2), "0a 5a 6B"), "");
}

#[test]
fn different_events_of_one_instant_take_steps_in_whatever_order_helps() {
    assert_eq!(run(&funnel(3), "0c 0b 0a"), "abc 0 0 0");
    assert_eq!(run(&funnel(3), "0ab 0b"), "ab 0 0");
    assert_eq!(run(&funnel(3), "0ab 0c"), "a 0");
    assert_eq!(run(&funnel(3), "0ab 0ac 0a"), "abc 0 0 0");
}

#[test]
fn equal_events_of_one_instant_take_one_step_each() {
    assert_eq!(run(&funnel(3), "0abc 0abc"), "ab 0 0");
    assert_eq!(run(&funnel(3), "0abc 0abc 0abc"), "abc 0 0 0");
    assert_eq!(run(&funnel(2), "0a 0a 0a"), "a 0");
}

#[test]
fn exclusions_among_other_events_of_an_instant_are_ignored() {
    assert_eq!(run(&funnel(2), "0a 0B 1b"), "ab 0 1");
    assert_eq!(run(&funnel(2), "0a 1b 1B"), "ab 0 1");
    assert_eq!(run(&funnel(2), "0a 1B 1B 2b"), "");
}

#[test]
fn events_near_the_first_of_them_are_simultaneous() {
    let near = Funnel {
        simultaneity: 2,
        ..funnel(3)
    };
    assert_eq!(run(&near, "0b 2a 4c"), "abc 0 0 4");
    assert_eq!(run(&near, "0b 3a 4c"), "a 3");
    // Groups are not chained: `c` is too far from `b`.
    assert_eq!(run(&near, "0b 1c 3a"), "a 3");
}

#[test]
fn with_an_exclusion_anywhere_only_exact_ties_are_simultaneous() {
    let near = Funnel {
        simultaneity: 2,
        ..funnel(2)
    };
    assert_eq!(run(&near, "0b 1a"), "ab 0 0");
    assert_eq!(run(&near, "0b 1a 50B"), "a 1");
    let near = Funnel {
        simultaneity: 2,
        ..strict(2)
    };
    assert_eq!(run(&near, "0b 1a"), "a 1");
}

#[test]
fn strict_steps_follow_each_other_directly() {
    assert_eq!(run(&strict(3), "0a 1b 2c"), "abc 0 1 2");
    assert_eq!(run(&strict(3), "0a 1. 2b"), "a 0");
    assert_eq!(run(&strict(3), "0a 1b 2. 3c"), "ab 0 1");
    assert_eq!(run(&strict(3), "0a 1b 2. 3c 4a 5b 6c"), "abc 4 5 6");
}

#[test]
fn strict_steps_may_be_repeated_where_the_try_stands() {
    assert_eq!(run(&strict(2), "0a 1a 2b"), "ab 1 2");
    assert_eq!(run(&strict(3), "0a 1b 2b 3c"), "abc 0 1 3");
    assert_eq!(run(&strict(3), "0a 1b 2a 3c"), "ab 0 1");
}

#[test]
fn other_events_of_the_same_instant_interrupt_nothing() {
    assert_eq!(run(&strict(2), "0a 1b 1."), "ab 0 1");
    assert_eq!(run(&strict(3), "0a 1b 1. 2c"), "abc 0 1 2");
}

#[test]
fn optional_steps_can_be_left_out_and_have_no_time() {
    let optional = Funnel {
        optional: 0b010,
        ..funnel(3)
    };
    assert_eq!(run(&optional, "0a 1c"), "ac 0 1");
    assert_eq!(run(&optional, "0a 1b 2c"), "abc 0 2");
    assert_eq!(run(&optional, "0a 1b"), "ab 0");
    assert_eq!(run(&optional, "0a 1c 2b"), "ac 0 1");
    let last = Funnel {
        optional: 0b110,
        ..funnel(3)
    };
    assert_eq!(run(&last, "0a 1c"), "ac 0");
}

#[test]
fn an_event_that_took_an_optional_step_is_free_for_a_required_one_of_the_same_instant() {
    let optional = Funnel {
        optional: 0b010,
        ..funnel(3)
    };
    assert_eq!(run(&optional, "0a 0bc"), "abc 0 0");
}

#[test]
fn entries_after_the_last_instant_open_no_try() {
    let until = |entry_until| Funnel {
        entry_until: Some(entry_until),
        ..funnel(2)
    };
    assert_eq!(run(&until(0), "0a 5b"), "ab 0 5");
    assert_eq!(run(&until(0), "1a 5b"), "");
    assert_eq!(run(&until(0), "0a 1a 5b"), "ab 0 5");
    let strict = Funnel {
        entry_until: Some(0),
        ..strict(2)
    };
    assert_eq!(run(&strict, "0a 1a 2b"), "ab 0 2");
}

#[test]
fn as_many_steps_as_there_are_bits_can_be_done() {
    let long = Funnel {
        window: 100,
        ..funnel(64)
    };
    let events: Vec<_> = (0..64)
        .map(|step| super::Event {
            time: step,
            steps: 1 << step,
            exclusions: 0,
            value: 0,
        })
        .collect();
    let mut steps = 0;
    long.runs(&events, None, |run| {
        steps = run.steps;
        assert_eq!(run.times, (0..64).collect::<Vec<_>>());
    });
    assert_eq!(steps, u64::MAX);
}
