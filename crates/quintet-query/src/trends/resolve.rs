//! From a trend as it is asked for to what it means in a context. Rules: `spec/trends.md` sections 1 to 4.

use crate::dates::{Reading, ResolvedRange};
use crate::error::Result;
use crate::insight::sampling_to_scale;
use crate::reader::Path;
use crate::series::{Actor, Math, MathProperty, SeriesNode, SeriesSource};
use crate::{Context, Interval, Period, SlidingBuckets};

use super::query::TrendsQuery;
use super::{Aggregate, Display, Formula, Measure, Series, Trends};

/// A map has room for every country.
const WORLD_MAP_LIMIT: usize = 250;

impl TrendsQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) names the place of what is wrong; [`Error::Unsupported`](crate::Error::Unsupported) says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Trends> {
        let root = Path::root();
        let range = self.resolve_range(context)?;
        let previous = self.resolve_previous(&range, context)?;
        Ok(Trends {
            series: self
                .series
                .iter()
                .enumerate()
                .map(|(index, node)| self.resolve_series(index, node, context))
                .collect::<Result<_>>()?,
            interval: self.interval,
            current: self.period(&range, context)?,
            previous: previous
                .map(|range| self.period(&range, context))
                .transpose()?,
            breakdown: self.breakdown.resolve(self.breakdown_values(), context)?,
            display: self.display,
            smoothing: self.smoothing_intervals.max(1),
            formulas: self.resolve_formulas(&root.field("trendsFilter"))?,
            sampling: sampling_to_scale(self.sampling_factor)?,
        })
    }

    fn breakdown_values(&self) -> usize {
        if self.display == Display::WorldMap {
            WORLD_MAP_LIMIT
        } else {
            self.breakdown.limit()
        }
    }

    /// One-number displays read their range by day, whatever the interval.
    fn reading(&self) -> Reading {
        Reading {
            interval: if self.display.is_one_number() {
                Interval::Day
            } else {
                self.interval
            },
            exact: self.display == Display::BoldNumber,
        }
    }

    pub(super) fn resolve_range(&self, context: &Context) -> Result<ResolvedRange> {
        self.date_range
            .resolve(self.reading(), context, &Path::root().field("dateRange"))
    }

    pub(super) fn resolve_previous(
        &self,
        current: &ResolvedRange,
        context: &Context,
    ) -> Result<Option<ResolvedRange>> {
        self.compare.resolve(
            &self.date_range,
            current,
            self.reading(),
            self.interval,
            context,
        )
    }

    fn period(&self, range: &ResolvedRange, context: &Context) -> Result<Period> {
        if self.display.is_one_number() {
            return Ok(Period::as_one(range));
        }
        let path = Path::root().field("dateRange");
        let mut period = Period::in_buckets(range, self.interval, context, &path)?;
        if self.series.iter().any(|node| node.math.is_sliding()) {
            period.sliding = Some(SlidingBuckets::of(&period.edges, self.interval, context));
        }
        Ok(period)
    }

    fn resolve_series(&self, index: usize, node: &SeriesNode, context: &Context) -> Result<Series> {
        let path = Path::root().field("series").index(index);
        let action = node.action(context);
        Ok(Series {
            matching: node.matching(action, context, &path)?,
            filter: self.conditions().resolve(index, node, context)?,
            measure: node.measure(self.interval, context, &path)?,
            unknown_action: matches!(node.source, SeriesSource::Action(_)) && action.is_none(),
            echo: node.echo(index, action, context, &path)?,
        })
    }

    fn resolve_formulas(&self, path: &Path) -> Result<Vec<Formula>> {
        self.formulas
            .iter()
            .map(|node| {
                Formula::parse(
                    &node.formula,
                    node.custom_name.as_deref(),
                    self.series.len(),
                    &path.field("formula"),
                )
            })
            .collect()
    }
}

impl SeriesNode {
    fn measure(&self, interval: Interval, context: &Context, path: &Path) -> Result<Measure> {
        let group = self.group_index(context, path)?;
        let actor = group.map_or(Actor::Person, Actor::Group);
        let counted_per = |aggregate| Ok(Measure::CountPerActor { aggregate, actor });
        let of_property =
            |aggregate| self.property_measure(aggregate, context, &path.field("math_property"));
        match self.math {
            Math::Total => Ok(Measure::Total),
            Math::Dau => Ok(Measure::Unique(actor)),
            Math::WeeklyActive => Ok(active(actor, 7, interval >= Interval::Week)),
            Math::MonthlyActive => Ok(active(actor, 30, interval >= Interval::Month)),
            Math::UniqueSession => Ok(Measure::UniqueSessions),
            Math::UniqueGroup => Ok(Measure::Unique(Actor::Group(self.required(group, path)?))),
            Math::Sum => of_property(Aggregate::Sum),
            Math::Avg => of_property(Aggregate::Average),
            Math::Min => of_property(Aggregate::Minimum),
            Math::Max => of_property(Aggregate::Maximum),
            Math::Median => of_property(Aggregate::Quantile(0.5)),
            Math::P75 => of_property(Aggregate::Quantile(0.75)),
            Math::P90 => of_property(Aggregate::Quantile(0.9)),
            Math::P95 => of_property(Aggregate::Quantile(0.95)),
            Math::P99 => of_property(Aggregate::Quantile(0.99)),
            Math::AvgCountPerActor => counted_per(Aggregate::Average),
            Math::MinCountPerActor => counted_per(Aggregate::Minimum),
            Math::MaxCountPerActor => counted_per(Aggregate::Maximum),
            Math::MedianCountPerActor => counted_per(Aggregate::Quantile(0.5)),
            Math::P75CountPerActor => counted_per(Aggregate::Quantile(0.75)),
            Math::P90CountPerActor => counted_per(Aggregate::Quantile(0.9)),
            Math::P95CountPerActor => counted_per(Aggregate::Quantile(0.95)),
            Math::P99CountPerActor => counted_per(Aggregate::Quantile(0.99)),
            Math::FirstTimeForUser => Ok(first_time(Actor::Person, false)),
            Math::FirstMatchingEventForUser => Ok(first_time(Actor::Person, true)),
            Math::FirstTimeForGroup => {
                Ok(first_time(Actor::Group(self.required(group, path)?), false))
            }
            Math::FirstMatchingEventForGroup => {
                Ok(first_time(Actor::Group(self.required(group, path)?), true))
            }
        }
    }

    /// Without a property there is nothing to aggregate and PostHog counts events.
    fn property_measure(
        &self,
        aggregate: Aggregate,
        context: &Context,
        path: &Path,
    ) -> Result<Measure> {
        match &self.math_property {
            None => Ok(Measure::Total),
            Some(property) if property.key == "$session_duration" => {
                Ok(Measure::SessionDuration(aggregate))
            }
            Some(MathProperty { scope, key }) => Ok(Measure::Property {
                aggregate,
                property: scope.property(key, context, path)?,
                multiplier: self.math_multiplier.unwrap_or(1.0),
            }),
        }
    }
}

fn first_time(actor: Actor, matching: bool) -> Measure {
    Measure::FirstTime { actor, matching }
}

/// Where a bucket is no shorter than the window, active actors are simply the bucket's distinct actors.
fn active(actor: Actor, days: u32, bucket_covers_window: bool) -> Measure {
    if bucket_covers_window {
        Measure::Unique(actor)
    } else {
        Measure::Active { actor, days }
    }
}

#[cfg(test)]
mod tests;
