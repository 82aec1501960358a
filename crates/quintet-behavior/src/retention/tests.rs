use proptest::prelude::*;

use super::oracle::{self, Told};
use super::*;

const START: u8 = Event::START;
const RETURN: u8 = Event::RETURN;
const BOTH: u8 = START | RETURN;
const CANDIDATE: u8 = Event::CANDIDATE;

/// Periods of ten from 0, this many, with a column for each.
fn periods(number: i64) -> Retention {
    Retention {
        edges: (0..=number).map(|period| period * 10).collect(),
        starts: Starts::Recurring,
        reach: (1..usize::try_from(number).unwrap()).collect(),
        mode: Mode::default(),
    }
}

fn first(starts: Starts) -> Retention {
    Retention {
        starts,
        ..periods(4)
    }
}

fn counts(minimum: u64, cumulative: bool) -> Mode {
    Mode::Counts(Counts {
        minimum,
        cumulative,
    })
}

/// Windows of two units of ten, three rows, to 60.
fn rolling(starts: Starts) -> Retention {
    Retention {
        edges: (0..=12).map(|unit| unit * 10).collect(),
        starts,
        reach: vec![1, 2],
        mode: Mode::Rolling(Rolling {
            length: 2,
            rows: 3,
            until: 60,
        }),
    }
}

fn event(time: i64, kinds: u8) -> Event {
    valued(time, kinds, 0)
}

fn valued(time: i64, kinds: u8, value: u32) -> Event {
    Event {
        time,
        kinds,
        value,
        amount: 0.0,
    }
}

fn worth(time: i64, kinds: u8, amount: f64) -> Event {
    Event {
        amount,
        ..event(time, kinds)
    }
}

fn told(retention: &Retention, events: &[Event]) -> Told {
    let mut events = events.to_vec();
    events.sort_by(Event::order);
    let mut told = vec![];
    retention.cohorts(&events, |cohort| {
        let amounts = cohort.amounts.iter().copied().chain(std::iter::repeat(0.0));
        let columns = cohort.columns.iter().copied().zip(amounts).collect();
        told.push((cohort.value, cohort.row, columns));
    });
    told
}

/// Row and columns of every cohort.
fn rows(retention: &Retention, events: &[Event]) -> Vec<(usize, Vec<usize>)> {
    told(retention, events)
        .into_iter()
        .map(|(_, row, columns)| (row, columns.into_iter().map(|(column, _)| column).collect()))
        .collect()
}

/// Value, row and columns of every cohort.
fn values(retention: &Retention, events: &[Event]) -> Vec<(u32, usize, Vec<usize>)> {
    let values = told(retention, events).into_iter().map(|(value, ..)| value);
    values
        .zip(rows(retention, events))
        .map(|(value, (row, columns))| (value, row, columns))
        .collect()
}

/// Each column of the only cohort with its sum.
fn sums(amounts: Amounts, events: &[Event]) -> Vec<(usize, f64)> {
    let retention = Retention {
        mode: Mode::Amounts(amounts),
        ..periods(4)
    };
    let [(_, _, columns)] = &told(&retention, events)[..] else {
        panic!("one cohort");
    };
    columns.clone()
}

#[test]
fn every_period_with_a_start_is_a_cohort() {
    let events = [event(1, BOTH), event(15, BOTH), event(31, BOTH)];
    let expected = [(0, vec![0, 1, 3]), (1, vec![0, 2]), (3, vec![0])];
    assert_eq!(rows(&periods(4), &events), expected);
}

#[test]
fn the_cohorts_own_period_needs_no_return_and_takes_none() {
    let expected = [(1, vec![0])];
    assert_eq!(rows(&periods(4), &[event(12, START)]), expected);
    let returns_too = [event(11, RETURN), event(12, START), event(13, RETURN)];
    assert_eq!(rows(&periods(4), &returns_too), expected);
}

#[test]
fn returns_before_the_cohort_and_outside_the_window_do_not_count() {
    let events = [
        event(-5, BOTH),
        event(1, RETURN),
        event(12, START),
        event(40, RETURN),
    ];
    assert_eq!(rows(&periods(4), &events), [(1, vec![0])]);
}

#[test]
fn a_return_takes_as_many_events_in_one_period_as_the_minimum() {
    let retention = Retention {
        mode: counts(2, false),
        ..periods(4)
    };
    let twice = [event(21, RETURN), event(21, RETURN)];
    let events = [&[event(1, START), event(11, RETURN)][..], &twice].concat();
    assert_eq!(rows(&retention, &events), [(0, vec![0, 2])]);
}

#[test]
fn a_cumulative_return_counts_in_the_columns_before_it() {
    let retention = Retention {
        mode: counts(1, true),
        ..periods(4)
    };
    let events = [event(1, START), event(21, RETURN)];
    assert_eq!(rows(&retention, &events), [(0, vec![0, 1, 2])]);
}

#[test]
fn columns_of_several_periods_are_measured_from_the_rows_own_cohort() {
    let retention = Retention {
        reach: vec![2, 3],
        ..periods(6)
    };
    let events = [
        event(1, START),
        event(11, START),
        event(21, RETURN),
        event(31, RETURN),
        event(51, RETURN),
    ];
    let expected = [(0, vec![0, 1, 2]), (1, vec![0, 1])];
    assert_eq!(rows(&retention, &events), expected);
}

#[test]
fn the_first_time_founds_the_only_cohort_and_none_when_it_is_before_the_window() {
    let first_time = first(Starts::FirstTime);
    let events = [event(11, START), event(21, BOTH), event(31, RETURN)];
    assert_eq!(rows(&first_time, &events), [(1, vec![0, 1, 2])]);
    let earlier = [&[event(-100, START)], &events[..]].concat();
    assert_eq!(rows(&first_time, &earlier), []);
}

#[test]
fn the_first_ever_must_be_a_start_but_may_share_its_instant() {
    let first_ever = first(Starts::FirstEver);
    assert_eq!(
        rows(&first_ever, &[event(1, CANDIDATE), event(11, START)]),
        []
    );
    let tie = [event(1, CANDIDATE), event(1, START), event(11, RETURN)];
    assert_eq!(rows(&first_ever, &tie), [(0, vec![0, 1])]);
    assert_eq!(
        rows(&first_ever, &[event(-1, CANDIDATE), event(11, START)]),
        []
    );
}

#[test]
fn a_return_counts_only_under_the_value_of_its_start() {
    let events = [
        valued(1, START, 1),
        valued(11, RETURN, 2),
        valued(21, RETURN, 1),
    ];
    assert_eq!(values(&periods(4), &events), [(1, 0, vec![0, 2])]);
}

#[test]
fn the_first_time_is_the_first_under_each_value() {
    let events = [valued(1, START, 1), valued(11, START, 2)];
    let expected = [(1, 0, vec![0]), (2, 1, vec![0])];
    assert_eq!(values(&first(Starts::FirstTime), &events), expected);
}

#[test]
fn the_first_ever_gives_the_actor_its_only_value() {
    let events = [
        valued(1, START, 3),
        valued(11, BOTH, 2),
        valued(21, RETURN, 1),
    ];
    let expected = [(3, 0, vec![0, 1, 2])];
    assert_eq!(values(&first(Starts::FirstEver), &events), expected);
}

#[test]
fn amounts_of_one_event_add_up_without_doubling() {
    let events = [worth(1, BOTH, 2.0), worth(2, BOTH, 3.0)];
    assert_eq!(sums(Amounts::OneEvent, &events), [(0, 5.0)]);
}

#[test]
fn amounts_of_returns_count_only_after_the_first_start_of_the_cohorts_period() {
    let events = [
        worth(1, RETURN, 1.0),
        worth(2, START, 2.0),
        worth(2, RETURN, 4.0),
        worth(3, RETURN, 8.0),
        worth(11, RETURN, 16.0),
    ];
    let expected = [(0, 8.0), (1, 16.0)];
    assert_eq!(sums(Amounts::TwoEvents, &events), expected);
}

#[test]
fn what_is_no_number_adds_nothing() {
    let events = [worth(1, BOTH, f64::NAN), worth(2, BOTH, f64::INFINITY)];
    assert_eq!(sums(Amounts::OneEvent, &events), [(0, 0.0)]);
}

#[test]
fn rolling_windows_begin_with_the_actors_start_and_count_boundaries() {
    let events = [
        event(19, BOTH),
        event(29, RETURN),
        event(30, RETURN),
        event(50, RETURN),
    ];
    let expected = [(0, vec![0, 1, 2])];
    assert_eq!(rows(&rolling(Starts::Recurring), &events), expected);
    assert_eq!(
        rows(
            &rolling(Starts::Recurring),
            &[event(19, BOTH), event(29, RETURN)]
        ),
        [(0, vec![0])]
    );
}

#[test]
fn recurring_rolling_starts_found_one_cohort_and_end_with_the_window() {
    let events = [
        event(-1, BOTH),
        event(45, BOTH),
        event(55, BOTH),
        event(61, RETURN),
    ];
    assert_eq!(rows(&rolling(Starts::Recurring), &events), [(2, vec![0])]);
}

#[test]
fn first_rolling_starts_see_returns_after_the_window() {
    let events = [event(45, START), event(61, RETURN), event(85, RETURN)];
    let expected = [(2, vec![0, 1, 2])];
    assert_eq!(rows(&rolling(Starts::FirstTime), &events), expected);
    let before = [&[event(-1, START)], &events[..]].concat();
    assert_eq!(rows(&rolling(Starts::FirstTime), &before), []);
    assert_eq!(rows(&rolling(Starts::FirstTime), &[event(61, START)]), []);
}

#[test]
fn a_rolling_actor_counts_under_every_value_that_it_shows_from_its_start_on() {
    let events = [
        valued(1, RETURN, 9),
        valued(5, BOTH, 1),
        valued(25, BOTH, 2),
        valued(26, CANDIDATE, 3),
    ];
    let expected = [(1, 0, vec![0]), (2, 0, vec![0, 1])];
    assert_eq!(values(&rolling(Starts::Recurring), &events), expected);
}

#[test]
fn nothing_is_found_where_nothing_is_asked() {
    let empty = Retention {
        edges: vec![],
        reach: vec![],
        ..periods(1)
    };
    assert_eq!(rows(&empty, &[event(1, BOTH)]), []);
    assert_eq!(rows(&periods(4), &[]), []);
    let backwards = Retention {
        edges: vec![i64::MAX, 0, i64::MIN],
        reach: vec![usize::MAX, 0],
        ..periods(1)
    };
    rows(&backwards, &[event(i64::MIN, BOTH), event(i64::MAX, BOTH)]);
}

#[test]
fn it_travels_as_json() {
    for mode in [
        counts(2, true),
        Mode::Amounts(Amounts::TwoEvents),
        rolling(Starts::FirstEver).mode,
    ] {
        let retention = Retention {
            mode,
            ..first(Starts::FirstEver)
        };
        let json = serde_json::to_string(&retention).unwrap();
        assert_eq!(serde_json::from_str::<Retention>(&json).unwrap(), retention);
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event =
        (-30i64..110, 0u8..8, 0u32..3, 0u8..20).prop_map(|(time, kinds, value, amount)| Event {
            time,
            kinds,
            value,
            amount: f64::from(amount),
        });
    prop::collection::vec(event, 0..14)
}

fn retention() -> impl Strategy<Value = Retention> {
    let starts = prop_oneof![
        Just(Starts::Recurring),
        Just(Starts::FirstTime),
        Just(Starts::FirstEver)
    ];
    let mode = prop_oneof![
        (0u64..4, any::<bool>()).prop_map(|(minimum, cumulative)| counts(minimum, cumulative)),
        Just(Mode::Amounts(Amounts::OneEvent)),
        Just(Mode::Amounts(Amounts::TwoEvents)),
        (1usize..4, 1usize..5, 1i64..100).prop_map(|(length, rows, until)| {
            Mode::Rolling(Rolling {
                length,
                rows,
                until,
            })
        }),
    ];
    let lengths = prop::collection::vec(1i64..12, 1..9);
    let reach = prop::collection::btree_set(1usize..9, 0..6);
    (starts, mode, lengths, reach).prop_map(|(starts, mode, lengths, reach)| {
        let ends = lengths.into_iter().scan(0, |end, length| {
            *end += length;
            Some(*end)
        });
        Retention {
            edges: [0].into_iter().chain(ends).collect(),
            starts,
            reach: reach.into_iter().collect(),
            mode,
        }
    })
}

/// What whoever calls has to hand over: see the module.
fn needed(retention: &Retention, events: &[Event]) -> Vec<Event> {
    let until = match retention.mode {
        Mode::Rolling(_) if retention.starts != Starts::Recurring => i64::MAX,
        Mode::Rolling(rolling) => rolling.until,
        _ => retention.edges[retention.edges.len() - 1],
    };
    let gone = match retention.starts {
        Starts::Recurring => 0,
        Starts::FirstTime => START,
        Starts::FirstEver => START | CANDIDATE,
    };
    let mut before = vec![];
    let mut needed = vec![];
    for event in events.iter().rev() {
        if event.time >= until {
            continue;
        } else if event.time >= 0 {
            needed.push(*event);
        } else if event.is(gone) && !before.contains(&event.value) {
            before.push(event.value);
            needed.push(*event);
        }
    }
    needed
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn agrees_with_the_note_told_cell_by_cell(retention in retention(), events in events()) {
        prop_assert_eq!(told(&retention, &events), oracle::cohorts(&retention, &events));
    }

    #[test]
    fn the_needed_events_are_enough(retention in retention(), events in events()) {
        let needed = needed(&retention, &events);
        prop_assert_eq!(told(&retention, &needed), told(&retention, &events));
    }

    #[test]
    fn the_first_ever_puts_an_actor_under_one_value(events in events()) {
        let split = rows(&first(Starts::FirstEver), &events);
        let together: Vec<Event> = events.iter().map(|event| Event { value: 0, ..*event }).collect();
        prop_assert_eq!(split, rows(&first(Starts::FirstEver), &together));
    }
}
