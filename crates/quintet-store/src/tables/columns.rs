//! Typed access to the columns of a batch that was read from a file of ours.

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray, PrimitiveArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{ArrowPrimitiveType, DataType};
use datafusion::arrow::record_batch::RecordBatch;

/// Why a file is not what it should be.
pub(super) type Reason = String;

fn column(batch: &RecordBatch, name: &str, wanted: &DataType) -> Result<ArrayRef, Reason> {
    let column = batch
        .column_by_name(name)
        .ok_or_else(|| format!("it has no column {name}"))?;
    cast(column, wanted).map_err(|e| format!("column {name}: {e}"))
}

pub(super) fn texts(batch: &RecordBatch, name: &str) -> Result<StringArray, Reason> {
    let column = column(batch, name, &DataType::Utf8)?;
    column
        .as_any()
        .downcast_ref()
        .cloned()
        .ok_or_else(|| format!("column {name} is no text"))
}

pub(super) fn bools(batch: &RecordBatch, name: &str) -> Result<BooleanArray, Reason> {
    let column = column(batch, name, &DataType::Boolean)?;
    column
        .as_any()
        .downcast_ref()
        .cloned()
        .ok_or_else(|| format!("column {name} is no boolean"))
}

pub(super) fn numbers<T: ArrowPrimitiveType>(
    batch: &RecordBatch,
    name: &str,
    wanted: &DataType,
) -> Result<PrimitiveArray<T>, Reason> {
    let column = column(batch, name, wanted)?;
    column
        .as_any()
        .downcast_ref()
        .cloned()
        .ok_or_else(|| format!("column {name} is no number"))
}
