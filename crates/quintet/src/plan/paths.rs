//! Paths: how persons go from one thing to the next. Rules: `spec/paths.md`.

use std::collections::HashMap;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Int64Type, UInt32Type};
use datafusion::common::JoinType;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, lit};
use quintet_behavior::paths::{self as behavior, Cleaning, ItemRules, Wanted};
use quintet_functions::PathsDefinition;
use quintet_functions::expr_fn::{SequenceColumns, path_item, path_links, path_steps};
use quintet_query::filter::{Filter, Property, PropertySource};
use quintet_query::paths::{Figure, Paths, PathsActors};
use quintet_query::series::Actor;
use quintet_store::schema;

use super::Reading;
use super::actors::{identity, ranked};
use super::funnels;
use super::funnels::population::{AFTER, BEFORE, population};
use super::matching::micros;
use crate::actors::{DISTINCT_ID, EVENT_COUNT, KEY, REAL_KEY};
use crate::data::column;
use crate::{Error, Result};

const ITEM: &str = "item";
/// The column of a person's links.
const LINKS: &str = "links";
const URL: &str = "$current_url";
const SCREEN: &str = "$screen_name";

/// Every filter that paths ask of events.
pub(crate) fn filters(paths: &Paths) -> Vec<Filter> {
    let of_funnel = paths.funnel.iter();
    let mut filters: Vec<Filter> = of_funnel
        .flat_map(|source| funnels::filters(&source.funnel))
        .collect();
    filters.push(paths.filter.clone());
    filters
}

/// How many paths have each link.
pub(crate) async fn figures(paths: &Paths, reading: &Reading<'_>) -> Result<Vec<Figure>> {
    let links = path_links(&definition(paths, Wanted::Any), columns());
    let persons = steps(paths, reading)
        .await?
        .aggregate(vec![column(KEY)], vec![links.alias(LINKS)])?;
    let mut tally = Tally::default();
    reading.run.each(persons, |batch| tally.add(&batch)).await?;
    Ok(tally.figures())
}

/// The persons with wanted steps, those with the most of them first.
pub(crate) async fn actors(query: &PathsActors, reading: &Reading<'_>) -> Result<DataFrame> {
    let keys = &query.keys;
    let wanted = Wanted::by_keys(
        keys.start.as_deref(),
        keys.end.as_deref(),
        keys.dropoff.as_deref(),
    );
    let steps_wanted = path_steps(&definition(&query.paths, wanted), columns());
    let mut aggregates = identity(Actor::Person);
    aggregates.push(steps_wanted.alias(EVENT_COUNT));
    let persons = steps(&query.paths, reading)
        .await?
        .aggregate(vec![column(KEY)], aggregates)?
        .filter(column(EVENT_COUNT).gt(lit(0u64)))?
        .select(
            [KEY, REAL_KEY, DISTINCT_ID, EVENT_COUNT]
                .map(column)
                .to_vec(),
        )?;
    ranked(persons, query.page.ascending)
}

/// The events that may become steps, under the names they have on paths.
async fn steps(paths: &Paths, reading: &Reading<'_>) -> Result<DataFrame> {
    let mut events = reading
        .events(paths.sampling)
        .since(paths.from)
        .until(paths.to)
        .that(&paths.filter)?;
    let person = column(events.of(Actor::Person)).alias(KEY);
    let property = |key: &str| Property {
        source: PropertySource::Event,
        key: key.to_owned(),
    };
    let (url, screen) = (
        events.text(&property(URL))?,
        events.text(&property(SCREEN))?,
    );
    let item = path_item(&rules(paths), column(schema::EVENT), url, screen).alias(ITEM);
    let kept = vec![
        person,
        column(schema::TIMESTAMP),
        item,
        column(schema::PERSON_ID),
        column(schema::DISTINCT_ID),
    ];
    let steps = events.events()?.select(kept)?;
    let steps = steps.filter(column(ITEM).is_not_null())?;
    match &paths.funnel {
        None => Ok(steps),
        Some(_) => around_funnel(paths, steps, reading).await,
    }
}

/// The steps of those who did what the funnel asks for, while they did it.
async fn around_funnel(
    paths: &Paths,
    steps: DataFrame,
    reading: &Reading<'_>,
) -> Result<DataFrame> {
    const PERSON: &str = "person of funnel";
    let Some(source) = &paths.funnel else {
        return Ok(steps);
    };
    let persons = population(source, reading).await?.actors;
    let persons = reading.data.session.read_batches(persons)?.select(vec![
        column(KEY).alias(PERSON),
        column(AFTER),
        column(BEFORE),
    ])?;
    let steps = steps.join(persons, JoinType::Inner, &[KEY], &[PERSON], None)?;
    let at = || micros(column(schema::TIMESTAMP));
    let is_within = at().gt(column(AFTER)).and(at().lt(column(BEFORE)));
    Ok(steps.filter(is_within)?)
}

fn columns() -> SequenceColumns {
    let none = || -> Expr { lit(0u64) };
    SequenceColumns {
        time: column(schema::TIMESTAMP),
        marks: none(),
        more_marks: none(),
        value: column(ITEM),
    }
}

fn definition(paths: &Paths, wanted: Wanted) -> PathsDefinition {
    PathsDefinition {
        paths: behavior::Paths {
            gap: paths.gap,
            limit: paths.step_limit,
            start: paths.start_point.clone(),
            end: paths.end_point.clone(),
        },
        wanted,
    }
}

fn rules(paths: &Paths) -> ItemRules {
    let items = &paths.items;
    let cleaning = items.cleaning.iter().map(|rule| Cleaning {
        regex: rule.regex.clone(),
        alias: rule.alias.clone(),
    });
    ItemRules {
        urls: items.urls,
        screen_names: items.screen_names,
        cleaning: cleaning.collect(),
        groupings: items.groupings.clone(),
        excluded: items.excluded.clone(),
    }
}

/// Links being counted; items are numbered by their first sight.
#[derive(Default)]
struct Tally {
    items: Vec<String>,
    numbers: HashMap<String, usize>,
    links: HashMap<(usize, usize, usize), (u64, i64)>,
}

impl Tally {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let lost = || Error::internal(format!("a plan lost its column {LINKS}"));
        let links = batch
            .column_by_name(LINKS)
            .and_then(|column| column.as_list_opt::<i32>())
            .and_then(|lists| lists.values().as_struct_opt())
            .ok_or_else(lost)?;
        let child = |name: &str| links.column_by_name(name).ok_or_else(lost);
        let steps = child("step")?.as_primitive::<UInt32Type>().values();
        let times = child("time")?.as_primitive::<Int64Type>().values();
        let sources = child("source")?.as_string_view().iter().flatten();
        let targets = child("target")?.as_string_view().iter().flatten();
        for (((step, time), source), target) in steps.iter().zip(times).zip(sources).zip(targets) {
            let link = (*step as usize, self.number(source), self.number(target));
            let (paths, sum) = self.links.entry(link).or_default();
            *paths += 1;
            *sum = sum.saturating_add(*time);
        }
        Ok(())
    }

    fn number(&mut self, item: &str) -> usize {
        if let Some(number) = self.numbers.get(item) {
            return *number;
        }
        let number = self.items.len();
        self.items.push(item.to_owned());
        self.numbers.insert(item.to_owned(), number);
        number
    }

    fn figures(self) -> Vec<Figure> {
        let item = |number: usize| self.items.get(number).cloned().unwrap_or_default();
        let links = self.links.iter();
        links
            .map(|((step, source, target), (paths, time))| Figure {
                step: *step,
                source: item(*source),
                target: item(*target),
                paths: *paths,
                time: *time,
            })
            .collect()
    }
}
