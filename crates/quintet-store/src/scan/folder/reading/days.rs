//! Rows and actors of a folder by event and day, counted while the rows are read: what a store keeps beside its files
//! ([`crate::sets`]).

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter;
use datafusion::arrow::datatypes::{Int64Type, Schema, TimestampMicrosecondType, UInt32Type};
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::disjunction;
use datafusion::prelude::{in_list, lit};
use datafusion::scalar::ScalarValue;
use hashbrown::HashMap;
use roaring::RoaringBitmap;

use super::condition::{Condition, Memo};
use super::row_group::{Wanted, lies_as_codes, open};
use super::{FolderEvents, Piece, actor_of};
use crate::error::{Error, Result, classify};
use crate::location::Location;
use crate::sets::{ActorKind, DAY, DayOfActors, Events};

/// Rows of a batch: ids are looked up under one lock per batch.
const ROWS: usize = 1 << 14;
/// Words of bits that may be open before they are packed.
const MOST_WORDS: usize = 8 << 20;

/// Some events on some days: from 1970-01-01 UTC, end exclusive.
type EventsOfDays = (Events, Range<i32>);
type Asked = (ActorKind, EventsOfDays);
type Found = Vec<Arc<Vec<DayOfActors>>>;

/// What was counted already, for questions that ask twice.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<Vec<(Asked, Found)>>);

impl Counted {
    fn find(&self, asked: &Asked) -> Option<Found> {
        let counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counted.iter().find(|(known, _)| known == asked);
        known.map(|(_, found)| found.clone())
    }

    fn keep(&self, asked: Asked, found: Found) {
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counted.push((asked, found));
    }
}

impl FolderEvents {
    /// May some event say that it is of nobody with a profile?
    pub fn has_personless_events(&self) -> bool {
        self.has_properties
    }

    /// Rows of some events by day (days since 1970-01-01 UTC, end exclusive), in no order; a day may come several times.
    ///
    /// # Errors
    /// As those of reading the files.
    pub async fn rows_by_day(&self, events: &Events, days: Range<i32>) -> Result<Vec<(i32, u64)>> {
        let asked = [(events.clone(), days.clone())];
        let lots = self.counted_by(&asked, None).await?;
        let rows = lots.into_iter().flatten().flat_map(|lot| lot.rows);
        Ok(rows.filter(|(day, _)| days.contains(day)).collect())
    }

    /// The actors of some events by day, as [`rows_by_day`](Self::rows_by_day); there may be some outside these days.
    ///
    /// # Errors
    /// As there.
    pub async fn actors_by_day(
        &self,
        events: &Events,
        kind: ActorKind,
        days: Range<i32>,
    ) -> Result<Found> {
        let asked = (kind, (events.clone(), days));
        if let Some(found) = self.counted.find(&asked) {
            return Ok(found);
        }
        self.count_together(kind, vec![asked.1.clone()]).await?;
        Ok(self.counted.find(&asked).unwrap_or_default())
    }

    /// Reads the files once for all that [`actors_by_day`](Self::actors_by_day) is going to be asked.
    ///
    /// # Errors
    /// As there.
    pub async fn count_together(&self, kind: ActorKind, asked: Vec<EventsOfDays>) -> Result<()> {
        let lots = self.counted_by(&asked, Some(kind)).await?;
        let mut found = vec![Vec::with_capacity(lots.len()); asked.len()];
        for lot in lots {
            for (found, days) in found.iter_mut().zip(lot) {
                found.push(Arc::new(days.into_days()));
            }
        }
        for (asked, found) in asked.into_iter().zip(found) {
            self.counted.keep((kind, asked), found);
        }
        Ok(())
    }

    /// By lot, what each of these has.
    async fn counted_by(
        &self,
        asked: &[EventsOfDays],
        kind: Option<ActorKind>,
    ) -> Result<Vec<Vec<Days>>> {
        let failed = |error| classify(&error);
        let conditions = self.conditions(&self.filters(asked)).map_err(failed)?;
        // One question is answered by the rows that are read; several have to share them out.
        let series = match asked {
            [_] => vec![None],
            several => {
                let events = several.iter().map(|(events, _)| self.named(events));
                events
                    .map(|filter| filter.map(|filter| self.condition(&filter)).transpose())
                    .collect::<Result<_, _>>()
                    .map_err(failed)?
            }
        };
        let is_shared = series.iter().any(Option::is_some);
        let fields = self.schema.fields().iter().filter(|field| {
            let name = field.name();
            let actor = actor_of(name);
            *name == self.timestamp
                || (actor.is_some() && actor == kind)
                || (is_shared && *name == self.event)
        });
        let schema = Schema::new(fields.cloned().collect::<Vec<_>>());
        let position = |name: &str| schema.index_of(name).ok();
        let counting = Counting {
            time: position(&self.timestamp)
                .ok_or_else(|| Error::internal("there is no column of times"))?,
            actor: schema
                .fields()
                .iter()
                .position(|field| actor_of(field.name()).is_some()),
            event: position(&self.event).filter(|_| is_shared),
            series,
        };
        let lots = self.lots(&conditions, self.threads);
        let codes = counting.event.into_iter();
        let codes =
            codes.filter(|_| lies_as_codes(lots.iter().flat_map(|lot| &**lot), &self.event));
        let wanted = self.wanted(Arc::new(schema.clone()), conditions);
        let wanted = Arc::new(wanted.with_codes(&codes.collect()));
        let counting = Arc::new(counting);
        let reading = lots.into_iter().map(|lot| {
            let (location, wanted) = (self.location.clone(), Arc::clone(&wanted));
            SpawnedTask::spawn(count(location, lot, wanted, Arc::clone(&counting)))
        });
        let reading: Vec<_> = reading.collect();
        let mut counted = Vec::with_capacity(reading.len());
        for lot in reading {
            let lot = lot.await.map_err(Error::internal)?;
            counted.push(lot.map_err(failed)?);
        }
        Ok(counted)
    }

    /// A condition on the names of events; none where any will do.
    fn named(&self, events: &Events) -> Option<Expr> {
        let Events::Named(names) = events else {
            return None;
        };
        let text = |name: &String| lit(ScalarValue::Utf8View(Some(name.clone())));
        let names = names.iter().map(text).collect();
        Some(in_list(column(&self.event), names, false))
    }

    /// What rows must satisfy to be of any of these.
    fn filters(&self, asked: &[EventsOfDays]) -> Vec<Expr> {
        let instant = |day: i32| {
            let at = i64::from(day).saturating_mul(DAY);
            lit(ScalarValue::TimestampMicrosecond(
                Some(at),
                Some("UTC".into()),
            ))
        };
        let events: Option<Vec<Expr>> =
            asked.iter().map(|(events, _)| self.named(events)).collect();
        let mut filters: Vec<Expr> = events.and_then(disjunction).into_iter().collect();
        let first = asked.iter().map(|(_, days)| days.start).min();
        let end = asked.iter().map(|(_, days)| days.end).max();
        if let Some(first) = first.filter(|day| *day > i32::MIN) {
            filters.push(column(&self.timestamp).gt_eq(instant(first)));
        }
        filters.extend(end.map(|end| column(&self.timestamp).lt(instant(end))));
        filters
    }
}

fn column(name: &str) -> Expr {
    Expr::Column(datafusion::common::Column::from_name(name))
}

/// Where what is counted stands in the rows that are read.
struct Counting {
    time: usize,
    actor: Option<usize>,
    event: Option<usize>,
    /// What is counted, each by its condition on the event; none takes all rows.
    series: Vec<Option<Condition>>,
}

impl Counting {
    /// Counts a batch, each series apart.
    fn add(
        &self,
        batch: &RecordBatch,
        memos: &mut [Memo],
        days: &mut [Days],
    ) -> Result<(), DataFusionError> {
        let times = batch.column(self.time);
        let actors = self.actor.map(|at| batch.column(at));
        for ((condition, memo), days) in self.series.iter().zip(memos).zip(days) {
            let (Some(condition), Some(event)) = (condition, self.event) else {
                days.add(times, actors);
                continue;
            };
            let chosen = BooleanArray::new(condition.holds(batch.column(event), memo)?, None);
            let actors = actors.map(|actors| filter(actors, &chosen)).transpose()?;
            days.add(&filter(times, &chosen)?, actors.as_ref());
        }
        Ok(())
    }
}

/// Counts the rows of a lot.
async fn count(
    location: Location,
    lot: Arc<[Piece]>,
    wanted: Arc<Wanted>,
    counting: Arc<Counting>,
) -> Result<Vec<Days>, DataFusionError> {
    let series = counting.series.len();
    let mut days: Vec<Days> = (0..series).map(|_| Days::default()).collect();
    for piece in lot.iter() {
        let Some(rows) = open(&location, piece, &wanted, ROWS).await? else {
            continue;
        };
        let mut memos: Vec<Memo> = (0..series).map(|_| Memo::default()).collect();
        for batch in rows {
            counting.add(&batch?, &mut memos, &mut days)?;
            // Counting never waits for anything; let others have the thread.
            tokio::task::consume_budget().await;
        }
    }
    Ok(days)
}

/// What rows say of days.
#[derive(Debug, Default)]
struct Days {
    rows: HashMap<i32, u64>,
    /// Actors as bits, by day.
    open: HashMap<i32, Vec<u64>>,
    words: usize,
    packed: HashMap<i32, RoaringBitmap>,
}

impl Days {
    /// Rows come nearly in the order of time, so that a day is looked up once per run of rows.
    fn add(&mut self, times: &ArrayRef, actors: Option<&ArrayRef>) {
        let Some(times) = times.as_primitive_opt::<TimestampMicrosecondType>() else {
            return;
        };
        let times = times.reinterpret_cast::<Int64Type>();
        let ids = actors.and_then(|actors| actors.as_primitive_opt::<UInt32Type>());
        let mut start = 0;
        while let Some(time) = times.values().get(start).copied() {
            let day = time.div_euclid(DAY);
            let bounds = day * DAY..(day + 1) * DAY;
            let run = times.values().iter().skip(start);
            let run = run.take_while(|time| bounds.contains(time)).count();
            let day = i32::try_from(day).unwrap_or(i32::MAX);
            match ids {
                None => *self.rows.entry(day).or_default() += run as u64,
                Some(ids) => self.mark(
                    day,
                    ids.values().get(start..start + run).unwrap_or_default(),
                ),
            }
            start += run;
        }
    }

    fn mark(&mut self, day: i32, ids: &[u32]) {
        let bits = self.open.entry(day).or_default();
        for id in ids.iter().filter(|id| **id != 0) {
            let (word, bit) = (*id as usize / 64, id % 64);
            if word >= bits.len() {
                let room = (word + 1).next_power_of_two();
                self.words += room - bits.len();
                bits.resize(room, 0);
            }
            if let Some(word) = bits.get_mut(word) {
                *word |= 1 << bit;
            }
        }
        if self.words > MOST_WORDS {
            self.pack();
        }
    }

    /// Puts open bits into sets that take room for who is in them only.
    fn pack(&mut self) {
        for (day, bits) in self.open.drain() {
            let bytes: Vec<u8> = bits.into_iter().flat_map(u64::to_le_bytes).collect();
            *self.packed.entry(day).or_default() |= RoaringBitmap::from_lsb0_bytes(0, &bytes);
        }
        self.words = 0;
    }

    fn into_days(mut self) -> Vec<DayOfActors> {
        self.pack();
        let days = self.packed.into_iter();
        days.map(|(day, actors)| DayOfActors { day, actors })
            .collect()
    }
}
