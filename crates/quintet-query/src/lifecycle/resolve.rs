//! From a lifecycle as it is asked for to what it means in a context. Rules: `spec/lifecycle.md` sections 1, 2 and 5.

use std::iter;

use crate::calendar::Calendar;
use crate::dates::{Reading, ResolvedRange, out_of_calendar};
use crate::error::{Error, Result};
use crate::filter::{Filter, Operator, Property, PropertyFilter, PropertySource};
use crate::insight::{at_least_one_series, sampling};
use crate::period::micros;
use crate::reader::Path;
use crate::series::{Math, SeriesEcho, SeriesNode};
use crate::{Context, Interval, Period};

use super::{Lifecycle, LifecycleQuery};

/// Characters of a day in `YYYY-MM-DD`.
const DAY_LENGTH: usize = 10;

impl LifecycleQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong;
    /// [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Lifecycle> {
        at_least_one_series(self.series.len())?;
        let path = Path::root().field("dateRange");
        let reading = Reading::by(self.interval);
        let range = self.date_range.resolve(reading, context, &path)?;
        let mut period = Period::in_buckets(&range, self.interval, context, &path)?;
        let cut = self.cuts_first_bucket(&range, &period);
        let look_back = self
            .look_back(&range, &period, context)
            .ok_or_else(|| out_of_calendar(&path))?;
        let (filter, echo) = self.resolve_series(context)?;
        Ok(Lifecycle {
            filter,
            interval: self.interval,
            shown: 1 + cut..1 + period.buckets(),
            days: period
                .days
                .drain(cut..)
                .map(|day| shown_day(day, self.interval))
                .collect(),
            labels: period.labels.drain(cut..).collect(),
            edges: iter::once(look_back).chain(period.edges).collect(),
            range: period.range,
            sampling: sampling(self.sampling_factor)?,
            echo,
        })
    }

    /// How many buckets an exact range does not show: one where it begins after that bucket's start.
    fn cuts_first_bucket(&self, range: &ResolvedRange, period: &Period) -> usize {
        let starts_before = |edge: &i64| *edge < micros(range.from);
        usize::from(self.date_range.explicit && period.edges.first().is_some_and(starts_before))
    }

    /// Start of the interval before the range.
    fn look_back(&self, range: &ResolvedRange, period: &Period, context: &Context) -> Option<i64> {
        let calendar = Calendar::of(context);
        let first = *period.edges.first()?;
        let start = calendar.start_of(self.interval, range.from.naive_local());
        let earlier = iter::successors(Some(start), |local| {
            calendar.previous(self.interval, *local)
        });
        // An interval that the clock skips has no length.
        earlier
            .map(|local| micros(calendar.edge(local)))
            .find(|edge| *edge < first)
    }

    /// The conditions of all series, and what rows echo of the first.
    fn resolve_series(&self, context: &Context) -> Result<(Filter, SeriesEcho)> {
        let mut filters = Vec::new();
        let mut echoes = Vec::new();
        for (index, node) in self.series.iter().enumerate() {
            let path = Path::root().field("series").index(index);
            refuse_groups(node, &path)?;
            let action = node.known_action(context, &path)?;
            filters.push(node.matching(action, context, &path)?);
            filters.push(self.conditions().resolve(index, node, context)?);
            echoes.push(node.echo(index, action, context, &path)?);
        }
        filters.push(has_person_profile());
        Ok((Filter::all(filters), echoes.swap_remove(0)))
    }
}

/// A lifecycle ignores what a series counts, other than whom.
fn refuse_groups(node: &SeriesNode, path: &Path) -> Result<()> {
    match node.math {
        Math::UniqueGroup | Math::FirstTimeForGroup | Math::FirstMatchingEventForGroup => {
            Err(by_group(&path.field("math")))
        }
        _ => Ok(()),
    }
}

/// Why a lifecycle is not one of groups.
pub(super) fn by_group(path: &Path) -> Error {
    Error::unsupported(
        format!("a LifecycleQuery by group ({path})"),
        "leave it out to ask for persons, or ask a StickinessQuery or a TrendsQuery with the math unique_group",
    )
}

/// Traffic without a person profile would show as resurrecting, for nobody is ever created.
fn has_person_profile() -> Filter {
    Filter::Property(PropertyFilter {
        property: Property {
            source: PropertySource::Event,
            key: "$process_person_profile".to_owned(),
        },
        operator: Operator::IsNot,
        values: vec!["false".to_owned()],
    })
}

/// PostHog shows the time of day by hour, but not by minute.
fn shown_day(mut day: String, interval: Interval) -> String {
    if interval == Interval::Minute {
        day.truncate(DAY_LENGTH);
    }
    day
}

#[cfg(test)]
mod tests;
