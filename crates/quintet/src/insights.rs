//! Every insight from definition to answer: resolve, plan, run, shape.

use std::sync::Arc;

use datafusion::functions_aggregate::expr_fn::min;
use quintet_query::breakdown::Breakdown;
use quintet_query::filter::Filter;
use quintet_query::lifecycle::{self, LifecycleActorsQuery, LifecycleQuery};
use quintet_query::stickiness::{self, StickinessActorsQuery, StickinessQuery};
use quintet_query::trends::{self, Actor, InsightActorsQuery, Trends, TrendsQuery};
use quintet_query::{ActorsPage, Context, Query};
use quintet_store::schema;
use serde_json::{Value, json};

use crate::actors;
use crate::answer::Answer;
use crate::data::{Data, column};
use crate::plan::matching::{Matching, micros};
use crate::plan::trends::Question;
use crate::plan::{CohortMembership, Reading};
use crate::run::Run;
use crate::{Error, Result, plan, rows};

/// "all" of a trend begins after this: earlier times are clocks gone wrong. 1 January 1980.
const PLAUSIBLE: i64 = 315_532_800_000_000;
/// "all" of stickiness and lifecycle begins after this. 1 January 2015.
const ALL_BEGINS: i64 = 1_420_070_400_000_000;

/// The answer to any query but SQL.
pub(crate) async fn answer(
    query: &Query,
    context: Context,
    data: &Data,
    run: &Run,
) -> Result<Answer> {
    let context = &with_earliest(query, context, data, run).await?;
    match query {
        Query::Trends(query) => trends(query, context, data, run).await,
        Query::TrendsActors(query) => trends_actors(query, context, data, run).await,
        Query::Stickiness(query) => stickiness(query, context, data, run).await,
        Query::StickinessActors(query) => stickiness_actors(query, context, data, run).await,
        Query::Lifecycle(query) => lifecycle(query, context, data, run).await,
        Query::LifecycleActors(query) => lifecycle_actors(query, context, data, run).await,
        _ => Err(Error::unsupported(
            "this kind of query",
            "use a newer version",
        )),
    }
}

/// A range of "all" begins with the earliest event: of a trend's series, of the whole store otherwise.
async fn with_earliest(
    query: &Query,
    mut context: Context,
    data: &Data,
    run: &Run,
) -> Result<Context> {
    if !query.needs_earliest() {
        return Ok(context);
    }
    let (events, since) = match query {
        Query::Trends(query) => (any_series(&query.resolve(&context)?), PLAUSIBLE),
        Query::TrendsActors(query) => (any_series(&query.source.resolve(&context)?), PLAUSIBLE),
        _ => (Filter::All(Vec::new()), ALL_BEGINS),
    };
    let cohorts = CohortMembership::of([&events].into_iter(), data, run).await?;
    let events = Matching::new(data, &cohorts)
        .since(since)
        .that(&events)?
        .events()?;
    let first = events.aggregate(
        vec![],
        vec![micros(min(column(schema::TIMESTAMP))).alias("earliest")],
    )?;
    let found = rows::objects(&run.collect(first).await?)?;
    context.earliest = found
        .first()
        .and_then(|row| row.get("earliest"))
        .and_then(Value::as_i64);
    Ok(context)
}

fn any_series(trends: &Trends) -> Filter {
    Filter::Any(
        trends
            .series
            .iter()
            .map(|series| series.matching.clone())
            .collect(),
    )
}

/// The cohorts of a breakdown as filters.
fn breakdown_filters(breakdown: Option<&Breakdown>) -> Vec<Filter> {
    let Some(Breakdown::Cohorts(cohorts)) = breakdown else {
        return Vec::new();
    };
    cohorts
        .iter()
        .flatten()
        .map(|cohort| Filter::Cohort {
            cohort: Arc::clone(cohort),
            negated: false,
        })
        .collect()
}

async fn trends(query: &TrendsQuery, context: &Context, data: &Data, run: &Run) -> Result<Answer> {
    let trends = query.resolve(context)?;
    let of_breakdown = breakdown_filters(trends.breakdown.as_ref());
    let of_series = trends
        .series
        .iter()
        .flat_map(|series| [&series.matching, &series.filter]);
    let cohorts = CohortMembership::of(of_series.chain(&of_breakdown), data, run).await?;
    let question = Question {
        trends: &trends,
        reading: Reading {
            data,
            cohorts: &cohorts,
            run,
        },
    };
    let current = question.figures(&trends.current).await?;
    let previous = match &trends.previous {
        Some(period) => Some(question.figures(period).await?),
        None => None,
    };
    let result = trends::shape(&trends, current, previous);
    Ok(Answer::of_rows(result.results)
        .with("hasMore", json!(result.has_more))
        .with("resolved_date_range", result.resolved_date_range))
}

async fn trends_actors(
    query: &InsightActorsQuery,
    context: &Context,
    data: &Data,
    run: &Run,
) -> Result<Answer> {
    let query = query.resolve(context)?;
    let filters = [&query.series.matching, &query.series.filter];
    let cohorts = CohortMembership::of(filters.into_iter(), data, run).await?;
    let list = plan::trends_actors::actors(
        &query,
        Reading {
            data,
            cohorts: &cohorts,
            run,
        },
    )?;
    let found = actors::rows(list, query.series.measure.actor(), &query.page, data, run).await?;
    Ok(listed(found, &query.page))
}

async fn stickiness(
    query: &StickinessQuery,
    context: &Context,
    data: &Data,
    run: &Run,
) -> Result<Answer> {
    let stickiness = query.resolve(context)?;
    let of_breakdown = breakdown_filters(stickiness.breakdown.as_ref());
    let filters = stickiness
        .series
        .iter()
        .map(|series| &series.filter)
        .chain(&of_breakdown);
    let cohorts = CohortMembership::of(filters, data, run).await?;
    let reading = Reading {
        data,
        cohorts: &cohorts,
        run,
    };
    let current = plan::stickiness::figures(&stickiness, &stickiness.current, reading).await?;
    let previous = match &stickiness.previous {
        Some(intervals) => Some(plan::stickiness::figures(&stickiness, intervals, reading).await?),
        None => None,
    };
    let result = stickiness::shape(&stickiness, current, previous);
    Ok(Answer::of_rows(result.results)
        .with("hasMore", json!(result.has_more))
        .with("resolved_date_range", result.resolved_date_range))
}

async fn stickiness_actors(
    query: &StickinessActorsQuery,
    context: &Context,
    data: &Data,
    run: &Run,
) -> Result<Answer> {
    let query = query.resolve(context)?;
    let cohorts = CohortMembership::of([&query.series.filter].into_iter(), data, run).await?;
    let list = plan::stickiness::actors(
        &query,
        Reading {
            data,
            cohorts: &cohorts,
            run,
        },
    )?;
    let found = actors::rows(list, query.series.actor, &query.page, data, run).await?;
    Ok(listed(found, &query.page))
}

async fn lifecycle(
    query: &LifecycleQuery,
    context: &Context,
    data: &Data,
    run: &Run,
) -> Result<Answer> {
    let lifecycle = query.resolve(context)?;
    let cohorts = CohortMembership::of([&lifecycle.filter].into_iter(), data, run).await?;
    let figures = plan::lifecycle::figures(
        &lifecycle,
        Reading {
            data,
            cohorts: &cohorts,
            run,
        },
    )
    .await?;
    let result = lifecycle::shape(&lifecycle, figures);
    Ok(Answer::of_rows(result.results).with("resolved_date_range", result.resolved_date_range))
}

async fn lifecycle_actors(
    query: &LifecycleActorsQuery,
    context: &Context,
    data: &Data,
    run: &Run,
) -> Result<Answer> {
    let query = query.resolve(context)?;
    let cohorts = CohortMembership::of([&query.lifecycle.filter].into_iter(), data, run).await?;
    let found = plan::lifecycle::actors(
        &query,
        Reading {
            data,
            cohorts: &cohorts,
            run,
        },
    )
    .await?;
    let found = actors::described(found, Actor::Person, &query.page, data, run).await?;
    Ok(listed(found, &query.page))
}

fn listed((rows, has_more): (Vec<Value>, bool), page: &ActorsPage) -> Answer {
    Answer::of_rows(rows)
        .with("hasMore", json!(has_more))
        .with("limit", json!(page.limit))
        .with("offset", json!(page.offset))
}
