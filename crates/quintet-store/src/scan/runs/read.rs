//! Footers and columns of files, kept once they are decoded.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringViewArray};
use datafusion::arrow::buffer::ScalarBuffer;
use datafusion::arrow::compute::{cast, concat};
use datafusion::arrow::datatypes::{FieldRef, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::parquet::file::metadata::RowGroupMetaData;
use datafusion::parquet::file::statistics::Statistics;
use futures::TryStreamExt;

use super::Segment;
use super::names::Times;
use crate::cache::{Cached, Part};
use crate::error::{Error, Result};
use crate::files::reader::{ParquetFile, mask};
use crate::files::stored::{needed, restore};
use crate::location::Location;
use crate::log::Add;
use crate::schema;

/// About the bytes of a footer and its index of pages.
const FOOTER_BYTES: usize = 64 << 10;

/// Rows that are read at a time: threads share a file in pieces of this size.
const SEGMENT_ROWS: usize = 131_072;

/// A file whose footer and index of pages were read.
pub(super) struct Footer(ParquetFile);

impl std::fmt::Debug for Footer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Footer")
    }
}

impl Footer {
    pub(super) async fn of(location: &Location, file: &Add) -> Result<Arc<Self>> {
        let read = async || {
            let key = location.key(&file.path);
            let opened = ParquetFile::open_with_pages(location.object_store(), key, file.size);
            let opened = opened
                .await
                .map_err(|e| Error::parquet(&location.show(&file.path), &e))?;
            Ok(Cached::new(Self(opened), FOOTER_BYTES))
        };
        location.cache().get(&file.path, Part::Footer, read).await
    }

    fn row_groups(&self) -> &[RowGroupMetaData] {
        self.0.footer().metadata().row_groups()
    }

    /// Rows of the file by row group, in pieces, without the row groups that have no time in the range asked for.
    pub(super) fn cut(&self, rows: &Range<u64>, times: &Times) -> Vec<(usize, Range<usize>)> {
        let mut start = 0;
        let mut found = Vec::new();
        for (number, group) in self.row_groups().iter().enumerate() {
            let end = start + group.num_rows().max(0) as u64;
            let (from, to) = (rows.start.max(start), rows.end.min(end));
            let may_match = bounds(group).is_none_or(|(min, max)| times.may_be_in(min, max));
            if from < to && may_match {
                let rows = (from - start) as usize..(to - start) as usize;
                let pieces = rows.clone().step_by(SEGMENT_ROWS);
                found.extend(pieces.map(|at| (number, at..rows.end.min(at + SEGMENT_ROWS))));
            }
            start = end;
        }
        found
    }
}

/// The times of a row group, if its statistics tell.
fn bounds(group: &RowGroupMetaData) -> Option<(i64, i64)> {
    let mut columns = group.columns().iter();
    let column = columns.find(|column| column.column_path().string() == schema::TIMESTAMP)?;
    match column.statistics()? {
        Statistics::Int64(known) => Some((*known.min_opt()?, *known.max_opt()?)),
        _ => None,
    }
}

/// The columns of a segment, in the types of `schema`.
pub(super) async fn columns(
    location: &Location,
    segment: &Segment,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let cache = location.cache();
    let path = segment.file.path.as_str();
    let mut found: Vec<Option<ArrayRef>> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        found.push(match &segment.event {
            Some(event) if field.name() == schema::EVENT => {
                Some(repeated(event, segment.rows.len()))
            }
            _ => cache
                .find::<ArrayRef>(path, &part(segment, field))
                .map(|kept| ArrayRef::clone(&kept)),
        });
    }
    let fields = || schema.fields().iter().zip(&found);
    let missing: Vec<&FieldRef> = fields()
        .filter(|(_, column)| column.is_none())
        .map(|(field, _)| field)
        .collect();
    if !missing.is_empty() {
        let mut decoded = decode(location, segment, &missing).await?.into_iter();
        let fields = schema.fields().iter();
        for (column, field) in found.iter_mut().zip(fields) {
            if column.is_none()
                && let Some(read) = decoded.next()
            {
                let bytes = read.get_array_memory_size();
                cache.keep(path, part(segment, field), Arc::clone(&read), bytes);
                *column = Some(read);
            }
        }
    }
    let columns: Vec<ArrayRef> = found.into_iter().flatten().collect();
    let rows = RecordBatchOptions::new().with_row_count(Some(segment.rows.len()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &rows)
        .map_err(|e| Error::corrupt(location.show(path), e))
}

fn part(segment: &Segment, field: &FieldRef) -> Part {
    Part::Column {
        name: Arc::from(field.name().as_str()),
        row_group: segment.row_group,
        start: segment.rows.start,
        rows: segment.rows.len(),
    }
}

/// Some columns of a segment out of its file, whole.
async fn decode(
    location: &Location,
    segment: &Segment,
    fields: &[&FieldRef],
) -> Result<Vec<ArrayRef>> {
    let shown = location.show(&segment.file.path);
    let failed = |e| Error::parquet(&shown, &e);
    let Footer(file) = &*segment.footer;
    let builder = file.read();
    let promoted = segment.file.events.as_ref();
    let promoted = promoted.map_or(&[][..], |events| &events.columns);
    let names = fields.iter().map(|field| field.name().as_str());
    let mask = mask(&builder, &needed(names, promoted));
    let rows = file
        .footer()
        .metadata()
        .row_groups()
        .get(segment.row_group)
        .map_or(0, |group| group.num_rows().max(0) as usize);
    let selected =
        RowSelection::from_consecutive_ranges(std::iter::once(segment.rows.clone()), rows);
    let batches: Vec<RecordBatch> = builder
        .with_row_groups(vec![segment.row_group])
        .with_row_selection(selected)
        .with_projection(mask)
        .with_batch_size(segment.rows.len())
        .build()
        .map_err(failed)?
        .try_collect()
        .await
        .map_err(failed)?;
    let wrong = |reason: String| Error::corrupt(&shown, reason);
    let batches = batches.iter().map(|batch| restore(batch, promoted));
    let batches: Vec<RecordBatch> = batches.collect::<Result<_, _>>().map_err(wrong)?;
    let column = |field: &&FieldRef| {
        let parts: Option<Vec<&dyn Array>> = batches
            .iter()
            .map(|batch| batch.column_by_name(field.name()).map(AsRef::as_ref))
            .collect();
        let parts = parts.ok_or_else(|| wrong(format!("it has no column {}", field.name())))?;
        let whole = concat(&parts).map_err(|e| wrong(e.to_string()))?;
        cast(&whole, field.data_type()).map_err(|e| wrong(e.to_string()))
    };
    fields.iter().map(column).collect()
}

/// A column that says the same in every row.
fn repeated(text: &str, rows: usize) -> ArrayRef {
    let one = StringViewArray::from_iter_values([text]);
    let views = one.views().iter().copied().cycle().take(rows);
    let views = ScalarBuffer::from_iter(views);
    match StringViewArray::try_new(views, one.data_buffers().to_vec(), None) {
        Ok(column) => Arc::new(column),
        Err(_) => Arc::new(StringViewArray::from_iter_values(std::iter::repeat_n(
            text, rows,
        ))),
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::AsArray;

    use super::*;

    #[test]
    fn a_repeated_text_is_in_every_row_whatever_its_length() {
        for text in ["", "short", "a text that is longer than a view holds"] {
            let column = repeated(text, 3);
            let values: Vec<_> = column.as_string_view().iter().collect();
            assert_eq!(values, [Some(text); 3]);
        }
        assert_eq!(repeated("x", 0).len(), 0);
    }
}
