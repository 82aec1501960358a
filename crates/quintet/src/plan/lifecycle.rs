//! Lifecycle: in which intervals persons were active, and the nearest ones around each. Rules: `spec/lifecycle.md` section 2.
//!
//! What an interval is to a person is said by [`quintet_behavior::lifecycle`] alone.

use datafusion::arrow::array::{Array, AsArray, PrimitiveArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::functions_window::lead_lag::{lag, lead};
use datafusion::logical_expr::{Expr, ExprFunctionExt};
use datafusion::prelude::{DataFrame, lit};
use quintet_behavior::lifecycle::{Activity, Status as Meaning};
use quintet_functions::expr_fn::bucket;
use quintet_query::lifecycle::{Figure, Lifecycle, LifecycleActors, Status};
use quintet_query::trends::Actor;
use quintet_store::schema;
use serde_json::{Map, Value};

use super::actors::identity;
use super::breakdown::named;
use super::{ACTOR, BUCKET, FIGURE, Reading, sets};
use crate::Result;
use crate::actors::{EVENT_COUNT, KEY, REAL_KEY};
use crate::data::column;
use crate::rows::objects;

/// The nearest active buckets of a person before and after one.
const PREVIOUS: &str = "previous";
const NEXT: &str = "next";
/// The bucket that a person was created in.
const CREATED: &str = "created";

/// How many persons each bucket is what to.
pub(crate) async fn figures(lifecycle: &Lifecycle, reading: &Reading<'_>) -> Result<Vec<Figure>> {
    match by_sets(lifecycle, reading)? {
        Some(statuses) => by_status(statuses, reading).await,
        None => by_activity(lifecycle, reading).await,
    }
}

/// The statuses without reading an event, where whole days of events by name are asked for.
fn by_sets(lifecycle: &Lifecycle, reading: &Reading<'_>) -> Result<Option<DataFrame>> {
    match lifecycle.sampling {
        Some(_) => Ok(None),
        None => reading.statuses_by_period(&lifecycle.filter, &lifecycle.edges),
    }
}

async fn by_status(statuses: DataFrame, reading: &Reading<'_>) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for batch in reading.run.collect(statuses).await? {
        let number = |name| -> Result<PrimitiveArray<UInt64Type>> {
            Ok(named(&batch, name, &DataType::UInt64)?
                .as_primitive()
                .clone())
        };
        let (periods, statuses) = (number(sets::PERIOD)?, number(sets::STATUS)?);
        let persons = number(sets::FIGURE)?;
        let rows = periods.values().iter().zip(statuses.values());
        for ((bucket, status), persons) in rows.zip(persons.values()) {
            if let Some(status) = sets::STATUSES.get(*status as usize) {
                figures.push(Figure {
                    bucket: *bucket as usize,
                    status: wire(*status),
                    persons: *persons,
                });
            }
        }
    }
    Ok(figures)
}

async fn by_activity(lifecycle: &Lifecycle, reading: &Reading<'_>) -> Result<Vec<Figure>> {
    let alike = [BUCKET, PREVIOUS, NEXT, CREATED].map(column).to_vec();
    let persons = vec![count(lit(1)).alias(FIGURE)];
    let activities = activities(lifecycle, reading, vec![])?.aggregate(alike, persons)?;
    let mut figures = Vec::new();
    for batch in reading.run.collect(activities).await? {
        let persons = named(&batch, FIGURE, &DataType::UInt64)?;
        for (activity, persons) in read(&batch)?
            .into_iter()
            .zip(persons.as_primitive::<UInt64Type>().values())
        {
            let said = activity.statuses();
            figures.extend(said.map(|(bucket, status)| Figure {
                bucket,
                status: wire(status),
                persons: *persons,
            }));
        }
    }
    Ok(figures)
}

/// The persons to whom one of the buckets is what is asked for, with their number of events there, the most active first.
pub(crate) async fn actors(
    query: &LifecycleActors,
    reading: &Reading<'_>,
) -> Result<Vec<Map<String, Value>>> {
    let mut told = identity(Actor::Person);
    told.push(count(lit(1)).alias(EVENT_COUNT));
    // Who is dormant in a bucket was active in the one before.
    let first = query.buckets.start.saturating_sub(1) as u64;
    let near = column(BUCKET)
        .gt_eq(lit(first))
        .and(column(BUCKET).lt(lit(query.buckets.end as u64)));
    let activities = activities(&query.lifecycle, reading, told)?.filter(near)?;
    let mut found: Vec<Map<String, Value>> = Vec::new();
    for batch in reading
        .run
        .collect(activities.with_column_renamed(ACTOR, KEY)?)
        .await?
    {
        for (activity, row) in read(&batch)?
            .into_iter()
            .zip(objects(std::slice::from_ref(&batch))?)
        {
            let asked = |(bucket, status): (usize, Meaning)| {
                query.buckets.contains(&bucket)
                    && query.status.is_none_or(|wanted| wanted == wire(status))
            };
            if activity.statuses().any(asked) {
                found.push(row);
            }
        }
    }
    let events =
        |row: &Map<String, Value>| row.get(EVENT_COUNT).and_then(Value::as_u64).unwrap_or(0);
    let key = |row: &Map<String, Value>| {
        row.get(REAL_KEY)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    found.sort_by_key(&key);
    found.dedup_by(|later, first| {
        let same = key(later) == key(first);
        if same {
            first.insert(
                EVENT_COUNT.to_owned(),
                Value::from(events(later) + events(first)),
            );
        }
        same
    });
    found.sort_by_key(|row| {
        (
            if query.page.ascending {
                events(row)
            } else {
                u64::MAX - events(row)
            },
            key(row),
        )
    });
    Ok(found)
}

/// The active buckets of every person, with the nearest ones around each, and whatever else is `told` of its events there.
fn activities(lifecycle: &Lifecycle, reading: &Reading<'_>, told: Vec<Expr>) -> Result<DataFrame> {
    let (Some(from), Some(end)) = (lifecycle.edges.first(), lifecycle.edges.last()) else {
        return Err(crate::Error::internal("a lifecycle has no intervals"));
    };
    let mut events = reading
        .events(lifecycle.sampling)
        .since(*from)
        .until(end - 1)
        .that(&lifecycle.filter)?;
    let person = column(events.of(Actor::Person)).alias(ACTOR);
    let at = bucket(column(schema::TIMESTAMP), &lifecycle.edges);
    let keys = vec![
        person,
        datafusion::prelude::cast(at, DataType::UInt64).alias(BUCKET),
    ];
    let active = events.events()?.aggregate(keys, told)?;
    let beside = |neighbour: Expr, name: &str| {
        let in_order = neighbour
            .partition_by(vec![column(ACTOR)])
            .order_by(vec![column(BUCKET).sort(true, false)]);
        in_order.build().map(|expr| expr.alias(name))
    };
    let previous = beside(lag(column(BUCKET), Some(1), None), PREVIOUS)?;
    let next = beside(lead(column(BUCKET), Some(1), None), NEXT)?;
    with_creation(active.window(vec![previous, next])?, lifecycle, reading)
}

/// The bucket that each person was created in; null where that is none of them, or nothing is known of the person.
fn with_creation(
    active: DataFrame,
    lifecycle: &Lifecycle,
    reading: &Reading<'_>,
) -> Result<DataFrame> {
    let Some((persons, key)) = reading.data.persons()? else {
        let unknown = lit(datafusion::scalar::ScalarValue::UInt32(None));
        return Ok(active.with_column(CREATED, unknown)?);
    };
    let created = bucket(column("created_at"), &lifecycle.edges).alias(CREATED);
    let persons = persons.select(vec![column(key).alias("person"), created])?;
    Ok(active.join(persons, JoinType::Left, &[ACTOR], &["person"], None)?)
}

fn read(batch: &RecordBatch) -> Result<Vec<Activity>> {
    let column = |name| -> Result<PrimitiveArray<UInt64Type>> {
        Ok(named(batch, name, &DataType::UInt64)?
            .as_primitive()
            .clone())
    };
    let (buckets, previous) = (column(BUCKET)?, column(PREVIOUS)?);
    let (next, created) = (column(NEXT)?, column(CREATED)?);
    let at = |column: &PrimitiveArray<UInt64Type>, row: usize| {
        column.is_valid(row).then(|| column.value(row) as usize)
    };
    let activity = |row| Activity {
        bucket: buckets.value(row) as usize,
        previous: at(&previous, row),
        next: at(&next, row),
        created: at(&created, row),
    };
    Ok((0..batch.num_rows()).map(activity).collect())
}

/// The pure crates know nothing of each other, so each has its own word for a status.
fn wire(meaning: Meaning) -> Status {
    match meaning {
        Meaning::New => Status::New,
        Meaning::Returning => Status::Returning,
        Meaning::Resurrecting => Status::Resurrecting,
        Meaning::Dormant => Status::Dormant,
    }
}
