//! What goes with converting: the events and properties of those who did, and of those who did not. Rules: `spec/funnels-more.md` section 7.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, lit};
use datafusion::scalar::ScalarValue;
use quintet_behavior::property::Entries;
use quintet_functions::expr_fn::json_entries;
use quintet_query::filter::Filter;
use quintet_query::funnels::{
    Correlated, CorrelatedRow, FunnelCorrelation, FunnelCorrelationActors, Funnels, FunnelsActors,
    PropertyKeys,
};
use quintet_query::series::Actor;
use quintet_store::schema;

use super::events::within;
use super::population::{AFTER, BEFORE, CONVERTED, once, population};
use crate::actors::KEY;
use crate::data::column;
use crate::plan::Reading;
use crate::plan::breakdown::named;
use crate::plan::matching::micros;
use crate::{Error, Result};

/// What is counted: an event's name, or a property with its value.
const NAME: &str = "name";
const ENTRY: &str = "entry";
/// Property values that so few actors have say nothing.
const FEWEST_ACTORS_OF_VALUE: u64 = 3;

/// How many of those who converted, and of the others, had each thing.
pub(crate) struct Correlation {
    pub(crate) rows: Vec<CorrelatedRow>,
    pub(crate) converted: u64,
    pub(crate) others: u64,
}

/// Counts what those who converted, and the others, had.
pub(crate) async fn correlation(
    query: &FunnelCorrelation,
    reading: &Reading<'_>,
) -> Result<Correlation> {
    let population = population(&query.population, reading).await?;
    let (converted, others) = (population.converted, population.others);
    let actors = reading.data.session.read_batches(population.actors)?;
    let had = match &query.of {
        Correlated::Events(events) => on_the_way(&query.population, actors, events, reading)?
            .select(vec![
                column(schema::EVENT).alias(NAME),
                column(CONVERTED),
                column(KEY),
            ])?,
        Correlated::EventProperties { events, without } => {
            let entries = Entries::Except(without.iter().cloned().collect());
            let events = on_the_way(&query.population, actors, events, reading)?;
            let name = datafusion::functions::expr_fn::concat(vec![
                column(schema::EVENT),
                lit("::"),
                column(ENTRY),
            ]);
            with_entries(events, column(schema::PROPERTIES), &entries)?.select(vec![
                name.alias(NAME),
                column(CONVERTED),
                column(KEY),
            ])?
        }
        Correlated::ActorProperties(keys) => {
            let entries = match keys {
                PropertyKeys::Named(names) => Entries::Only(names.clone()),
                PropertyKeys::AllBut(names) => Entries::Except(names.iter().cloned().collect()),
            };
            let actors = with_properties(actors, &query.population.funnels, reading)?;
            with_entries(actors, column(schema::PROPERTIES), &entries)?.select(vec![
                column(ENTRY).alias(NAME),
                column(CONVERTED),
                column(KEY),
            ])?
        }
    };
    let mut rows = count_actors(had, reading).await?;
    if matches!(query.of, Correlated::EventProperties { .. }) {
        rows.retain(|row| row.success + row.failure >= FEWEST_ACTORS_OF_VALUE);
    }
    Ok(Correlation {
        rows,
        converted,
        others,
    })
}

/// The actors behind one figure of a correlation.
pub(crate) async fn actors(
    query: &FunnelCorrelationActors,
    reading: &Reading<'_>,
) -> Result<DataFrame> {
    let found = population(query, reading).await?;
    let actors = reading.data.session.read_batches(found.actors)?;
    match &query.event {
        None => once(actors),
        Some(event) => once(on_the_way(&query.population, actors, event, reading)?),
    }
}

/// The events that actors had on their way, with the actors' columns beside them.
fn on_the_way(
    population: &FunnelsActors,
    actors: DataFrame,
    filter: &Filter,
    reading: &Reading<'_>,
) -> Result<DataFrame> {
    const ACTOR: &str = "actor of event";
    let FunnelsActors { funnels, .. } = population;
    let span = population.span();
    let mut events = reading
        .events(funnels.sampling)
        .since(span.period.from)
        .until(span.period.to.saturating_sub(1))
        .that(filter)?;
    if let Some(stretches) = &span.stretches {
        events = events.only(within(stretches));
    }
    let actor = column(events.of(funnels.actor)).alias(ACTOR);
    let mut wanted = vec![actor, column(schema::EVENT), column(schema::TIMESTAMP)];
    if reading.data.has_column(schema::PROPERTIES) {
        wanted.push(column(schema::PROPERTIES));
    } else {
        wanted.push(lit(ScalarValue::Utf8View(None)).alias(schema::PROPERTIES));
    }
    let events = events.events()?.select(wanted)?;
    let joined = actors.join(events, JoinType::Inner, &[KEY], &[ACTOR], None)?;
    let at = || micros(column(schema::TIMESTAMP));
    let is_on_the_way = at().gt(column(AFTER)).and(at().lt(column(BEFORE)));
    Ok(joined.filter(is_on_the_way)?)
}

/// The actors with what is known of them; nothing is known of those without a record.
fn with_properties(
    actors: DataFrame,
    funnels: &Funnels,
    reading: &Reading<'_>,
) -> Result<DataFrame> {
    const RECORD: &str = "key of record";
    let records = match funnels.actor {
        Actor::Person => reading.data.persons()?,
        Actor::Group(index) => reading.data.groups(index)?,
    };
    let Some((records, key)) = records else {
        return Err(Error::unsupported(
            "properties of actors in a plain folder",
            "load the folder into a store, or correlate with events",
        ));
    };
    let records = records.select(vec![column(key).alias(RECORD), column(schema::PROPERTIES)])?;
    Ok(actors.join(records, JoinType::Left, &[KEY], &[RECORD], None)?)
}

/// A row per wanted property of each row.
fn with_entries(rows: DataFrame, json: Expr, wanted: &Entries) -> Result<DataFrame> {
    let kept = vec![
        column(KEY),
        column(CONVERTED),
        json_entries(json, wanted).alias(ENTRY),
    ];
    let has_event = rows
        .schema()
        .has_column_with_unqualified_name(schema::EVENT);
    let kept = kept
        .into_iter()
        .chain(has_event.then(|| column(schema::EVENT)));
    Ok(rows
        .select(kept.collect::<Vec<_>>())?
        .unnest_columns(&[ENTRY])?)
}

async fn count_actors(had: DataFrame, reading: &Reading<'_>) -> Result<Vec<CorrelatedRow>> {
    let per_outcome = |converted: bool| {
        let outcome = column(CONVERTED).eq(lit(converted));
        datafusion::prelude::ExprFunctionExt::filter(count(lit(1)), outcome).build()
    };
    let counted = had.distinct()?.aggregate(
        vec![column(NAME)],
        vec![
            per_outcome(true)?.alias("successes"),
            per_outcome(false)?.alias("failures"),
        ],
    )?;
    let mut rows = Vec::new();
    for batch in reading.run.collect(counted).await? {
        let names = named(&batch, NAME, &DataType::Utf8View)?;
        let successes = named(&batch, "successes", &DataType::Int64)?;
        let failures = named(&batch, "failures", &DataType::Int64)?;
        let (successes, failures) = (
            successes.as_primitive::<Int64Type>(),
            failures.as_primitive::<Int64Type>(),
        );
        for (row, name) in names.as_string_view().iter().enumerate() {
            rows.push(CorrelatedRow {
                name: name.unwrap_or_default().to_owned(),
                success: successes.value(row).unsigned_abs(),
                failure: failures.value(row).unsigned_abs(),
            });
        }
    }
    Ok(rows)
}
