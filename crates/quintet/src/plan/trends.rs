//! Trends: the figures of a series per bucket and breakdown value. Rules: `spec/trends.md` sections 2 to 4.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, UInt32Type};
use datafusion::functions_aggregate::expr_fn::{
    avg, count, count_distinct, first_value, max, min, sum,
};
use datafusion::functions_aggregate::percentile_cont::percentile_cont;
use datafusion::functions_window::lead_lag::lead;
use datafusion::logical_expr::{Expr, ExprFunctionExt};
use datafusion::prelude::{DataFrame, cast, coalesce, least, lit};
use quintet_behavior::figures::sliding_window;
use quintet_functions::expr_fn::bucket;
use quintet_query::filter::Filter;
use quintet_query::trends::{
    Actor, Aggregate, Display, Figure, Measure, Period, Series, Trends, kept_values,
};
use quintet_store::schema;

use super::breakdown::{Parts, Values, named, slices};
use super::matching::{Matching, since};
use super::sets;
use super::{ACTOR, BUCKET, FIGURE, Reading};
use crate::Result;
use crate::data::{column, text};

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

/// What a trend is computed from.
pub(crate) struct Question<'a> {
    pub(crate) trends: &'a Trends,
    pub(crate) reading: &'a Reading<'a>,
}

impl Question<'_> {
    /// The figures of every series in a period.
    pub(crate) async fn figures(&self, period: &Period) -> Result<Vec<Vec<Figure>>> {
        let mut all = Vec::with_capacity(self.trends.series.len());
        for series in &self.trends.series {
            all.push(if series.unknown_action {
                Vec::new()
            } else {
                self.series(series, period).await?
            });
        }
        Ok(all)
    }

    async fn series(&self, series: &Series, period: &Period) -> Result<Vec<Figure>> {
        let mut all = Vec::new();
        for slice in slices(self.trends.breakdown.as_ref()) {
            let also = &slice.members;
            let events = || {
                Ok(self
                    .matching(series, also)?
                    .since(period.from)
                    .until(period.to))
            };
            let parts = Parts::of(slice.parts, events, self.reading.run).await?;
            let mut counted = Counted {
                question: self,
                series,
                period,
                also,
                parts,
            };
            let mut figures = counted.figures().await?;
            if let Some(kept) = kept_values(self.trends, period, &figures) {
                counted.parts = counted.parts.keeping(kept);
                figures = counted.figures().await?;
            }
            let figures = figures.into_iter();
            all.extend(figures.map(|figure| Figure {
                breakdown: slice.values(figure.breakdown),
                ..figure
            }));
        }
        tracing::debug!(series = series.echo.order, values = all.len(), "figures");
        Ok(all)
    }

    /// The events that a series counts, at any time.
    fn matching(&self, series: &Series, also: &Filter) -> Result<Matching<'_>> {
        self.possible(also)?
            .that(&series.matching)?
            .that(&series.filter)
    }

    /// The events that are read at all.
    fn possible(&self, also: &Filter) -> Result<Matching<'_>> {
        self.reading.events(self.trends.sampling).that(also)
    }
}

/// One series in one period, by the values of some properties.
struct Counted<'a> {
    question: &'a Question<'a>,
    series: &'a Series,
    period: &'a Period,
    also: &'a Filter,
    parts: Parts<'a>,
}

impl Counted<'_> {
    async fn figures(&self) -> Result<Vec<Figure>> {
        if let Measure::Active { actor, days } = &self.series.measure
            && !self.is_one_number()
        {
            return self.sliding(*actor, *days).await;
        }
        let rows = match self.by_sets()? {
            Some(rows) => rows,
            None => self.by_events()?,
        };
        self.read(&self.question.reading.run.collect(rows).await?)
    }

    /// Which events the sets of actors must tell of; none where they cannot.
    fn of_sets(&self) -> Option<[&Filter; 3]> {
        let is_plain = self.parts.is_empty() && self.question.trends.sampling.is_none();
        is_plain.then_some([self.also, &self.series.matching, &self.series.filter])
    }

    /// The figures without reading an event, where whole days of events by name are all that is asked for.
    fn by_sets(&self) -> Result<Option<DataFrame>> {
        let Some(events) = &self.of_sets() else {
            return Ok(None);
        };
        let reading = self.question.reading;
        let Period {
            edges, from, to, ..
        } = self.period;
        let days = (edges.as_slice(), *from, to.saturating_add(1));
        let sets = match &self.series.measure {
            Measure::Total => reading.rows_by_period(events, days)?,
            Measure::Unique(actor) => {
                reading.actors_by_period(events, *actor, self.is_cumulative(), days)?
            }
            _ => None,
        };
        let as_figures = |sets: DataFrame| {
            let bucket = cast(column(sets::PERIOD), DataType::UInt32).alias(BUCKET);
            Ok(sets.select(vec![bucket, column(sets::FIGURE).alias(FIGURE)])?)
        };
        sets.map(as_figures).transpose()
    }

    /// The figures as a plan over events.
    fn by_events(&self) -> Result<DataFrame> {
        Ok(match &self.series.measure {
            Measure::Total => self.aggregate(|_| Ok(count(lit(1))))?,
            Measure::Unique(actor) => match self.is_cumulative() {
                true => self.first_buckets(*actor)?,
                false => self.aggregate(|events| Ok(count_distinct(column(events.of(*actor)))))?,
            },
            Measure::Active { actor, days } => self.active_at_end(*actor, *days)?,
            Measure::UniqueSessions => self.aggregate(|events| {
                Ok(count_distinct(coalesce(vec![events.session()?, text("")])))
            })?,
            Measure::Property {
                aggregate: how,
                property,
                multiplier,
            } => self.aggregate(|events| {
                let number = events.number(property)?;
                let number = match multiplier {
                    1.0 => number,
                    multiplier => number * lit(*multiplier),
                };
                Ok(aggregate(*how, number))
            })?,
            Measure::SessionDuration(how) => self.session_durations(*how)?,
            Measure::CountPerActor { aggregate, actor } => {
                self.counts_per_actor(*aggregate, *actor)?
            }
            Measure::FirstTime { actor, matching } => self.first_times(*actor, *matching)?,
        })
    }

    fn is_one_number(&self) -> bool {
        self.question.trends.display.is_one_number()
    }

    fn is_cumulative(&self) -> bool {
        self.question.trends.display == Display::ActionsLineGraphCumulative
    }

    /// The events of the period.
    fn events(&self) -> Result<Matching<'_>> {
        Ok(self
            .question
            .matching(self.series, self.also)?
            .since(self.period.from)
            .until(self.period.to))
    }

    /// What rows are kept apart by: the bucket, unless there is one number only, and the breakdown values.
    fn keys(&self, events: &mut Matching<'_>, edges: &[i64]) -> Result<Vec<Expr>> {
        let mut keys = self.parts.exprs(events)?;
        if !self.is_one_number() {
            keys.push(bucket(column(schema::TIMESTAMP), edges).alias(BUCKET));
        }
        Ok(keys)
    }

    /// Names of the columns made by [`keys`](Self::keys).
    fn key_columns(&self) -> Vec<Expr> {
        let mut columns = self.parts.columns();
        if !self.is_one_number() {
            columns.push(column(BUCKET));
        }
        columns
    }

    /// One aggregate over the events of each bucket and value.
    fn aggregate(
        &self,
        figure: impl FnOnce(&mut Matching<'_>) -> Result<Expr>,
    ) -> Result<DataFrame> {
        let mut events = self.events()?;
        let keys = self.keys(&mut events, &self.period.edges)?;
        let figure = figure(&mut events)?.alias(FIGURE);
        Ok(events.events()?.aggregate(keys, vec![figure])?)
    }

    /// Events reduced to what differs in bucket, value and actor.
    fn actors(
        &self,
        events: Matching<'_>,
        actor: Actor,
        edges: &[i64],
        aggregates: Vec<Expr>,
    ) -> Result<DataFrame> {
        let mut events = events;
        let actor = column(events.of(actor)).alias(ACTOR);
        let mut keys = self.keys(&mut events, edges)?;
        keys.push(actor);
        Ok(events.events()?.aggregate(keys, aggregates)?)
    }

    /// Cumulative: each actor counts once per value, in its first bucket.
    fn first_buckets(&self, actor: Actor) -> Result<DataFrame> {
        let mut once = self.parts.columns();
        once.push(column(ACTOR));
        let first = self
            .actors(self.events()?, actor, &self.period.edges, vec![])?
            .aggregate(once, vec![min(column(BUCKET)).alias("first bucket")])?;
        let mut keys = self.parts.columns();
        keys.push(column("first bucket").alias(BUCKET));
        Ok(first.aggregate(keys, vec![count(lit(1)).alias(FIGURE)])?)
    }

    /// One-number weekly or monthly active: those of the last days of the range, whenever it begins.
    fn active_at_end(&self, actor: Actor, days: u32) -> Result<DataFrame> {
        let from = self.period.to.saturating_sub(i64::from(days) * DAY);
        let mut events = self
            .question
            .matching(self.series, self.also)?
            .since(from)
            .until(self.period.to);
        let keys = self.parts.exprs(&mut events)?;
        let actors = count_distinct(column(events.of(actor))).alias(FIGURE);
        Ok(events.events()?.aggregate(keys, vec![actors])?)
    }

    /// Weekly or monthly active: at each label the actors of the days (hours, minutes) up to it. Every actor is reduced to the
    /// stretches of labels that it counts at; those are few, whatever the window.
    async fn sliding(&self, actor: Actor, days: u32) -> Result<Vec<Figure>> {
        let Some(small) = &self.period.sliding else {
            return Ok(Vec::new());
        };
        let window = u64::from(days) * u64::from(small.per_day);
        let stretches = match self.stretches_by_sets(actor, window, &small.edges)? {
            Some(stretches) => stretches,
            None => self.stretches(actor, window, &small.edges)?,
        };
        let mut by_value: HashMap<Values, Vec<(usize, usize, u64)>> = HashMap::new();
        for batch in self.question.reading.run.collect(stretches).await? {
            let (starts, ends, actors) = (
                named(&batch, "start", &DataType::Float64)?,
                named(&batch, "end", &DataType::Float64)?,
                named(&batch, FIGURE, &DataType::Float64)?,
            );
            for (value, rows) in self.parts.read(&batch)? {
                let at = |column: &ArrayRef, row| column.as_primitive::<Float64Type>().value(row);
                by_value.entry(value).or_default().extend(rows.map(|row| {
                    (
                        at(&starts, row) as usize,
                        at(&ends, row) as usize,
                        at(&actors, row) as u64,
                    )
                }));
            }
        }
        let figures = by_value.into_iter().map(|(breakdown, stretches)| {
            let active = sliding_window(stretches, small.edges.len().saturating_sub(1));
            let data = small
                .labels
                .iter()
                .map(|&label| active.get(label).copied().unwrap_or(0) as f64)
                .collect();
            Figure { breakdown, data }
        });
        Ok(figures
            .filter(|figure| figure.data.iter().any(|&n| n > 0.0))
            .collect())
    }

    /// The stretches of labels at which actors count, without reading an event: at each label by itself.
    fn stretches_by_sets(
        &self,
        actor: Actor,
        window: u64,
        edges: &[i64],
    ) -> Result<Option<DataFrame>> {
        let (Some(events), Some(first)) = (self.of_sets(), edges.first()) else {
            return Ok(None);
        };
        let window = usize::try_from(window).unwrap_or(usize::MAX);
        let days = (edges, *first, self.period.to.saturating_add(1));
        let reading = self.question.reading;
        let as_stretches = |sets: DataFrame| {
            let label = column(sets::PERIOD);
            let end = (label.clone() + lit(1u64)).alias("end");
            Ok(sets.select(vec![
                label.alias("start"),
                end,
                column(sets::FIGURE).alias(FIGURE),
            ])?)
        };
        let sets = reading.actors_in_window(&events, actor, window, days)?;
        sets.map(as_stretches).transpose()
    }

    /// The stretches of labels that actors count at, with the number of actors that have each.
    fn stretches(&self, actor: Actor, window: u64, edges: &[i64]) -> Result<DataFrame> {
        let first = edges.first().copied().unwrap_or(self.period.from);
        let events = self
            .question
            .matching(self.series, self.also)?
            .since(first)
            .until(self.period.to);
        let seen = self.actors(events, actor, edges, vec![])?;
        let mut per_actor = self.parts.columns();
        per_actor.push(column(ACTOR));
        let start = cast(column(BUCKET), DataType::Int64);
        let next = lead(start.clone(), Some(1), None)
            .partition_by(per_actor)
            .order_by(vec![column(BUCKET).sort(true, false)])
            .build()?
            .alias("next");
        let end = start.clone() + lit(i64::try_from(window).unwrap_or(i64::MAX));
        let mut stretch = self.parts.columns();
        stretch.push(start.alias("start"));
        stretch.push(least(vec![coalesce(vec![column("next"), end.clone()]), end]).alias("end"));
        Ok(seen
            .window(vec![next])?
            .aggregate(stretch, vec![count(lit(1)).alias(FIGURE)])?)
    }

    /// Each session once per bucket and value, with its whole length.
    fn session_durations(&self, how: Aggregate) -> Result<DataFrame> {
        let mut events = self.events()?;
        let mut keys = self.keys(&mut events, &self.period.edges)?;
        keys.push(events.session()?.alias(ACTOR));
        let duration = max(events.session_duration()?).alias("duration");
        let sessions = events.events()?.aggregate(keys, vec![duration])?;
        Ok(sessions.aggregate(
            self.key_columns(),
            vec![aggregate(how, column("duration")).alias(FIGURE)],
        )?)
    }

    fn counts_per_actor(&self, how: Aggregate, actor: Actor) -> Result<DataFrame> {
        let events = cast(count(lit(1)), DataType::Float64).alias("events");
        let actors = self.actors(self.events()?, actor, &self.period.edges, vec![events])?;
        Ok(actors.aggregate(
            self.key_columns(),
            vec![aggregate(how, column("events")).alias(FIGURE)],
        )?)
    }

    /// Actors whose first event ever lies in the period, in the bucket of that event.
    fn first_times(&self, actor: Actor, matching: bool) -> Result<DataFrame> {
        let mut events = self
            .question
            .possible(self.also)?
            .until(self.period.to)
            .that(&self.series.matching)?;
        let actor = column(events.of(actor)).alias(ACTOR);
        let fits = events.condition(&self.series.filter)?;
        let earliest = |(value, name): (Expr, String)| {
            let of_first = first_value(
                value.unalias(),
                vec![column(schema::TIMESTAMP).sort(true, false)],
            );
            Ok(of_first
                .filter(counts(&fits, self.period.from))
                .build()?
                .alias(name))
        };
        let values = self
            .parts
            .exprs(&mut events)?
            .into_iter()
            .zip(self.parts.names())
            .map(earliest)
            .collect::<Result<_>>()?;
        let firsts = first_event(
            events,
            actor,
            fits.clone(),
            matching,
            self.period.from,
            values,
        )?;
        let mut keys = self.parts.columns();
        if !self.is_one_number() {
            keys.push(bucket(column("first"), &self.period.edges).alias(BUCKET));
        }
        Ok(firsts.aggregate(keys, vec![count(lit(1)).alias(FIGURE)])?)
    }

    /// Rows of (values, bucket, figure) as figures with one number per bucket.
    fn read(&self, batches: &[RecordBatch]) -> Result<Vec<Figure>> {
        let buckets = if self.is_one_number() {
            1
        } else {
            self.period.edges.len().saturating_sub(1)
        };
        let mut figures: Vec<Figure> = Vec::new();
        let mut position: HashMap<Values, usize> = HashMap::new();
        for batch in batches {
            let data = named(batch, FIGURE, &DataType::Float64)?;
            let data = data.as_primitive::<Float64Type>();
            let bucket = batch
                .column_by_name(BUCKET)
                .map(|column| column.as_primitive::<UInt32Type>());
            for (value, rows) in self.parts.read(batch)? {
                let in_bucket = |row: &usize| bucket.is_none_or(|buckets| buckets.is_valid(*row));
                let mut rows = rows.filter(in_bucket).peekable();
                if rows.peek().is_none() {
                    continue;
                }
                let at = *position.entry(value).or_insert_with_key(|breakdown| {
                    figures.push(Figure {
                        breakdown: breakdown.clone(),
                        data: vec![0.0; buckets],
                    });
                    figures.len() - 1
                });
                let Some(figure) = figures.get_mut(at) else {
                    continue;
                };
                for row in rows {
                    let bucket = bucket.map_or(0, |buckets| buckets.value(row) as usize);
                    if let Some(slot) = figure.data.get_mut(bucket) {
                        *slot = if data.is_valid(row) {
                            data.value(row)
                        } else {
                            0.0
                        };
                    }
                }
            }
        }
        Ok(figures)
    }
}

/// Actors with the time of their `first` event ever and whatever else is `told` of them: those whose first event satisfies
/// `fits` and lies at or after `from`. With `matching`, only events that satisfy `fits` are looked at in the first place.
pub(super) fn first_event(
    events: Matching<'_>,
    actor: Expr,
    fits: Expr,
    matching: bool,
    from: i64,
    told: Vec<Expr>,
) -> Result<DataFrame> {
    let at = || column(schema::TIMESTAMP);
    let ever = if matching {
        min(at()).filter(fits.clone()).build()?
    } else {
        min(at())
    };
    let counted = min(at()).filter(counts(&fits, from)).build()?;
    let mut aggregates = vec![ever.alias("first"), counted.alias("first counted")];
    aggregates.extend(told);
    let actors = events.events()?.aggregate(vec![actor], aggregates)?;
    Ok(actors.filter(column("first").eq(column("first counted")))?)
}

/// An event that can be the first one that counts.
fn counts(fits: &Expr, from: i64) -> Expr {
    fits.clone().and(since(from))
}

/// An aggregate over a column of numbers.
pub(super) fn aggregate(how: Aggregate, number: Expr) -> Expr {
    match how {
        Aggregate::Sum => sum(number),
        Aggregate::Average => avg(number),
        Aggregate::Minimum => min(number),
        Aggregate::Maximum => max(number),
        Aggregate::Quantile(q) => percentile_cont(number.sort(true, false), lit(q)),
    }
}
