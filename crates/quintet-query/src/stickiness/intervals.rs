//! A range cut into the intervals in which an actor can be active: those of the calendar, or stretches joined back from the end.
//!
//! Rules: `spec/stickiness.md` section 2, numbers 2 and 5.

use chrono::{DateTime, Datelike, Days, Duration, Months, NaiveDateTime};
use chrono_tz::Tz;

use crate::calendar::{Calendar, last_of_month, midnight};
use crate::dates::{ResolvedRange, out_of_calendar};
use crate::error::Result;
use crate::period::micros;
use crate::reader::Path;
use crate::{Context, Interval, Period};

/// A range of time and its intervals. Times are microseconds since 1970 in UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Intervals {
    /// First instant of events that count.
    pub from: i64,
    /// Last instant that counts, inclusive.
    pub to: i64,
    /// Starts of the intervals, ascending, then the exclusive end of the last one. The first may start before `from` and the
    /// last may end after `to`; each event between those two lies in one.
    pub edges: Vec<i64>,
    /// How many intervals the result shows at least. Stretches joined back from the end may be one more.
    pub shown: usize,
    /// Both ends in the project's zone, `2024-01-31T00:00:00+01:00`.
    pub range: (String, String),
}

impl Intervals {
    /// Intervals of the calendar, or `joined` of them at a time counted back from `end`.
    pub(super) fn of(
        range: &ResolvedRange,
        interval: Interval,
        joined: Option<u32>,
        end: DateTime<Tz>,
        context: &Context,
        path: &Path,
    ) -> Result<Self> {
        let period = Period::in_buckets(range, interval, context, path)?;
        let (shown, edges) = match joined {
            None => (period.buckets(), period.edges),
            Some(joined) => {
                let edges = joined_edges(range, interval, joined, end, &Calendar::of(context))
                    .ok_or_else(|| out_of_calendar(path))?;
                let joined = usize::try_from(joined).unwrap_or(usize::MAX);
                (period.edges.len().saturating_sub(1).div_ceil(joined), edges)
            }
        };
        Ok(Self {
            from: period.from,
            to: period.to,
            edges,
            shown,
            range: period.range,
        })
    }
}

/// Edges every `joined` intervals before `end`, as far as the range reaches; `None` at the start of the calendar.
fn joined_edges(
    range: &ResolvedRange,
    interval: Interval,
    joined: u32,
    end: DateTime<Tz>,
    calendar: &Calendar,
) -> Option<Vec<i64>> {
    let (from, to) = (micros(range.lower), micros(range.to));
    let mut edges = Vec::new();
    for stretch in 0.. {
        let edge = edge_before(interval, stretch * i64::from(joined), end, calendar)?;
        if edge > to {
            // Of the edges after the range only the nearest one ends a stretch of it.
            edges.clear();
        }
        if edges.last() != Some(&edge) {
            edges.push(edge);
        }
        if edge <= from {
            break;
        }
    }
    edges.reverse();
    Some(edges)
}

/// The first instant from which fewer than `intervals` complete intervals pass until `end`.
fn edge_before(
    interval: Interval,
    intervals: i64,
    end: DateTime<Tz>,
    calendar: &Calendar,
) -> Option<i64> {
    let after = Duration::microseconds(1);
    let elapsed = |unit: Duration| {
        let length = unit.num_microseconds()?.checked_mul(intervals)?;
        micros(end).checked_add(1)?.checked_sub(length)
    };
    let on_the_wall = |local: NaiveDateTime| micros(calendar.edge(local));
    let days = |length: i64| {
        let days = Days::new(u64::try_from(intervals.checked_mul(length)?).ok()?);
        let local = end.naive_local().checked_add_signed(after)?;
        Some(on_the_wall(local.checked_sub_days(days)?))
    };
    let months = |length: i64| {
        let months = u32::try_from(intervals.checked_mul(length)?).ok()?;
        month_before(end.naive_local(), months, after).map(on_the_wall)
    };
    match interval {
        Interval::Minute => elapsed(Duration::minutes(1)),
        Interval::Hour => elapsed(Duration::hours(1)),
        Interval::Day => days(1),
        Interval::Week => days(7),
        Interval::Month => months(1),
        Interval::Quarter => months(3),
    }
}

/// Just after the day and time of `end` in an earlier month; after the whole month where that has no such day, because
/// no complete months have passed while the day of the month is later than that of the end.
fn month_before(end: NaiveDateTime, months: u32, after: Duration) -> Option<NaiveDateTime> {
    let first = end
        .date()
        .with_day(1)?
        .checked_sub_months(Months::new(months))?;
    match first.with_day(end.day()) {
        Some(day) => day.and_time(end.time()).checked_add_signed(after),
        None => last_of_month(first).succ_opt().map(midnight),
    }
}

#[cfg(test)]
mod tests;
