//! Funnels: how far each actor came. Rules: `spec/funnels.md`, `spec/funnels-more.md`.
//!
//! [`events`] reads what takes part, the aggregates of `quintet-functions` say how far each actor came, [`outcomes`] reads that back.
//! There is one row per actor; whoever asks folds them one by one, so that nothing but what is wanted of them is held.

mod events;
mod outcomes;
mod slice;

use datafusion::arrow::array::{BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::prelude::{DataFrame, lit};
use quintet_behavior::funnel;
use quintet_functions::FunnelDefinition;
use quintet_functions::expr_fn::{funnel_entrances, funnel_runs};
use quintet_query::funnels::{Figures, Funnels, FunnelsActors, Order, Span, Viz};
use quintet_store::schema;

use super::Reading;
use super::actors::identity;
use crate::Result;
use crate::actors::{DISTINCT_ID, EVENT_COUNT, KEY, REAL_KEY};
use crate::data::{Data, column};
use outcomes::{Outcome, Outcomes};
use slice::{Slice, slices};

/// The column of what became of an actor.
const OUTCOMES: &str = "outcomes";

/// The figures of a funnel in a range.
pub(crate) async fn figures(
    funnels: &Funnels,
    span: &Span,
    reading: &Reading<'_>,
) -> Result<Figures> {
    let mut figures = Figures::of(funnels, span);
    for slice in slices(funnels) {
        let actors = actors_of(funnels, span, &slice, false, reading)?;
        let mut outcomes = Outcomes::of(&slice);
        reading
            .run
            .each(actors, |batch| {
                outcomes.read(&batch, OUTCOMES, |_, outcome| match outcome {
                    Outcome::Run { value, steps, times } => figures.add_run(value, steps, times),
                    Outcome::Entrance { value, period, converted } => {
                        figures.add_entrance(value, period, converted);
                    }
                })
            })
            .await?;
    }
    Ok(figures)
}

/// The actors that a question about a funnel is for, each once.
pub(crate) async fn actors(query: &FunnelsActors, reading: &Reading<'_>) -> Result<DataFrame> {
    let funnels = &query.funnels;
    let mut found = Vec::new();
    for slice in slices(funnels) {
        let actors = actors_of(funnels, query.span(), &slice, true, reading)?;
        let mut outcomes = Outcomes::of(&slice);
        reading
            .run
            .each(actors, |batch| {
                let mut wanted = vec![false; batch.num_rows()];
                outcomes.read(&batch, OUTCOMES, |row, outcome| {
                    if let Some(wanted) = wanted.get_mut(row) {
                        *wanted |= is_wanted(query, outcome);
                    }
                })?;
                found.push(only(&batch, wanted)?);
                Ok(())
            })
            .await?;
    }
    let once = vec![
        min(column(REAL_KEY)).alias(REAL_KEY),
        min(column(DISTINCT_ID)).alias(DISTINCT_ID),
    ];
    let found = reading.data.session.read_batches(found)?;
    let found = found.aggregate(vec![column(KEY)], once)?;
    let found = found.with_column(EVENT_COUNT, lit(datafusion::scalar::ScalarValue::Int64(None)))?;
    Ok(found.sort(vec![column(REAL_KEY).sort(true, false)])?)
}

fn is_wanted(query: &FunnelsActors, outcome: Outcome<'_>) -> bool {
    match outcome {
        Outcome::Run { value, steps, times } => query.wants_run(value, steps, times),
        Outcome::Entrance { value, period, converted } => {
            query.wants_entrance(value, period, converted)
        }
    }
}

/// The rows that are wanted, without what became of them.
fn only(batch: &RecordBatch, wanted: Vec<bool>) -> Result<RecordBatch> {
    let named: Vec<usize> = [KEY, REAL_KEY, DISTINCT_ID]
        .iter()
        .filter_map(|name| batch.schema().index_of(name).ok())
        .collect();
    let named = batch.project(&named).map_err(DataFusionError::from)?;
    Ok(filter_record_batch(&named, &BooleanArray::from(wanted)).map_err(DataFusionError::from)?)
}

/// One row per actor with what became of it; `named` adds what names the actor.
fn actors_of(
    funnels: &Funnels,
    span: &Span,
    slice: &Slice<'_>,
    named: bool,
    reading: &Reading<'_>,
) -> Result<DataFrame> {
    let (told, mut aggregates) = match named {
        true => (
            vec![Data::key_column(funnels.actor), schema::DISTINCT_ID],
            identity(funnels.actor),
        ),
        false => (Vec::new(), Vec::new()),
    };
    let events = events::rows(funnels, span, slice, &told, reading)?;
    let definition = definition(funnels, span, slice);
    let outcomes = match funnels.viz {
        Viz::Trends { .. } => funnel_entrances(&definition, events.columns),
        Viz::Steps | Viz::Flow | Viz::TimeToConvert { .. } => {
            funnel_runs(&definition, events.columns)
        }
    };
    aggregates.push(outcomes.alias(OUTCOMES));
    Ok(events.rows.aggregate(vec![column(KEY)], aggregates)?)
}

fn definition(funnels: &Funnels, span: &Span, slice: &Slice<'_>) -> FunnelDefinition {
    let optional = (0u32..)
        .zip(&funnels.steps)
        .filter(|(_, step)| step.optional)
        .fold(0, |optional, (bit, _)| optional | 1 << bit);
    FunnelDefinition {
        funnel: funnel::Funnel {
            steps: funnels.steps.len(),
            order: match funnels.order {
                Order::Ordered => funnel::Order::Ordered,
                Order::Strict => funnel::Order::Strict,
                Order::Unordered => funnel::Order::Unordered,
            },
            window: funnels.window,
            optional,
            simultaneity: funnels.simultaneity,
            attribution: slice.attribution(),
            entry_until: funnels.completes_after_range.then_some(span.period.to),
        },
        periods: match funnels.viz {
            Viz::Trends { from, to } => Some(funnel::Periods {
                edges: span.period.edges.clone(),
                from,
                to,
            }),
            _ => None,
        },
        empty: slice.empty(),
    }
}
