//! Writes a file of events again: without some of its rows, or with some of its values changed.

use bytes::Bytes;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::{
    ArrowReaderBuilder, ParquetRecordBatchReaderBuilder, RowSelection, SyncReader,
};

use super::batch::in_columns;
use super::parquet::read_checked;
use super::{Encoded, EventsWriter, PromotedColumns, stored};
use crate::error::{Error, Result};
use crate::location::Location;
use crate::log::{Add, EventsFile};

/// The file without the rows at these positions; nothing if none remains.
pub(crate) async fn rewrite(
    location: &Location,
    file: &Add,
    dropped: &[usize],
) -> Result<Option<Encoded>> {
    let rows = usize::try_from(file.rows).map_err(Error::internal)?;
    let kept = RowSelection::from_consecutive_ranges(gaps(dropped, rows), rows);
    copy(location, file, |reader| reader.with_row_selection(kept), Ok).await
}

/// The file with every batch as `change` makes it: the same rows in the same order, in the same columns.
pub(crate) async fn edit(
    location: &Location,
    file: &Add,
    change: impl FnMut(RecordBatch) -> Result<RecordBatch>,
) -> Result<Option<Encoded>> {
    copy(location, file, |reader| reader, change).await
}

async fn copy(
    location: &Location,
    file: &Add,
    select: impl FnOnce(ArrowReaderBuilder<SyncReader<Bytes>>) -> ArrowReaderBuilder<SyncReader<Bytes>>,
    mut change: impl FnMut(RecordBatch) -> Result<RecordBatch>,
) -> Result<Option<Encoded>> {
    let shown = location.show(&file.path);
    let events = statistics_of(location, file)?;
    let bytes = read_checked(location, file).await?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| Error::parquet(&shown, &e))?;
    let reader = select(builder)
        .build()
        .map_err(|e| Error::parquet(&shown, &e))?;
    let mut writer = EventsWriter::new(PromotedColumns::of(events))?;
    for batch in reader {
        let batch = batch.map_err(|e| Error::corrupt(&shown, e))?;
        let batch = stored::restore(&batch, &events.columns)
            .and_then(|batch| in_columns(&batch, writer.schema()))
            .map_err(|reason| Error::corrupt(&shown, reason))?;
        writer.write(&change(batch)?)?;
    }
    writer.finish()
}

/// What the log says of a file of events.
pub(crate) fn statistics_of<'a>(location: &Location, file: &'a Add) -> Result<&'a EventsFile> {
    let missing = || Error::corrupt(location.show(&file.path), "the log has no statistics of it");
    file.events.as_ref().ok_or_else(missing)
}

/// The ranges of rows between the dropped ones.
fn gaps(dropped: &[usize], rows: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let mut dropped = dropped.to_vec();
    dropped.sort_unstable();
    dropped.dedup();
    let starts = std::iter::once(0).chain(dropped.clone().into_iter().map(|at| at + 1));
    let ends = dropped.into_iter().chain([rows]);
    starts
        .zip(ends)
        .filter(|(start, end)| start < end)
        .map(|(start, end)| start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_are_the_gaps_between_dropped_rows() {
        assert_eq!(gaps(&[5, 0, 2, 2], 6).collect::<Vec<_>>(), [1..2, 3..5]);
        assert_eq!(
            gaps(&[], 3).collect::<Vec<_>>(),
            std::iter::once(0..3).collect::<Vec<_>>()
        );
        assert!(gaps(&[0], 1).next().is_none());
    }
}
