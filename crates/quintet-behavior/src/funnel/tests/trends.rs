use super::{Attribution, Funnel, entrances, funnel, periods, strict};

/// The outcomes of an ordered funnel with a window of 30, from its first step to its last.
fn outcomes(steps: usize, text: &str) -> String {
    let long = Funnel {
        window: 30,
        ..funnel(steps)
    };
    entrances(&long, &periods(0, steps - 1), text)
}

#[test]
fn every_period_of_entrance_has_its_own_outcome() {
    assert_eq!(outcomes(3, "0a 1b 2c 10a 11b 20a"), "0+ 1 2");
    assert_eq!(outcomes(2, "0a 10a 20b"), "0+ 1+");
    assert_eq!(outcomes(2, "0a 10a 35b"), "0 1+");
    assert_eq!(outcomes(2, "0b 1a"), "0");
    assert_eq!(outcomes(2, "0b"), "");
}

#[test]
fn the_window_includes_its_end() {
    assert_eq!(outcomes(2, "0a 30b"), "0+");
    assert_eq!(outcomes(2, "0a 31b"), "0");
}

#[test]
fn the_latest_entry_of_a_period_is_the_one_that_converts() {
    assert_eq!(outcomes(2, "0a 9a 39b"), "0+");
    assert_eq!(outcomes(3, "0a 1b 9a 31c"), "0");
    assert_eq!(outcomes(3, "0a 1b 9a 10b 31c"), "0+");
}

#[test]
fn a_period_converts_once() {
    assert_eq!(outcomes(2, "0a 1b 2a 3B 4b"), "0+");
}

#[test]
fn periods_can_begin_and_end_with_inner_steps() {
    let text = "0a 10a 11b 20a 21b 22c";
    assert_eq!(entrances(&funnel(3), &periods(1, 2), text), "1 2+");
    assert_eq!(entrances(&funnel(3), &periods(0, 1), text), "0 1+ 2+");
    assert_eq!(entrances(&funnel(3), &periods(0, 1), "0a 1C 2b 3C"), "0+");
}

#[test]
fn entries_outside_the_periods_do_not_count() {
    assert_eq!(outcomes(2, "-1a 0b 100a 101b"), "");
    assert_eq!(outcomes(2, "99a 100b"), "9+");
}

#[test]
fn an_unfinished_excluded_run_removes_its_own_period() {
    assert_eq!(outcomes(3, "0a 10a 11b 12C"), "");
    assert_eq!(outcomes(3, "0a 1b 40a 41b 42C"), "0");
    assert_eq!(outcomes(2, "0a 1b 40a 41B"), "0+");
}

#[test]
fn an_excluded_run_that_went_on_removes_every_unconverted_period() {
    assert_eq!(outcomes(3, "0a 1b 2c 10a 40a 50a 51B 52b"), "0+");
}

#[test]
fn an_exclusion_after_conversion_or_window_does_nothing() {
    assert_eq!(outcomes(2, "0a 1b 2B"), "0+");
    assert_eq!(outcomes(2, "0a 31B"), "0");
}

#[test]
fn a_fresh_entry_after_an_excluded_first_step_revives_the_period() {
    assert_eq!(outcomes(2, "0a 1B"), "");
    assert_eq!(outcomes(2, "0a 1B 2a"), "0");
    assert_eq!(outcomes(2, "0a 1B 2a 3b"), "0+");
    assert_eq!(outcomes(3, "0a 1b 2C 3a"), "");
}

#[test]
fn exclusions_act_within_the_window_of_the_entry_they_follow() {
    let short = |steps| Funnel {
        window: 3,
        ..funnel(steps)
    };
    let two = |text| entrances(&short(2), &periods(0, 1), text);
    assert_eq!(two("0a 4B 5b"), "0");
    assert_eq!(two("0a 4B 5a 6B 7b"), "");
    assert_eq!(two("0a 1B 2b 14a 16b"), "1+");
    assert_eq!(two("0a 15a 16B 17b"), "");
    assert_eq!(two("0a 15a 16B"), "0");
    assert_eq!(two("0a 1a 2B"), "");
    assert_eq!(two("0a 6a 7B"), "0");
    assert_eq!(two("0a 1B 7a"), "0");
    assert_eq!(two("0a 1b 14a 15B 16b"), "0+");
    assert_eq!(two("0a 1B 4b 6a 7b"), "0+");
    let three = |text| entrances(&short(3), &periods(0, 2), text);
    assert_eq!(three("0a 1b 2c 4a 5b 6C 7c"), "0+");
}

#[test]
fn events_of_one_instant_come_in_the_order_of_steps() {
    assert_eq!(outcomes(2, "0b 0a"), "0+");
    assert_eq!(outcomes(2, "0ab 0a"), "0+");
    assert_eq!(outcomes(2, "0ab"), "0");
}

#[test]
fn an_exclusion_at_the_instant_of_a_step_is_ignored() {
    assert_eq!(outcomes(2, "0a 0B"), "0");
    assert_eq!(outcomes(2, "0a 1B"), "");
    assert_eq!(outcomes(3, "0a 1b 1C 2c"), "0+");
}

#[test]
fn strict_steps_follow_each_other_directly() {
    let trend = |text| entrances(&strict(2), &periods(0, 1), text);
    assert_eq!(trend("0a 1b"), "0+");
    assert_eq!(trend("0a 1a 2b"), "0+");
    assert_eq!(trend("0a 1. 2b"), "0");
    assert_eq!(trend("5a 6. 10a 11b"), "0 1+");
    assert_eq!(trend("9a 10a 11b"), "0+ 1+");
    let three = |text| entrances(&strict(3), &periods(0, 2), text);
    assert_eq!(three("0a 1b 2a 3c"), "0");
    assert_eq!(three("0a 1b 2b 3c"), "0+");
}

#[test]
fn only_events_of_the_value_take_the_step_it_is_attributed_to() {
    let attributed = |step| Funnel {
        attribution: Attribution::Step(step),
        ..funnel(2)
    };
    let text = "0a@1 1b@2 10a@2 11b@2";
    assert_eq!(entrances(&attributed(0), &periods(0, 1), text), "0+@1 1+@2");
    assert_eq!(entrances(&attributed(1), &periods(0, 1), text), "0+@2 1+@2");
}

#[test]
fn entries_after_the_last_instant_open_no_period() {
    let until = Funnel {
        entry_until: Some(9),
        ..funnel(2)
    };
    assert_eq!(entrances(&until, &periods(0, 1), "9a 10a 12b"), "0+");
}
