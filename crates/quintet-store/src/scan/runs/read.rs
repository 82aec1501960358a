//! Footers and columns of files, kept once they are decoded.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, UInt32Array};
use datafusion::arrow::compute::{cast, concat, take};
use datafusion::arrow::datatypes::{
    DataType, Field, FieldRef, SchemaRef, TimestampMicrosecondType,
};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::parquet::arrow::arrow_reader::RowSelection;
use datafusion::parquet::file::metadata::RowGroupMetaData;
use datafusion::parquet::file::statistics::Statistics;
use futures::TryStreamExt;

use super::names::Times;
use super::{Run, Segment};
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
pub(in crate::scan) struct Footer(ParquetFile);

impl std::fmt::Debug for Footer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Footer")
    }
}

impl Footer {
    pub(in crate::scan) async fn of(location: &Location, file: &Add) -> Result<Arc<Self>> {
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

    pub(in crate::scan) fn file(&self) -> &ParquetFile {
        &self.0
    }

    fn row_groups(&self) -> &[RowGroupMetaData] {
        self.0.footer().metadata().row_groups()
    }

    /// Rows of the file by row group, in pieces, without the row groups that have no time in the range asked for: the row group, the first row in
    /// the file, the rows in the row group, and whether all times of the row group are in that range.
    pub(super) fn row_groups_of(
        &self,
        rows: &Range<u64>,
        times: &Times,
    ) -> Vec<(usize, u64, Range<usize>, bool)> {
        let mut start = 0;
        let mut found = Vec::new();
        for (number, group) in self.row_groups().iter().enumerate() {
            let end = start + group.num_rows().max(0) as u64;
            let (from, to) = (rows.start.max(start), rows.end.min(end));
            let bounds = bounds(group);
            let may_match = bounds.is_none_or(|(min, max)| times.may_be_in(min, max));
            if from < to && may_match {
                let is_within = bounds.is_some_and(|(min, max)| times.hold(min, max));
                for at in (from..to).step_by(SEGMENT_ROWS) {
                    let end = to.min(at + SEGMENT_ROWS as u64);
                    let rows = (at - start) as usize..(end - start) as usize;
                    found.push((number, at, rows, is_within));
                }
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

/// The rows of a segment, in batches of at most so many rows and the types of `schema`; each of one event, if that is known.
pub(super) async fn batches(
    location: &Location,
    segment: &Segment,
    schema: &SchemaRef,
    most_rows: usize,
) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
    let is_known = |field: &FieldRef| segment.runs.is_some() && field.name() == schema::EVENT;
    let stored = schema.fields().iter().filter(|field| !is_known(field));
    let stored = read(location, segment, &stored.collect::<Vec<_>>()).await?;
    let columns = |event: Option<&str>, rows: usize| {
        let mut stored = stored.iter().cloned();
        let column = |field: &FieldRef| match event.filter(|_| is_known(field)) {
            Some(event) => {
                let name = repeated(event, rows.min(most_rows), field.data_type());
                name.map(Column::Same)
            }
            None => {
                let lost = || Error::internal(format!("{} was not read", field.name()));
                stored.next().map(Column::Whole).ok_or_else(lost)
            }
        };
        let columns = schema.fields().iter().map(column);
        columns.collect::<Result<Vec<_>>>()
    };
    let stretches = match &segment.runs {
        None => {
            let all = 0..segment.rows.len();
            vec![(columns(None, all.len())?, all)]
        }
        Some(runs) => {
            let rows = match segment.cut {
                Some(times) => cut(location, segment, runs, times).await?,
                None => runs.iter().map(|run| run.rows.clone()).collect(),
            };
            let runs = runs.iter().zip(rows).filter(|(_, rows)| !rows.is_empty());
            runs.map(|(run, rows)| Ok((columns(Some(&run.event), rows.len())?, rows)))
                .collect::<Result<_>>()?
        }
    };
    let (schema, shown) = (
        Arc::clone(schema),
        Arc::from(location.show(&segment.file.path)),
    );
    Ok(stretches.into_iter().flat_map(move |(columns, rows)| {
        let (schema, shown): (_, Arc<str>) = (Arc::clone(&schema), Arc::clone(&shown));
        let end = rows.end;
        rows.step_by(most_rows).map(move |start| {
            let rows = most_rows.min(end - start);
            let columns = columns.iter().map(|column| column.slice(start, rows));
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            RecordBatch::try_new_with_options(Arc::clone(&schema), columns.collect(), &options)
                .map_err(|e| Error::corrupt(&*shown, e))
        })
    }))
}

/// A column of a segment.
#[derive(Clone)]
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

/// The rows of each run that have these times.
async fn cut(
    location: &Location,
    segment: &Segment,
    runs: &[Run],
    times: Times,
) -> Result<Vec<Range<usize>>> {
    let field = Field::new(schema::TIMESTAMP, schema::timestamp_type(), false);
    let column = read(location, segment, &[&Arc::new(field)]).await?;
    let all = column
        .first()
        .and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    let missing = || Error::corrupt(location.show(&segment.file.path), "it has no times");
    let all = all.ok_or_else(missing)?.values();
    let of_run = |run: &Run| {
        let start = run.rows.start;
        let ascending = all.get(run.rows.clone()).ok_or_else(missing)?;
        let rows = times.within(ascending);
        Ok(start + rows.start..start + rows.end)
    };
    runs.iter().map(of_run).collect()
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
    // Apart, for properties are told by columns as they are, not by their codes.
    for is_coded in [false, true] {
        let is_missing = |(field, kept): &(&&FieldRef, &mut Option<ArrayRef>)| {
            kept.is_none() && (*field.data_type() == codes()) == is_coded
        };
        let missing = fields.iter().zip(&mut found).filter(is_missing);
        let (fields, slots): (Vec<&FieldRef>, Vec<_>) =
            missing.map(|(field, slot)| (*field, slot)).unzip();
        if fields.is_empty() {
            continue;
        }
        let decoded = decode(location, segment, &fields).await?;
        for ((slot, field), column) in slots.into_iter().zip(fields).zip(decoded) {
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
        is_coded: *field.data_type() == codes(),
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
    let builder = file.read_as(|stored| {
        let wanted = fields.iter().find(|field| field.name() == stored.name())?;
        (*wanted.data_type() == codes()).then(codes)
    });
    let builder = builder.map_err(failed)?;
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
fn repeated(text: &str, rows: usize, kind: &DataType) -> Result<ArrayRef> {
    let one = cast(&StringViewArray::from_iter_values([text]), kind).map_err(Error::internal)?;
    take(&one, &UInt32Array::from(vec![0; rows]), None).map_err(Error::internal)
}

/// How texts are handed over as codes.
pub(super) fn codes() -> DataType {
    DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_text_is_in_every_row_whatever_its_length() {
        for text in ["", "short", "a text that is longer than a view holds"] {
            let column = repeated(text, 3, &DataType::Utf8View).unwrap();
            let values: Vec<_> = column.as_string_view().iter().collect();
            assert_eq!(values, [Some(text); 3]);
        }
        assert_eq!(repeated("x", 0, &codes()).unwrap().len(), 0);
    }
}
