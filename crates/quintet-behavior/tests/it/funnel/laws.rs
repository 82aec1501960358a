//! What the notes imply for any history; needs no oracle.

use std::collections::HashSet;

use proptest::collection::vec;
use proptest::prelude::*;
use quintet_behavior::funnel::{Attribution, Event, Funnel, Order, Periods};

use super::case::{Ask, Case, HOUR, SECOND, any_cases, cases, config};

/// Ordered and strict funnels of which a law can be told in a sentence.
fn plain(case: Case) -> Case {
    case.without_breakdown()
        .without_optional_steps()
        .without_exclusions()
        .without_ties()
}

fn in_order() -> impl Strategy<Value = Case> {
    prop_oneof![
        cases(Order::Ordered, Ask::Runs),
        cases(Order::Strict, Ask::Runs)
    ]
}

fn any_order() -> impl Strategy<Value = Order> {
    prop_oneof![
        Just(Order::Ordered),
        Just(Order::Strict),
        Just(Order::Unordered)
    ]
}

/// Trying every entry and taking the next event that fits is all that an ordered funnel does.
fn furthest_of_all_entries(case: &Case) -> usize {
    let until = case.funnel.entry_until.unwrap_or(i64::MAX);
    let reached_from = |entry: usize| {
        let first = &case.events[entry];
        let in_window = case.events[entry..]
            .iter()
            .filter(|event| event.time - first.time <= case.funnel.window);
        let last = case.funnel.steps;
        in_window.fold(0, |done, event| {
            let fits = done < last && event.steps >> done & 1 == 1;
            if fits { done + 1 } else { done }
        })
    };
    (0..case.events.len())
        .filter(|&entry| case.events[entry].time <= until && case.events[entry].steps & 1 == 1)
        .map(reached_from)
        .max()
        .unwrap_or(0)
}

/// The most distinct steps in one window.
fn most_in_a_window(case: &Case) -> usize {
    let until = case.funnel.entry_until.unwrap_or(i64::MAX);
    let distinct_from = |first: &Event| {
        let in_window = |event: &&Event| {
            event.time >= first.time && event.time - first.time <= case.funnel.window
        };
        let steps = case
            .events
            .iter()
            .filter(in_window)
            .map(|event| event.steps);
        steps.collect::<HashSet<u64>>().len()
    };
    let entries = case.events.iter().filter(|event| event.time <= until);
    entries.map(distinct_from).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn the_order_of_storage_changes_nothing(
        (case, shuffled) in any_cases(Ask::Runs).prop_flat_map(|case| {
            let shuffled = Just(case.events.clone()).prop_shuffle();
            (Just(case), shuffled)
        })
    ) {
        let mut again = Case { events: shuffled, ..case.clone() };
        again.events.sort_by(Event::cmp);
        prop_assert_eq!(again.runs(), case.runs());
        prop_assert_eq!(again.entrances(), case.entrances());
    }

    #[test]
    fn a_shift_in_time_changes_nothing_but_times(case in any_cases(Ask::Runs), shift in -9..9_i64) {
        let shift = shift * HOUR + 1;
        let mut later = case.clone();
        later.events.iter_mut().for_each(|event| event.time += shift);
        later.periods.edges.iter_mut().for_each(|edge| *edge += shift);
        later.funnel.entry_until = case.funnel.entry_until.map(|until| until + shift);
        let mut expected = case.runs();
        expected.iter_mut().for_each(|run| run.times.iter_mut().for_each(|time| *time += shift));
        prop_assert_eq!(later.runs(), expected);
        prop_assert_eq!(later.entrances(), case.entrances());
    }

    #[test]
    fn later_steps_before_the_first_entry_change_nothing(
        case in in_order(),
        early in vec((1..60_i64, 0..64_u64), 0..10),
    ) {
        let case = case.without_breakdown();
        let all = (1_u64 << case.funnel.steps) - 1;
        let mut longer = case.clone();
        longer.events.extend(early.into_iter().map(|(seconds, steps)| Event {
            time: -seconds * SECOND,
            steps: steps & all & !1,
            exclusions: 0,
            value: 0,
        }));
        let longer = longer.with_events_allowed();
        prop_assert_eq!(longer.runs(), case.runs());
        prop_assert_eq!(longer.entrances(), case.entrances());
    }

    #[test]
    fn what_follows_a_conversion_changes_nothing(
        case in in_order(),
        late in vec((1..60_i64, 0..64_u64), 0..10),
    ) {
        let case = case.without_breakdown();
        let end = case.events.last().map_or(0, |event| event.time);
        let all = (1_u64 << case.funnel.steps) - 1;
        let mut longer = case.clone();
        longer.events.extend(late.into_iter().map(|(seconds, steps)| Event {
            time: end + seconds * SECOND,
            steps: steps & all,
            exclusions: 0,
            value: 0,
        }));
        let longer = longer.with_events_allowed();
        let last = case.funnel.steps;
        if case.runs().iter().any(|run| run.steps.contains(&last)) {
            prop_assert_eq!(longer.runs(), case.runs());
        }
        let entrances = longer.entrances();
        for entrance in case.entrances().iter().filter(|entrance| entrance.converted) {
            prop_assert!(entrances.contains(entrance), "{entrance:?} is lost");
        }
    }

    #[test]
    fn a_wider_window_never_lowers_the_furthest_step(case in in_order(), more in 1..20_i64) {
        let case = plain(case);
        let mut wider = case.clone();
        wider.funnel.window = case.funnel.window.saturating_add(more * SECOND);
        prop_assert!(wider.furthest() >= case.furthest());
    }

    #[test]
    fn an_ordered_funnel_goes_as_far_as_any_of_its_entries(case in cases(Order::Ordered, Ask::Runs)) {
        let case = plain(case);
        prop_assert_eq!(case.furthest(), furthest_of_all_entries(&case));
    }

    #[test]
    fn a_strict_funnel_never_goes_further_than_an_ordered_one(case in cases(Order::Strict, Ask::Runs)) {
        let case = plain(case);
        prop_assert!(case.furthest() <= furthest_of_all_entries(&case));
    }

    #[test]
    fn an_unordered_funnel_counts_the_steps_in_its_fullest_window(
        case in cases(Order::Unordered, Ask::Runs)
    ) {
        let case = case.without_breakdown().without_exclusions().with_single_steps();
        prop_assert_eq!(case.furthest(), most_in_a_window(&case));
    }

    #[test]
    fn the_times_of_a_run_ascend_within_the_window(case in any_cases(Ask::Runs)) {
        for run in case.runs() {
            prop_assert!(run.times.is_sorted());
            let whole = run.times.last().unwrap() - run.times[0];
            prop_assert!(whole <= case.funnel.window);
            let required = run.steps.iter().filter(|step| case.funnel.optional >> (**step - 1) & 1 == 0);
            prop_assert_eq!(required.count(), run.times.len());
        }
    }

    #[test]
    fn one_period_of_everything_has_the_entrances_that_are_runs(case in any_cases(Ask::Entrances)) {
        let case = match case.funnel.order {
            Order::Unordered => case,
            _ => case.without_exclusions().without_ties(),
        };
        let case = case.with_one_period();
        let of_entrances: Vec<(u32, bool)> =
            case.entrances().iter().map(|entrance| (entrance.value, entrance.converted)).collect();
        let of_runs: Vec<(u32, bool)> =
            case.runs().iter().map(|run| (run.value, run.steps.len() == case.funnel.steps)).collect();
        prop_assert_eq!(of_entrances, of_runs);
    }

    #[test]
    fn an_entry_limit_after_everything_limits_nothing(case in any_cases(Ask::Runs)) {
        let mut free = case.clone();
        free.funnel.entry_until = None;
        let mut limited = case;
        limited.funnel.entry_until = Some(24 * HOUR);
        prop_assert_eq!(limited.runs(), free.runs());
        prop_assert_eq!(limited.entrances(), free.entrances());
    }

    #[test]
    fn no_question_is_too_odd_for_an_answer(
        (steps, order) in (0..70_usize, any_order()),
        (window, optional, simultaneity) in any::<(i64, u64, i64)>(),
        attributed in prop::option::of(0..70_usize),
        entry_until in any::<Option<i64>>(),
        (edges, from, to) in (vec(any::<i64>(), 0..4), 0..70_usize, prop_oneof![0..70_usize, Just(usize::MAX)]),
        events in vec(any::<(i64, u64, u64, u32)>(), 0..20),
    ) {
        let funnel = Funnel {
            steps,
            order,
            window,
            optional,
            simultaneity,
            attribution: attributed.map_or(Attribution::None, Attribution::Step),
            entry_until,
        };
        let event = |(time, steps, exclusions, value)| Event { time, steps, exclusions, value };
        let case = Case {
            funnel,
            periods: Periods { edges, from, to },
            empty: None,
            events: events.into_iter().map(event).collect(),
        };
        let case = case.with_events_allowed();
        case.runs();
        case.entrances();
    }
}
