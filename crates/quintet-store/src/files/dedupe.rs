//! Duplicates: rows that agree in (event, distinct id, uuid). One stays, the later received.
//! Generated uuids never are duplicates.

use std::collections::HashMap;
use std::hash::BuildHasher;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{TimestampMicrosecondType, UInt32Type};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::parquet::errors::ParquetError;
use futures::TryStreamExt;
use hashbrown::{DefaultHashBuilder, HashTable};
use uuid::Uuid;

use super::reader::{self, ParquetFile};
use super::{statistics_of, stored};
use crate::error::{Error, Result};
use crate::ingest::StagedEvents;
use crate::location::Location;
use crate::log::{Add, EventsFile};
use crate::schema;

/// The staged rows without those that a later staged row replaces, in the order of receipt.
pub(crate) fn within(staged: &StagedEvents) -> Vec<u32> {
    let hasher = DefaultHashBuilder::default();
    let key = |row: u32| {
        let at = row as usize;
        (staged.events[at], staged.distinct_ids[at], staged.uuids[at])
    };
    let mut last: HashTable<u32> = HashTable::with_capacity(staged.len());
    let mut replaced = vec![false; staged.len()];
    for row in (0..staged.len() as u32).filter(|row| staged.uuid_given[*row as usize]) {
        let hash = hasher.hash_one(key(row));
        match last.find_mut(hash, |other| key(*other) == key(row)) {
            Some(other) if staged.received[*other as usize] > staged.received[row as usize] => {
                replaced[row as usize] = true;
            }
            Some(earlier) => {
                replaced[*earlier as usize] = true;
                *earlier = row;
            }
            None => {
                last.insert_unique(hash, row, |other| hasher.hash_one(key(*other)));
            }
        }
    }
    (0..staged.len() as u32)
        .filter(|row| !replaced[*row as usize])
        .collect()
}

/// What comes of staged rows that a file holds already.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Staged rows that the store holds exactly so: not to be written again.
    pub(crate) same: Vec<u32>,
    /// Rows of the file that a staged row replaces: it is to be written again without them.
    pub(crate) replaced: Vec<usize>,
}

/// Looks for the staged `rows` in `file`, a live file of events.
pub(crate) async fn against(
    location: &Location,
    file: &Add,
    staged: &StagedEvents,
    rows: &Candidates,
) -> Result<Found> {
    let mut found = Found::default();
    if !file
        .events
        .as_ref()
        .is_some_and(|events| rows.may_be_in(events))
    {
        return Ok(found);
    }
    let shown = location.show(&file.path);
    let damaged = |e| Error::parquet(&shown, &e);
    let opened = ParquetFile::open(location.object_store(), location.key(&file.path), file.size);
    let opened = opened.await.map_err(damaged)?;
    let positions = positions(&opened, rows).await.map_err(damaged)?;
    if positions.is_empty() {
        return Ok(found);
    }
    let columns = [
        schema::UUID,
        schema::EVENT,
        schema::DISTINCT_ID,
        schema::TIMESTAMP,
        schema::PROPERTIES,
    ];
    let promoted = &statistics_of(location, file)?.columns;
    let columns = stored::needed(columns.into_iter().chain(schema::GROUP_REFS), promoted);
    let builder = opened.read();
    let mask = reader::mask(&builder, &columns);
    let ranges = positions.iter().map(|at| *at..*at + 1);
    let selection = RowSelection::from_consecutive_ranges(ranges, file.rows as usize);
    let mut batches = builder
        .with_projection(mask)
        .with_row_selection(selection)
        .build()
        .map_err(damaged)?;
    let mut next_position = positions.into_iter();
    while let Some(batch) = batches.try_next().await.map_err(damaged)? {
        let batch = stored::restore(&batch, promoted);
        let batch = batch.map_err(|reason| Error::corrupt(&shown, reason))?;
        for (at, position) in (0..batch.num_rows()).zip(next_position.by_ref()) {
            let stored = Stored::of(&batch, at)
                .ok_or_else(|| Error::corrupt(&shown, "its columns have other types"))?;
            match rows.like(&stored, staged) {
                Some(row) if stored.says_the_same_as(staged, row as usize) => found.same.push(row),
                Some(_) => found.replaced.push(position),
                None => {}
            }
        }
    }
    Ok(found)
}

/// The rows of a file whose uuid is that of a staged row. Filters rule most row groups out unread.
async fn positions(file: &ParquetFile, rows: &Candidates) -> Result<Vec<usize>, ParquetError> {
    let mut positions = Vec::new();
    let mut start = 0;
    let footer = file.footer().metadata();
    let columns = footer.file_metadata().schema_descr().columns();
    let column = |name: &str| {
        let place = columns.iter().position(|column| column.name() == name);
        place.ok_or_else(|| ParquetError::General(format!("it has no column {name}")))
    };
    let [high, low] = schema::UUID_PARTS;
    let (high, low) = (column(high)?, column(low)?);
    for (number, row_group) in footer.row_groups().iter().enumerate() {
        let mut builder = file.read();
        let filter = builder
            .get_row_group_column_bloom_filter(number, low)
            .await?;
        if filter.is_none_or(|filter| rows.noise().any(|low| filter.check(&low))) {
            let mask = ProjectionMask::leaves(builder.parquet_schema(), [high, low]);
            let mut batches = builder
                .with_row_groups(vec![number])
                .with_projection(mask)
                .build()?;
            let mut position = start;
            while let Some(batch) = batches.try_next().await? {
                let uuids = stored::uuids(batch.column(0), batch.column(1));
                for uuid in uuids.map_err(ParquetError::General)? {
                    if rows.has(&uuid) {
                        positions.push(position);
                    }
                    position += 1;
                }
            }
        }
        start += row_group.num_rows() as usize;
    }
    Ok(positions)
}

/// Staged rows that may be duplicates of stored ones: those whose sender gave a uuid.
pub(crate) struct Candidates {
    by_uuid: HashMap<Uuid, Vec<u32>>,
    events: Option<(String, String)>,
}

impl Candidates {
    pub(crate) fn of(staged: &StagedEvents, rows: &[u32]) -> Self {
        let mut by_uuid: HashMap<Uuid, Vec<u32>> = HashMap::new();
        let mut names = vec![false; staged.names.len()];
        for row in rows.iter().filter(|row| staged.uuid_given[**row as usize]) {
            by_uuid
                .entry(staged.uuids[*row as usize])
                .or_default()
                .push(*row);
            names[staged.events[*row as usize] as usize] = true;
        }
        let names = || {
            names
                .iter()
                .enumerate()
                .filter(|(_, seen)| **seen)
                .map(|(n, _)| staged.names.get(n as u32))
        };
        let events = names()
            .min()
            .zip(names().max())
            .map(|(min, max)| (min.to_owned(), max.to_owned()));
        Self { by_uuid, events }
    }

    fn may_be_in(&self, file: &EventsFile) -> bool {
        self.events
            .as_ref()
            .is_some_and(|(min, max)| *min <= file.max_event && *max >= file.min_event)
    }

    /// The last halves of all uuids, which filters of files know.
    fn noise(&self) -> impl Iterator<Item = i64> {
        let uuids = self.by_uuid.keys();
        uuids.map(|uuid| uuid.as_u64_pair().1.cast_signed())
    }

    fn has(&self, uuid: &Uuid) -> bool {
        self.by_uuid.contains_key(uuid)
    }

    fn like(&self, stored: &Stored<'_>, staged: &StagedEvents) -> Option<u32> {
        let rows = self.by_uuid.get(&stored.uuid)?;
        rows.iter().copied().find(|row| {
            let at = *row as usize;
            staged.names.get(staged.events[at]) == stored.event
                && staged.ids.get(staged.distinct_ids[at]) == stored.distinct_id
        })
    }
}

/// A stored row, as far as duplicates are concerned.
struct Stored<'a> {
    uuid: Uuid,
    event: &'a str,
    distinct_id: &'a str,
    timestamp: i64,
    properties: &'a str,
    groups: [u32; schema::GROUP_TYPES],
}

impl<'a> Stored<'a> {
    fn of(batch: &'a RecordBatch, at: usize) -> Option<Self> {
        let text = |name| Some(batch.column_by_name(name)?.as_string_view_opt()?.value(at));
        let mut groups = [0; schema::GROUP_TYPES];
        for (group, name) in groups.iter_mut().zip(schema::GROUP_REFS) {
            *group = batch
                .column_by_name(name)?
                .as_primitive_opt::<UInt32Type>()?
                .value(at);
        }
        Some(Self {
            uuid: Uuid::try_parse(text(schema::UUID)?).ok()?,
            event: text(schema::EVENT)?,
            distinct_id: text(schema::DISTINCT_ID)?,
            timestamp: batch
                .column_by_name(schema::TIMESTAMP)?
                .as_primitive_opt::<TimestampMicrosecondType>()?
                .value(at),
            properties: text(schema::PROPERTIES)?,
            groups,
        })
    }

    fn says_the_same_as(&self, staged: &StagedEvents, row: usize) -> bool {
        self.timestamp == staged.timestamps[row]
            && self.properties == staged.properties_of(row)
            && self
                .groups
                .iter()
                .zip(&staged.groups)
                .all(|(stored, refs)| *stored == refs[row])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::staged;

    #[test]
    fn of_rows_with_the_same_event_actor_and_uuid_the_later_received_stays() {
        let mut events = staged(&[("a", 1), ("a", 2), ("b", 3), ("a", 4)]);
        let uuid = events.uuids[0];
        events.uuids = vec![uuid; 4];
        assert_eq!(within(&events), [2, 3]);
    }

    #[test]
    fn generated_uuids_never_are_duplicates() {
        let mut events = staged(&[("a", 1), ("a", 1)]);
        events.uuids[1] = events.uuids[0];
        events.uuid_given = vec![false; 2];
        assert_eq!(within(&events), [0, 1]);
    }
}
