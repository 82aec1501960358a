//! Histories are written as they would be on paper: `0a 5b 7C` is step `a` at 0, step `b` at 5 and at 7 an event that must not
//! lie between `b` and `c`. An event may bear several letters, or none in `3.`; `5b@2` has breakdown value 2.

mod attribution;
mod ordered;
mod trends;
mod unordered;

use proptest::prelude::*;

use super::{Attribution, Entrance, Event, Funnel, Order, Periods};

/// An ordered funnel with a window of 10.
fn funnel(steps: usize) -> Funnel {
    Funnel {
        steps,
        order: Order::Ordered,
        window: 10,
        optional: 0,
        simultaneity: 0,
        attribution: Attribution::None,
        entry_until: None,
    }
}

fn strict(steps: usize) -> Funnel {
    Funnel {
        order: Order::Strict,
        ..funnel(steps)
    }
}

fn unordered(steps: usize) -> Funnel {
    Funnel {
        order: Order::Unordered,
        ..funnel(steps)
    }
}

fn history(text: &str) -> Vec<Event> {
    let mut events: Vec<Event> = text.split_whitespace().map(event).collect();
    events.sort();
    events
}

fn event(text: &str) -> Event {
    let (text, value) = text.split_once('@').unwrap_or((text, "0"));
    let digits = text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == '.');
    let bits = |from: u8, to: u8| {
        let letters = text.bytes().filter(|byte| (from..=to).contains(byte));
        letters.fold(0, |bits, letter| bits | 1 << (letter - from))
    };
    Event {
        time: digits.parse().unwrap(),
        steps: bits(b'a', b'z'),
        exclusions: bits(b'A', b'Z'),
        value: value.parse().unwrap(),
    }
}

/// Value, steps and times of every run; 0 is the empty value.
fn runs(funnel: &Funnel, text: &str) -> Vec<(u32, String, Vec<i64>)> {
    let mut runs = Vec::new();
    funnel.runs(&history(text), Some(0), |run| {
        let letters = ('a'..='z').enumerate();
        let steps = letters.filter(|(step, _)| run.steps >> step & 1 == 1);
        runs.push((
            run.value,
            steps.map(|(_, letter)| letter).collect(),
            run.times.to_vec(),
        ));
    });
    runs
}

/// The only run as steps and times, `-` if there is none: `ab 0 5`.
fn run(funnel: &Funnel, text: &str) -> String {
    let runs = runs(funnel, text);
    assert!(runs.len() < 2, "{runs:?}");
    runs.iter().fold(String::new(), |_, (_, steps, times)| {
        times
            .iter()
            .fold(steps.clone(), |text, time| format!("{text} {time}"))
    })
}

/// Periods of 10 from 0 to 100 that begin with step `from` and are to reach step `to`.
fn periods(from: usize, to: usize) -> Periods {
    Periods {
        edges: (0..=10).map(|edge| edge * 10).collect(),
        from,
        to,
    }
}

/// The outcomes as periods, each with `+` if it converted: `0 1+`.
fn entrances(funnel: &Funnel, periods: &Periods, text: &str) -> String {
    let mut outcomes = Vec::new();
    funnel.entrances(periods, &history(text), Some(0), |entrance: Entrance| {
        let sign = if entrance.converted { "+" } else { "" };
        let value = match entrance.value {
            0 => String::new(),
            value => format!("@{value}"),
        };
        outcomes.push(format!("{}{sign}{value}", entrance.period));
    });
    outcomes.join(" ")
}

#[test]
fn equal_events_are_told_apart_by_nothing_but_what_they_are() {
    let mut shuffled = history("1A 1ab 1b 1c@2 1c 0c");
    shuffled.reverse();
    shuffled.sort();
    assert_eq!(shuffled, history("0c 1b 1c 1c@2 1ab 1A"));
    assert_eq!(shuffled.first(), Some(&event("0c")));
    assert_eq!(shuffled.last(), Some(&event("1A")));
}

prop_compose! {
    fn any_event()(
        time in prop_oneof![any::<i64>(), 0..20i64, Just(i64::MIN), Just(i64::MAX)],
        steps in any::<u64>(),
        mask in any::<u64>(),
        exclusions in prop_oneof![Just(0), any::<u64>()],
        value in 0..3u32,
    ) -> Event {
        Event { time, steps: steps & mask, exclusions, value }
    }
}

prop_compose! {
    fn any_funnel()(
        steps in prop_oneof![0..5usize, Just(64), Just(65), Just(usize::MAX)],
        order in prop_oneof![Just(Order::Ordered), Just(Order::Strict), Just(Order::Unordered)],
        window in any::<i64>(),
        optional in any::<u64>(),
        simultaneity in any::<i64>(),
        attribution in prop_oneof![
            Just(Attribution::None),
            Just(Attribution::FirstTouch),
            Just(Attribution::LastTouch),
            Just(Attribution::AllEvents),
            Just(Attribution::AnyEvent),
            any::<usize>().prop_map(Attribution::Step),
        ],
        entry_until in any::<Option<i64>>(),
    ) -> Funnel {
        Funnel { steps, order, window, optional, simultaneity, attribution, entry_until }
    }
}

proptest! {
    #[test]
    fn nothing_panics(
        funnel in any_funnel(),
        mut events in prop::collection::vec(any_event(), 0..20),
        sorted in any::<bool>(),
        edges in prop::collection::vec(any::<i64>(), 0..5),
        from in any::<usize>(),
        to in prop_oneof![0..5usize, any::<usize>()],
    ) {
        if sorted {
            events.sort();
        }
        funnel.runs(&events, None, |run| assert!(!run.times.is_empty()));
        funnel.entrances(&Periods { edges, from, to }, &events, Some(1), |_| {});
    }
}
