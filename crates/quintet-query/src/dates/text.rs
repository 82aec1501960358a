//! Dates as text: absolute (`2024-01-31`, `2024-1-31 10:30`) and relative (`-7d`, `mStart`).
//!
//! Rules: `spec/filters-and-dates.md` section 2.

use std::sync::LazyLock;

use chrono::{
    DateTime, Datelike, Days, Duration, FixedOffset, Months, NaiveDate, NaiveDateTime, NaiveTime,
};
use chrono_tz::Tz;
use regex::{Captures, Regex};

use crate::Interval;
use crate::calendar::{Calendar, clock, end_of, last_of_month, midnight, start_of_quarter};

/// `None` only if the pattern itself were broken, which a test rules out.
static ABSOLUTE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^\s*(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d+))?)?)?\s*(Z|[+-]\d{2}(?::?\d{2})?)?\s*$",
    )
    .ok()
});
static RELATIVE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"-?(?<number>[0-9]+)?(?<unit>[hdwmqyMs])(?<position>Start|End)?").ok()
});

/// What a date's text says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum DateText {
    /// A moment of its own.
    Absolute(DateTime<Tz>),
    /// So much before now.
    Relative(Relative),
    /// Looks like a date but is none, like `2024-02-30`.
    NoSuchDay,
    /// Nothing that is understood; PostHog takes now.
    Unknown,
}

/// A time before another, such as `-7d` or `-1mStart`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Relative {
    pub(crate) number: u32,
    pub(crate) unit: Unit,
    position: Option<Position>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Second,
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    Start,
    End,
}

impl DateText {
    pub(crate) fn parse(text: &str, calendar: &Calendar) -> Self {
        if let Some(parts) = captures(&ABSOLUTE, text) {
            return absolute(&parts, calendar).map_or(Self::NoSuchDay, Self::Absolute);
        }
        captures(&RELATIVE, text)
            .and_then(|parts| Relative::read(&parts))
            .map_or(Self::Unknown, Self::Relative)
    }
}

fn captures<'t>(pattern: &'static LazyLock<Option<Regex>>, text: &'t str) -> Option<Captures<'t>> {
    LazyLock::force(pattern).as_ref()?.captures(text)
}

fn absolute(parts: &Captures<'_>, calendar: &Calendar) -> Option<DateTime<Tz>> {
    let number = |index: usize| {
        parts
            .get(index)
            .map_or(Some(0), |text| text.as_str().parse::<u32>().ok())
    };
    let year = i32::try_from(number(1)?).ok()?;
    let day =
        NaiveDate::from_ymd_opt(year, number(2)?, number(3)?).filter(|day| day.year() >= 1)?;
    let micro = parts
        .get(7)
        .map_or(Some(0), |digits| microseconds(digits.as_str()))?;
    let time = NaiveTime::from_hms_micro_opt(number(4)?, number(5)?, number(6)?, micro)?;
    let local = day.and_time(time);
    match parts.get(8) {
        None => Some(calendar.first_instant(local)),
        Some(text) => {
            let utc = local.checked_sub_offset(offset(text.as_str())?)?;
            Some(utc.and_utc().with_timezone(&calendar.zone))
        }
    }
}

/// The digits after the point, in microseconds.
fn microseconds(digits: &str) -> Option<u32> {
    format!("{digits:0<6}").get(..6)?.parse().ok()
}

fn offset(text: &str) -> Option<FixedOffset> {
    if text == "Z" {
        return FixedOffset::east_opt(0);
    }
    let hours: i32 = text.get(1..3)?.parse().ok()?;
    let minutes: i32 = text
        .get(3..)
        .unwrap_or_default()
        .trim_start_matches(':')
        .parse()
        .unwrap_or(0);
    let seconds = hours * 3600 + minutes * 60;
    FixedOffset::east_opt(if text.starts_with('-') {
        -seconds
    } else {
        seconds
    })
}

impl Relative {
    /// What holds where nothing is said: midnight seven days ago.
    pub(crate) const SEVEN_DAYS: Self = Self {
        number: 7,
        unit: Unit::Day,
        position: None,
    };

    fn read(parts: &Captures<'_>) -> Option<Self> {
        let unit = match parts.name("unit")?.as_str() {
            "s" => Unit::Second,
            "M" => Unit::Minute,
            "h" => Unit::Hour,
            "d" => Unit::Day,
            "w" => Unit::Week,
            "m" => Unit::Month,
            "q" => Unit::Quarter,
            _ => Unit::Year,
        };
        let position = parts
            .name("position")
            .map(|position| match position.as_str() {
                "Start" => Position::Start,
                _ => Position::End,
            });
        let number = match parts.name("number") {
            None => 0,
            // More than the calendar holds in any unit that is larger than a second.
            Some(digits) => digits.as_str().parse().unwrap_or(u32::MAX),
        };
        Some(Self {
            number,
            unit,
            position,
        })
    }

    /// The whole text is relative, as property filters on dates demand.
    pub(crate) fn parse_whole(text: &str) -> Option<Self> {
        let parts = captures(&RELATIVE, text)?;
        let whole = parts.get(0).is_some_and(|found| found.as_str() == text);
        if whole && parts.name("number").or(parts.name("position")).is_some() {
            Self::read(&parts)
        } else {
            None
        }
    }

    /// This long before `local`, then to the start or end of the unit where the text says so; `None` outside the years 1 to 9999.
    pub(crate) fn before(
        &self,
        local: NaiveDateTime,
        calendar: &Calendar,
    ) -> Option<NaiveDateTime> {
        let shifted = self.subtract(local)?;
        let placed = match self.position {
            None => shifted,
            Some(Position::Start) => self.start(shifted, calendar),
            Some(Position::End) => self.end(shifted, calendar),
        };
        (1..=9999).contains(&placed.year()).then_some(placed)
    }

    /// Only the subtraction: months and years clamp to the last day there is.
    pub(crate) fn subtract(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        let number = i64::from(self.number);
        let days = |days: u64| local.checked_sub_days(Days::new(days));
        match self.unit {
            Unit::Second => local.checked_sub_signed(Duration::try_seconds(number)?),
            Unit::Minute => local.checked_sub_signed(Duration::try_minutes(number)?),
            Unit::Hour => local.checked_sub_signed(Duration::try_hours(number)?),
            Unit::Day => days(u64::from(self.number)),
            Unit::Week => days(u64::from(self.number) * 7),
            // 13 weeks, not three months: PostHog's rule.
            Unit::Quarter => days(u64::from(self.number) * 91),
            Unit::Month => local.checked_sub_months(Months::new(self.number)),
            Unit::Year => local.checked_sub_months(Months::new(self.number.checked_mul(12)?)),
        }
    }

    fn start(&self, local: NaiveDateTime, calendar: &Calendar) -> NaiveDateTime {
        let interval = match self.unit {
            Unit::Second => return local,
            Unit::Year => {
                return NaiveDate::from_ymd_opt(local.year(), 1, 1)
                    .map_or(local, |day| day.and_time(local.time()));
            }
            Unit::Minute => Interval::Minute,
            Unit::Hour => Interval::Hour,
            Unit::Day => Interval::Day,
            Unit::Week => Interval::Week,
            Unit::Month => Interval::Month,
            Unit::Quarter => Interval::Quarter,
        };
        let start = calendar.start_of(interval, local);
        match self.unit {
            Unit::Week | Unit::Month | Unit::Quarter => start.date().and_time(local.time()),
            _ => start,
        }
    }

    fn end(&self, local: NaiveDateTime, calendar: &Calendar) -> NaiveDateTime {
        let day = local.date();
        let last_day = match self.unit {
            Unit::Second => return local,
            Unit::Minute => return end_of(Interval::Minute, local),
            Unit::Hour => return end_of(Interval::Hour, local),
            Unit::Day => return day.and_time(clock(23, 59, 59, 999_999)),
            Unit::Week => calendar
                .start_of_week(day)
                .checked_add_days(Days::new(6))
                .unwrap_or(day),
            Unit::Month => last_of_month(day),
            Unit::Quarter => start_of_quarter(day)
                .checked_add_months(Months::new(2))
                .map_or(day, last_of_month),
            Unit::Year => NaiveDate::from_ymd_opt(day.year(), 12, 31).unwrap_or(day),
        };
        last_day.and_time(local.time())
    }

    /// Whole weeks told in days, like `-7d` and `-14d`.
    pub(crate) const fn is_weeks_in_days(&self) -> bool {
        matches!(self.unit, Unit::Day) && self.number > 0 && self.number.is_multiple_of(7)
    }

    /// Where a range that starts this long ago really starts: on the hour for hours, else at midnight.
    pub(crate) fn floor(&self, local: NaiveDateTime, calendar: &Calendar) -> NaiveDateTime {
        match self.unit {
            Unit::Hour => calendar.start_of(Interval::Hour, local),
            _ => midnight(local.date()),
        }
    }
}
