//! A range of time cut into buckets, with the texts that results show for them.
//!
//! Rules: `spec/filters-and-dates.md` sections 2 and 3.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use crate::calendar::Calendar;
use crate::dates::{ResolvedRange, out_of_calendar};
use crate::error::{Error, Result};
use crate::reader::Path;
use crate::{Context, Interval, SlidingBuckets};

/// More buckets than this are a mistake rather than a question.
const MOST_BUCKETS: usize = 100_000;

/// A resolved range of time with its buckets. Times are microseconds since 1970 in UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Period {
    /// First instant of events that count ("lower" of the note: widened to the bucket start where the rules say so).
    pub from: i64,
    /// Last instant that counts, inclusive.
    pub to: i64,
    /// Starts of the buckets, ascending, then the exclusive end of the last one: always one more than there are buckets.
    pub edges: Vec<i64>,
    /// `days` of the result, one per bucket; none for one-number displays.
    pub days: Vec<String>,
    /// `labels` of the result, one per bucket; none for one-number displays.
    pub labels: Vec<String>,
    /// `resolved_date_range` of the result: both ends in the project's zone, `2024-01-31T00:00:00+01:00`.
    pub range: (String, String),
    /// The small buckets of weekly and monthly active actors, where a series counts them.
    pub sliding: Option<SlidingBuckets>,
}

impl Period {
    /// The range in buckets of the interval, stepping in local calendar time.
    pub(crate) fn in_buckets(
        range: &ResolvedRange,
        interval: Interval,
        context: &Context,
        path: &Path,
    ) -> Result<Self> {
        let calendar = Calendar::of(context);
        let mut period = Self::without_buckets(range);
        let mut start = calendar.start_of(interval, range.from.naive_local());
        while calendar.edge(start) <= range.to {
            if period.days.len() == MOST_BUCKETS {
                return Err(Error::invalid(
                    path,
                    format!(
                        "has more than {MOST_BUCKETS} buckets of one {}; narrow the range or take a larger interval",
                        interval.name()
                    ),
                ));
            }
            period.push(start, range, interval, &calendar);
            start = calendar
                .next(interval, start)
                .ok_or_else(|| out_of_calendar(path))?;
        }
        period.edges.push(micros(calendar.edge(start)));
        Ok(period)
    }

    /// Adds a bucket. One that the clock skips entirely (a lost day or hour) has no length and is left out.
    fn push(
        &mut self,
        start: NaiveDateTime,
        range: &ResolvedRange,
        interval: Interval,
        calendar: &Calendar,
    ) {
        let edge = micros(calendar.edge(start));
        let next = calendar
            .next(interval, start)
            .map_or(edge, |next| micros(calendar.edge(next)));
        if next <= edge {
            return;
        }
        self.edges.push(edge);
        self.days.push(day_text(start, interval));
        self.labels.push(label(start, range, interval));
    }

    /// The range as a single bucket without texts.
    pub(crate) fn as_one(range: &ResolvedRange) -> Self {
        let mut period = Self::without_buckets(range);
        period.edges = vec![period.from, period.to + 1];
        period
    }

    fn without_buckets(range: &ResolvedRange) -> Self {
        Self {
            from: micros(range.lower),
            to: micros(range.to),
            edges: Vec::new(),
            days: Vec::new(),
            labels: Vec::new(),
            range: (rfc3339(range.from), rfc3339(range.to)),
            sliding: None,
        }
    }

    /// How many buckets there are.
    pub fn buckets(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }
}

pub(crate) fn micros(instant: DateTime<Tz>) -> i64 {
    instant.timestamp_micros()
}

pub(crate) fn rfc3339(instant: DateTime<Tz>) -> String {
    instant.format("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

fn day_text(start: NaiveDateTime, interval: Interval) -> String {
    if interval.is_within_days() {
        start.format("%Y-%m-%d %H:%M:%S").to_string()
    } else {
        start.format("%Y-%m-%d").to_string()
    }
}

fn label(start: NaiveDateTime, range: &ResolvedRange, interval: Interval) -> String {
    match interval {
        Interval::Minute | Interval::Hour => start.format("%-d-%b %H:%M").to_string(),
        Interval::Day => day_month_year(start.date()),
        Interval::Week => week_label(start.date(), range),
        Interval::Month => start.format("%b %Y").to_string(),
        Interval::Quarter => format!("Q{} {}", start.month0() / 3 + 1, start.year()),
    }
}

/// First and last day of the week as far as they lie in the range.
fn week_label(start: NaiveDate, range: &ResolvedRange) -> String {
    let first = start.max(range.from.date_naive());
    let last = start
        .checked_add_days(Days::new(6))
        .unwrap_or(start)
        .min(range.to.date_naive());
    if first == last {
        day_month_year(first)
    } else if first.year() != last.year() {
        format!("{} – {}", day_month_year(first), day_month_year(last))
    } else if first.month() != last.month() {
        format!("{} – {}", first.format("%-d-%b"), last.format("%-d-%b"))
    } else {
        format!("{}–{}", first.day(), last.format("%-d %b"))
    }
}

fn day_month_year(day: NaiveDate) -> String {
    day.format("%-d-%b-%Y").to_string()
}
