//! The actors behind one figure of a trend: who is counted in a point, a slice or a cell. Rules: `spec/trends.md` section 10.

mod parse;

use chrono::{DateTime, Duration, NaiveDateTime};
use chrono_tz::Tz;

use crate::breakdown::{ActorsBreakdown, Restriction};
use crate::calendar::{Calendar, midnight};
use crate::compare::not_compared;
use crate::dates::{ResolvedRange, out_of_calendar, parse_compare_to, parse_instant, shift};
use crate::error::{Error, Result};
use crate::filter::{Filter, Property};
use crate::insight::the_series;
use crate::period::micros;
use crate::reader::Path;
use crate::{ActorsPage, Context};

use super::{Measure, Series, TrendsQuery};

/// A question for the actors behind one figure of a trend.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct InsightActorsQuery {
    /// The trend.
    pub source: TrendsQuery,
    /// Start of the figure's bucket; none for one-number displays.
    pub day: Option<String>,
    /// Position of its series.
    pub series: usize,
    /// Its breakdown value.
    pub breakdown: Option<ActorsBreakdown>,
    /// True for a figure of the range compared with.
    pub previous: bool,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

/// A resolved question for the actors behind one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendsActors {
    /// The series of the figure, its measure deciding who the actors are. A breakdown value is part of its `filter`.
    pub series: Series,
    /// First instant of the events that count, in microseconds.
    pub from: i64,
    /// Last instant that counts, inclusive.
    pub to: i64,
    /// Numeric bins that the figure is restricted to: property, lower bound, exclusive upper bound.
    pub bins: Vec<(Property, f64, f64)>,
    /// URLs that the figure is restricted to: property, and what it must be after stripping trailing `/?#` (nothing left is `/`).
    pub urls: Vec<(Property, String)>,
    /// Share of distinct ids to read, in (0, 1); `None` reads all.
    pub sampling: Option<f64>,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

impl InsightActorsQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<TrendsActors> {
        let root = Path::root();
        let trends = self.source.resolve(context).map_err(Error::in_source)?;
        let series = the_series(trends.series, self.series)?;
        let restriction = Restriction::of(
            self.breakdown.as_ref(),
            trends.breakdown.as_ref(),
            context,
            &root.field("breakdown"),
        )?;
        let (from, to) = self.range(&series.measure, context)?;
        Ok(TrendsActors {
            series: restricted(series, restriction.conditions),
            from: micros(from),
            to: micros(to),
            bins: restriction.bins,
            urls: restriction.urls,
            sampling: trends.sampling,
            page: self.page.clone(),
        })
    }

    /// First and last instant of the events behind the figure.
    fn range(&self, measure: &Measure, context: &Context) -> Result<(DateTime<Tz>, DateTime<Tz>)> {
        let path = Path::root().field("day");
        let window = match measure {
            Measure::Active { days, .. } => Some(Duration::days(i64::from(*days))),
            _ => None,
        };
        match (&self.day, self.source.display.is_one_number()) {
            (Some(_), true) => Err(Error::invalid(
                &path,
                "must be left out: the display shows one number for the whole range",
            )),
            (None, false) => Err(Error::invalid(
                &path,
                "is missing: say which bucket of the series is meant",
            )),
            (None, true) => {
                let range = self.asked_range(context)?;
                let from = match window {
                    Some(window) => range
                        .to
                        .checked_sub_signed(window)
                        .ok_or_else(|| out_of_calendar(&path))?,
                    None => range.lower,
                };
                Ok((from, range.to))
            }
            (Some(day), false) => {
                let bucket = self.bucket(day, window, context, &path)?;
                self.clipped(bucket, context)
            }
        }
    }

    fn asked_range(&self, context: &Context) -> Result<ResolvedRange> {
        let current = self
            .source
            .resolve_range(context)
            .map_err(Error::in_source)?;
        if !self.previous {
            return Ok(current);
        }
        let previous = self
            .source
            .resolve_previous(&current, context)
            .map_err(Error::in_source)?;
        previous.ok_or_else(not_compared)
    }

    /// The bucket that starts on `day` (of a window: with the days before that count too).
    fn bucket(
        &self,
        day: &str,
        window: Option<Duration>,
        context: &Context,
        path: &Path,
    ) -> Result<(DateTime<Tz>, DateTime<Tz>)> {
        let calendar = Calendar::of(context);
        let named = parse_instant(day, context, path)?;
        let start = if self.previous {
            calendar.first_instant(self.earlier(named, context, path)?)
        } else {
            named
        };
        let local = start.naive_local();
        let end = calendar
            .next(self.source.interval, local)
            .ok_or_else(|| out_of_calendar(path))?;
        let from = match window {
            Some(window) => calendar.first_instant(shift(local, Duration::days(1) - window, path)?),
            None => start,
        };
        Ok((
            from,
            calendar.first_instant(end) - Duration::microseconds(1),
        ))
    }

    /// The day of the range compared with that stands where `day` stands in the range asked for.
    fn earlier(&self, day: DateTime<Tz>, context: &Context, path: &Path) -> Result<NaiveDateTime> {
        let calendar = Calendar::of(context);
        let local = day.naive_local();
        if !self.source.compare.compare {
            return Err(not_compared());
        }
        if let Some(text) = &self.source.compare.compare_to {
            let offset = parse_compare_to(
                text,
                &Path::root()
                    .field("source")
                    .field("compareFilter")
                    .field("compare_to"),
            )?;
            return offset
                .before(local, &calendar)
                .ok_or_else(|| out_of_calendar(path));
        }
        match self.source.date_range.relative_from(&calendar) {
            Some(delta) if delta.number > 0 => {
                let shifted = delta.subtract(local).ok_or_else(|| out_of_calendar(path))?;
                Ok(if self.source.interval.is_within_days() {
                    shifted
                } else {
                    midnight(shifted.date())
                })
            }
            _ => {
                let current = self
                    .source
                    .resolve_range(context)
                    .map_err(Error::in_source)?;
                let previous = self
                    .source
                    .resolve_previous(&current, context)
                    .map_err(Error::in_source)?;
                let previous = previous.ok_or_else(not_compared)?;
                shift(
                    local,
                    previous.from.naive_local() - current.from.naive_local(),
                    path,
                )
            }
        }
    }

    /// An explicit range cuts its first and last bucket; any other does not matter.
    fn clipped(
        &self,
        (from, to): (DateTime<Tz>, DateTime<Tz>),
        context: &Context,
    ) -> Result<(DateTime<Tz>, DateTime<Tz>)> {
        if !self.source.date_range.explicit {
            return Ok((from, to));
        }
        let range = self.asked_range(context)?;
        Ok((from.max(range.lower), to.min(range.to)))
    }
}

/// The series with what its breakdown value demands.
///
/// A first-time measure takes the value of the first event: that must not make a later event the first, so what
/// "matching" measures look for moves into the event itself.
fn restricted(mut series: Series, conditions: Vec<Filter>) -> Series {
    if conditions.is_empty() {
        return series;
    }
    if let Measure::FirstTime {
        actor,
        matching: true,
    } = series.measure
    {
        series.matching = Filter::all([series.matching, series.filter]);
        series.filter = Filter::all(conditions);
        series.measure = Measure::FirstTime {
            actor,
            matching: false,
        };
    } else {
        series.filter = Filter::all([series.filter].into_iter().chain(conditions));
    }
    series
}

#[cfg(test)]
mod tests;
