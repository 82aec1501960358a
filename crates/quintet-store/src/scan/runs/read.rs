//! Footers and columns of files, kept once they are decoded.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, UInt32Array};
use datafusion::arrow::compute::{cast, concat, take};
use datafusion::arrow::datatypes::{Field, FieldRef, SchemaRef, TimestampMicrosecondType};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::parquet::file::metadata::RowGroupMetaData;
use datafusion::parquet::file::statistics::Statistics;
use futures::TryStreamExt;

use super::Segment;
use super::names::Times;
use crate::cache::{Cached, Part};
use crate::error::{Error, Result};
use crate::files::reader::ParquetFile;
use crate::location::Location;
use crate::log::Add;
use crate::schema;

/// About the bytes of a footer and its index of pages.
const FOOTER_BYTES: usize = 64 << 10;

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

    /// Rows of the file by row group, without the row groups that have no time in the range asked for; and whether all their times
    /// are in it.
    pub(super) fn row_groups_of(
        &self,
        rows: &Range<u64>,
        times: &Times,
    ) -> Vec<(usize, Range<usize>, bool)> {
        let mut start = 0;
        let mut found = Vec::new();
        for (number, group) in self.row_groups().iter().enumerate() {
            let end = start + group.num_rows().max(0) as u64;
            let (from, to) = (rows.start.max(start), rows.end.min(end));
            let bounds = bounds(group);
            let may_match = bounds.is_none_or(|(min, max)| times.may_be_in(min, max));
            if from < to && may_match {
                let is_within = bounds.is_some_and(|(min, max)| times.hold(min, max));
                let rows = (from - start) as usize..(to - start) as usize;
                found.push((number, rows, is_within));
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

/// The rows of a segment, in batches of at most so many rows and the types of `schema`.
pub(super) async fn batches(
    location: &Location,
    segment: &Segment,
    schema: &SchemaRef,
    most_rows: usize,
) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    let is_name = |field: &FieldRef| segment.event.is_some() && field.name() == schema::EVENT;
    let stored: Vec<&FieldRef> = schema.fields().iter().filter(|one| !is_name(one)).collect();
    let mut columns = read(location, segment, &stored).await?.into_iter();
    let rows = match segment.cut {
        Some(times) => cut(location, segment, times).await?,
        None => 0..segment.rows.len(),
    };
    let name = segment.event.as_deref().unwrap_or_default();
    let name = repeated(name, rows.len().min(most_rows))?;
    let columns: Vec<Column> = schema
        .fields()
        .iter()
        .map_while(|field| match is_name(field) {
            true => Some(Column::Same(Arc::clone(&name))),
            false => columns.next().map(Column::Whole),
        })
        .collect();
    let (schema, shown) = (Arc::clone(schema), location.show(&segment.file.path));
    let end = rows.end;
    Ok(rows.step_by(most_rows).map(move |start| {
        let rows = most_rows.min(end - start);
        let columns = columns.iter().map(|column| column.slice(start, rows));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::clone(&schema), columns.collect(), &options)
            .map_err(|e| Error::corrupt(shown.clone(), e))
    }))
}

/// A column of a segment.
enum Column {
    Whole(ArrayRef),
    /// As many rows as a batch has at most, all the same.
    Same(ArrayRef),
}

impl Column {
    fn slice(&self, start: usize, rows: usize) -> ArrayRef {
        match self {
            Self::Whole(all) => all.slice(start, rows),
            Self::Same(one) => one.slice(0, rows),
        }
    }
}

/// The rows of a segment that have these times.
async fn cut(location: &Location, segment: &Segment, times: Times) -> Result<Range<usize>> {
    let field = Field::new(schema::TIMESTAMP, schema::timestamp_type(), false);
    let column = read(location, segment, &[&Arc::new(field)]).await?;
    let ascending = column
        .first()
        .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let missing = || Error::corrupt(location.show(&segment.file.path), "it has no times");
    Ok(times.within(ascending.ok_or_else(missing)?.values()))
}

/// Columns of a segment, whole, as they were kept or out of its file.
async fn read(
    location: &Location,
    segment: &Segment,
    fields: &[&FieldRef],
) -> Result<Vec<ArrayRef>> {
    let (cache, path) = (location.cache(), segment.file.path.as_str());
    let kept = |field: &&FieldRef| {
        let kept = cache.find::<ArrayRef>(path, &part(segment, field))?;
        Some(ArrayRef::clone(&kept))
    };
    let mut found: Vec<Option<ArrayRef>> = fields.iter().map(kept).collect();
    let missing = fields.iter().zip(&found).filter(|(_, kept)| kept.is_none());
    let missing: Vec<&FieldRef> = missing.map(|(field, _)| *field).collect();
    if !missing.is_empty() {
        let decoded = decode(location, segment, &missing).await?;
        let empty = found.iter_mut().filter(|kept| kept.is_none());
        for ((slot, field), column) in empty.zip(missing).zip(decoded) {
            let bytes = column.get_array_memory_size();
            cache.keep(path, part(segment, field), Arc::clone(&column), bytes);
            *slot = Some(column);
        }
    }
    Ok(found.into_iter().flatten().collect())
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
    // By position: a dot in a name is no path.
    let theirs = builder.schema();
    let roots = fields
        .iter()
        .filter_map(|field| theirs.index_of(field.name()).ok());
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots.collect::<Vec<_>>());
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
fn repeated(text: &str, rows: usize) -> Result<ArrayRef> {
    let one = StringViewArray::from_iter_values([text]);
    take(&one, &UInt32Array::from(vec![0; rows]), None).map_err(Error::internal)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_text_is_in_every_row_whatever_its_length() {
        for text in ["", "short", "a text that is longer than a view holds"] {
            let column = repeated(text, 3).unwrap();
            let values: Vec<_> = column.as_string_view().iter().collect();
            assert_eq!(values, [Some(text); 3]);
        }
        assert_eq!(repeated("x", 0).unwrap().len(), 0);
    }
}
