//! Batches of events: their columns by name and type, or why they are none of ours.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, StringViewArray, TimestampMicrosecondArray, UInt32Array,
};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    Field, FieldRef, Schema, SchemaRef, TimestampMicrosecondType, UInt32Type,
};
use datafusion::arrow::record_batch::RecordBatch;

use crate::schema;

pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringViewArray, String> {
    let column = batch.column_by_name(name);
    let column = column.and_then(|column| column.as_string_view_opt());
    column.ok_or_else(|| format!("it has no column {name} of texts"))
}

pub(crate) fn refs<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a UInt32Array, String> {
    let column = batch.column_by_name(name);
    let column = column.and_then(|column| column.as_primitive_opt::<UInt32Type>());
    column.ok_or_else(|| format!("it has no column {name} of refs"))
}

pub(crate) fn timestamps(batch: &RecordBatch) -> Result<&TimestampMicrosecondArray, String> {
    let column = batch.column_by_name(schema::TIMESTAMP);
    let column = column.and_then(|column| column.as_primitive_opt::<TimestampMicrosecondType>());
    column.ok_or_else(|| "it has no column of timestamps".to_owned())
}

/// A batch of a file in the types of the table.
pub(crate) fn in_columns(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, String> {
    let column = |name: &String| {
        let column = batch.column_by_name(name);
        column.ok_or_else(|| format!("it has no column {name}"))
    };
    let columns: Vec<ArrayRef> = schema
        .fields()
        .iter()
        .map(|field| cast(column(field.name())?, field.data_type()).map_err(|e| e.to_string()))
        .collect::<Result<_, String>>()?;
    RecordBatch::try_new(Arc::clone(schema), columns).map_err(|e| e.to_string())
}

/// A batch with these columns in place of those of the same names, or after all others.
pub(crate) fn with_columns(
    batch: &RecordBatch,
    columns: impl IntoIterator<Item = (impl Into<String>, ArrayRef)>,
) -> Result<RecordBatch, String> {
    let mut fields: Vec<FieldRef> = batch.schema_ref().fields().to_vec();
    let mut arrays = batch.columns().to_vec();
    for (name, array) in columns {
        let name = name.into();
        match fields.iter().position(|field| *field.name() == name) {
            Some(at) => arrays[at] = array,
            None => {
                fields.push(Arc::new(Field::new(name, array.data_type().clone(), true)));
                arrays.push(array);
            }
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map_err(|e| e.to_string())
}
