//! What the notes say in so many words about single histories; machine and oracle both have to tell it.

use quintet_behavior::funnel::{Attribution, Event, Funnel, Order, Periods};

use super::case::{Case, HOUR, NEAR, SECOND};
use super::oracle;

const DAY: i64 = 24 * HOUR;

/// A funnel without a history; `excluded` are the bits that an `X` sets.
struct Asked {
    funnel: Funnel,
    excluded: u64,
}

fn funnel(order: Order, steps: usize, window: i64) -> Asked {
    let funnel = Funnel {
        steps,
        order,
        window,
        optional: 0,
        simultaneity: NEAR,
        attribution: Attribution::None,
        entry_until: None,
    };
    Asked {
        funnel,
        excluded: 0b10,
    }
}

fn ordered(steps: usize) -> Asked {
    funnel(Order::Ordered, steps, 10 * SECOND)
}

fn strict(steps: usize) -> Asked {
    funnel(Order::Strict, steps, 10 * SECOND)
}

fn unordered(steps: usize) -> Asked {
    let mut asked = funnel(Order::Unordered, steps, 10 * SECOND);
    asked.excluded = ((1 << steps) - 1) & !1;
    asked
}

/// `AB1.5`: 1.5 seconds after the start, meets the first two steps. `X`: excluded. `-`: foreign. `A1:2`: of value 2.
fn event(word: &str, excluded: u64) -> Event {
    let (word, value) = word.split_once(':').unwrap_or((word, "0"));
    let (marks, seconds) = word.split_at(word.find(|c: char| c.is_ascii_digit()).unwrap());
    let mut event = Event {
        time: (seconds.parse::<f64>().unwrap() * SECOND as f64) as i64,
        steps: 0,
        exclusions: 0,
        value: value.parse().unwrap(),
    };
    for mark in marks.bytes() {
        match mark {
            b'X' => event.exclusions = excluded,
            b'-' => {}
            letter => event.steps |= 1 << (letter - b'A'),
        }
    }
    event
}

impl Asked {
    fn case(&self, history: &str) -> Case {
        let mut events: Vec<Event> = history
            .split_whitespace()
            .map(|word| event(word, self.excluded))
            .collect();
        events.sort_by(Event::cmp);
        let last = self.funnel.steps - 1;
        Case {
            funnel: self.funnel.clone(),
            periods: Periods {
                edges: (0..=20).map(|day| day * DAY).collect(),
                from: 0,
                to: last,
            },
            empty: None,
            events,
        }
    }

    /// `[1, 2] at [0.0, 2.5]`, of each run.
    fn runs(&self, history: &str) -> String {
        let case = self.case(history);
        let found = case.runs();
        let expected = oracle::runs(&case.funnel, &case.events, case.empty);
        assert_eq!(found, expected, "left: machine, right: oracle\n{case:?}");
        let told = found.iter().map(|run| {
            let times = run.times.iter().map(|&time| time as f64 / SECOND as f64);
            format!("{:?} at {:?}", run.steps, times.collect::<Vec<f64>>())
        });
        told.collect::<Vec<_>>().join(", ")
    }

    /// A `+` for each period that converted, a `-` for each that was only entered, in order of periods, with their number.
    fn entrances_to(&self, to: usize, history: &str) -> String {
        let mut case = self.case(history);
        case.periods.to = to;
        let found = case.entrances();
        let expected = oracle::entrances(&case.funnel, &case.periods, &case.events, case.empty);
        assert_eq!(found, expected, "left: machine, right: oracle\n{case:?}");
        let told = found.iter().map(|entrance| {
            let sign = if entrance.converted { '+' } else { '-' };
            format!("{}{sign}", entrance.period)
        });
        told.collect::<Vec<_>>().join(" ")
    }

    fn entrances(&self, history: &str) -> String {
        self.entrances_to(self.funnel.steps - 1, history)
    }
}

#[test]
fn the_window_is_inclusive_and_spans_the_whole_funnel() {
    assert_eq!(
        ordered(3).runs("A0 B5 C10"),
        "[1, 2, 3] at [0.0, 5.0, 10.0]"
    );
    assert_eq!(ordered(3).runs("A0 B5 C10.000001"), "[1, 2] at [0.0, 5.0]");
}

#[test]
fn the_latest_first_step_before_the_second_is_the_entry() {
    assert_eq!(ordered(2).runs("B0 A1 A2 B4 B5"), "[1, 2] at [2.0, 4.0]");
}

#[test]
fn the_first_try_that_came_furthest_is_told() {
    assert_eq!(ordered(3).runs("A0 B1 A20 B22"), "[1, 2] at [0.0, 1.0]");
}

#[test]
fn equal_steps_need_as_many_events() {
    assert_eq!(ordered(2).runs("AB0"), "[1] at [0.0]");
    assert_eq!(ordered(2).runs("AB0 AB1"), "[1, 2] at [0.0, 1.0]");
    assert_eq!(ordered(2).runs("AB0 AB0"), "[1, 2] at [0.0, 0.0]");
}

#[test]
fn an_exclusion_spoils_only_its_try() {
    let asked = funnel(Order::Ordered, 2, 30 * SECOND);
    assert_eq!(
        asked.runs("A0 X1 B31 A3600 B3629"),
        "[1, 2] at [3600.0, 3629.0]"
    );
    assert_eq!(ordered(2).runs("A0 X5 B6"), "");
    assert_eq!(ordered(2).runs("A0 X11"), "[1] at [0.0]");
    assert_eq!(ordered(2).runs("A0 A1 X2"), "");
    assert_eq!(ordered(2).runs("A0 A31 X32"), "[1] at [0.0]");
    assert_eq!(ordered(2).runs("A0 X11 A12 X13 B14"), "");
}

#[test]
fn an_exclusion_at_the_instant_of_a_step_is_ignored_and_a_near_one_is_not() {
    assert_eq!(ordered(2).runs("A0 X0 B1"), "[1, 2] at [0.0, 1.0]");
    assert_eq!(ordered(2).runs("A0 X0.01 B0.02"), "");
}

#[test]
fn steps_of_one_instant_convert_in_any_order() {
    assert_eq!(
        ordered(3).runs("C0 B0.02 A0.05"),
        "[1, 2, 3] at [0.0, 0.0, 0.0]"
    );
    assert_eq!(ordered(3).runs("C0 B0 A0.050001"), "[1] at [0.050001]");
    assert_eq!(strict(3).runs("A0 B0 C0"), "[1, 2, 3] at [0.0, 0.0, 0.0]");
    assert_eq!(ordered(2).runs("AB0 C0"), "[1] at [0.0]");
}

#[test]
fn a_strict_run_survives_repeats_of_the_step_it_stands_at() {
    assert_eq!(strict(2).runs("A0 A1 B2"), "[1, 2] at [1.0, 2.0]");
    assert_eq!(
        strict(3).runs("A0 B1 B2 C3"),
        "[1, 2, 3] at [0.0, 1.0, 3.0]"
    );
    assert_eq!(strict(3).runs("A0 B1 A2 C3"), "[1, 2] at [0.0, 1.0]");
    assert_eq!(strict(2).runs("A0 -1 B2"), "[1] at [0.0]");
    assert_eq!(strict(2).runs("A0 -0 B2"), "[1, 2] at [0.0, 2.0]");
}

#[test]
fn an_optional_step_counts_only_where_its_try_did_it() {
    let mut asked = ordered(3);
    asked.funnel.optional = 0b10;
    assert_eq!(asked.runs("A0 C2"), "[1, 3] at [0.0, 2.0]");
    assert_eq!(asked.runs("A0 B1 C2"), "[1, 2, 3] at [0.0, 2.0]");
    assert_eq!(asked.runs("A0 B1"), "[1, 2] at [0.0]");
}

#[test]
fn entries_after_the_limit_do_not_count_but_steps_do() {
    let mut asked = ordered(2);
    asked.funnel.entry_until = Some(2 * SECOND);
    assert_eq!(asked.runs("A2 A3 B5"), "[1, 2] at [2.0, 5.0]");
    assert_eq!(asked.runs("A3 B5"), "");
    asked.funnel.order = Order::Unordered;
    assert_eq!(asked.runs("B2 A5"), "[1, 2] at [2.0, 5.0]");
    assert_eq!(asked.runs("B3 A5"), "");
}

#[test]
fn an_unordered_funnel_takes_any_steps_of_one_window() {
    assert_eq!(
        unordered(3).runs("C0 A5 B10"),
        "[1, 2, 3] at [0.0, 5.0, 10.0]"
    );
    assert_eq!(
        unordered(3).runs("C0 A5 B10.000001"),
        "[1, 2] at [0.0, 5.0]"
    );
    assert_eq!(unordered(3).runs("A0 B1 X2 C3"), "[1] at [3.0]");
    assert_eq!(unordered(3).runs("A0 B1 X2"), "");
    assert_eq!(
        unordered(3).runs("A1 B2 C3 X4 C5"),
        "[1, 2, 3] at [1.0, 2.0, 3.0]"
    );
}

#[test]
fn only_events_of_the_value_take_the_attributed_step() {
    let mut asked = ordered(2);
    asked.funnel.attribution = Attribution::Step(1);
    assert_eq!(
        asked.runs("A0:7 B1:1 B2:2"),
        "[1, 2] at [0.0, 1.0], [1, 2] at [0.0, 2.0]"
    );
    assert_eq!(asked.runs("A0:7"), "");
}

#[test]
fn a_trend_tells_each_period_of_entrance() {
    let asked = ordered(2);
    assert_eq!(asked.entrances("A0 X11 B12"), "0-");
    assert_eq!(asked.entrances("A0 X1 B2 A86404 B86406"), "1+");
    assert_eq!(asked.entrances("A0 B1 A86404 X86405 B86406"), "0+");
    assert_eq!(asked.entrances("A0 A86430 X86431 B86432"), "");
    assert_eq!(asked.entrances("A0 A86430 X86431"), "0-");
    assert_eq!(asked.entrances("A0 X11 A12 X13 B14"), "");
    assert_eq!(asked.entrances("A0 A1 X2"), "");
    assert_eq!(asked.entrances("A0 A31 X32"), "0-");
    assert_eq!(asked.entrances("A0 X1 A31"), "0-");
    assert_eq!(asked.entrances("A0 X1 B11 A3600 B3601"), "0+");
}

#[test]
fn an_exclusion_after_a_conversion_does_not_undo_it() {
    let mut asked = ordered(3);
    asked.excluded = 0b100;
    assert_eq!(asked.entrances("A0 B1 C3 A4 B5 X6 C7"), "0+");
}

#[test]
fn an_unordered_run_gives_up_only_its_oldest_event() {
    let asked = funnel(Order::Unordered, 3, 14 * DAY);
    let eight_days: Vec<String> = (0..8).map(|day| format!("A{}", day * 86_400)).collect();
    let history = format!("{} B691201 C691202", eight_days.join(" "));
    assert_eq!(asked.entrances(&history), "0+ 1+ 2+ 3+ 4+ 5+ 6+ 7+ 8-");
}

#[test]
fn an_exclusion_after_the_goal_but_inside_an_unordered_run_voids_it() {
    assert_eq!(unordered(3).entrances_to(1, "A0 B1 X2 C3"), "0-");
    assert_eq!(unordered(3).entrances_to(1, "A0 B1 C3"), "0+");
}
