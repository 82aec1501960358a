//! Writes a file of events again without some of its rows.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::compute::cast;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};

use super::parquet::read_checked;
use super::{Encoded, EventsWriter};
use crate::error::{Error, Result};
use crate::location::Location;
use crate::log::Add;

/// The file without the rows at these positions; nothing if none remains.
pub(crate) async fn rewrite(
    location: &Location,
    file: &Add,
    dropped: &[usize],
) -> Result<Option<Encoded>> {
    let shown = location.show(&file.path);
    let events = file
        .events
        .as_ref()
        .ok_or_else(|| Error::corrupt(&shown, "the log has no statistics of it"))?;
    let bytes = read_checked(location, file).await?;
    let builder =
        ParquetRecordBatchReaderBuilder::try_new(bytes).map_err(|e| Error::parquet(&shown, &e))?;
    let kept = RowSelection::from_consecutive_ranges(
        gaps(
            dropped,
            usize::try_from(file.rows).map_err(Error::internal)?,
        ),
        usize::try_from(file.rows).map_err(Error::internal)?,
    );
    let reader = builder
        .with_row_selection(kept)
        .build()
        .map_err(|e| Error::parquet(&shown, &e))?;
    let mut writer = EventsWriter::new(events.columns.clone())?;
    for batch in reader {
        let batch = batch.map_err(|e| Error::corrupt(&shown, e))?;
        let columns: Vec<ArrayRef> = writer
            .schema()
            .fields()
            .iter()
            .map(|field| {
                let column = batch.column_by_name(field.name()).ok_or_else(|| {
                    Error::corrupt(&shown, format!("it has no column {}", field.name()))
                })?;
                cast(column, field.data_type()).map_err(|e| Error::corrupt(&shown, e))
            })
            .collect::<Result<_>>()?;
        let batch =
            RecordBatch::try_new(Arc::clone(writer.schema()), columns).map_err(Error::internal)?;
        writer.write(&batch)?;
    }
    writer.finish()
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
