//! Retention told cell by cell, slowly: for every value, row and column, whether the note's words hold.

use std::collections::BTreeSet;

use super::{Amounts, Event, Mode, Retention, Rolling, Starts};

/// Value, row, and each column with its sum.
pub(super) type Told = Vec<(u32, usize, Vec<(usize, f64)>)>;

pub(super) fn cohorts(retention: &Retention, events: &[Event]) -> Told {
    match retention.mode {
        Mode::Rolling(rolling) => rolled(retention, rolling, events),
        Mode::Counts(_) | Mode::Amounts(_) => by_calendar(retention, events),
    }
}

fn starts(event: &Event) -> bool {
    event.kinds & Event::START != 0
}

fn returns(event: &Event) -> bool {
    event.kinds & Event::RETURN != 0
}

fn candidate(event: &Event) -> bool {
    starts(event) || event.kinds & Event::CANDIDATE != 0
}

fn period(retention: &Retention, time: i64) -> Option<usize> {
    retention
        .edges
        .windows(2)
        .position(|edges| edges[0] <= time && time < edges[1])
}

fn rows(retention: &Retention) -> usize {
    retention.edges.len().saturating_sub(1)
}

/// The periods after the cohort that a column holds.
fn offsets(retention: &Retention, column: usize) -> BTreeSet<usize> {
    match column {
        0 => BTreeSet::from([0]),
        1 => (1..=retention.reach[0]).collect(),
        _ => (retention.reach[column - 2] + 1..=retention.reach[column - 1]).collect(),
    }
}

fn earliest(events: &[Event], of: fn(&Event) -> bool) -> Option<i64> {
    events
        .iter()
        .filter(|event| of(event))
        .map(|event| event.time)
        .min()
}

fn by_calendar(retention: &Retention, events: &[Event]) -> Told {
    let mut events = events.to_vec();
    if retention.starts == Starts::FirstEver {
        let ever = earliest(&events, candidate);
        if ever != earliest(&events, starts) {
            return vec![];
        }
        let of_first = events
            .iter()
            .filter(|event| starts(event) && Some(event.time) == ever);
        let Some(value) = of_first.map(|event| event.value).min() else {
            return vec![];
        };
        events.iter_mut().for_each(|event| event.value = value);
    }
    let values: BTreeSet<u32> = events.iter().map(|event| event.value).collect();
    let mut told = vec![];
    for value in values {
        let own: Vec<Event> = events
            .iter()
            .filter(|event| event.value == value)
            .copied()
            .collect();
        for row in 0..rows(retention) {
            if founds(retention, &own, row) {
                told.push((value, row, columns(retention, &own, row)));
            }
        }
    }
    told
}

fn founds(retention: &Retention, own: &[Event], row: usize) -> bool {
    match retention.starts {
        Starts::Recurring => own
            .iter()
            .any(|event| starts(event) && period(retention, event.time) == Some(row)),
        _ => earliest(own, starts).and_then(|first| period(retention, first)) == Some(row),
    }
}

fn columns(retention: &Retention, own: &[Event], row: usize) -> Vec<(usize, f64)> {
    let within = |at: usize| -> Vec<&Event> {
        own.iter()
            .filter(|event| period(retention, event.time) == Some(at))
            .collect()
    };
    let first = within(row)
        .iter()
        .filter(|event| starts(event))
        .map(|event| event.time)
        .min();
    let mut columns = vec![(0, 0.0)];
    for column in 1..=retention.reach.len() {
        let periods = offsets(retention, column)
            .into_iter()
            .map(|offset| within(row + offset));
        let minimum = match retention.mode {
            Mode::Counts(counts) => counts.minimum.max(1),
            _ => 1,
        };
        let returned: Vec<Vec<&Event>> = periods
            .map(|period| {
                period
                    .into_iter()
                    .filter(|event| returns(event))
                    .collect::<Vec<_>>()
            })
            .filter(|period| period.len() as u64 >= minimum)
            .collect();
        if !returned.is_empty() {
            columns.push((
                column,
                returned.iter().flatten().map(|event| event.amount).sum(),
            ));
        }
    }
    match retention.mode {
        Mode::Amounts(Amounts::OneEvent) => {
            columns[0].1 = within(row)
                .iter()
                .filter(|event| starts(event))
                .map(|event| event.amount)
                .sum();
        }
        Mode::Amounts(Amounts::TwoEvents) => {
            columns[0].1 = within(row)
                .iter()
                .filter(|event| returns(event) && Some(event.time) > first)
                .map(|event| event.amount)
                .sum();
        }
        Mode::Counts(counts) if counts.cumulative => {
            let last = columns.iter().map(|(column, _)| *column).max().unwrap_or(0);
            columns = (0..=last).map(|column| (column, 0.0)).collect();
        }
        _ => columns.iter_mut().for_each(|(_, sum)| *sum = 0.0),
    }
    columns
}

fn rolled(retention: &Retention, rolling: Rolling, events: &[Event]) -> Told {
    let (from, until) = (retention.edges[0], rolling.until);
    let seen: Vec<Event> = events
        .iter()
        .filter(|event| {
            retention.starts != Starts::Recurring || (from..until).contains(&event.time)
        })
        .copied()
        .collect();
    let Some(start) = earliest(&seen, starts) else {
        return vec![];
    };
    let is_ever =
        retention.starts != Starts::FirstEver || earliest(&seen, candidate) == Some(start);
    if !is_ever || !(from..until).contains(&start) {
        return vec![];
    }
    let unit = |time: i64| retention.edges.iter().filter(|edge| **edge <= time).count() - 1;
    let row = unit(start) / rolling.length;
    if row >= rolling.rows || period(retention, start).is_none() {
        return vec![];
    }
    let relevant: Vec<&Event> = seen
        .iter()
        .filter(|event| event.time >= start && (starts(event) || returns(event)))
        .collect();
    let values: BTreeSet<u32> = relevant.iter().map(|event| event.value).collect();
    values
        .into_iter()
        .map(|value| {
            let hit = |column: &usize| {
                *column == 0
                    || relevant.iter().any(|event| {
                        event.value == value
                            && returns(event)
                            && period(retention, event.time).is_some()
                            && offsets(retention, *column)
                                .contains(&((unit(event.time) - unit(start)) / rolling.length))
                    })
            };
            let columns = (0..=retention.reach.len()).filter(hit);
            (value, row, columns.map(|column| (column, 0.0)).collect())
        })
        .collect()
}
