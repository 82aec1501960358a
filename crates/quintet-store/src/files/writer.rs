//! Writes one file of events from batches that are in the file's order, and gathers what the log says of it.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::Encoding;
use datafusion::parquet::file::metadata::SortingColumn;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;

use super::Encoded;
use super::layout::{Month, partition};
use super::parquet::{encoded, properties, written};
use crate::error::{Error, Result};
use crate::log::{EventsFile, Table};
use crate::schema::{self, Promoted};

/// Rows of a row group: the grain of pruning by statistics and of reading in parallel.
const ROW_GROUP_ROWS: usize = 131_072;
/// Rows of a page: the grain of pruning by the page index.
const PAGE_ROWS: usize = 20_000;
/// A look-up of a million new ids in a file should not find more than a few by mistake.
const BLOOM_FALSE_POSITIVES: f64 = 0.001;
/// More event names than this are not counted one by one in the log.
const MAX_COUNTED_NAMES: usize = 256;

/// One file of events in the making.
pub(crate) struct EventsWriter {
    writer: ArrowWriter<Vec<u8>>,
    schema: SchemaRef,
    columns: Vec<Promoted>,
    rows: u64,
    timestamps: Option<(i64, i64)>,
    /// Rows by event name, in the order of the file, hence sorted.
    names: Vec<(String, u64)>,
    nulls: BTreeMap<String, u64>,
}

impl EventsWriter {
    /// A writer of a file with columns for these promoted properties.
    pub(crate) fn new(columns: Vec<Promoted>) -> Result<Self> {
        let schema = schema::events(&columns);
        let options = options(&schema)?;
        Ok(Self {
            writer: ArrowWriter::try_new(Vec::new(), SchemaRef::clone(&schema), Some(options))
                .map_err(written)?,
            schema,
            columns,
            rows: 0,
            timestamps: None,
            names: Vec::new(),
            nulls: BTreeMap::new(),
        })
    }

    /// The columns that batches must have.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// Appends rows; the caller keeps the order (event, timestamp).
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.note(batch)?;
        self.writer.write(batch).map_err(written)
    }

    fn note(&mut self, batch: &RecordBatch) -> Result<()> {
        let missing = || Error::internal("a batch of events has other columns");
        self.rows += batch.num_rows() as u64;
        let timestamps = batch
            .column_by_name(schema::TIMESTAMP)
            .and_then(|c| c.as_primitive_opt::<TimestampMicrosecondType>());
        for timestamp in timestamps.ok_or_else(missing)?.values() {
            let (min, max) = self.timestamps.get_or_insert((*timestamp, *timestamp));
            *min = (*min).min(*timestamp);
            *max = (*max).max(*timestamp);
        }
        let events = batch
            .column_by_name(schema::EVENT)
            .and_then(|c| c.as_string_view_opt());
        for event in events.ok_or_else(missing)?.iter().flatten() {
            match self.names.last_mut() {
                Some((name, rows)) if name == event => *rows += 1,
                _ => self.names.push((event.to_owned(), 1)),
            }
        }
        for (field, column) in batch.schema_ref().fields().iter().zip(batch.columns()) {
            if field.is_nullable() {
                *self.nulls.entry(field.name().clone()).or_default() += column.null_count() as u64;
            }
        }
        Ok(())
    }

    /// The finished file; nothing if no row was written.
    pub(crate) fn finish(self) -> Result<Option<Encoded>> {
        let (Some((min_timestamp, max_timestamp)), Some((min_event, _)), Some((max_event, _))) = (
            self.timestamps,
            self.names.first().cloned(),
            self.names.last().cloned(),
        ) else {
            return Ok(None);
        };
        let (first, last) = (Month::of(min_timestamp), Month::of(max_timestamp));
        let folder = format!("{}/{first}", Table::Events.folder());
        let events = EventsFile {
            partition: partition(first, last),
            sort: vec![schema::EVENT.into(), schema::TIMESTAMP.into()],
            min_timestamp,
            max_timestamp,
            min_event,
            max_event,
            names: (self.names.len() <= MAX_COUNTED_NAMES)
                .then(|| self.names.into_iter().collect()),
            columns: self.columns,
            nulls: self.nulls,
        };
        let bytes = self.writer.into_inner().map_err(written)?;
        Ok(Some(encoded(
            Table::Events,
            &folder,
            self.rows,
            bytes,
            Some(events),
        )))
    }
}

fn options(columns: &SchemaRef) -> Result<WriterProperties> {
    let column = |name: &str| ColumnPath::new(vec![name.to_owned()]);
    let sorted_by = |name: &str| -> Result<SortingColumn> {
        let column_idx = i32::try_from(columns.index_of(name).map_err(Error::internal)?)
            .map_err(Error::internal)?;
        Ok(SortingColumn {
            column_idx,
            descending: schema::FILE_ORDER.descending,
            nulls_first: schema::FILE_ORDER.nulls_first,
        })
    };
    Ok(properties()?
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_sorting_columns(Some(vec![
            sorted_by(schema::EVENT)?,
            sorted_by(schema::TIMESTAMP)?,
        ]))
        .set_column_bloom_filter_fpp(column(schema::UUID), BLOOM_FALSE_POSITIVES)
        .set_column_dictionary_enabled(column(schema::UUID), false)
        .set_column_statistics_enabled(column(schema::UUID), EnabledStatistics::None)
        .set_column_dictionary_enabled(column(schema::PROPERTIES), false)
        .set_column_statistics_enabled(column(schema::PROPERTIES), EnabledStatistics::None)
        .set_column_dictionary_enabled(column(schema::TIMESTAMP), false)
        .set_column_encoding(column(schema::TIMESTAMP), Encoding::DELTA_BINARY_PACKED)
        .build())
}
