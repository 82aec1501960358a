//! Who stands behind a figure of a trend. Rules: `spec/trends.md` section 10.

use datafusion::functions_aggregate::expr_fn::count;
use datafusion::prelude::{DataFrame, lit};
use quintet_query::trends::{Actor, Measure, TrendsActors};

use super::Reading;
use super::actors::{identity, ranked, restriction};
use super::matching::{Matching, time};
use super::trends::first_event;
use crate::Result;
use crate::actors::{DISTINCT_ID, EVENT_COUNT, KEY, REAL_KEY};
use crate::data::column;

/// The actors of a figure with their number of events.
pub(crate) fn actors(query: &TrendsActors, reading: &Reading<'_>) -> Result<DataFrame> {
    let actor = query.series.measure.actor();
    let rows = match query.series.measure {
        Measure::FirstTime { matching, .. } => first_timers(query, reading, actor, matching)?,
        _ => active(query, reading, actor)?,
    };
    ranked(rows, query.page.ascending)
}

fn active(query: &TrendsActors, reading: &Reading<'_>, actor: Actor) -> Result<DataFrame> {
    let mut events = possible(query, reading)?
        .since(query.from)
        .that(&query.series.filter)?;
    let restriction = restriction(&query.bins, &query.urls, &mut events)?;
    events = events.only(restriction);
    let key = column(events.of(actor)).alias(KEY);
    let mut columns = identity(actor);
    columns.push(count(lit(1)).alias(EVENT_COUNT));
    Ok(events.events()?.aggregate(vec![key], columns)?)
}

fn first_timers(
    query: &TrendsActors,
    reading: &Reading<'_>,
    actor: Actor,
    matching: bool,
) -> Result<DataFrame> {
    let mut events = possible(query, reading)?;
    let key = column(events.of(actor)).alias(KEY);
    let restriction = restriction(&query.bins, &query.urls, &mut events)?;
    let fits = events.condition(&query.series.filter)?.and(restriction);
    let firsts = first_event(events, key, fits, matching, query.from, identity(actor))?;
    let first = || column("first");
    let inside = firsts.filter(
        first()
            .gt_eq(time(query.from))
            .and(first().lt_eq(time(query.to))),
    )?;
    let once = lit(1i64).alias(EVENT_COUNT);
    Ok(inside.select(vec![
        column(KEY),
        column(REAL_KEY),
        column(DISTINCT_ID),
        once,
    ])?)
}

/// The events that the figure's series looks at, up to the end of its range.
fn possible<'a>(query: &TrendsActors, reading: &'a Reading<'a>) -> Result<Matching<'a>> {
    reading
        .events(query.sampling)
        .until(query.to)
        .that(&query.series.matching)
}
