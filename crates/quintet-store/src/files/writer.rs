//! Writes one file of events from batches that are in the file's order.

use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, Encoding};
use datafusion::parquet::file::metadata::SortingColumn;
use datafusion::parquet::file::properties::{EnabledStatistics, WriterProperties};
use datafusion::parquet::schema::types::ColumnPath;

use super::layout::Month;
use super::parquet::{encoded, properties, written};
use super::statistics::Statistics;
use super::{Encoded, PromotedColumns, stored};
use crate::error::{Error, Result};
use crate::log::Table;
use crate::schema;
use crate::sets::rows::{self, GroupRowsBuilder};
use crate::sets::{self, SetsBuilder};

/// Rows of a row group: the grain of pruning by statistics and of reading in parallel.
const ROW_GROUP_ROWS: usize = 524_288;
/// Rows of a page: the grain of pruning by the page index.
const PAGE_ROWS: usize = 20_000;
/// A look-up of a million new ids in a file should not find more than a few by mistake.
const BLOOM_FALSE_POSITIVES: f64 = 0.001;
/// A dictionary of a row group may become so large: sessions, persons and their ids repeat all over a file, and are noise.
const DICTIONARY_BYTES: usize = 8 << 20;

/// One file of events in the making.
pub(crate) struct EventsWriter {
    writer: ArrowWriter<Vec<u8>>,
    schema: SchemaRef,
    stored: SchemaRef,
    promoted: PromotedColumns,
    statistics: Statistics,
    sets: SetsBuilder,
    group_rows: GroupRowsBuilder,
}

impl EventsWriter {
    /// A writer of a file with columns for these promoted properties.
    pub(crate) fn new(promoted: PromotedColumns) -> Result<Self> {
        let schema = schema::events(&promoted.fit);
        let stored = stored::stored_columns(&schema, &[]);
        let options = options(&stored)?;
        Ok(Self {
            writer: ArrowWriter::try_new(Vec::new(), SchemaRef::clone(&stored), Some(options))
                .map_err(written)?,
            schema,
            stored,
            promoted,
            statistics: Statistics::default(),
            sets: SetsBuilder::default(),
            group_rows: GroupRowsBuilder::default(),
        })
    }

    /// The columns that batches must have, as readers see them.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The columns of the file.
    pub(crate) fn stored_schema(&self) -> &SchemaRef {
        &self.stored
    }

    /// Appends rows; the caller keeps the order (event, timestamp).
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let batch = stored::reduce(batch, &self.promoted.fit, &self.stored);
        self.write_stored(&batch.map_err(Error::internal)?)
    }

    /// [`Self::write`] for rows that are in the columns of the file.
    pub(crate) fn write_stored(&mut self, batch: &RecordBatch) -> Result<()> {
        self.statistics.note(batch).map_err(Error::internal)?;
        self.sets.note(batch).map_err(Error::internal)?;
        self.group_rows.note(batch).map_err(Error::internal)?;
        self.writer.write(batch).map_err(written)
    }

    /// Rows written so far.
    pub(crate) fn rows(&self) -> u64 {
        self.statistics.rows()
    }

    /// The finished file; nothing if no row was written.
    pub(crate) fn finish(mut self) -> Result<Option<Encoded>> {
        let rows = self.statistics.rows();
        let Some(mut events) = self.statistics.finish(self.promoted) else {
            return Ok(None);
        };
        self.writer.flush().map_err(written)?;
        let (sets, at) = sets::encode(&self.sets.finish(), self.writer.bytes_written() as u64);
        self.writer.write_all(&sets).map_err(Error::internal)?;
        events.sets = Some(Box::new(at));
        let (lists, at) = rows::encode(
            &self.group_rows.finish(),
            self.writer.bytes_written() as u64,
        );
        self.writer.write_all(&lists).map_err(Error::internal)?;
        events.group_rows = Some(Box::new(at));
        let month = Month::of(events.min_timestamp);
        let folder = format!("{}/{month}", Table::Events.folder());
        let bytes = self.writer.into_inner().map_err(written)?;
        Ok(Some(encoded(
            Table::Events,
            &folder,
            rows,
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
    let [uuid_high, uuid_low] = schema::UUID_PARTS;
    let options = properties()?
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_sorting_columns(Some(vec![
            sorted_by(schema::EVENT)?,
            sorted_by(schema::TIMESTAMP)?,
        ]))
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_column_bloom_filter_fpp(column(uuid_low), BLOOM_FALSE_POSITIVES)
        // The clock of a uuid comes first; what follows is noise.
        .set_column_encoding(column(uuid_high), Encoding::DELTA_BINARY_PACKED)
        .set_column_compression(column(uuid_low), Compression::UNCOMPRESSED)
        .set_column_dictionary_enabled(column(uuid_high), false)
        .set_column_dictionary_enabled(column(uuid_low), false)
        .set_column_statistics_enabled(column(uuid_high), EnabledStatistics::None)
        .set_column_statistics_enabled(column(uuid_low), EnabledStatistics::None)
        .set_column_dictionary_enabled(column(schema::PROPERTIES), false)
        .set_column_dictionary_enabled(column(schema::TIMESTAMP), false)
        .set_column_encoding(column(schema::TIMESTAMP), Encoding::DELTA_BINARY_PACKED);
    // Other texts lie in no order within a page: their bounds would prune nothing, and to find them costs a comparison per value.
    let is_text = |field: &&FieldRef| *field.data_type() == DataType::Utf8View;
    let texts = columns.fields().iter().filter(is_text);
    let unbounded = texts
        .map(|field| field.name())
        .filter(|name| *name != schema::EVENT);
    Ok(unbounded
        .fold(options, |options, name| {
            options.set_column_statistics_enabled(column(name), EnabledStatistics::None)
        })
        .build())
}
