//! The actors of a funnel that somebody asks for.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, Int64Array, RecordBatch};
use datafusion::arrow::compute::filter;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::prelude::{DataFrame, lit};
use datafusion::scalar::ScalarValue;
use quintet_query::funnels::{FunnelCorrelationActors, Funnels, FunnelsActors, Span};
use quintet_query::paths::{FunnelPaths, Moment};

use super::each;
use super::outcomes::Outcome;
use crate::actors::{DISTINCT_ID, EVENT_COUNT, KEY, REAL_KEY};
use crate::data::column;
use crate::plan::Reading;
use crate::{Error, Result};

/// The instants between which an actor was on its way, both exclusive, in microseconds.
pub(in crate::plan) const AFTER: &str = "after";
pub(in crate::plan) const BEFORE: &str = "before";
/// Whether it converted.
pub(super) const CONVERTED: &str = "converted";

/// Says which outcomes are asked for.
pub(crate) trait Wants {
    /// The funnel.
    fn funnels(&self) -> &Funnels;

    /// Its range.
    fn span(&self) -> &Span;

    /// True for a run of theirs.
    fn run(&self, value: &[String], steps: u64, times: &[i64]) -> bool;

    /// True for an entrance of theirs.
    fn entrance(&self, value: &[String], period: usize, converted: bool) -> bool;

    /// Between which instants a run of theirs is on its way, both exclusive: from its entry to the last step, or to the end of
    /// the window where it did not get there.
    fn way(&self, steps: u64, times: &[i64]) -> (i64, i64) {
        let entry = times.first().copied().unwrap_or_default();
        let last = times.last().copied();
        let last = last.filter(|_| self.funnels().is_converted(steps));
        let end = last.unwrap_or(entry.saturating_add(self.funnels().window));
        (entry, end)
    }
}

impl Wants for FunnelsActors {
    fn funnels(&self) -> &Funnels {
        &self.funnels
    }

    fn span(&self) -> &Span {
        self.span()
    }

    fn run(&self, value: &[String], steps: u64, times: &[i64]) -> bool {
        self.wants_run(value, steps, times)
    }

    fn entrance(&self, value: &[String], period: usize, converted: bool) -> bool {
        self.wants_entrance(value, period, converted)
    }
}

impl Wants for FunnelCorrelationActors {
    fn funnels(&self) -> &Funnels {
        &self.population.funnels
    }

    fn span(&self) -> &Span {
        self.population.span()
    }

    fn run(&self, value: &[String], steps: u64, times: &[i64]) -> bool {
        self.wants_run(value, steps, times)
    }

    fn entrance(&self, _: &[String], _: usize, _: bool) -> bool {
        false
    }
}

impl Wants for FunnelPaths {
    fn funnels(&self) -> &Funnels {
        &self.funnel
    }

    fn span(&self) -> &Span {
        &self.funnel.current
    }

    fn run(&self, _: &[String], steps: u64, times: &[i64]) -> bool {
        self.wants_run(steps, times)
    }

    fn entrance(&self, _: &[String], _: usize, _: bool) -> bool {
        false
    }

    fn way(&self, _: u64, times: &[i64]) -> (i64, i64) {
        let at = |moment: &Option<Moment>| {
            let moment = moment.as_ref()?;
            Some(times.get(moment.step)?.saturating_add(moment.later))
        };
        let from = at(&self.from).map_or(i64::MIN, |from| from.saturating_sub(1));
        let to = at(&self.to).map_or(i64::MAX, |to| to.saturating_add(1));
        (from, to)
    }
}

/// Actors that are asked for, in memory: their keys and names, when they were on their way, and whether they converted.
pub(in crate::plan) struct Population {
    pub(in crate::plan) actors: Vec<RecordBatch>,
    pub(super) converted: u64,
    pub(super) others: u64,
}

/// The actors with an outcome that is asked for.
pub(in crate::plan) async fn population(
    query: &impl Wants,
    reading: &Reading<'_>,
) -> Result<Population> {
    let mut population = Population {
        actors: Vec::new(),
        converted: 0,
        others: 0,
    };
    each(
        query.funnels(),
        query.span(),
        true,
        reading,
        |batch, outcomes| {
            let mut ways = vec![None; batch.num_rows()];
            outcomes.read(batch, |row, outcome| {
                if let (Some(best), Some(way)) = (ways.get_mut(row), Way::of(query, outcome)) {
                    *best = way.or_better(*best);
                }
            })?;
            population.add(batch, &ways)
        },
    )
    .await?;
    Ok(population)
}

/// The list of the actors that are asked for, each once, by key.
pub(crate) async fn actors(query: &impl Wants, reading: &Reading<'_>) -> Result<DataFrame> {
    let population = population(query, reading).await?;
    once(reading.data.session.read_batches(population.actors)?)
}

/// Rows of actors as a list of them, each once, by key.
pub(super) fn once(rows: DataFrame) -> Result<DataFrame> {
    let names = vec![
        min(column(REAL_KEY)).alias(REAL_KEY),
        min(column(DISTINCT_ID)).alias(DISTINCT_ID),
    ];
    let actors = rows
        .aggregate(vec![column(KEY)], names)?
        .with_column(EVENT_COUNT, lit(ScalarValue::Int64(None)))?;
    Ok(actors.sort(vec![column(REAL_KEY).sort(true, false)])?)
}

/// An actor's way from its entry on.
#[derive(Debug, Clone, Copy)]
struct Way {
    after: i64,
    before: i64,
    converted: bool,
    steps: u32,
}

impl Way {
    /// The way of an outcome that is asked for. That of an entrance says only whether it converted.
    fn of(query: &impl Wants, outcome: Outcome<'_>) -> Option<Self> {
        match outcome {
            Outcome::Run {
                value,
                steps,
                times,
            } => query.run(value, steps, times).then(|| {
                let (after, before) = query.way(steps, times);
                Self {
                    after,
                    before,
                    converted: query.funnels().is_converted(steps),
                    steps: steps.count_ones(),
                }
            }),
            Outcome::Entrance {
                value,
                period,
                converted,
            } => query.entrance(value, period, converted).then_some(Self {
                after: 0,
                before: 0,
                converted,
                steps: 0,
            }),
        }
    }

    /// Of several runs of an actor the one that came furthest, the first of equals.
    fn or_better(self, other: Option<Self>) -> Option<Self> {
        let rank = |way: &Self| (way.converted, way.steps);
        match other {
            Some(other) if rank(&other) >= rank(&self) => Some(other),
            _ => Some(self),
        }
    }
}

impl Population {
    /// Adds the actors of a batch that have a way.
    fn add(&mut self, batch: &RecordBatch, ways: &[Option<Way>]) -> Result<()> {
        let is_in = BooleanArray::from_iter(ways.iter().map(|way| Some(way.is_some())));
        let ways: Vec<Way> = ways.iter().copied().flatten().collect();
        let converted = ways.iter().filter(|way| way.converted).count() as u64;
        self.converted += converted;
        self.others += ways.len() as u64 - converted;
        let named = |name: &str| -> Result<ArrayRef> {
            let column = batch
                .column_by_name(name)
                .ok_or_else(|| Error::internal(format!("a plan lost its column {name}")))?;
            Ok(filter(column.as_ref(), &is_in).map_err(DataFusionError::from)?)
        };
        let times = |time: fn(&Way) -> i64| Int64Array::from_iter_values(ways.iter().map(time));
        let converted = BooleanArray::from_iter(ways.iter().map(|way| Some(way.converted)));
        let columns = [
            (KEY, named(KEY)?, true),
            (REAL_KEY, named(REAL_KEY)?, true),
            (DISTINCT_ID, named(DISTINCT_ID)?, true),
            (AFTER, Arc::new(times(|way| way.after)) as ArrayRef, false),
            (BEFORE, Arc::new(times(|way| way.before)), false),
            (CONVERTED, Arc::new(converted), false),
        ];
        let actors = RecordBatch::try_from_iter_with_nullable(columns);
        self.actors.push(actors.map_err(DataFusionError::from)?);
        Ok(())
    }
}
