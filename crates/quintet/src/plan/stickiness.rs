//! Stickiness: in how many intervals actors were active, and who was in how many. Rules: `spec/stickiness.md` section 2.

use std::collections::HashMap;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::functions_aggregate::expr_fn::{count, min, sum};
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, lit};
use quintet_functions::expr_fn::bucket;
use quintet_query::filter::Filter;
use quintet_query::stickiness::{
    Bound, Comparison, Figure, Intervals, Series, Stickiness, StickinessActors,
};
use quintet_query::trends::Actor;
use quintet_store::schema;

use super::actors::{identity, ranked, restriction};
use super::breakdown::{Parts, Values, named, slices};
use super::matching::Matching;
use super::{ACTOR, BUCKET, FIGURE, Reading, sets};
use crate::Result;
use crate::actors::{DISTINCT_ID, EVENT_COUNT, KEY, REAL_KEY};
use crate::data::column;

/// Events of an actor in an interval.
const EVENTS: &str = "events";
/// Number of intervals in which an actor was active.
const ACTIVE: &str = "active intervals";

/// The actors of every series by their number of active intervals.
pub(crate) async fn figures(
    stickiness: &Stickiness,
    intervals: &Intervals,
    reading: &Reading<'_>,
) -> Result<Vec<Vec<Figure>>> {
    let mut all = Vec::with_capacity(stickiness.series.len());
    for series in &stickiness.series {
        let mut figures = Vec::new();
        for slice in slices(stickiness.breakdown.as_ref()) {
            let events = || {
                let events = reading
                    .events(stickiness.sampling)
                    .since(intervals.from)
                    .until(intervals.to);
                events.that(&series.filter)?.that(&slice.members)
            };
            let parts = Parts::of(slice.parts, events, reading.run).await?;
            let is_plain = parts.is_empty()
                && stickiness.sampling.is_none()
                && stickiness.criterion.is_any_event();
            let by_sets = match is_plain {
                true => by_sets(series, &slice.members, intervals, reading)?,
                false => None,
            };
            let histogram = match by_sets {
                Some(histogram) => histogram,
                None => {
                    let criterion = stickiness.criterion;
                    histogram(events()?, series.actor, &parts, intervals, criterion)?
                }
            };
            for (found, actors) in read(&parts, histogram, reading).await? {
                figures.push(Figure {
                    breakdown: slice.values(found),
                    actors,
                });
            }
        }
        all.push(figures);
    }
    Ok(all)
}

/// Actors by their number of active intervals without reading an event, where whole days of events by name are asked for.
fn by_sets(
    series: &Series,
    members: &Filter,
    intervals: &Intervals,
    reading: &Reading<'_>,
) -> Result<Option<DataFrame>> {
    let days = (
        intervals.edges.as_slice(),
        intervals.from,
        intervals.to.saturating_add(1),
    );
    let events = &[&series.filter, members];
    let as_histogram = |sets: DataFrame| {
        let active = column(sets::PERIOD).alias(ACTIVE);
        Ok(sets.select(vec![active, column(sets::FIGURE).alias(FIGURE)])?)
    };
    let sets = reading.actors_by_number(events, series.actor, days)?;
    sets.map(as_histogram).transpose()
}

/// Actors by their number of active intervals.
fn histogram(
    mut events: Matching<'_>,
    actor: Actor,
    parts: &Parts<'_>,
    intervals: &Intervals,
    criterion: Bound,
) -> Result<DataFrame> {
    let values = parts.exprs(&mut events)?;
    let actor = column(events.of(actor)).alias(ACTOR);
    let events = events.events()?;
    let per_interval = per_interval(events, actor, values, vec![], intervals, criterion)?;
    let mut keys = parts.columns();
    keys.push(column(ACTOR));
    let per_actor = per_interval.aggregate(keys, vec![count(lit(1)).alias(ACTIVE)])?;
    let mut keys = parts.columns();
    keys.push(column(ACTIVE));
    Ok(per_actor.aggregate(keys, vec![count(lit(1)).alias(FIGURE)])?)
}

/// The actors behind a figure, with their number of events in the intervals that count.
pub(crate) fn actors(query: &StickinessActors, reading: &Reading<'_>) -> Result<DataFrame> {
    let Series { actor, filter, .. } = &query.series;
    let mut events = reading
        .events(query.sampling)
        .since(query.intervals.from)
        .until(query.intervals.to)
        .that(filter)?;
    let restriction = restriction(&query.bins, &query.urls, &mut events)?;
    events = events.only(restriction);
    let key = column(events.of(*actor)).alias(ACTOR);
    let per_interval = per_interval(
        events.events()?,
        key,
        vec![],
        identity(*actor),
        &query.intervals,
        query.criterion,
    )?;
    let told = vec![
        min(column(REAL_KEY)).alias(REAL_KEY),
        min(column(DISTINCT_ID)).alias(DISTINCT_ID),
        sum(column(EVENTS)).alias(EVENT_COUNT),
        count(lit(1)).alias(ACTIVE),
    ];
    let per_actor = per_interval.aggregate(vec![column(ACTOR).alias(KEY)], told)?;
    ranked(
        per_actor.filter(within(ACTIVE, query.active))?,
        query.page.ascending,
    )
}

/// The intervals of each actor whose number of events meets the criterion, with whatever else is `told` of the actor.
fn per_interval(
    events: DataFrame,
    actor: Expr,
    values: Vec<Expr>,
    told: Vec<Expr>,
    intervals: &Intervals,
    criterion: Bound,
) -> Result<DataFrame> {
    let mut keys = values;
    keys.push(actor);
    keys.push(bucket(column(schema::TIMESTAMP), &intervals.edges).alias(BUCKET));
    let mut counts = vec![count(lit(1)).alias(EVENTS)];
    counts.extend(told);
    Ok(events
        .aggregate(keys, counts)?
        .filter(within(EVENTS, criterion))?)
}

/// A count within a bound.
fn within(name: &str, bound: Bound) -> Expr {
    let value = lit(i64::try_from(bound.value).unwrap_or(i64::MAX));
    match bound.comparison {
        Comparison::AtLeast => column(name).gt_eq(value),
        Comparison::AtMost => column(name).lt_eq(value),
        Comparison::Exactly => column(name).eq(value),
    }
}

async fn read(
    parts: &Parts<'_>,
    histogram: DataFrame,
    reading: &Reading<'_>,
) -> Result<HashMap<Values, Vec<(usize, u64)>>> {
    let mut by_value: HashMap<Values, Vec<(usize, u64)>> = HashMap::new();
    for batch in reading.run.collect(histogram).await? {
        let intervals = named(&batch, ACTIVE, &DataType::UInt64)?;
        let actors = named(&batch, FIGURE, &DataType::UInt64)?;
        let (intervals, actors) = (
            intervals.as_primitive::<UInt64Type>(),
            actors.as_primitive::<UInt64Type>(),
        );
        for (value, rows) in parts.read(&batch)? {
            let counted = |row| {
                (
                    usize::try_from(intervals.value(row)).unwrap_or(usize::MAX),
                    actors.value(row),
                )
            };
            by_value.entry(value).or_default().extend(rows.map(counted));
        }
    }
    Ok(by_value)
}
