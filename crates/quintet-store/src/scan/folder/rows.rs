//! Some columns of some rows of a file, read without a plan: what is looked at when a folder is opened.

use std::ops::Range;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};

use super::find::File;
use crate::error::{Error, Result};
use crate::ingest::{ParquetData, Source};

/// Rows of a batch.
const ROWS: usize = 8192;

/// Which rows are read.
pub(super) enum Wanted<'a> {
    All,
    /// At these positions in the file, ascending.
    At(&'a [usize]),
    /// The first ones of each row group.
    FirstOfGroups(usize),
}

/// Reads some columns of some rows batch by batch; `take` gets the position of a batch's first row where all rows are read.
pub(super) fn read(
    file: &File,
    source: &Source,
    columns: &[&str],
    wanted: &Wanted<'_>,
    mut take: impl FnMut(usize, &RecordBatch) -> Result<()>,
) -> Result<()> {
    let groups: Vec<Option<usize>> = match wanted {
        Wanted::All => vec![None],
        Wanted::At([]) => Vec::new(),
        Wanted::At(_) => vec![None],
        Wanted::FirstOfGroups(_) => {
            let groups = 0..file.footer.metadata().num_row_groups();
            groups.map(Some).collect()
        }
    };
    let mut position = 0;
    for group in groups {
        let mut builder = builder(file, source, columns)?;
        if let Some(group) = group {
            builder = builder.with_row_groups(vec![group]);
        }
        builder = match wanted {
            Wanted::All => builder,
            Wanted::At(positions) => builder.with_row_selection(selection(file, positions)),
            Wanted::FirstOfGroups(rows) => builder.with_limit(*rows).with_batch_size(*rows),
        };
        let batches = builder
            .build()
            .map_err(|e| Error::parquet(&file.shown, &e))?;
        for batch in batches {
            let batch = batch.map_err(|e| Error::corrupt(&file.shown, e))?;
            take(position, &batch)?;
            position += batch.num_rows();
        }
    }
    Ok(())
}

fn builder(
    file: &File,
    source: &Source,
    columns: &[&str],
) -> Result<ParquetRecordBatchReaderBuilder<ParquetData>> {
    let data = ParquetData::open(source)?;
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(data, file.footer.clone());
    let fields = builder.schema().fields().iter().enumerate();
    let kept = fields.filter(|(_, field)| columns.contains(&field.name().as_str()));
    let mask = ProjectionMask::roots(builder.parquet_schema(), kept.map(|(index, _)| index));
    Ok(builder.with_projection(mask).with_batch_size(ROWS))
}

fn selection(file: &File, positions: &[usize]) -> RowSelection {
    let ranges = positions.iter().map(|at| *at..*at + 1);
    RowSelection::from_consecutive_ranges(ranges, file.rows)
}

/// All rows of a file but those at these positions, ascending.
pub(super) fn all_but(file: &File, positions: &[usize]) -> RowSelection {
    let mut kept: Vec<Range<usize>> = Vec::with_capacity(positions.len() + 1);
    let mut start = 0;
    for at in positions {
        kept.push(start..*at);
        start = at + 1;
    }
    kept.push(start..file.rows);
    let kept = kept.into_iter().filter(|range| !range.is_empty());
    RowSelection::from_consecutive_ranges(kept, file.rows)
}
