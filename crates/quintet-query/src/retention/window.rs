//! The window of retention: the periods in which cohorts start. Rules: `spec/retention.md` sections 2 and 7.
//!
//! Days, weeks and months are those of the local calendar. Hours are absolute, so that none is lost or doubled when the
//! clock changes, and print with the offset that then holds.

use chrono::{DateTime, Duration, NaiveDateTime, SecondsFormat, Timelike};
use chrono_tz::Tz;

use crate::calendar::Calendar;
use crate::dates::{Reading, out_of_calendar};
use crate::error::{Error, Result};
use crate::period::{micros, rfc3339};
use crate::reader::Path;
use crate::{Context, DateRange, Interval};

use super::Rolling;

/// More rows are a mistake rather than a question.
const MOST_ROWS: usize = 10_000;

const HOUR: i64 = 3_600_000_000;

/// The periods in which cohorts start, one per row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Size of a period: hour, day, week or month.
    pub interval: Interval,
    /// Starts of the periods, ascending, then the exclusive end of the last one, in microseconds since 1970.
    pub edges: Vec<i64>,
    /// `date` of each row: its start in the project's zone.
    pub dates: Vec<String>,
    /// `resolved_date_range` of the result: first and last instant in the project's zone.
    pub range: (String, String),
}

impl Window {
    /// The whole periods that the range touches. One without a start has this many.
    pub(super) fn of(
        range: &DateRange,
        interval: Interval,
        intervals: usize,
        context: &Context,
    ) -> Result<Self> {
        let path = Path::root().field("dateRange");
        let reading = Reading::by(interval);
        let (from, to) = range.ends(reading, context, &path)?;
        let calendar = Calendar::of(context);
        let mut edges = match interval {
            Interval::Hour => hours(from, to, intervals),
            _ => periods(interval, from, to, intervals, &calendar),
        }
        .ok_or_else(|| out_of_calendar(&path))?;
        // A day that the clock skips has no length and is left out.
        edges.dedup();
        if edges.len() > MOST_ROWS + 1 {
            return Err(too_many(interval, &path));
        }
        let (Some(first), Some(end)) = (edges.first(), edges.last()) else {
            return Err(out_of_calendar(&path));
        };
        let last = end
            .checked_sub_signed(Duration::microseconds(1))
            .unwrap_or(*end);
        let (_, starts) = edges.split_last().unwrap_or((end, &[]));
        Ok(Self {
            interval,
            dates: starts
                .iter()
                .map(|start| start.to_rfc3339_opts(SecondsFormat::Secs, true))
                .collect(),
            range: (rfc3339(*first), rfc3339(last)),
            edges: edges.into_iter().map(micros).collect(),
        })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.dates.len()
    }

    /// First instant of the window.
    pub fn start(&self) -> i64 {
        self.edges.first().copied().unwrap_or(i64::MIN)
    }

    /// Exclusive end of the window.
    pub fn end(&self) -> i64 {
        self.edges.last().copied().unwrap_or(i64::MIN)
    }

    /// Windows that begin with the actor's own start, reaching this many columns beyond the last row.
    pub(super) fn rolling(&self, columns: usize, calendar: &Calendar) -> Rolling {
        let (length, hourly) = match self.interval {
            Interval::Minute | Interval::Hour => (1, true),
            Interval::Day => (24, true),
            Interval::Week => (7, false),
            Interval::Month | Interval::Quarter => (30, false),
        };
        let units = (self.rows() + columns) * length;
        let edges = if hourly {
            let hour = |start: &i64| start.checked_add(HOUR);
            std::iter::successors(Some(self.start()), hour)
                .take(units + 1)
                .collect()
        } else {
            local_days(self.start(), calendar).take(units + 1).collect()
        };
        Rolling { edges, length }
    }
}

/// Starts of local days, from the one that holds this instant on.
fn local_days(start: i64, calendar: &Calendar) -> impl Iterator<Item = i64> {
    let start = DateTime::from_timestamp_micros(start)
        .map(|start| start.with_timezone(&calendar.zone).naive_local());
    let first = start.map(|start| calendar.start_of(Interval::Day, start));
    std::iter::successors(first, |day| calendar.next(Interval::Day, *day))
        .map(|day| micros(calendar.edge(day)))
}

/// Starts of absolute hours up to the end of the hour of `to`, inclusive.
fn hours(
    from: Option<DateTime<Tz>>,
    to: DateTime<Tz>,
    intervals: usize,
) -> Option<Vec<DateTime<Tz>>> {
    let end = start_of_hour(to)?.checked_add_signed(Duration::hours(1))?;
    let start = match from {
        Some(from) => start_of_hour(from)?,
        None => end.checked_sub_signed(Duration::hours(i64::try_from(intervals).ok()?))?,
    };
    let next = |hour: &DateTime<Tz>| {
        (*hour < end)
            .then(|| hour.checked_add_signed(Duration::hours(1)))
            .flatten()
    };
    Some(few(std::iter::successors(Some(start), next)))
}

/// Where the clock on the wall showed the full hour. An hour that the clock shows twice is two.
fn start_of_hour(instant: DateTime<Tz>) -> Option<DateTime<Tz>> {
    let seconds = i64::from(instant.minute() * 60 + instant.second());
    let into_hour =
        Duration::seconds(seconds) + Duration::nanoseconds(i64::from(instant.nanosecond()));
    instant.checked_sub_signed(into_hour)
}

/// Starts of local periods up to the end of that of `to`, inclusive.
fn periods(
    interval: Interval,
    from: Option<DateTime<Tz>>,
    to: DateTime<Tz>,
    intervals: usize,
    calendar: &Calendar,
) -> Option<Vec<DateTime<Tz>>> {
    let end = calendar.next(interval, calendar.start_of(interval, to.naive_local()))?;
    let start = match from {
        Some(from) => calendar.start_of(interval, from.naive_local()),
        None => (0..intervals).try_fold(end, |period, _| calendar.previous(interval, period))?,
    };
    let next = |period: &NaiveDateTime| {
        (*period < end)
            .then(|| calendar.next(interval, *period))
            .flatten()
    };
    let locals = std::iter::successors(Some(start), next);
    Some(few(locals.map(|local| calendar.edge(local))))
}

fn too_many(interval: Interval, path: &Path) -> Error {
    Error::invalid(
        path,
        format!(
            "has more than {MOST_ROWS} periods of one {}; narrow the range or take a larger period",
            interval.name()
        ),
    )
}

/// As many as are looked at before they are too many.
fn few<T>(edges: impl Iterator<Item = T>) -> Vec<T> {
    edges.take(MOST_ROWS + 2).collect()
}
