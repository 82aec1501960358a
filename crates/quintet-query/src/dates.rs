//! Ranges of dates: what a definition writes, the range it means, and the earlier range it is compared with.
//!
//! Rules: `spec/filters-and-dates.md` sections 2 and 4. Comparison follows the builds of 2025 (the cases named `v2025_`):
//! `-7d` spans eight days in both periods, which share one.

mod text;

use chrono::{DateTime, Datelike, Duration, NaiveDateTime, NaiveTime, Timelike, Utc};
use chrono_tz::Tz;

use crate::calendar::{Calendar, end_of, midnight};
use crate::error::{Error, Result};
use crate::reader::{Field, Object, Path};
use crate::{Context, Interval};

use text::{DateText, Unit};

pub(crate) use text::Relative;

/// A range of time as a definition gives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DateRange {
    /// First day or instant, absolute or relative, or `all`; midnight seven days ago without.
    pub date_from: Option<String>,
    /// Last day or instant; now without.
    pub date_to: Option<String>,
    /// Takes both exactly as written: no widening to whole days or buckets.
    pub explicit: bool,
}

/// A range as it is meant, both ends inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ResolvedRange {
    pub(crate) from: DateTime<Tz>,
    pub(crate) to: DateTime<Tz>,
    /// First instant of events that count: `from` widened to the start of its bucket where the rules say so.
    pub(crate) lower: DateTime<Tz>,
}

/// How a range is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reading {
    pub(crate) interval: Interval,
    /// Relative starts are not floored and an open end is this very moment: bold numbers.
    pub(crate) exact: bool,
}

impl Reading {
    /// As every insight reads it that is cut into these intervals.
    pub(crate) const fn by(interval: Interval) -> Self {
        Self {
            interval,
            exact: false,
        }
    }
}

impl DateRange {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let range = Self::parse_fields(&mut object)?;
        object.finish(&[])?;
        Ok(range)
    }

    /// Reads the fields that every insight knows.
    pub(crate) fn parse_fields(object: &mut Object<'_>) -> Result<Self> {
        Ok(Self {
            date_from: object.text("date_from")?,
            date_to: object.text("date_to")?,
            explicit: object.flag("explicitDate")?,
        })
    }

    /// True for `all`: the range starts with the first event.
    pub(crate) fn starts_with_first_event(&self) -> bool {
        self.start_text() == Some("all")
    }

    fn start_text(&self) -> Option<&str> {
        self.date_from
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    fn end_text(&self) -> Option<&str> {
        self.date_to
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty())
    }

    /// How long ago the range starts, if it says so or says nothing.
    pub(crate) fn relative_from(&self, calendar: &Calendar) -> Option<Relative> {
        match self.start_text() {
            None => Some(Relative::SEVEN_DAYS),
            Some("all") => None,
            Some(text) => match DateText::parse(text, calendar) {
                DateText::Relative(relative) => Some(relative),
                _ => None,
            },
        }
    }

    fn relative_to(&self, calendar: &Calendar) -> bool {
        self.end_text()
            .is_some_and(|text| matches!(DateText::parse(text, calendar), DateText::Relative(_)))
    }

    /// The range that this means now.
    pub(crate) fn resolve(
        &self,
        reading: Reading,
        context: &Context,
        path: &Path,
    ) -> Result<ResolvedRange> {
        let range = self.resolve_even_inverted(reading, context, path)?;
        in_order(range.from, range.to, path)?;
        Ok(range)
    }

    /// The range that this means now; one that ends before it starts holds nothing.
    pub(crate) fn resolve_even_inverted(
        &self,
        reading: Reading,
        context: &Context,
        path: &Path,
    ) -> Result<ResolvedRange> {
        let from = self.resolve_from(reading, context, path)?;
        let to = self.resolve_to(reading, context, path)?;
        let lower = self.widen(from, reading, &Calendar::of(context));
        Ok(ResolvedRange { from, to, lower })
    }

    /// Both ends as they are meant now, where a start is asked for and known only: for insights that count their periods back
    /// from the end otherwise.
    pub(crate) fn ends(
        &self,
        reading: Reading,
        context: &Context,
        path: &Path,
    ) -> Result<(Option<DateTime<Tz>>, DateTime<Tz>)> {
        let to = self.resolve_to(reading, context, path)?;
        let unknown = self.starts_with_first_event() && context.earliest.is_none();
        if self.start_text().is_none() || unknown {
            return Ok((None, to));
        }
        let from = self.resolve_from(reading, context, path)?;
        in_order(from, to, path)?;
        Ok((Some(from), to))
    }

    fn resolve_from(
        &self,
        reading: Reading,
        context: &Context,
        path: &Path,
    ) -> Result<DateTime<Tz>> {
        let calendar = Calendar::of(context);
        let now = context.now.with_timezone(&context.timezone);
        let path = path.field("date_from");
        let default = || {
            let local = Relative::SEVEN_DAYS.before(now.naive_local(), &calendar);
            local.map(|local| calendar.first_instant(midnight(local.date())))
        };
        let Some(text) = self.start_text() else {
            return default().ok_or_else(|| out_of_calendar(&path));
        };
        if text == "all" {
            return match context.earliest.and_then(DateTime::from_timestamp_micros) {
                Some(earliest) => Ok(earliest.with_timezone(&context.timezone).min(now)),
                None => default().ok_or_else(|| out_of_calendar(&path)),
            };
        }
        match DateText::parse(text, &calendar) {
            DateText::Absolute(instant) => Ok(instant),
            DateText::Unknown => Ok(now),
            DateText::NoSuchDay => Err(no_such_day(&path, text)),
            DateText::Relative(relative) => {
                let local = relative
                    .before(now.naive_local(), &calendar)
                    .ok_or_else(|| out_of_calendar(&path))?;
                let as_written =
                    self.explicit || reading.exact || reading.interval == Interval::Minute;
                Ok(calendar.first_instant(if as_written {
                    local
                } else {
                    relative.floor(local, &calendar)
                }))
            }
        }
    }

    fn resolve_to(&self, reading: Reading, context: &Context, path: &Path) -> Result<DateTime<Tz>> {
        let calendar = Calendar::of(context);
        let now = context.now.with_timezone(&context.timezone);
        let path = path.field("date_to");
        let (to, absolute) = match self.end_text() {
            None if reading.exact => return Ok(now),
            None => (now, false),
            Some(text) => match DateText::parse(text, &calendar) {
                DateText::Absolute(instant) => (instant, true),
                DateText::Unknown => (now, true),
                DateText::NoSuchDay => return Err(no_such_day(&path, text)),
                DateText::Relative(relative) => {
                    let local = relative
                        .before(now.naive_local(), &calendar)
                        .ok_or_else(|| out_of_calendar(&path))?;
                    (calendar.last_instant(local), false)
                }
            },
        };
        if self.explicit || (absolute && reading.interval.is_within_days()) {
            return Ok(to);
        }
        Ok(calendar.last_instant(end_of(reading.interval, to.naive_local())))
    }

    /// The "adjusted" lower bound: month and day buckets count from their start, weeks only from midnight of `from`.
    fn widen(&self, from: DateTime<Tz>, reading: Reading, calendar: &Calendar) -> DateTime<Tz> {
        let relative = self.relative_from(calendar);
        let hours_of_days = reading.interval == Interval::Day
            && relative.is_some_and(|relative| relative.unit == Unit::Hour);
        if self.explicit
            || reading.exact
            || hours_of_days
            || (relative.is_some() && reading.interval.is_within_days())
        {
            return from;
        }
        let local = from.naive_local();
        calendar.first_instant(match reading.interval {
            Interval::Week => midnight(local.date()),
            interval => calendar.start_of(interval, local),
        })
    }

    /// The range just before `current`.
    ///
    /// `asked` is the interval of the query, which one-number displays do not use for `current`.
    pub(crate) fn before(
        &self,
        current: &ResolvedRange,
        reading: Reading,
        asked: Interval,
        context: &Context,
        path: &Path,
    ) -> Result<ResolvedRange> {
        let calendar = Calendar::of(context);
        let (from, to) = (current.from.naive_local(), current.to.naive_local());
        let length = to - from;
        let earlier = shift(from, -length, path)?;
        let (from, to) = match asked {
            Interval::Minute => (earlier, from),
            Interval::Hour => {
                let start = earlier.date().and_time(from.time());
                let end = shift(start, length, path)?;
                (start, same_minute_and_second(end, to.time()))
            }
            Interval::Day | Interval::Week | Interval::Month | Interval::Quarter => {
                let extra = self.extra_day(reading, asked, &calendar);
                let start = shift(earlier.date().and_time(from.time()), extra, path)?;
                let end = shift(start, length, path)?;
                (start, end.date().and_time(to.time()))
            }
        };
        Ok(self.earlier_range(from, to, reading, &calendar))
    }

    /// `-7d` really spans eight days; a day less far back keeps the weekdays of both periods aligned.
    fn extra_day(&self, reading: Reading, asked: Interval, calendar: &Calendar) -> Duration {
        let weeks = self
            .relative_from(calendar)
            .is_some_and(|relative| relative.is_weeks_in_days());
        if asked == Interval::Day
            && weeks
            && !reading.exact
            && !self.explicit
            && !self.relative_to(calendar)
        {
            Duration::days(1)
        } else {
            Duration::zero()
        }
    }

    /// The range that starts `compare_to` before `current`, such as `-1w`, and is as long.
    pub(crate) fn earlier_by(
        &self,
        compare_to: &str,
        current: &ResolvedRange,
        reading: Reading,
        context: &Context,
        path: &Path,
    ) -> Result<ResolvedRange> {
        let calendar = Calendar::of(context);
        let relative = parse_compare_to(compare_to, path)?;
        let (from, to) = (current.from.naive_local(), current.to.naive_local());
        let start = relative
            .before(from, &calendar)
            .ok_or_else(|| out_of_calendar(path))?;
        let end = shift(start, to - from, path)?;
        Ok(self.earlier_range(start, end, reading, &calendar))
    }

    fn earlier_range(
        &self,
        from: NaiveDateTime,
        to: NaiveDateTime,
        reading: Reading,
        calendar: &Calendar,
    ) -> ResolvedRange {
        let from = calendar.first_instant(from);
        ResolvedRange {
            from,
            to: calendar.last_instant(to),
            lower: self.widen(from, reading, calendar),
        }
    }
}

/// How much earlier a comparison is.
pub(crate) fn parse_compare_to(text: &str, path: &Path) -> Result<Relative> {
    Relative::parse_whole(text.trim()).ok_or_else(|| {
        Error::invalid(
            path,
            format!("'{text}' is not a length of time before; write it like -1w, -1m or -1y"),
        )
    })
}

/// A relative date such as `-7d` as an instant, counted from now; nothing for other texts.
pub(crate) fn relative_instant(text: &str, context: &Context) -> Option<DateTime<Utc>> {
    let calendar = Calendar::of(context);
    let relative = Relative::parse_whole(text.trim())?;
    let now = context.now.with_timezone(&context.timezone).naive_local();
    let local = relative.before(now, &calendar)?;
    Some(calendar.first_instant(local).with_timezone(&Utc))
}

/// A date of a feature flag as an instant in UTC: `-7d` or `7d`, counted back from now in any of hours, days, weeks, months and years.
pub(crate) fn instant_before(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    /// Whole numbers below this.
    const MOST: usize = 10_000;
    let text = text.trim();
    let span = text.strip_prefix('-').unwrap_or(text);
    let digits = span.strip_suffix(['h', 'd', 'w', 'm', 'y'])?;
    let is_number = !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number || digits.parse().is_ok_and(|number: usize| number >= MOST) {
        return None;
    }
    let local = Relative::parse_whole(text)?.subtract(now.naive_utc())?;
    (1..=9999).contains(&local.year()).then(|| local.and_utc())
}

/// A single date such as the day of a bucket, read in the project's zone.
pub(crate) fn parse_instant(text: &str, context: &Context, path: &Path) -> Result<DateTime<Tz>> {
    match DateText::parse(text, &Calendar::of(context)) {
        DateText::Absolute(instant) => Ok(instant),
        DateText::NoSuchDay => Err(no_such_day(path, text)),
        DateText::Relative(_) | DateText::Unknown => Err(Error::invalid(
            path,
            format!("'{text}' is not a date; write it like 2024-01-31 or 2024-01-31 13:00:00"),
        )),
    }
}

pub(crate) fn shift(local: NaiveDateTime, by: Duration, path: &Path) -> Result<NaiveDateTime> {
    local
        .checked_add_signed(by)
        .filter(|shifted| (1..=9999).contains(&shifted.year()))
        .ok_or_else(|| out_of_calendar(path))
}

fn in_order(from: DateTime<Tz>, to: DateTime<Tz>, path: &Path) -> Result<()> {
    if from <= to {
        return Ok(());
    }
    Err(Error::invalid(
        path,
        format!(
            "starts at {} but ends at {}; let date_from come before date_to",
            from.format("%Y-%m-%d %H:%M:%S"),
            to.format("%Y-%m-%d %H:%M:%S")
        ),
    ))
}

fn same_minute_and_second(local: NaiveDateTime, of: NaiveTime) -> NaiveDateTime {
    let time =
        NaiveTime::from_hms_nano_opt(local.hour(), of.minute(), of.second(), of.nanosecond());
    time.map_or(local, |time| local.date().and_time(time))
}

pub(crate) fn out_of_calendar(path: &Path) -> Error {
    Error::invalid(
        path,
        "reaches outside the years 1 to 9999; take a date within them",
    )
}

fn no_such_day(path: &Path, text: &str) -> Error {
    Error::invalid(path, format!("there is no such date as '{text}'"))
}

#[cfg(test)]
mod tests;
