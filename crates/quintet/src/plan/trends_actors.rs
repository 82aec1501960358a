//! Who stands behind a figure of a trend. Rules: `spec/trends.md` section 10.

use datafusion::functions_aggregate::expr_fn::{count, min};
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::prelude::{DataFrame, lit};
use quintet_functions::expr_fn::normalize_url;
use quintet_query::trends::{Actor, Measure, TrendsActors};
use quintet_store::schema;

use super::CohortMembership;
use super::matching::{Matching, time};
use super::trends::first_event;
use crate::Result;
use crate::actors::{DISTINCT_ID, EVENT_COUNT, KEY, REAL_KEY};
use crate::data::{Data, column};

/// The actors of a figure with their number of events, the most active first.
pub(crate) fn actors(
    query: &TrendsActors,
    data: &Data,
    cohorts: &CohortMembership,
) -> Result<DataFrame> {
    let actor = query.series.measure.actor();
    let rows = match query.series.measure {
        Measure::FirstTime { matching, .. } => first_timers(query, data, cohorts, actor, matching)?,
        _ => active(query, data, cohorts, actor)?,
    };
    let by_events = column(EVENT_COUNT).sort(query.ascending, false);
    Ok(rows.sort(vec![by_events, column(REAL_KEY).sort(true, false)])?)
}

fn active(
    query: &TrendsActors,
    data: &Data,
    cohorts: &CohortMembership,
    actor: Actor,
) -> Result<DataFrame> {
    let mut events = possible(query, data, cohorts)?
        .since(query.from)
        .that(&query.series.filter)?;
    let restriction = restriction(query, &mut events)?;
    events = events.only(restriction);
    let key = column(events.of(actor)).alias(KEY);
    let mut columns = identity(actor);
    columns.push(count(lit(1)).alias(EVENT_COUNT));
    Ok(events.events()?.aggregate(vec![key], columns)?)
}

fn first_timers(
    query: &TrendsActors,
    data: &Data,
    cohorts: &CohortMembership,
    actor: Actor,
    matching: bool,
) -> Result<DataFrame> {
    let mut events = possible(query, data, cohorts)?;
    let key = column(events.of(actor)).alias(KEY);
    let fits = events
        .condition(&query.series.filter)?
        .and(restriction(query, &mut events)?);
    let firsts = first_event(events, key, fits, matching, query.from, identity(actor))?;
    let inside = firsts.filter(
        column("first")
            .gt_eq(time(query.from))
            .and(column("first").lt_eq(time(query.to))),
    )?;
    Ok(inside.select(vec![
        column(KEY),
        column(REAL_KEY),
        column(DISTINCT_ID),
        lit(1i64).alias(EVENT_COUNT),
    ])?)
}

/// The events that the figure's series looks at, up to the end of its range.
fn possible<'a>(
    query: &TrendsActors,
    data: &'a Data,
    cohorts: &'a CohortMembership,
) -> Result<Matching<'a>> {
    Matching::new(data, cohorts)
        .sampled(query.sampling)
        .until(query.to)
        .that(&query.series.matching)
}

/// The figure's numeric bins and normalised URLs as a condition.
fn restriction(query: &TrendsActors, events: &mut Matching<'_>) -> Result<Expr> {
    let mut conditions = vec![lit(true)];
    for (property, from, to) in &query.bins {
        let number = events.number(property)?;
        conditions.push(number.clone().gt_eq(lit(*from)).and(number.lt(lit(*to))));
    }
    for (property, url) in &query.urls {
        conditions.push(normalize_url(events.text(property)?).eq(lit(url.as_str())));
    }
    Ok(conjunction(conditions).unwrap_or_else(|| lit(true)))
}

/// What names an actor even where nothing else is known of it.
fn identity(actor: Actor) -> Vec<Expr> {
    vec![
        min(column(Data::key_column(actor))).alias(REAL_KEY),
        min(column(schema::DISTINCT_ID)).alias(DISTINCT_ID),
    ]
}
