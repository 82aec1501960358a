//! Funnels: how far each actor came. Rules: `spec/funnels.md`, `spec/funnels-more.md`.
//!
//! [`events`] reads what takes part, the aggregates of `quintet-functions` say how far each actor came, [`outcomes`] reads that back,
//! [`population`] keeps the actors that somebody asks for, [`correlation`] compares them. There is one row per actor; whoever asks
//! folds them one by one, so that nothing but what is wanted of them is held.

pub(crate) mod correlation;
mod events;
mod outcomes;
pub(crate) mod population;
mod slice;

use datafusion::arrow::array::RecordBatch;
use datafusion::prelude::DataFrame;
use quintet_behavior::funnel;
use quintet_functions::FunnelDefinition;
use quintet_functions::expr_fn::{funnel_entrances, funnel_runs};
use quintet_query::filter::Filter;
use quintet_query::funnels::{Figures, Funnels, Order, Span, Viz};
use quintet_store::schema;

use super::Reading;
use super::actors::identity;
use super::breakdown::cohort_filters;
use crate::Result;
use crate::actors::KEY;
use crate::data::{Data, column};
use outcomes::{Outcome, Outcomes};
use slice::{Slice, slices};

/// The column of what became of an actor.
const OUTCOMES: &str = "outcomes";

/// Every filter that a funnel asks of events.
pub(crate) fn filters(funnels: &Funnels) -> Vec<Filter> {
    let conditions = funnels.steps.iter().flat_map(|step| &step.conditions);
    let mut filters = cohort_filters(funnels.breakdown.as_ref());
    filters.extend(
        conditions
            .flat_map(|condition| [&condition.matching, &condition.filter])
            .cloned(),
    );
    filters.extend(
        funnels
            .exclusions
            .iter()
            .map(|exclusion| exclusion.filter.clone()),
    );
    filters.push(funnels.filter.clone());
    filters
}

/// The figures of a funnel in a range.
pub(crate) async fn figures(
    funnels: &Funnels,
    span: &Span,
    reading: &Reading<'_>,
) -> Result<Figures> {
    let mut figures = Figures::of(funnels, span);
    each(funnels, span, false, reading, |batch, outcomes| {
        outcomes.read(batch, |_, outcome| match outcome {
            Outcome::Run {
                value,
                steps,
                times,
            } => figures.add_run(value, steps, times),
            Outcome::Entrance {
                value,
                period,
                converted,
            } => figures.add_entrance(value, period, converted),
        })
    })
    .await?;
    Ok(figures)
}

/// Hands over what became of the actors, batch by batch; `named` adds what names them.
async fn each(
    funnels: &Funnels,
    span: &Span,
    named: bool,
    reading: &Reading<'_>,
    mut of_batch: impl FnMut(&RecordBatch, &mut Outcomes<'_>) -> Result<()>,
) -> Result<()> {
    for slice in slices(funnels) {
        let actors = actors_of(funnels, span, &slice, named, reading)?;
        let mut outcomes = Outcomes::of(&slice);
        let each = |batch: RecordBatch| of_batch(&batch, &mut outcomes);
        reading.run.each(actors, each).await?;
    }
    Ok(())
}

/// One row per actor with what became of it.
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
