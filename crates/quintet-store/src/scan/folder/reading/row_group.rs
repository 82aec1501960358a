//! One row group, or a part of it: first the columns with conditions, whole, then the other columns of the rows that are left.
//!
//! ```text
//! event      │a b a c b a …   coded   ─► condition ─╮
//! timestamp  │…                       ─► condition ─┴► rows that are left ─► event, timestamp: kept, filtered
//! person_id  │…                                                        └──► person_id: only these rows are decoded
//! ```
//! A column whose pages are all coded by a dictionary is read as codes where a condition or an id is asked of it, so that texts are
//! compared and hashed once per value.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, DictionaryArray, Int32Array,
    RecordBatch, RecordBatchOptions, new_null_array,
};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::{CastOptions, cast_with_options, concat, filter};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Schema, SchemaRef};
use datafusion::error::{DataFusionError, Result};
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader,
    ParquetRecordBatchReaderBuilder, RowSelection,
};
use datafusion::parquet::basic::Encoding;
use datafusion::parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};

use super::chunks::Chunks;
use super::condition::{Condition, Memo};
use super::ids::{Ids, Lookup};
use super::{LotFile, Piece};
use crate::location::Location;
use crate::scan::codes::with_codes;

/// Rows that are looked at together while conditions choose.
const LOOKED_AT: usize = 1 << 16;

/// A column to read.
#[derive(Debug, Clone)]
pub(super) enum Column {
    /// As it lies, in the type of this field.
    Own(FieldRef),
    /// As [codes], where the file has a dictionary for all of it; as it lies elsewhere.
    Coded(FieldRef),
    /// The ids of actors by a column of keys; where a key is null, by the column beside it.
    Ids {
        ids: Arc<Ids>,
        keys: String,
        beside: Option<String>,
    },
}

/// What is read of every row group.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) columns: Vec<Column>,
    pub(super) schema: SchemaRef,
    pub(super) conditions: Vec<Condition>,
}

impl Wanted {
    /// Does somebody ask for the codes of a column rather than for its texts?
    fn is_coded(&self, name: &str) -> bool {
        let of_condition = self
            .conditions
            .iter()
            .any(|known| known.column.name() == name);
        of_condition
            || self.columns.iter().any(|column| match column {
                Column::Own(_) => false,
                Column::Coded(field) => field.name() == name,
                Column::Ids { keys, .. } => keys == name,
            })
    }

    /// The same with some of its columns of texts as dictionaries.
    pub(super) fn with_codes(&self, columns: &BTreeSet<usize>) -> Self {
        let column = |(at, column): (usize, &Column)| match column {
            Column::Own(field) if columns.contains(&at) => {
                let field = Field::clone(field).with_data_type(codes());
                Column::Coded(Arc::new(field))
            }
            other => other.clone(),
        };
        Self {
            columns: self.columns.iter().enumerate().map(column).collect(),
            conditions: self.conditions.clone(),
            schema: with_codes(&self.schema, columns, &codes()),
        }
    }

    /// The columns of a file that are read for a column.
    fn sources<'a>(&self, column: &'a Column, file: &LotFile, number: usize) -> Vec<&'a str> {
        match column {
            Column::Own(field) | Column::Coded(field) => vec![field.name()],
            Column::Ids { keys, beside, .. } => {
                let beside = beside.as_deref().filter(|_| file.may_be_null(number, keys));
                std::iter::once(keys.as_str()).chain(beside).collect()
            }
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.schema.fields().iter();
        let columns: Vec<&str> = fields.map(|field| field.name().as_str()).collect();
        write!(f, "columns=[{}], conditions=[", columns.join(", "))?;
        for (at, condition) in self.conditions.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{condition}")?;
        }
        f.write_str("]")
    }
}

/// The rows of a row group that satisfy all conditions, batch by batch.
pub(super) struct Rows {
    wanted: Arc<Wanted>,
    /// What is decoded batch by batch; none where the conditions have read all there is.
    rest: Option<ParquetRecordBatchReader>,
    /// Columns that the conditions have read, without the rows that are left out.
    kept: Vec<(String, ArrayRef)>,
    lookups: Vec<Option<Lookup>>,
    rows: usize,
    at: usize,
    batch_size: usize,
}

/// A piece of a row group being read.
struct Open<'a> {
    file: &'a LotFile,
    number: usize,
    rows: Range<usize>,
    group: &'a RowGroupMetaData,
    footer: ArrowReaderMetadata,
    chunks: Chunks,
}

/// Opens a row group; none if no row of it is left.
pub(super) async fn open(
    location: &Location,
    piece: &Piece,
    wanted: &Arc<Wanted>,
    batch_size: usize,
) -> Result<Option<Rows>> {
    let Piece {
        file,
        number,
        rows,
        open,
    } = piece;
    let conditions: Vec<&Condition> = open
        .iter()
        .filter_map(|at| wanted.conditions.get(*at))
        .collect();
    let Some(group) = file.footer.metadata().row_groups().get(*number) else {
        return Ok(None);
    };
    let of_conditions: BTreeSet<&str> = conditions
        .iter()
        .map(|condition| condition.column.name().as_str())
        .collect();
    let of_columns: BTreeSet<&str> = wanted
        .columns
        .iter()
        .flat_map(|column| wanted.sources(column, file, *number))
        .collect();
    let footer = coded(file, group, wanted)?;
    let chunks = fetch(location, file, group, &of_conditions).await?;
    let mut open = Open {
        file,
        number: *number,
        rows: rows.clone(),
        group,
        footer,
        chunks,
    };
    let rows = rows.len();
    let mut chosen = open.not_left_out();
    let mut kept: Vec<(String, ArrayRef)> = Vec::new();
    for condition in conditions {
        let is_kept = of_columns.contains(condition.column.name().as_str());
        let (holds, column) = open.choose(condition, is_kept)?;
        chosen = Some(match chosen {
            Some(chosen) => &chosen & &holds,
            None => holds,
        });
        kept.extend(column.map(|column| (condition.column.name().clone(), column)));
    }
    let left = chosen.as_ref().map_or(rows, BooleanBuffer::count_set_bits);
    if left == 0 {
        return Ok(None);
    }
    let chosen = chosen.filter(|_| left < rows);
    if let Some(chosen) = &chosen {
        let chosen = BooleanArray::new(chosen.clone(), None);
        for (_, column) in &mut kept {
            *column = filter(column, &chosen)?;
        }
    }
    let is_kept = |name: &str| kept.iter().any(|(known, _)| known == name);
    let rest: BTreeSet<&str> = of_columns
        .into_iter()
        .filter(|name| !is_kept(name) && file.column(name).is_some())
        .collect();
    let missing: BTreeSet<&str> = rest.difference(&of_conditions).copied().collect();
    let more = fetch(location, file, group, &missing).await?;
    open.chunks = open.chunks.and(more);
    let rest = match rest.is_empty() {
        true => None,
        false => Some(open.reader(&rest, chosen.as_ref(), batch_size)?),
    };
    let lookup = |column: &Column| match column {
        Column::Own(_) | Column::Coded(_) => None,
        Column::Ids { ids, .. } => Some(Lookup::new(Arc::clone(ids))),
    };
    Ok(Some(Rows {
        lookups: wanted.columns.iter().map(lookup).collect(),
        wanted: Arc::clone(wanted),
        rest,
        kept,
        rows: left,
        at: 0,
        batch_size,
    }))
}

/// The footer, with the columns that are to be read as codes in such a type.
fn coded(file: &LotFile, group: &RowGroupMetaData, wanted: &Wanted) -> Result<ArrowReaderMetadata> {
    let fields = file.footer.schema().fields().iter().enumerate();
    let fields = fields.map(|(root, field)| {
        let kind = match field.data_type() {
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                let leaf = file.leaves(root).next();
                let column = leaf.and_then(|leaf| group.columns().get(leaf));
                let is_coded = wanted.is_coded(field.name()) && column.is_some_and(is_dictionary);
                match is_coded {
                    true => codes(),
                    false => DataType::Utf8View,
                }
            }
            other => other.clone(),
        };
        Field::clone(field).with_data_type(kind)
    });
    let schema = Schema::new(fields.collect::<Vec<_>>());
    let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    let metadata = Arc::clone(file.footer.metadata());
    Ok(ArrowReaderMetadata::try_new(metadata, options)?)
}

/// Does a column of texts lie as codes in all of these row groups, or nowhere?
pub(super) fn lies_as_codes<'a>(mut pieces: impl Iterator<Item = &'a Piece>, name: &str) -> bool {
    pieces.all(|piece| {
        let groups = piece.file.footer.metadata().row_groups();
        let chunk = piece.file.column(name).and_then(|root| {
            let leaf = piece.file.leaves(root).next()?;
            groups.get(piece.number)?.columns().get(leaf)
        });
        chunk.is_none_or(is_dictionary)
    })
}

/// The type of texts as codes.
fn codes() -> DataType {
    DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8))
}

/// Are all pages of a column coded by its dictionary?
fn is_dictionary(column: &ColumnChunkMetaData) -> bool {
    column.dictionary_page_offset().is_some()
        && column.page_encoding_stats_mask().is_some_and(|mask| {
            mask.is_only(Encoding::RLE_DICTIONARY) || mask.is_only(Encoding::PLAIN_DICTIONARY)
        })
}

/// Reads the bytes of columns.
async fn fetch(
    location: &Location,
    file: &LotFile,
    group: &RowGroupMetaData,
    columns: &BTreeSet<&str>,
) -> Result<Chunks> {
    let roots = columns.iter().filter_map(|name| file.column(name));
    let leaves = roots.flat_map(|root| file.leaves(root));
    let ranges: Vec<Range<u64>> = leaves
        .filter_map(|leaf| group.columns().get(leaf))
        .map(|column| {
            let (start, length) = column.byte_range();
            start..start + length
        })
        .collect();
    let store = location.object_store();
    let read: Vec<Bytes> = match ranges.is_empty() {
        true => Vec::new(),
        false => store.get_ranges(&file.meta.location, &ranges).await?,
    };
    Ok(Chunks::new(file.meta.size, &ranges, read))
}

impl Open<'_> {
    /// The rows of this piece that do not repeat others; none where all count.
    fn not_left_out(&self) -> Option<BooleanBuffer> {
        let rows = self.rows.len();
        let first = self.file.first_row(self.number) + self.rows.start;
        let left_out = &self.file.left_out;
        let from = left_out.partition_point(|at| *at < first);
        let to = left_out.partition_point(|at| *at < first + rows);
        let mut left_out = left_out
            .get(from..to)?
            .iter()
            .map(|at| at - first)
            .peekable();
        left_out.peek()?;
        Some(BooleanBuffer::collect_bool(rows, |row| {
            left_out.next_if_eq(&row).is_none()
        }))
    }

    /// Where a condition holds, and the column itself if it is to be kept and is small.
    fn choose(
        &self,
        condition: &Condition,
        is_kept: bool,
    ) -> Result<(BooleanBuffer, Option<ArrayRef>)> {
        let rows = self.rows.len();
        let mut memo = Memo::default();
        let name = condition.column.name().as_str();
        if self.file.column(name).is_none() {
            let absent = new_null_array(condition.column.data_type(), 1);
            let holds = condition
                .holds(&absent, &mut memo)?
                .iter()
                .any(|holds| holds);
            let all = if holds {
                BooleanBuffer::new_set(rows)
            } else {
                BooleanBuffer::new_unset(rows)
            };
            return Ok((all, None));
        }
        let mut holds = BooleanBufferBuilder::new(rows);
        let mut parts: Vec<ArrayRef> = Vec::new();
        for batch in self.reader(&BTreeSet::from([name]), None, LOOKED_AT)? {
            let batch = batch?;
            let column = batch.column(0);
            holds.append_buffer(&condition.holds(column, &mut memo)?);
            let is_small = column.data_type().is_primitive()
                || matches!(column.data_type(), DataType::Dictionary(..));
            if is_kept && is_small {
                parts.push(match Condition::excludes_null(&memo) {
                    true => without_nulls(column),
                    false => Arc::clone(column),
                });
            }
        }
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        let column = match parts.is_empty() {
            true => None,
            false => Some(concat(&parts)?),
        };
        Ok((holds.finish(), column))
    }

    /// A reader of some columns of this piece, of the chosen rows alone if there are any.
    fn reader(
        &self,
        columns: &BTreeSet<&str>,
        chosen: Option<&BooleanBuffer>,
        batch_size: usize,
    ) -> Result<ParquetRecordBatchReader> {
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(
            self.chunks.clone(),
            self.footer.clone(),
        );
        let roots = columns.iter().filter_map(|name| self.file.column(name));
        let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
        let mut builder = builder
            .with_row_groups(vec![self.number])
            .with_projection(mask)
            .with_batch_size(batch_size);
        let all = self.group.num_rows().max(0) as usize;
        let selection = match chosen {
            None if self.rows.len() == all => None,
            None => Some(RowSelection::from_consecutive_ranges(
                std::iter::once(self.rows.clone()),
                all,
            )),
            Some(chosen) => {
                let mut of_group = BooleanBufferBuilder::new(all);
                of_group.append_n(self.rows.start, false);
                of_group.append_buffer(chosen);
                of_group.append_n(all - self.rows.end, false);
                Some(RowSelection::from_boolean_buffer(of_group.finish()))
            }
        };
        if let Some(selection) = selection {
            builder = builder.with_row_selection(selection);
        }
        Ok(builder.build()?)
    }
}

impl Rows {
    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let mut rows = self.batch_size.min(self.rows - self.at);
        let read = match &mut self.rest {
            Some(_) if rows == 0 => None,
            Some(rest) => match rest.next().transpose()? {
                Some(batch) => {
                    rows = batch.num_rows();
                    Some(batch)
                }
                None => return Ok(None),
            },
            None => None,
        };
        if rows == 0 {
            return Ok(None);
        }
        let mut source = |name: &str| {
            let kept = self.kept.iter().find(|(known, _)| known == name);
            match kept {
                Some((_, column)) => Some(column.slice(self.at, rows)),
                None => read
                    .as_ref()
                    .and_then(|read| read.column_by_name(name).cloned()),
            }
        };
        let mut columns = Vec::with_capacity(self.wanted.columns.len());
        for (column, lookup) in self.wanted.columns.iter().zip(&mut self.lookups) {
            columns.push(match (column, lookup) {
                (Column::Ids { keys, beside, .. }, Some(lookup)) => {
                    let absent = || new_null_array(&DataType::Utf8View, rows);
                    let keys = source(keys).unwrap_or_else(absent);
                    let beside = beside.as_deref().and_then(&mut source);
                    lookup.ids(&keys, beside.as_ref())?
                }
                (Column::Own(field), _) => match source(field.name()) {
                    Some(found) => as_table(&found, field.data_type())?,
                    None => new_null_array(field.data_type(), rows),
                },
                (Column::Coded(field), _) => {
                    source(field.name()).unwrap_or_else(|| new_null_array(field.data_type(), rows))
                }
                (Column::Ids { .. }, None) => new_null_array(&DataType::UInt32, rows),
            });
        }
        self.at += rows;
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.wanted.schema);
        Ok(Some(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?))
    }
}

/// A column of codes of which no row that is null is going to be left.
fn without_nulls(column: &ArrayRef) -> ArrayRef {
    let Some(coded) = column.as_dictionary_opt::<Int32Type>() else {
        return Arc::clone(column);
    };
    let codes = Int32Array::new(coded.keys().values().clone(), None);
    match DictionaryArray::try_new(codes, Arc::clone(coded.values())) {
        Ok(coded) => Arc::new(coded),
        // Where all rows are null there may be no value for a code to stand for.
        Err(_) => Arc::clone(column),
    }
}

/// A column in the type that it has in the table; a value that cannot be read as such is an error.
fn as_table(column: &ArrayRef, kind: &DataType) -> Result<ArrayRef> {
    if column.data_type() == kind {
        return Ok(Arc::clone(column));
    }
    let options = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    Ok(cast_with_options(column, kind, &options)?)
}

impl Iterator for Rows {
    type Item = Result<RecordBatch, DataFusionError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_batch().transpose()
    }
}
