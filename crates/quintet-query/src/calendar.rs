//! The project's calendar: local times, where buckets start, and which instant a local time is.
//!
//! Local arithmetic is done on wall-clock times, so that a day stays a day where the clock changes.

use chrono::offset::LocalResult;
use chrono::{
    DateTime, Datelike, Days, Duration, Months, NaiveDate, NaiveDateTime, NaiveTime, Offset,
    TimeZone, Timelike,
};
use chrono_tz::Tz;

use crate::{Context, Interval, WeekStart};

/// A zone and a week's start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Calendar {
    pub(crate) zone: Tz,
    pub(crate) week_start: WeekStart,
}

impl Calendar {
    pub(crate) fn of(context: &Context) -> Self {
        Self {
            zone: context.timezone,
            week_start: context.week_start,
        }
    }

    /// The instant of a local time: the first of two when the clock goes back, read on as if it had not changed when it is skipped.
    pub(crate) fn first_instant(&self, local: NaiveDateTime) -> DateTime<Tz> {
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant,
            LocalResult::None => self.after_gap(local),
        }
    }

    /// The instant of a local time: the last of two when the clock goes back.
    pub(crate) fn last_instant(&self, local: NaiveDateTime) -> DateTime<Tz> {
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(_, instant) => instant,
            LocalResult::None => self.after_gap(local),
        }
    }

    /// A skipped local time read with the offset that held before the gap, as clocks that were not put forward would show it.
    fn after_gap(&self, local: NaiveDateTime) -> DateTime<Tz> {
        let day_before = local
            .checked_sub_signed(Duration::hours(26))
            .unwrap_or(local);
        let offset = self.zone.offset_from_utc_datetime(&day_before).fix();
        let utc = local.checked_sub_offset(offset).unwrap_or(local);
        self.zone.from_utc_datetime(&utc)
    }

    /// The instant at which a bucket starts: that of the local time, or the moment of the change when the clock skips it, so
    /// that later local times never give earlier instants.
    pub(crate) fn edge(&self, local: NaiveDateTime) -> DateTime<Tz> {
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(instant) | LocalResult::Ambiguous(instant, _) => instant,
            LocalResult::None => self.change_before(self.after_gap(local)),
        }
    }

    /// The first instant with the offset of this one, which lies less than a day after a change. Clocks change on full seconds.
    fn change_before(&self, after: DateTime<Tz>) -> DateTime<Tz> {
        let offset = after.offset().fix();
        let at = |second: i64| self.zone.timestamp_opt(second, 0).single();
        let has_changed =
            |second: i64| at(second).is_some_and(|instant| instant.offset().fix() == offset);
        let (mut before, mut since) = (after.timestamp() - 26 * 60 * 60, after.timestamp());
        while since - before > 1 {
            let middle = before + (since - before) / 2;
            if has_changed(middle) {
                since = middle;
            } else {
                before = middle;
            }
        }
        at(since).unwrap_or(after)
    }

    /// Where the bucket of a local time starts.
    pub(crate) fn start_of(&self, interval: Interval, local: NaiveDateTime) -> NaiveDateTime {
        let day = local.date();
        match interval {
            Interval::Minute => day.and_time(floor_time(local, local.minute())),
            Interval::Hour => day.and_time(floor_time(local, 0)),
            Interval::Day => midnight(day),
            Interval::Week => midnight(self.start_of_week(day)),
            Interval::Month => midnight(day.with_day(1).unwrap_or(day)),
            Interval::Quarter => midnight(start_of_quarter(day)),
        }
    }

    /// Where the bucket after the one that starts at `local` starts; `None` at the end of the calendar.
    pub(crate) fn next(&self, interval: Interval, local: NaiveDateTime) -> Option<NaiveDateTime> {
        match interval {
            Interval::Minute => local.checked_add_signed(Duration::minutes(1)),
            Interval::Hour => local.checked_add_signed(Duration::hours(1)),
            Interval::Day => local.checked_add_days(Days::new(1)),
            Interval::Week => local.checked_add_days(Days::new(7)),
            Interval::Month => local.checked_add_months(Months::new(1)),
            Interval::Quarter => local.checked_add_months(Months::new(3)),
        }
    }

    /// Where the bucket before the one that starts at `local` starts; `None` at the start of the calendar.
    pub(crate) fn previous(
        &self,
        interval: Interval,
        local: NaiveDateTime,
    ) -> Option<NaiveDateTime> {
        match interval {
            Interval::Minute => local.checked_sub_signed(Duration::minutes(1)),
            Interval::Hour => local.checked_sub_signed(Duration::hours(1)),
            Interval::Day => local.checked_sub_days(Days::new(1)),
            Interval::Week => local.checked_sub_days(Days::new(7)),
            Interval::Month => local.checked_sub_months(Months::new(1)),
            Interval::Quarter => local.checked_sub_months(Months::new(3)),
        }
    }

    pub(crate) fn start_of_week(&self, day: NaiveDate) -> NaiveDate {
        let into_week = match self.week_start {
            WeekStart::Sunday => day.weekday().num_days_from_sunday(),
            WeekStart::Monday => day.weekday().num_days_from_monday(),
        };
        day.checked_sub_days(Days::new(u64::from(into_week)))
            .unwrap_or(day)
    }
}

pub(crate) fn midnight(day: NaiveDate) -> NaiveDateTime {
    day.and_time(NaiveTime::MIN)
}

/// The last microsecond of the bucket of an hour or a minute that starts at `start`, or of its day.
pub(crate) fn end_of(interval: Interval, local: NaiveDateTime) -> NaiveDateTime {
    let time = match interval {
        Interval::Minute => clock(local.hour(), local.minute(), 59, 999_999),
        Interval::Hour => clock(local.hour(), 59, 59, 999_999),
        Interval::Day | Interval::Week | Interval::Month | Interval::Quarter => {
            clock(23, 59, 59, 999_999)
        }
    };
    local.date().and_time(time)
}

pub(crate) fn start_of_quarter(day: NaiveDate) -> NaiveDate {
    NaiveDate::from_ymd_opt(day.year(), day.month0() / 3 * 3 + 1, 1).unwrap_or(day)
}

pub(crate) fn last_of_month(day: NaiveDate) -> NaiveDate {
    day.with_day(1)
        .and_then(|first| first.checked_add_months(Months::new(1)))
        .and_then(|next| next.pred_opt())
        .unwrap_or(day)
}

fn floor_time(local: NaiveDateTime, minute: u32) -> NaiveTime {
    clock(local.hour(), minute, 0, 0)
}

pub(crate) fn clock(hour: u32, minute: u32, second: u32, micro: u32) -> NaiveTime {
    NaiveTime::from_hms_micro_opt(hour, minute, second, micro).unwrap_or(NaiveTime::MIN)
}

#[cfg(test)]
mod tests;
