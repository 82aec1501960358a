//! Rows and actors of a folder by event and day, counted while the rows are read: what a store keeps beside its files
//! ([`crate::sets`]).

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::array::{ArrayRef, AsArray};
use datafusion::arrow::datatypes::{Int64Type, TimestampMicrosecondType, UInt32Type};
use datafusion::common::runtime::SpawnedTask;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{in_list, lit};
use datafusion::scalar::ScalarValue;
use hashbrown::HashMap;
use roaring::RoaringBitmap;

use super::row_group::{Wanted, open};
use super::{FolderEvents, Piece, actor_of};
use crate::error::{Error, Result, classify};
use crate::location::Location;
use crate::sets::{ActorKind, DAY, DayOfActors, Events};

/// Rows of a batch: ids are looked up under one lock per batch.
const ROWS: usize = 1 << 14;
/// Words of bits that may be open before they are packed.
const MOST_WORDS: usize = 8 << 20;

/// Whose sets, of what, on which days.
type Asked = (Events, ActorKind, Range<i32>);
type Found = Vec<Arc<Vec<DayOfActors>>>;

/// What was counted already, for questions that ask twice.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<Vec<(Asked, Found)>>);

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
        let lots = self.counted_by(events, &days, None).await?;
        let rows = lots.into_iter().flat_map(|lot| lot.rows);
        Ok(rows.filter(|(day, _)| days.contains(day)).collect())
    }

    /// The actors of some events by day, as [`rows_by_day`](Self::rows_by_day).
    ///
    /// # Errors
    /// As there.
    pub async fn actors_by_day(
        &self,
        events: &Events,
        kind: ActorKind,
        days: Range<i32>,
    ) -> Result<Vec<Arc<Vec<DayOfActors>>>> {
        let asked = (events.clone(), kind, days.clone());
        let counted = || {
            self.counted
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some((_, found)) = counted().iter().find(|(known, _)| *known == asked) {
            return Ok(found.clone());
        }
        let lots = self.counted_by(events, &days, Some(kind)).await?;
        let found: Found = lots
            .into_iter()
            .map(|lot| Arc::new(lot.into_days()))
            .collect();
        counted().push((asked, found.clone()));
        Ok(found)
    }

    async fn counted_by(
        &self,
        events: &Events,
        days: &Range<i32>,
        kind: Option<ActorKind>,
    ) -> Result<Vec<Days>> {
        let conditions = self.conditions(&self.filters(events, days));
        let conditions = conditions.map_err(|error| classify(&error))?;
        let fields = self.schema.fields().iter().filter(|field| {
            let actor = actor_of(field.name());
            *field.name() == self.timestamp || (actor.is_some() && actor == kind)
        });
        let schema = datafusion::arrow::datatypes::Schema::new(fields.cloned().collect::<Vec<_>>());
        let at = schema.index_of(&self.timestamp).map_err(Error::internal)?;
        let lots = self.lots(&conditions, self.threads);
        let wanted = Arc::new(self.wanted(Arc::new(schema), conditions));
        let reading = lots.into_iter().map(|lot| {
            let (location, wanted) = (self.location.clone(), Arc::clone(&wanted));
            SpawnedTask::spawn(count(location, lot, wanted, at))
        });
        let reading: Vec<_> = reading.collect();
        let mut counted = Vec::with_capacity(reading.len());
        for lot in reading {
            let lot = lot.await.map_err(Error::internal)?;
            counted.push(lot.map_err(|error| classify(&error))?);
        }
        Ok(counted)
    }

    fn filters(&self, events: &Events, days: &Range<i32>) -> Vec<Expr> {
        let column = |name: &str| Expr::Column(datafusion::common::Column::from_name(name));
        let text = |name: &String| lit(ScalarValue::Utf8View(Some(name.clone())));
        let instant = |day: i32| {
            let at = i64::from(day).saturating_mul(DAY);
            lit(ScalarValue::TimestampMicrosecond(
                Some(at),
                Some("UTC".into()),
            ))
        };
        let mut filters = Vec::new();
        if let Events::Named(names) = events {
            let names = names.iter().map(text).collect();
            filters.push(in_list(column(&self.event), names, false));
        }
        if days.start > i32::MIN {
            filters.push(column(&self.timestamp).gt_eq(instant(days.start)));
        }
        filters.push(column(&self.timestamp).lt(instant(days.end)));
        filters
    }
}

/// Counts the rows of a lot.
async fn count(
    location: Location,
    lot: Arc<[Piece]>,
    wanted: Arc<Wanted>,
    at: usize,
) -> Result<Days, DataFusionError> {
    let mut days = Days::default();
    for piece in lot.iter() {
        let Some(rows) = open(&location, piece, &wanted, ROWS).await? else {
            continue;
        };
        for batch in rows {
            let batch = batch?;
            let actors = (0..batch.num_columns()).find(|column| *column != at);
            let actors = actors.map(|column| batch.column(column));
            days.add(batch.column(at), actors);
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
