//! From a trend as it is asked for to what it means in a context. Rules: `spec/trends.md` sections 1 to 4.

use crate::dates::{Reading, ResolvedRange};
use crate::definitions::{Action, resolve_cohort};
use crate::error::{Error, Result};
use crate::filter::{Filter, Property};
use crate::reader::Path;
use crate::{Context, GroupIndex, Interval, Period, SlidingBuckets};

use super::parse::at_most_three;
use super::query::{
    BreakdownBy, BreakdownProperty, CohortChoice, MathProperty, SeriesNode, SeriesSource,
    TrendsQuery,
};
use super::{
    Actor, Aggregate, Breakdown, BreakdownPart, Display, Formula, Math, Measure, Series,
    SeriesEcho, Trends,
};

const DEFAULT_LIMIT: usize = 25;
/// A map has room for every country.
const WORLD_MAP_LIMIT: usize = 250;

impl TrendsQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
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
            breakdown: self.resolve_breakdown(context, &root.field("breakdownFilter"))?,
            display: self.display,
            smoothing: self.smoothing_intervals.max(1),
            formulas: self.resolve_formulas(&root.field("trendsFilter"))?,
            sampling: sampling(self.sampling_factor, &root.field("samplingFactor"))?,
        })
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
        if !self.compare.compare {
            return Ok(None);
        }
        let path = Path::root().field("compareFilter");
        let reading = self.reading();
        let earlier = match &self.compare.compare_to {
            Some(text) => self.date_range.earlier_by(
                text,
                current,
                reading,
                context,
                &path.field("compare_to"),
            ),
            None => self
                .date_range
                .before(current, reading, self.interval, context, &path),
        };
        earlier.map(Some)
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
        let root = Path::root();
        let path = root.field("series").index(index);
        let mut filters = vec![
            node.properties
                .resolve(context, &path.field("properties"))?,
            self.properties
                .resolve(context, &root.field("properties"))?,
        ];
        if self.filter_test_accounts {
            let test_accounts = &context.definitions.test_account_filters;
            filters.push(test_accounts.resolve(context, &root.field("test_account_filters"))?);
        }
        let action = node.action(context);
        Ok(Series {
            matching: node.matching(action, context, &path)?,
            filter: Filter::all(filters),
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

    fn resolve_breakdown(&self, context: &Context, path: &Path) -> Result<Option<Breakdown>> {
        match &self.breakdown.by {
            BreakdownBy::Nothing => Ok(None),
            BreakdownBy::Property(property) => {
                let part = property.resolve(context, &path.field("breakdown"))?;
                Ok(Some(self.by_properties(vec![part], false)))
            }
            BreakdownBy::Properties(properties) => {
                let path = path.field("breakdowns");
                at_most_three(&path, properties.len())?;
                let parts = properties
                    .iter()
                    .enumerate()
                    .map(|(index, property)| property.resolve(context, &path.index(index)))
                    .collect::<Result<Vec<_>>>()?;
                Ok((!parts.is_empty()).then(|| self.by_properties(parts, true)))
            }
            BreakdownBy::Cohorts(choices) => {
                let path = path.field("breakdown");
                let cohorts = choices
                    .iter()
                    .map(|choice| match choice {
                        CohortChoice::All => Ok(None),
                        CohortChoice::Cohort(id) => {
                            resolve_cohort(*id, context, &path, &[]).map(Some)
                        }
                    })
                    .collect::<Result<Vec<_>>>()?;
                Ok((!cohorts.is_empty()).then_some(Breakdown::Cohorts(cohorts)))
            }
        }
    }

    fn by_properties(&self, parts: Vec<BreakdownPart>, list: bool) -> Breakdown {
        Breakdown::Properties {
            parts,
            list,
            limit: if self.display == Display::WorldMap {
                WORLD_MAP_LIMIT
            } else {
                self.breakdown.limit.unwrap_or(DEFAULT_LIMIT)
            },
            hide_other: self.breakdown.hide_other,
        }
    }
}

/// A share of 1 reads everything.
fn sampling(factor: Option<f64>, path: &Path) -> Result<Option<f64>> {
    match factor {
        Some(factor) if factor > 0.0 && factor <= 1.0 => {
            Ok(Some(factor).filter(|factor| *factor < 1.0))
        }
        Some(factor) => Err(Error::invalid(
            path,
            format!("must be above 0 and at most 1, not {factor}"),
        )),
        None => Ok(None),
    }
}

impl BreakdownProperty {
    fn resolve(&self, context: &Context, path: &Path) -> Result<BreakdownPart> {
        Ok(BreakdownPart {
            property: Property {
                source: self.scope.resolve(context, path)?,
                key: self.key.clone(),
            },
            normalize_url: self.normalize_url,
            bins: self.bins,
        })
    }
}

impl SeriesNode {
    fn action<'a>(&self, context: &'a Context) -> Option<&'a Action> {
        match self.source {
            SeriesSource::Action(id) => context.definitions.action(id),
            SeriesSource::Event(_) => None,
        }
    }

    fn matching(&self, action: Option<&Action>, context: &Context, path: &Path) -> Result<Filter> {
        match (&self.source, action) {
            (SeriesSource::Event(Some(event)), _) => Ok(Filter::Event(event.clone())),
            (SeriesSource::Event(None), _) => Ok(Filter::always()),
            (SeriesSource::Action(_), Some(action)) => action.resolve(context, path),
            (SeriesSource::Action(_), None) => Ok(Filter::never()),
        }
    }

    fn measure(&self, interval: Interval, context: &Context, path: &Path) -> Result<Measure> {
        let group = match &self.math_group_type {
            Some(group_type) => {
                Some(group_type.resolve(context, &path.field("math_group_type_index"))?)
            }
            None => None,
        };
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

    fn required(&self, group: Option<GroupIndex>, path: &Path) -> Result<GroupIndex> {
        group.ok_or_else(|| {
            Error::invalid(
                &path.field("math_group_type_index"),
                format!(
                    "the math {} needs the index of a group type, 0 to 4",
                    self.math.name()
                ),
            )
        })
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
                property: Property {
                    source: scope.resolve(context, path)?,
                    key: key.clone(),
                },
                multiplier: self.math_multiplier.unwrap_or(1.0),
            }),
        }
    }

    fn echo(
        &self,
        order: usize,
        action: Option<&Action>,
        context: &Context,
        path: &Path,
    ) -> Result<SeriesEcho> {
        let (kind, id, label) = match &self.source {
            SeriesSource::Event(Some(event)) => ("events", event.as_str().into(), event.clone()),
            SeriesSource::Event(None) => {
                ("events", serde_json::Value::Null, "All events".to_owned())
            }
            SeriesSource::Action(id) => {
                let name =
                    action.map_or_else(|| format!("Action {id}"), |action| action.name.clone());
                ("actions", (*id).into(), name)
            }
        };
        let group = match &self.math_group_type {
            Some(group_type) => Some(
                group_type
                    .resolve(context, &path.field("math_group_type_index"))?
                    .get(),
            ),
            None => None,
        };
        Ok(SeriesEcho {
            order,
            name: Some(self.name.clone().unwrap_or_else(|| label.clone())),
            label,
            kind,
            id,
            custom_name: self.custom_name.clone(),
            math: (self.math != Math::Total).then(|| self.math.name()),
            math_property: self
                .math_property
                .as_ref()
                .map(|property| property.key.clone()),
            math_group_type_index: group,
        })
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
