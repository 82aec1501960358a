//! Rows of exports that repeat others: delivered at least once, and intervals may have been exported again.
//!
//! Of rows that agree in event, distinct id and uuid the one received last counts. Usually there are none: then nothing is
//! read but the uuids.

use std::hash::Hasher;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::arrow::record_batch::RecordBatch;
use hashbrown::{HashMap, HashSet};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::find::File;
use super::rows::{self, Wanted};
use crate::error::{Error, Result};
use crate::files::parallel;
use crate::ingest::{self, Columns, Source};
use crate::schema;

/// What tells a row from others: its uuid, and the hash of its event and distinct id.
type Key = (u128, u64);

/// A row that may repeat another, and what decides which of them counts.
struct Candidate {
    key: Key,
    received: i64,
    file: usize,
    position: usize,
}

/// The positions of rows that do not count, ascending, by file; `uuids` are the hashes of all rows that have one.
pub(super) fn left_out(
    files: &[(&File, &Source)],
    columns: &Columns,
    mut uuids: Vec<u64>,
) -> Result<Vec<Vec<usize>>> {
    uuids.sort_unstable();
    let pairs = uuids.windows(2).filter(|pair| pair[0] == pair[1]);
    let repeated: HashSet<u64> = pairs.map(|pair| pair[0]).collect();
    if repeated.is_empty() {
        return Ok(vec![Vec::new(); files.len()]);
    }
    let numbered: Vec<usize> = (0..files.len()).collect();
    let found = parallel::map(&numbered, |number| {
        let (file, source) = files[*number];
        candidates(*number, file, source, columns, &repeated)
    })?;
    let mut last: HashMap<Key, Candidate> = HashMap::new();
    let mut left_out = vec![Vec::new(); files.len()];
    for row in found.into_iter().flatten() {
        let loser = match last.get(&row.key) {
            Some(other) if other.received > row.received => Some(row),
            _ => last.insert(row.key, row),
        };
        if let Some(loser) = loser {
            left_out[loser.file].push(loser.position);
        }
    }
    for positions in &mut left_out {
        positions.sort_unstable();
    }
    Ok(left_out)
}

/// The hashes of a column of uuids, null where there is none.
pub(super) fn hashes(file: &File, uuids: &ArrayRef) -> Result<Vec<Option<u64>>> {
    let hash = |uuid: u128| {
        let mut hash = Xxh3::new();
        hash.write_u128(uuid);
        hash.finish()
    };
    let uuids = Uuids::of(file, uuids)?;
    Ok((0..uuids.len())
        .map(|row| uuids.get(row).map(hash))
        .collect())
}

fn candidates(
    number: usize,
    file: &File,
    source: &Source,
    columns: &Columns,
    repeated: &HashSet<u64>,
) -> Result<Vec<Candidate>> {
    let uuid = columns.theirs(schema::UUID);
    let mut positions = Vec::new();
    rows::read(file, source, &[uuid], &Wanted::All, |first, batch| {
        let found = hashes(file, batch.column(0))?;
        let is_repeated = |hash: &Option<u64>| hash.is_some_and(|hash| repeated.contains(&hash));
        let at = (first..).zip(&found).filter(|(_, hash)| is_repeated(hash));
        positions.extend(at.map(|(at, _)| at));
        Ok(())
    })?;
    let receipt = ingest::receipt(file.schema(), columns).map(|ours| columns.theirs(ours));
    let (event, distinct_id) = (
        columns.theirs(schema::EVENT),
        columns.theirs(schema::DISTINCT_ID),
    );
    let wanted: Vec<&str> = [uuid, event, distinct_id]
        .into_iter()
        .chain(receipt)
        .collect();
    let mut candidates = Vec::with_capacity(positions.len());
    let mut next = positions.iter();
    rows::read(
        file,
        source,
        &wanted,
        &Wanted::At(&positions),
        |_, batch| {
            let uuids = Uuids::of(file, named(file, batch, uuid)?)?;
            let events = texts(file, named(file, batch, event)?)?;
            let ids = texts(file, named(file, batch, distinct_id)?)?;
            let received = receipt.map(|name| named(file, batch, name)).transpose()?;
            let received = received.map(|array| instants(file, array)).transpose()?;
            for (row, position) in (0..batch.num_rows()).zip(next.by_ref()) {
                let Some(uuid) = uuids.get(row) else { continue };
                let at = received.as_ref().filter(|at| at.is_valid(row));
                candidates.push(Candidate {
                    key: (uuid, actor_hash(events.value(row), ids.value(row))),
                    received: at.map_or(0, |at| at.value(row)),
                    file: number,
                    position: *position,
                });
            }
            Ok(())
        },
    )?;
    Ok(candidates)
}

fn actor_hash(event: &str, distinct_id: &str) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(event.as_bytes());
    hash.update(&[0]);
    hash.update(distinct_id.as_bytes());
    hash.digest()
}

/// A column of uuids, as text or as bytes.
enum Uuids {
    Text(StringViewArray),
    Bytes(ArrayRef),
}

impl Uuids {
    fn of(file: &File, array: &ArrayRef) -> Result<Self> {
        Ok(match array.data_type() {
            DataType::FixedSizeBinary(16) => Self::Bytes(array.clone()),
            _ => Self::Text(texts(file, array)?),
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// The uuid of a row; rows without a readable one never repeat others.
    fn get(&self, row: usize) -> Option<u128> {
        let uuid = match self {
            Self::Text(texts) => {
                let text = texts.is_valid(row).then(|| texts.value(row))?;
                Uuid::try_parse(text).ok()?
            }
            Self::Bytes(bytes) => {
                let bytes = bytes
                    .as_fixed_size_binary_opt()
                    .filter(|b| b.is_valid(row))?;
                Uuid::from_slice(bytes.value(row)).ok()?
            }
        };
        Some(uuid.as_u128())
    }
}

pub(super) fn named<'a>(file: &File, batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef> {
    let reason = || Error::corrupt(&file.shown, format!("column `{name}` is not in its rows"));
    batch.column_by_name(name).ok_or_else(reason)
}

pub(super) fn texts(file: &File, array: &ArrayRef) -> Result<StringViewArray> {
    let texts = cast(array, &DataType::Utf8View).map_err(|e| Error::corrupt(&file.shown, e))?;
    Ok(texts.as_string_view().clone())
}

/// Instants in microseconds; the unit does not matter where only the order does.
fn instants(file: &File, array: &ArrayRef) -> Result<Int64Array> {
    let cast =
        |array, kind: &DataType| cast(array, kind).map_err(|e| Error::corrupt(&file.shown, e));
    let instants = cast(array, &schema::timestamp_type())?;
    Ok(cast(&instants, &DataType::Int64)?
        .as_primitive::<Int64Type>()
        .clone())
}
