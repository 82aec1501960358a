//! Columns of chosen rows, kept once they are decoded.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use datafusion::arrow::compute::{TakeOptions, cast, concat, take};
use datafusion::arrow::datatypes::{DataType, SchemaRef, TimestampMicrosecondType, UInt32Type};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use futures::TryStreamExt;
use xxhash_rust::xxh3::Xxh3;

use super::Chosen;
use crate::cache::Part;
use crate::error::{Error, Result};
use crate::files::reader::mask;
use crate::files::stored::{needed, restore};
use crate::scan::first::First;
use crate::scan::runs::Footer;
use crate::schema::{self, GROUP_REFS, GROUPS};
use crate::snapshot::Snapshot;

/// Where the values of a column come from.
enum Source {
    /// The column itself.
    Stored,
    /// The log, which counts the rows of each event.
    EventNames,
    /// The person that the row refers to.
    PersonIds,
    /// The group of this type that the row refers to.
    GroupKeys(usize),
}

impl Source {
    fn of(name: &str, chosen: &Chosen) -> Self {
        let counts_names = || {
            let known = chosen.file.events.as_ref();
            known.is_some_and(|known| known.names.is_some())
        };
        match GROUPS.iter().position(|key| *key == name) {
            Some(index) => Self::GroupKeys(index),
            None if name == schema::PERSON_ID => Self::PersonIds,
            None if name == schema::EVENT && counts_names() => Self::EventNames,
            None => Self::Stored,
        }
    }

    /// The column to read of the file.
    fn stored<'a>(&self, name: &'a str) -> Option<&'a str> {
        match self {
            Self::Stored => Some(name),
            Self::EventNames => None,
            Self::PersonIds => Some(schema::PERSON_REF),
            Self::GroupKeys(index) => GROUP_REFS.get(*index).copied(),
        }
    }
}

/// The columns of chosen rows, in the types of `schema`.
pub(super) async fn columns(
    snapshot: &Snapshot,
    chosen: &Chosen,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let fields = schema.fields().iter().map(|field| field.name().as_str());
    let sources: Vec<(&str, Source)> = fields
        .map(|name| (name, Source::of(name, chosen)))
        .collect();
    let names = sources.iter().map(|(name, source)| source.stored(name));
    let mut stored = stored(snapshot, chosen, &names.collect::<Vec<_>>())
        .await?
        .into_iter();
    let wrong =
        |reason: String| Error::corrupt(snapshot.location().show(&chosen.file.path), reason);
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(sources.len());
    for ((_, source), field) in sources.iter().zip(schema.fields()) {
        let read = stored.next().flatten();
        let column = match (source, read) {
            (Source::EventNames, _) => Ok(event_names(chosen)),
            (Source::PersonIds, Some(refs)) => named(snapshot.person_ids().await?, &refs),
            (Source::GroupKeys(index), Some(refs)) => {
                named(snapshot.group_keys(*index).await?, &refs)
            }
            (_, Some(column)) => cast(&column, field.data_type()).map_err(|e| e.to_string()),
            (_, None) => Err(format!("it has no column {}", field.name())),
        };
        columns.push(column.map_err(wrong)?);
    }
    let rows = RecordBatchOptions::new().with_row_count(Some(chosen.rows.len()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
        .map_err(|e| wrong(e.to_string()))
}

/// What of these rows can be among the first ones by time: latest files first, and none that is too early for what was found.
pub(super) async fn first(
    snapshot: &Snapshot,
    lot: &[Chosen],
    wanted: First,
) -> Result<Vec<Chosen>> {
    if wanted.rows == 0 {
        return Ok(Vec::new());
    }
    let rank = |time: i64| wanted.rank(time);
    let best = |chosen: &Chosen| {
        let known = chosen.file.events.as_ref();
        let bounds = known.map(|known| (known.min_timestamp, known.max_timestamp));
        bounds.map_or(i64::MAX, |(min, max)| rank(min).max(rank(max)))
    };
    let mut lot: Vec<&Chosen> = lot.iter().collect();
    lot.sort_by_key(|chosen| std::cmp::Reverse(best(chosen)));
    let mut found: Vec<(&Chosen, Vec<i64>)> = Vec::new();
    let mut ranks: Vec<i64> = Vec::new();
    let mut least = i64::MIN;
    for chosen in lot {
        if best(chosen) < least {
            break;
        }
        let read = stored(snapshot, chosen, &[Some(schema::TIMESTAMP)]).await?;
        let times = read.into_iter().flatten().next();
        let times = times
            .as_ref()
            .and_then(|times| times.as_primitive_opt::<TimestampMicrosecondType>());
        let missing = || {
            Error::corrupt(
                snapshot.location().show(&chosen.file.path),
                "it has no timestamps",
            )
        };
        let theirs: Vec<i64> = times
            .ok_or_else(missing)?
            .values()
            .iter()
            .copied()
            .map(rank)
            .collect();
        ranks.extend(&theirs);
        found.push((chosen, theirs));
        if ranks.len() > wanted.rows {
            let (_, last, _) = ranks.select_nth_unstable_by(wanted.rows - 1, |a, b| b.cmp(a));
            least = *last;
            ranks.truncate(wanted.rows);
        }
    }
    let narrowed = found.into_iter().filter_map(|(chosen, ranks)| {
        let rows = chosen.rows.iter().zip(ranks);
        let rows: Arc<[u32]> = rows
            .filter(|(_, rank)| *rank >= least)
            .map(|(row, _)| *row)
            .collect();
        (!rows.is_empty()).then(|| Chosen {
            file: Arc::clone(&chosen.file),
            rows,
        })
    });
    Ok(narrowed.collect())
}

/// Columns as they are stored, where a name is given: kept or decoded now.
async fn stored(
    snapshot: &Snapshot,
    chosen: &Chosen,
    names: &[Option<&str>],
) -> Result<Vec<Option<ArrayRef>>> {
    let (cache, path) = (snapshot.cache(), chosen.file.path.as_str());
    let rows = hash(&chosen.rows);
    let part = |name: &str| Part::Chosen {
        name: Arc::from(name),
        rows,
    };
    let kept = |name: &Option<&str>| {
        let kept = cache.find::<ArrayRef>(path, &part((*name)?))?;
        Some(ArrayRef::clone(&kept))
    };
    let mut found: Vec<Option<ArrayRef>> = names.iter().map(kept).collect();
    let mut missing: Vec<&str> = names
        .iter()
        .zip(&found)
        .filter_map(|(name, kept)| name.filter(|_| kept.is_none()))
        .collect();
    missing.sort_unstable();
    missing.dedup();
    if missing.is_empty() {
        return Ok(found);
    }
    let read = decode(snapshot, chosen, &missing).await?;
    for (name, column) in missing.iter().zip(&read) {
        let bytes = column.get_array_memory_size();
        cache.keep(path, part(name), Arc::clone(column), bytes);
    }
    for (name, column) in names.iter().zip(&mut found) {
        if column.is_none() {
            let at = name.and_then(|name| missing.binary_search(&name).ok());
            *column = at.and_then(|at| read.get(at)).cloned();
        }
    }
    Ok(found)
}

fn hash(rows: &[u32]) -> u128 {
    let mut hash = Xxh3::new();
    rows.iter().for_each(|row| hash.update(&row.to_le_bytes()));
    hash.digest128()
}

/// Columns of chosen rows out of their file.
async fn decode(snapshot: &Snapshot, chosen: &Chosen, names: &[&str]) -> Result<Vec<ArrayRef>> {
    let location = snapshot.location();
    let shown = location.show(&chosen.file.path);
    let failed = |e| Error::parquet(&shown, &e);
    let footer = Footer::of(location, &chosen.file).await?;
    let builder = footer.file().read();
    let promoted = chosen.file.events.as_ref();
    let promoted = promoted.map_or(&[][..], |events| &events.columns);
    let mask = mask(&builder, &needed(names.iter().copied(), promoted));
    let ranges = chosen.rows.chunk_by(|one, next| one + 1 == *next);
    let ranges = ranges.filter_map(|run| Some(*run.first()? as usize..*run.last()? as usize + 1));
    let selected = RowSelection::from_consecutive_ranges(ranges, chosen.file.rows as usize);
    let batches: Vec<RecordBatch> = builder
        .with_row_selection(selected)
        .with_projection(mask)
        .with_batch_size(chosen.rows.len())
        .build()
        .map_err(failed)?
        .try_collect()
        .await
        .map_err(failed)?;
    let wrong = |reason: String| Error::corrupt(&shown, reason);
    let batches = batches.iter().map(|batch| restore(batch, promoted));
    let batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>().map_err(wrong)?;
    let column = |name: &&str| {
        let parts: Option<Vec<ArrayRef>> = batches
            .iter()
            .map(|batch| Some(compact(batch.column_by_name(name)?)))
            .collect();
        let parts = parts.ok_or_else(|| wrong(format!("it has no column {name}")))?;
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        concat(&parts).map_err(|e| wrong(e.to_string()))
    };
    names.iter().map(column).collect()
}

/// Texts without the pages that they were found in.
fn compact(column: &ArrayRef) -> ArrayRef {
    match column.as_string_view_opt() {
        Some(texts) => Arc::new(texts.gc()),
        None => Arc::clone(column),
    }
}

/// The names that refs stand for.
fn named(names: &StringViewArray, refs: &ArrayRef) -> Result<ArrayRef, String> {
    let refs = cast(refs, &DataType::UInt32).map_err(|e| e.to_string())?;
    let options = TakeOptions { check_bounds: true };
    let named = take(names, refs.as_primitive::<UInt32Type>(), Some(options));
    named
        .map(|named| compact(&named))
        .map_err(|_| "a row has a ref that nobody has".into())
}

/// The names of events, which lie in the order of their names.
fn event_names(chosen: &Chosen) -> ArrayRef {
    let known = chosen.file.events.as_ref();
    let mut names = known.iter().flat_map(|known| known.names.iter().flatten());
    let mut texts = StringViewBuilder::with_capacity(chosen.rows.len()).with_deduplicate_strings();
    let (mut name, mut end) = ("", 0u64);
    for row in chosen.rows.iter() {
        while u64::from(*row) >= end {
            let Some((next, rows)) = names.next() else {
                break;
            };
            (name, end) = (next, end + rows);
        }
        texts.append_value(name);
    }
    Arc::new(texts.finish())
}
