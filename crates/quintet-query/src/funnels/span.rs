//! The ranges of a funnel: which instants its events lie in, and how trends cut them into periods of entrance.
//!
//! Rules: `spec/funnels.md` section 2, `spec/funnels-more.md` sections 1, 2 and 4.

use chrono::{DateTime, Datelike, TimeDelta, Weekday};
use chrono_tz::Tz;

use crate::dates::{Reading, ResolvedRange, out_of_calendar};
use crate::error::Result;
use crate::reader::Path;
use crate::{Context, Interval, Period};

use super::{FunnelsQuery, Span, VizType};

impl FunnelsQuery {
    /// The range asked for, and the one that it is compared with.
    pub(super) fn spans(&self, context: &Context) -> Result<(Span, Option<Span>)> {
        let reading = Reading::by(self.interval);
        let path = Path::root().field("dateRange");
        let range = self.date_range.resolve(reading, context, &path)?;
        let previous = match self.viz {
            VizType::Flow => None,
            _ => self
                .compare
                .resolve(&self.date_range, &range, reading, self.interval, context)?,
        };
        let span = |range: &ResolvedRange| self.span(range, context, &path);
        Ok((span(&range)?, previous.as_ref().map(span).transpose()?))
    }

    fn span(&self, range: &ResolvedRange, context: &Context, path: &Path) -> Result<Span> {
        // Events before the range never count, not even towards its first period.
        let range = ResolvedRange {
            lower: range.from,
            ..*range
        };
        Ok(Span {
            period: self.period(&range, context, path)?,
            stretches: self.stretches(range, context, path)?,
        })
    }

    fn period(&self, range: &ResolvedRange, context: &Context, path: &Path) -> Result<Period> {
        if self.viz != VizType::Trends {
            return Ok(Period::as_one(range));
        }
        let mut period = Period::in_buckets(range, self.interval, context, path)?;
        if self.hide_incomplete_periods {
            let now = context.now.timestamp_micros();
            keep_complete(&mut period, now.saturating_sub(self.window.micros()));
        }
        Ok(period)
    }

    /// Starts and exclusive ends of the days that count. Steps that may come after the range do so on these days too.
    fn stretches(
        &self,
        range: ResolvedRange,
        context: &Context,
        path: &Path,
    ) -> Result<Option<Vec<i64>>> {
        if self.days_of_week.is_empty() {
            return Ok(None);
        }
        let range = if self.complete_after_range {
            ResolvedRange {
                to: later(range.to, self.window.micros()).ok_or_else(|| out_of_calendar(path))?,
                ..range
            }
        } else {
            range
        };
        let days = Period::in_buckets(&range, Interval::Day, context, path)?;
        let starts = days.edges.iter().map(|edge| (*edge).max(days.from));
        let ends = days.edges.iter().skip(1);
        let mut stretches: Vec<i64> = Vec::new();
        for (start, end) in starts.zip(ends) {
            if !self.counts(weekday(start, context.timezone)) {
                continue;
            }
            if stretches.last() == Some(&start) {
                stretches.pop();
            } else {
                stretches.push(start);
            }
            stretches.push((*end).min(days.to.saturating_add(1)));
        }
        Ok(Some(stretches))
    }

    fn counts(&self, day: Option<Weekday>) -> bool {
        day.is_some_and(|day| self.days_of_week.contains(&day))
    }
}

/// Drops the periods that end after `last`.
fn keep_complete(period: &mut Period, last: i64) {
    let complete = period
        .edges
        .iter()
        .skip(1)
        .take_while(|end| **end <= last)
        .count();
    period.edges.truncate(complete + 1);
    period.days.truncate(complete);
    period.labels.truncate(complete);
}

fn later(instant: DateTime<Tz>, by: i64) -> Option<DateTime<Tz>> {
    instant.checked_add_signed(TimeDelta::microseconds(by))
}

fn weekday(instant: i64, zone: Tz) -> Option<Weekday> {
    let instant = DateTime::from_timestamp_micros(instant)?;
    Some(instant.with_timezone(&zone).weekday())
}

#[cfg(test)]
mod tests;
