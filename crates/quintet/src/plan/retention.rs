//! Retention: which cohorts actors belong to, and when they come back. Rules: `spec/retention.md`.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::ops::Range;

use datafusion::arrow::array::{Array, AsArray, ListArray, PrimitiveArray, RecordBatch};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Float64Type, UInt32Type, UInt64Type,
};
use datafusion::error::DataFusionError;
use datafusion::prelude::{DataFrame, coalesce, lit};
use quintet_behavior::retention as behavior;
use quintet_functions::expr_fn::{SequenceColumns, marks, retention as cohorts_of};
use quintet_query::filter::Filter;
use quintet_query::retention::{Amounts, Figures, Mode, Retention, RetentionActors, Starts};
use quintet_store::schema;
use serde_json::{Map, Value};

use super::actors::identity;
use super::breakdown::{Slice, cohort_filters, named, slices};
use super::{Reading, sets};
use crate::actors::{DISTINCT_ID, KEY, REAL_KEY};
use crate::data::{Data, column, text};
use crate::rows::objects;
use crate::{Error, Result};

const KINDS: &str = "kinds";
const AMOUNT: &str = "amount";
const VALUE: &str = "value";
/// The column of an actor's cohorts.
const COHORTS: &str = "cohorts";

/// Every filter that retention asks of events.
pub(crate) fn filters(retention: &Retention) -> Vec<Filter> {
    let mut filters = cohort_filters(retention.breakdown.as_ref());
    let Retention {
        filter,
        candidate,
        start,
        returning,
        ..
    } = retention;
    filters.extend([filter, candidate, start, returning].map(Filter::clone));
    filters
}

/// The figures of retention.
pub(crate) async fn figures(retention: &Retention, reading: &Reading<'_>) -> Result<Figures> {
    let mut figures = Figures::default();
    if let Some(sets) = by_sets(retention, reading)? {
        count_alike(retention, sets, reading, &mut figures).await?;
        return Ok(figures);
    }
    let mut positions = Vec::new();
    for slice in slices(retention.breakdown.as_ref()) {
        let actors = cohorts(retention, &slice, false, reading)?;
        let add = |batch: RecordBatch| {
            each(&batch, &slice, |_, cohort| {
                positions.clear();
                positions.extend(cohort.columns.iter().map(|column| *column as usize));
                figures.add_actor(cohort.value, cohort.row, &positions, cohort.amounts);
            })
        };
        reading.run.each(actors, add).await?;
    }
    Ok(figures)
}

/// Actors by the periods in which they start and return without reading an event, where whole days of events by name are asked for.
fn by_sets(retention: &Retention, reading: &Reading<'_>) -> Result<Option<DataFrame>> {
    let Retention {
        filter,
        start,
        returning,
        starts,
        mode,
        window,
        ..
    } = retention;
    let is_plain = retention.breakdown.is_none() && retention.sampling.is_none();
    let any_return = matches!(mode, Mode::Counts { minimum, .. } if *minimum <= 1);
    let ever = match starts {
        Starts::Recurring => false,
        Starts::FirstTime => true,
        Starts::FirstEver => return Ok(None),
    };
    if !is_plain || !any_return {
        return Ok(None);
    }
    let (starts, returns) = ([filter, start], [filter, returning]);
    reading.cohorts_by_period(&starts, &returns, retention.actor, &window.edges, ever)
}

/// Counts actors that did the same in every period once, as many as they are. What a cohort is, is said by
/// [`quintet_behavior::retention`] alone: it gets an event at the start of every period.
async fn count_alike(
    retention: &Retention,
    sets: DataFrame,
    reading: &Reading<'_>,
    figures: &mut Figures,
) -> Result<()> {
    let definition = definition(retention);
    let mut times = vec![retention.window.start().saturating_sub(1)];
    times.extend(&retention.window.edges);
    let width = definition.reach.len() + 1;
    // Row by row: how many actors each column of a cohort has.
    let mut cells: Vec<u64> = Vec::new();
    let mut events = Vec::with_capacity(times.len());
    for batch in reading.run.collect(sets).await? {
        let numbers = |name| named(&batch, name, &DataType::UInt64);
        let (starts, returns) = (numbers(sets::STARTS)?, numbers(sets::RETURNS)?);
        let actors = numbers(sets::FIGURE)?;
        let [starts, returns, actors] =
            [&starts, &returns, &actors].map(|column| column.as_primitive::<UInt64Type>().values());
        for ((starts, returns), actors) in starts.iter().zip(returns).zip(actors) {
            events.clear();
            events.extend(behavior::Event::at_each(&times, *starts, *returns));
            definition.cohorts(&events, |cohort| {
                let first = cohort.row * width;
                if cells.len() < first + width {
                    cells.resize(first + width, 0);
                }
                for column in cohort.columns {
                    if let Some(cell) = cells.get_mut(first + column) {
                        *cell += actors;
                    }
                }
            });
        }
    }
    for (at, actors) in cells.into_iter().enumerate().filter(|(_, n)| *n > 0) {
        figures.add(None, at / width, at % width, actors, 0.0);
    }
    Ok(())
}

/// The actors behind a row of retention with the columns in which they appear: those who came back most first.
pub(crate) async fn actors(
    query: &RetentionActors,
    reading: &Reading<'_>,
) -> Result<Vec<Map<String, Value>>> {
    let mut found = Vec::new();
    for slice in slices(query.retention.breakdown.as_ref()) {
        let actors = cohorts(&query.retention, &slice, true, reading)?;
        let add = |batch: RecordBatch| {
            let mut appearances = vec![BTreeSet::new(); batch.num_rows()];
            each(&batch, &slice, |row, cohort| {
                if let Some(columns) = appearances.get_mut(row)
                    && query.counts(cohort.value, cohort.row)
                {
                    columns.extend(cohort.columns.iter().map(|column| *column as usize));
                }
            })?;
            let actors = objects(&[names(&batch)?])?.into_iter().zip(appearances);
            found.extend(actors.filter(|(_, columns)| !columns.is_empty()));
            Ok(())
        };
        reading.run.each(actors, add).await?;
    }
    arrange(&mut found, query.page.ascending);
    let with_columns = |(mut actor, columns): (Map<String, Value>, BTreeSet<usize>)| {
        actor.extend(query.columns(&columns));
        actor
    };
    Ok(found.into_iter().map(with_columns).collect())
}

/// The columns that name actors.
fn names(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = batch.schema();
    let names: Vec<usize> = [KEY, REAL_KEY, DISTINCT_ID]
        .iter()
        .filter_map(|name| schema.index_of(name).ok())
        .collect();
    Ok(batch.project(&names).map_err(DataFusionError::from)?)
}

/// Each actor once, by its number of columns, then by key.
fn arrange(found: &mut Vec<(Map<String, Value>, BTreeSet<usize>)>, ascending: bool) {
    found.sort_by_cached_key(|(actor, _)| {
        let key = actor.get(REAL_KEY).and_then(Value::as_str);
        key.unwrap_or_default().to_owned()
    });
    found.dedup_by(|(next, columns), (actor, all)| {
        let is_same = next.get(REAL_KEY) == actor.get(REAL_KEY);
        if is_same {
            all.append(columns);
        }
        is_same
    });
    if ascending {
        found.sort_by_key(|(_, columns)| columns.len());
    } else {
        found.sort_by_key(|(_, columns)| Reverse(columns.len()));
    }
}

/// One row per actor with its cohorts; `named` adds what names the actor.
fn cohorts(
    retention: &Retention,
    slice: &Slice<'_>,
    named: bool,
    reading: &Reading<'_>,
) -> Result<DataFrame> {
    let mut events = reading
        .events(retention.sampling)
        .that(&retention.filter)?
        .that(&slice.members)?;
    if let Some(begin) = retention.begin() {
        events = events.since(begin);
    }
    if let Some(until) = retention.until() {
        events = events.until(until.saturating_sub(1));
    }
    // In the order of the bits of `behavior::Event`.
    let mut kinds = vec![&retention.start, &retention.returning];
    if retention.starts == Starts::FirstEver {
        kinds.push(&retention.candidate);
    }
    let any = Filter::any(kinds.iter().copied().cloned());
    let kinds = kinds
        .into_iter()
        .map(|filter| events.condition(filter))
        .collect::<Result<Vec<_>>>()?;
    events = events.that(&any)?;
    let actor = column(events.of(retention.actor)).alias(KEY);
    let value = match slice.parts {
        [] => text(""),
        [part, ..] => events.breakdown(part, None)?,
    };
    let amount = match &retention.mode {
        Mode::Amounts(Amounts { property, .. }) => {
            coalesce(vec![events.number(property)?, lit(0.0)])
        }
        Mode::Counts { .. } | Mode::Rolling(_) => lit(0.0),
    };
    let mut kept = vec![
        actor,
        column(schema::TIMESTAMP),
        marks(kinds).alias(KINDS),
        amount.alias(AMOUNT),
        value.alias(VALUE),
    ];
    let mut aggregates = Vec::new();
    if named {
        kept.extend([Data::key_column(retention.actor), schema::DISTINCT_ID].map(column));
        aggregates.extend(identity(retention.actor));
    }
    let columns = SequenceColumns {
        time: column(schema::TIMESTAMP),
        marks: column(KINDS),
        more_marks: column(AMOUNT),
        value: column(VALUE),
    };
    let cohorts = cohorts_of(&definition(retention), columns);
    aggregates.push(cohorts.alias(COHORTS));
    let events = events.events()?.select(kept)?;
    Ok(events.aggregate(vec![column(KEY)], aggregates)?)
}

fn definition(retention: &Retention) -> behavior::Retention {
    let window = &retention.window;
    let (edges, mode) = match &retention.mode {
        Mode::Counts {
            minimum,
            cumulative,
        } => {
            let counts = behavior::Counts {
                minimum: *minimum,
                cumulative: *cumulative,
            };
            (&window.edges, behavior::Mode::Counts(counts))
        }
        Mode::Amounts(amounts) => {
            let amounts = match amounts.one_event {
                true => behavior::Amounts::OneEvent,
                false => behavior::Amounts::TwoEvents,
            };
            (&window.edges, behavior::Mode::Amounts(amounts))
        }
        Mode::Rolling(rolling) => {
            let windows = behavior::Rolling {
                length: rolling.length,
                rows: window.rows(),
                until: window.end(),
            };
            (&rolling.edges, behavior::Mode::Rolling(windows))
        }
    };
    behavior::Retention {
        edges: edges.clone(),
        starts: match retention.starts {
            Starts::Recurring => behavior::Starts::Recurring,
            Starts::FirstTime => behavior::Starts::FirstTime,
            Starts::FirstEver => behavior::Starts::FirstEver,
        },
        reach: retention.columns.reach.clone(),
        mode,
    }
}

/// A cohort that an actor belongs to.
struct Cohort<'a> {
    /// The breakdown value; none without, and where it is absent.
    value: Option<&'a str>,
    row: usize,
    columns: &'a [u32],
    /// What each column adds up to; empty where nothing is summed up.
    amounts: &'a [f64],
}

/// Hands over the cohorts of every row.
fn each(
    batch: &RecordBatch,
    slice: &Slice<'_>,
    mut found: impl FnMut(usize, Cohort<'_>),
) -> Result<()> {
    let lost = || Error::internal(format!("a plan lost its column {COHORTS}"));
    let lists = batch
        .column_by_name(COHORTS)
        .and_then(|column| column.as_list_opt::<i32>())
        .ok_or_else(lost)?;
    let cohorts = lists.values().as_struct_opt().ok_or_else(lost)?;
    let child = |name: &str| cohorts.column_by_name(name).ok_or_else(lost);
    let values = child("value")?.as_string_view();
    let rows = child("row")?.as_primitive::<UInt32Type>();
    let (columns, amounts) = (child("columns")?.as_list(), child("amounts")?.as_list());
    for row in 0..lists.len() {
        for at in bounds(lists, row) {
            let own = slice.value(values.value(at));
            let cohort = Cohort {
                value: own.as_deref(),
                row: rows.value(at) as usize,
                columns: items::<UInt32Type>(columns, at),
                amounts: items::<Float64Type>(amounts, at),
            };
            found(row, cohort);
        }
    }
    Ok(())
}

/// Where the items of a list lie.
fn bounds(lists: &ListArray, row: usize) -> Range<usize> {
    match lists.value_offsets().get(row..row + 2) {
        Some(&[from, to]) => from as usize..to as usize,
        _ => 0..0,
    }
}

/// The items of a list of numbers.
fn items<T: ArrowPrimitiveType>(lists: &ListArray, row: usize) -> &[T::Native] {
    let items: &PrimitiveArray<T> = lists.values().as_primitive();
    items.values().get(bounds(lists, row)).unwrap_or_default()
}
