//! Staged rows into the columns of a file of events, as they lie there.
//!
//! Rows whose properties came in columns have no text yet: it is made only for those that have a property without a column.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, StringViewArray, StringViewBuilder, TimestampMicrosecondArray, UInt32Array,
};
use datafusion::arrow::record_batch::RecordBatch;

use super::actors::Actors;
use super::stored::uuid_parts;
use super::told::Told;
use super::{Encoded, EventsWriter, PromotedColumns, parallel, promote};
use crate::error::{Error, Result};
use crate::ingest::{Further, StagedEvents};
use crate::schema::{GROUP_TYPES, Promoted};

/// Rows turned into Arrow at a time: few enough that what was gathered is still in the cache when it is encoded.
const BATCH_ROWS: usize = 4096;

/// Encodes each list of rows as a file, on all cores.
pub(crate) fn encode(
    staged: &StagedEvents,
    files: &[Vec<u32>],
    promoted: &[Promoted],
    actors: &Actors,
) -> Result<Vec<Encoded>> {
    let encoded = parallel::map(files, |rows| encode_file(staged, rows, promoted, actors))?;
    Ok(encoded.into_iter().flatten().collect())
}

fn encode_file(
    staged: &StagedEvents,
    rows: &[u32],
    promoted: &[Promoted],
    actors: &Actors,
) -> Result<Option<Encoded>> {
    let typed = staged.typed.columns(promoted, rows);
    let is_typed = typed.is_some();
    let promoted_columns = match typed {
        Some(columns) => columns,
        None => {
            let texts: Vec<Cow<'_, str>> = rows
                .iter()
                .map(|row| staged.properties_of(*row as usize))
                .collect();
            promote::columns(promoted, texts.iter().map(AsRef::as_ref))?
        }
    };
    let (mut columns, mut values) = (PromotedColumns::default(), Vec::new());
    for (property, column) in promoted.iter().zip(promoted_columns) {
        match column {
            Some(column) => {
                columns.fit.push(property.clone());
                values.push(column);
            }
            None => columns.unfit.push(property.clone()),
        }
    }
    let further = is_typed.then(|| staged.typed.further(&columns.fit));
    let names: Vec<String> = columns.fit.iter().map(|p| p.name.clone()).collect();
    let mut writer = EventsWriter::new(columns)?;
    for start in (0..rows.len()).step_by(BATCH_ROWS) {
        let part = &rows[start..rows.len().min(start + BATCH_ROWS)];
        let values = values.iter();
        let values: Vec<ArrayRef> = values
            .map(|values: &ArrayRef| values.slice(start, part.len()))
            .collect();
        let properties = match &further {
            Some(further) => untold(staged, part, further),
            None => {
                let told = names.iter().map(String::as_str).zip(&values);
                let told = Told::of(told).map_err(Error::internal)?;
                Arc::new(told.reduce(&all_properties(staged, part)))
            }
        };
        let mut arrays = fixed_columns(staged, part, properties, actors)?;
        arrays.extend(values);
        let batch = RecordBatch::try_new(Arc::clone(writer.stored_schema()), arrays);
        writer.write_stored(&batch.map_err(Error::internal)?)?;
    }
    writer.finish()
}

/// The texts of the properties of rows of which some came as text.
fn all_properties(staged: &StagedEvents, rows: &[u32]) -> StringViewArray {
    let rows = rows.iter();
    rows.map(|row| Some(staged.properties_of(*row as usize)))
        .collect()
}

/// The texts of the properties of rows that came in columns, where the file's columns do not tell all of them.
fn untold(staged: &StagedEvents, rows: &[u32], further: &Further<'_>) -> ArrayRef {
    let text = |row: &u32| {
        let row = *row as usize;
        further.has(row).then(|| staged.properties_of(row))
    };
    Arc::new(rows.iter().map(text).collect::<StringViewArray>())
}

/// The columns that every file has, in the order of [`EventsWriter::stored_schema`].
fn fixed_columns(
    staged: &StagedEvents,
    rows: &[u32],
    properties: ArrayRef,
    actors: &Actors,
) -> Result<Vec<ArrayRef>> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(7 + 1 + 2 * GROUP_TYPES);
    columns.extend(uuid_parts(
        rows.iter().map(|row| &staged.uuids[*row as usize]),
    ));
    columns.push(texts(rows, |row| staged.names.get(staged.events[row])));
    columns.push(texts(rows, |row| staged.ids.get(staged.distinct_ids[row])));
    columns.push(people(rows, &staged.persons, actors)?);
    let timestamps = rows.iter().map(|row| staged.timestamps[*row as usize]);
    columns.push(Arc::new(
        TimestampMicrosecondArray::from_iter_values(timestamps).with_timezone("UTC"),
    ));
    columns.push(properties);
    for (index, refs) in staged.groups.iter().enumerate() {
        columns.push(group_keys(rows, index, refs, actors)?);
    }
    columns.push(numbers(rows, &staged.persons));
    columns.extend(staged.groups.iter().map(|refs| numbers(rows, refs)));
    Ok(columns)
}

/// The public ids of the persons.
fn people(rows: &[u32], refs: &[u32], actors: &Actors) -> Result<ArrayRef> {
    let mut column = StringViewBuilder::with_capacity(rows.len());
    for row in rows {
        let id = actors.person(refs[*row as usize]);
        column.append_value(id.ok_or_else(|| Error::internal("an event has an unknown person"))?);
    }
    Ok(Arc::new(column.finish()))
}

fn texts<'a>(rows: &[u32], text: impl Fn(usize) -> &'a str) -> ArrayRef {
    let mut column = StringViewBuilder::with_capacity(rows.len());
    for row in rows {
        column.append_value(text(*row as usize));
    }
    Arc::new(column.finish())
}

fn group_keys(rows: &[u32], index: usize, refs: &[u32], actors: &Actors) -> Result<ArrayRef> {
    let mut column = StringViewBuilder::with_capacity(rows.len());
    for row in rows {
        match refs[*row as usize] {
            0 => column.append_null(),
            known => {
                let key = actors.group(index, known);
                column.append_value(
                    key.ok_or_else(|| Error::internal("an event has an unknown group"))?,
                );
            }
        }
    }
    Ok(Arc::new(column.finish()))
}

fn numbers(rows: &[u32], values: &[u32]) -> ArrayRef {
    Arc::new(UInt32Array::from_iter_values(
        rows.iter().map(|row| values[*row as usize]),
    ))
}
