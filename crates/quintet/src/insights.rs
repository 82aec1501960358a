//! Every insight from definition to answer: resolve, plan, run, shape.

use datafusion::functions_aggregate::expr_fn::min;
use datafusion::prelude::DataFrame;
use quintet_query::experiments::{self, ExperimentExposureQuery, ExperimentQuery, Exposures};
use quintet_query::filter::Filter;
use quintet_query::funnels::{
    self, FunnelCorrelationActorsQuery, FunnelCorrelationQuery, FunnelsActors, FunnelsActorsQuery,
    FunnelsQuery,
};
use quintet_query::lifecycle::{self, LifecycleActorsQuery, LifecycleQuery};
use quintet_query::paths::{self, PathsActorsQuery, PathsQuery};
use quintet_query::retention::{self, RetentionActorsQuery, RetentionQuery};
use quintet_query::stickiness::{self, StickinessActorsQuery, StickinessQuery};
use quintet_query::trends::{self, Actor, InsightActorsQuery, TrendsQuery};
use quintet_query::{ActorsPage, Context, Query};
use quintet_store::schema;
use serde_json::{Value, json};

use crate::actors;
use crate::answer::Answer;
use crate::data::{Data, column};
use crate::plan::Reading;
use crate::plan::breakdown::cohort_filters;
use crate::plan::matching::micros;
use crate::plan::trends::Question;
use crate::run::Run;
use crate::{Error, Result, plan, rows};

/// "all" of a trend begins after this: earlier times are clocks gone wrong. 1 January 1980.
const PLAUSIBLE: i64 = 315_532_800_000_000;
/// "all" of stickiness and lifecycle begins after this. 1 January 2015.
const ALL_BEGINS: i64 = 1_420_070_400_000_000;

/// What a query is answered from.
#[derive(Clone, Copy)]
struct Asked<'a> {
    context: &'a Context,
    data: &'a Data,
    run: &'a Run,
}

impl<'a> Asked<'a> {
    /// The data, with the cohorts of these filters looked up.
    async fn reading<'f>(
        &self,
        filters: impl IntoIterator<Item = &'f Filter>,
    ) -> Result<Reading<'a>> {
        Reading::of(filters, self.data, self.run).await
    }

    /// The rows of a list of actors and what stands beside them.
    async fn list(&self, list: DataFrame, actor: Actor, page: &ActorsPage) -> Result<Answer> {
        Ok(listed(
            actors::rows(list, actor, page, self.data, self.run).await?,
            page,
        ))
    }
}

/// The answer to any query but SQL.
pub(crate) async fn answer(
    query: &Query,
    context: Context,
    data: &Data,
    run: &Run,
) -> Result<Answer> {
    let earliest = match query.needs_earliest() {
        true => {
            earliest(
                query,
                Asked {
                    context: &context,
                    data,
                    run,
                },
            )
            .await?
        }
        false => None,
    };
    let asked = Asked {
        context: &Context {
            earliest,
            ..context
        },
        data: &for_figures(query, data),
        run,
    };
    match query {
        Query::Trends(query) => trends(query, asked).await,
        Query::TrendsActors(query) => trends_actors(query, asked).await,
        Query::Stickiness(query) => stickiness(query, asked).await,
        Query::StickinessActors(query) => stickiness_actors(query, asked).await,
        Query::Lifecycle(query) => lifecycle(query, asked).await,
        Query::LifecycleActors(query) => lifecycle_actors(query, asked).await,
        Query::Funnels(query) => funnels(query, asked).await,
        Query::FunnelsActors(query) => funnels_actors(query, asked).await,
        Query::FunnelCorrelation(query) => funnel_correlation(query, asked).await,
        Query::FunnelCorrelationActors(query) => funnel_correlation_actors(query, asked).await,
        Query::Retention(query) => retention(query, asked).await,
        Query::RetentionActors(query) => retention_actors(query, asked).await,
        Query::Paths(query) => paths(query, asked).await,
        Query::PathsActors(query) => paths_actors(query, asked).await,
        Query::Experiment(query) => experiment(query, asked).await,
        Query::ExperimentExposures(query) => experiment_exposures(query, asked).await,
        Query::ExperimentStatistics(question) => {
            Ok(Answer::of(crate::experiments::answer(question)?))
        }
        _ => Err(Error::unsupported(
            "this kind of query",
            "use a newer version",
        )),
    }
}

/// The data, by ids where only figures are asked for: lists name actors by their real keys.
fn for_figures(query: &Query, data: &Data) -> Data {
    match query {
        Query::Lifecycle(_) if data.knows_persons() => data.clone(),
        Query::Trends(_)
        | Query::Stickiness(_)
        | Query::Lifecycle(_)
        | Query::Funnels(_)
        | Query::Retention(_)
        | Query::Paths(_) => data.for_figures(),
        _ => data.clone(),
    }
}

/// Where a range of "all" begins: with the earliest event of a trend's series, with that of the whole store otherwise.
async fn earliest(query: &Query, asked: Asked<'_>) -> Result<Option<i64>> {
    let any_series = |query: &TrendsQuery| -> Result<Filter> {
        let series = query.resolve(asked.context)?.series.into_iter();
        Ok(Filter::Any(series.map(|series| series.matching).collect()))
    };
    let any_step =
        |query: &FunnelsQuery| -> Result<Filter> { Ok(query.resolve(asked.context)?.any_step()) };
    let (events, since) = match query {
        Query::Trends(query) => (any_series(query)?, PLAUSIBLE),
        Query::TrendsActors(query) => (any_series(&query.source)?, PLAUSIBLE),
        Query::Funnels(query) => (any_step(query)?, PLAUSIBLE),
        Query::FunnelsActors(query) => (any_step(&query.source)?, PLAUSIBLE),
        Query::FunnelCorrelation(query) => (any_step(&query.source.source)?, PLAUSIBLE),
        Query::FunnelCorrelationActors(query) => {
            (any_step(&query.source.source.source)?, PLAUSIBLE)
        }
        _ => (Filter::All(Vec::new()), ALL_BEGINS),
    };
    let reading = asked.reading([&events]).await?;
    let events = reading.events(None).since(since).that(&events)?.events()?;
    let first = micros(min(column(schema::TIMESTAMP))).alias("earliest");
    let found = rows::objects(
        &asked
            .run
            .collect(events.aggregate(vec![], vec![first])?)
            .await?,
    )?;
    Ok(found
        .first()
        .and_then(|row| row.get("earliest"))
        .and_then(Value::as_i64))
}

async fn trends(query: &TrendsQuery, asked: Asked<'_>) -> Result<Answer> {
    let trends = query.resolve(asked.context)?;
    let of_breakdown = cohort_filters(trends.breakdown.as_ref());
    let of_series = trends
        .series
        .iter()
        .flat_map(|series| [&series.matching, &series.filter]);
    let reading = &asked.reading(of_series.chain(&of_breakdown)).await?;
    let question = Question {
        trends: &trends,
        reading,
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

async fn trends_actors(query: &InsightActorsQuery, asked: Asked<'_>) -> Result<Answer> {
    let query = query.resolve(asked.context)?;
    let reading = asked
        .reading([&query.series.matching, &query.series.filter])
        .await?;
    let list = plan::trends_actors::actors(&query, &reading)?;
    asked
        .list(list, query.series.measure.actor(), &query.page)
        .await
}

async fn stickiness(query: &StickinessQuery, asked: Asked<'_>) -> Result<Answer> {
    let stickiness = query.resolve(asked.context)?;
    let of_breakdown = cohort_filters(stickiness.breakdown.as_ref());
    let of_series = stickiness.series.iter().map(|series| &series.filter);
    let reading = &asked.reading(of_series.chain(&of_breakdown)).await?;
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

async fn stickiness_actors(query: &StickinessActorsQuery, asked: Asked<'_>) -> Result<Answer> {
    let query = query.resolve(asked.context)?;
    let reading = asked.reading([&query.series.filter]).await?;
    let list = plan::stickiness::actors(&query, &reading)?;
    asked.list(list, query.series.actor, &query.page).await
}

async fn lifecycle(query: &LifecycleQuery, asked: Asked<'_>) -> Result<Answer> {
    let lifecycle = query.resolve(asked.context)?;
    let reading = asked.reading([&lifecycle.filter]).await?;
    let result = lifecycle::shape(
        &lifecycle,
        plan::lifecycle::figures(&lifecycle, &reading).await?,
    );
    Ok(Answer::of_rows(result.results).with("resolved_date_range", result.resolved_date_range))
}

async fn lifecycle_actors(query: &LifecycleActorsQuery, asked: Asked<'_>) -> Result<Answer> {
    let query = query.resolve(asked.context)?;
    let reading = asked.reading([&query.lifecycle.filter]).await?;
    let found = plan::lifecycle::actors(&query, &reading).await?;
    let described =
        actors::described(found, Actor::Person, &query.page, asked.data, asked.run).await?;
    Ok(listed(described, &query.page))
}

async fn funnels(query: &FunnelsQuery, asked: Asked<'_>) -> Result<Answer> {
    let funnels = query.resolve(asked.context)?;
    let reading = asked.reading(&plan::funnels::filters(&funnels)).await?;
    let current = plan::funnels::figures(&funnels, &funnels.current, &reading).await?;
    let previous = match &funnels.previous {
        Some(span) => Some(plan::funnels::figures(&funnels, span, &reading).await?),
        None => None,
    };
    let result = funnels::shape(&funnels, current, previous);
    let answer = Answer::of(result.results);
    Ok(result
        .extra
        .into_iter()
        .fold(answer, |answer, (key, value)| answer.with(key, value)))
}

async fn funnels_actors(query: &FunnelsActorsQuery, asked: Asked<'_>) -> Result<Answer> {
    let query = query.resolve(asked.context)?;
    let reading = asked
        .reading(&plan::funnels::filters(&query.funnels))
        .await?;
    let list = plan::funnels::population::actors(&query, &reading).await?;
    asked.list(list, query.funnels.actor, &query.page).await
}

async fn funnel_correlation(query: &FunnelCorrelationQuery, asked: Asked<'_>) -> Result<Answer> {
    let Some(query) = query.resolve(asked.context)? else {
        return Ok(Answer::of(funnels::empty_correlation()));
    };
    let reading = asked
        .reading(&plan::funnels::filters(&query.population.funnels))
        .await?;
    let found = plan::funnels::correlation::correlation(&query, &reading).await?;
    let result = funnels::correlation_result(found.rows, found.converted, found.others);
    Ok(Answer::of(result))
}

async fn funnel_correlation_actors(
    query: &FunnelCorrelationActorsQuery,
    asked: Asked<'_>,
) -> Result<Answer> {
    let query = query.resolve(asked.context)?;
    let FunnelsActors { funnels, page, .. } = &query.population;
    let mut filters = plan::funnels::filters(funnels);
    filters.extend(query.event.clone());
    let reading = asked.reading(&filters).await?;
    let list = plan::funnels::correlation::actors(&query, &reading).await?;
    asked.list(list, funnels.actor, page).await
}

async fn retention(query: &RetentionQuery, asked: Asked<'_>) -> Result<Answer> {
    let retention = query.resolve(asked.context)?;
    let reading = asked.reading(&plan::retention::filters(&retention)).await?;
    let figures = plan::retention::figures(&retention, &reading).await?;
    let result = retention::shape(&retention, &figures);
    Ok(Answer::of_rows(result.results)
        .with("hasMore", json!(result.has_more))
        .with("curves", json!(result.curves))
        .with("resolved_date_range", result.resolved_date_range))
}

async fn retention_actors(query: &RetentionActorsQuery, asked: Asked<'_>) -> Result<Answer> {
    let query = query.resolve(asked.context)?;
    let reading = asked
        .reading(&plan::retention::filters(&query.retention))
        .await?;
    let found = plan::retention::actors(&query, &reading).await?;
    let actor = query.retention.actor;
    let described = actors::described(found, actor, &query.page, asked.data, asked.run).await?;
    Ok(listed(described, &query.page))
}

async fn paths(query: &PathsQuery, asked: Asked<'_>) -> Result<Answer> {
    let paths = query.resolve(asked.context)?;
    let reading = asked.reading(&plan::paths::filters(&paths)).await?;
    let figures = plan::paths::figures(&paths, &reading).await?;
    Ok(Answer::of_rows(paths::shape(&paths, figures)))
}

async fn paths_actors(query: &PathsActorsQuery, asked: Asked<'_>) -> Result<Answer> {
    let query = query.resolve(asked.context)?;
    let reading = asked.reading(&plan::paths::filters(&query.paths)).await?;
    let list = plan::paths::actors(&query, &reading).await?;
    asked.list(list, Actor::Person, &query.page).await
}

async fn experiment(query: &ExperimentQuery, asked: Asked<'_>) -> Result<Answer> {
    let experiment = query.resolve(asked.context)?;
    let reading = asked
        .reading(plan::experiments::filters(&experiment))
        .await?;
    let observed = plan::experiments::observations(&experiment, &reading).await?;
    let arms = crate::experiments::arms(&experiment, observed);
    let answer = Answer::of(experiments::result(&experiment, &arms));
    warned(answer, &experiment.exposures, &reading).await
}

async fn experiment_exposures(query: &ExperimentExposureQuery, asked: Asked<'_>) -> Result<Answer> {
    let exposures = query.resolve(asked.context)?;
    let reading = asked.reading([&exposures.matching]).await?;
    let figures = plan::experiments::exposures(&exposures, &reading).await?;
    let answer = Answer::of(experiments::exposures_result(&exposures, &figures));
    warned(answer, &exposures, &reading).await
}

/// An answer that says so where variants were given to persons and groups are looked at.
async fn warned(answer: Answer, exposures: &Exposures, reading: &Reading<'_>) -> Result<Answer> {
    let torn = plan::experiments::torn(exposures, reading).await?;
    Ok(match torn {
        Some(torn) => answer.with("warnings", json!([crate::experiments::warning(torn)])),
        None => answer,
    })
}

fn listed((rows, has_more): (Vec<Value>, bool), page: &ActorsPage) -> Answer {
    Answer::of_rows(rows)
        .with("hasMore", json!(has_more))
        .with("limit", json!(page.limit))
        .with("offset", json!(page.offset))
}
