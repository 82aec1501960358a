//! Arrow rows as JSON objects, the way results show them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::arrow::json::ArrayWriter;
use datafusion::arrow::json::writer::JsonArray;
use datafusion::arrow::json::writer::WriterBuilder;
use datafusion::common::exec_datafusion_err;
use datafusion::error::DataFusionError;
use serde_json::{Map, Value};

use crate::Result;

/// Every row as an object; absent values are null, times RFC 3339 in UTC with as many decimals as they need.
pub(crate) fn objects(batches: &[RecordBatch]) -> Result<Vec<Map<String, Value>>> {
    let mut rows = Vec::new();
    for batch in batches {
        rows.extend(batch_objects(batch)?);
    }
    Ok(rows)
}

fn batch_objects(batch: &RecordBatch) -> Result<Vec<Map<String, Value>>> {
    let mut rows = vec![Map::new(); batch.num_rows()];
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        for (row, value) in rows.iter_mut().zip(values(column)?) {
            row.insert(field.name().clone(), value);
        }
    }
    Ok(rows)
}

fn values(column: &ArrayRef) -> Result<Vec<Value>> {
    let column = match column.data_type() {
        DataType::Timestamp(..) => return times(column),
        DataType::Dictionary(_, value) => &cast(column, value).map_err(DataFusionError::from)?,
        _ => column,
    };
    match column.data_type() {
        DataType::Utf8View => Ok(column.as_string_view().iter().map(Value::from).collect()),
        _ => other_values(column),
    }
}

fn times(column: &ArrayRef) -> Result<Vec<Value>> {
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let column = cast(column, &utc).map_err(DataFusionError::from)?;
    let times = column.as_primitive::<TimestampMicrosecondType>();
    Ok(times
        .iter()
        .map(|micros| micros.map_or(Value::Null, |micros| Value::from(rfc3339(micros))))
        .collect())
}

/// A time in microseconds as text, to the second unless it has a fraction.
pub(crate) fn rfc3339(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros).map_or_else(
        || micros.to_string(),
        |at| at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true),
    )
}

/// Whatever type is left is written by arrow's JSON writer.
fn other_values(column: &ArrayRef) -> Result<Vec<Value>> {
    let batch = RecordBatch::try_from_iter_with_nullable([("v", Arc::clone(column), true)])
        .map_err(DataFusionError::from)?;
    let mut writer: ArrayWriter<Vec<u8>> = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, JsonArray>(Vec::new());
    writer
        .write(&batch)
        .and_then(|()| writer.finish())
        .map_err(DataFusionError::from)?;
    let written = writer.into_inner();
    if column.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Map<String, Value>> = serde_json::from_slice(&written)
        .map_err(|e| exec_datafusion_err!("a result cannot be written as JSON: {e}"))?;
    Ok(rows
        .into_iter()
        .map(|mut row| row.remove("v").unwrap_or(Value::Null))
        .collect())
}
