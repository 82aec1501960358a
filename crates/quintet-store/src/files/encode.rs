//! Staged rows into the columns of a file of events.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, StringViewBuilder, TimestampMicrosecondArray, UInt32Array,
};
use datafusion::arrow::record_batch::RecordBatch;
use uuid::fmt::Hyphenated;

use super::{Encoded, EventsWriter, PromotedColumns, parallel, promote};
use crate::entities::EntityState;
use crate::error::{Error, Result};
use crate::ingest::StagedEvents;
use crate::schema::{GROUP_TYPES, Promoted};

/// Rows turned into Arrow at a time: few enough that what was gathered is still in the cache when it is encoded.
const BATCH_ROWS: usize = 4096;

/// Encodes each list of rows as a file, on all cores.
pub(crate) fn encode(
    staged: &StagedEvents,
    files: &[Vec<u32>],
    promoted: &[Promoted],
    entities: &EntityState,
) -> Result<Vec<Encoded>> {
    let encoded = parallel::map(files, |rows| encode_file(staged, rows, promoted, entities))?;
    Ok(encoded.into_iter().flatten().collect())
}

fn encode_file(
    staged: &StagedEvents,
    rows: &[u32],
    promoted: &[Promoted],
    entities: &EntityState,
) -> Result<Option<Encoded>> {
    let promoted_columns = match staged.typed.columns(promoted, rows) {
        Some(columns) => columns,
        None => {
            let texts = rows.iter().map(|row| staged.properties.get(*row as usize));
            promote::columns(promoted, texts)?
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
    let mut writer = EventsWriter::new(columns)?;
    for start in (0..rows.len()).step_by(BATCH_ROWS) {
        let part = &rows[start..rows.len().min(start + BATCH_ROWS)];
        let mut arrays = fixed_columns(staged, part, entities)?;
        arrays.extend(
            values
                .iter()
                .map(|values: &ArrayRef| values.slice(start, part.len())),
        );
        let batch =
            RecordBatch::try_new(Arc::clone(writer.schema()), arrays).map_err(Error::internal)?;
        writer.write(&batch)?;
    }
    writer.finish()
}

/// The columns that every file has, in the order of [`crate::schema::events`].
fn fixed_columns(
    staged: &StagedEvents,
    rows: &[u32],
    entities: &EntityState,
) -> Result<Vec<ArrayRef>> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(6 + 1 + 2 * GROUP_TYPES);
    columns.push(uuids(
        rows.iter().map(|row| Some(&staged.uuids[*row as usize])),
    )?);
    columns.push(texts(rows, |row| staged.names.get(staged.events[row])));
    columns.push(texts(rows, |row| staged.ids.get(staged.distinct_ids[row])));
    columns.push(uuids(rows.iter().map(|row| {
        entities
            .persons
            .get(staged.persons[*row as usize])
            .map(|person| &person.id)
    }))?);
    let timestamps = rows.iter().map(|row| staged.timestamps[*row as usize]);
    columns.push(Arc::new(
        TimestampMicrosecondArray::from_iter_values(timestamps).with_timezone("UTC"),
    ));
    columns.push(texts(rows, |row| staged.properties.get(row)));
    for (index, refs) in staged.groups.iter().enumerate() {
        columns.push(group_keys(rows, index, refs, entities)?);
    }
    columns.push(numbers(rows, &staged.persons));
    columns.extend(staged.groups.iter().map(|refs| numbers(rows, refs)));
    Ok(columns)
}

fn uuids<'a>(values: impl Iterator<Item = Option<&'a uuid::Uuid>>) -> Result<ArrayRef> {
    let mut text = [0; Hyphenated::LENGTH];
    let mut column = StringViewBuilder::new();
    for value in values {
        let value = value.ok_or_else(|| Error::internal("an event has an unknown person"))?;
        column.append_value(value.hyphenated().encode_lower(&mut text));
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

fn group_keys(
    rows: &[u32],
    index: usize,
    refs: &[u32],
    entities: &EntityState,
) -> Result<ArrayRef> {
    let mut column = StringViewBuilder::with_capacity(rows.len());
    for row in rows {
        match refs[*row as usize] {
            0 => column.append_null(),
            known => {
                let group = entities.groups.get(index, known);
                column.append_value(
                    &group
                        .ok_or_else(|| Error::internal("an event has an unknown group"))?
                        .key,
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
