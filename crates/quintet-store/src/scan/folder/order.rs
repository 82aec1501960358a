//! Rows that tell something, among them the first rows of those whom they name, in the order of the file.

use std::sync::Arc;

use datafusion::arrow::array::new_null_array;
use datafusion::arrow::compute::{concat_batches, interleave_record_batch};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

use super::rows::{self, Wanted};
use super::survey::{Overview, Surveyed};
use crate::error::{Error, Result};
use crate::ingest::{self, Columns};
use crate::schema;

/// The rows that tell something, and those at the positions `first`, of which only who and when is read.
pub(super) fn in_order(
    surveyed: &Surveyed,
    overview: &Overview,
    first: &[usize],
    columns: &Columns,
) -> Result<Vec<RecordBatch>> {
    if first.is_empty() {
        return Ok(overview.rows.clone());
    }
    let file = &surveyed.file;
    let receipt = ingest::receipt(file.schema(), columns);
    let names = schema::REQUIRED.into_iter().chain([schema::PERSON_ID]);
    let names: Vec<&str> = names
        .chain(receipt)
        .map(|ours| columns.theirs(ours))
        .collect();
    let mut others = Vec::new();
    rows::read(
        file,
        &surveyed.source,
        &names,
        &Wanted::At(first),
        |_, rows| {
            others.push(rows.clone());
            Ok(())
        },
    )?;
    let Some(telling) = overview.rows.first() else {
        return Ok(others);
    };
    let merged = merge(
        &overview.rows,
        &overview.telling,
        &others,
        first,
        nullable(telling),
    );
    Ok(vec![merged.map_err(Error::internal)?])
}

fn nullable(rows: &RecordBatch) -> SchemaRef {
    let schema = rows.schema();
    let fields = schema.fields().iter();
    let fields = fields.map(|field| Field::clone(field).with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// Two lists of rows by their positions; columns that the second one lacks are null there.
fn merge(
    rows: &[RecordBatch],
    at: &[usize],
    others: &[RecordBatch],
    others_at: &[usize],
    schema: SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let complete = |rows: &RecordBatch| {
        let columns = schema.fields().iter().map(|field| {
            let column = rows.column_by_name(field.name()).cloned();
            column.unwrap_or_else(|| new_null_array(field.data_type(), rows.num_rows()))
        });
        RecordBatch::try_new(Arc::clone(&schema), columns.collect())
    };
    let whole = |rows: &[RecordBatch]| {
        let rows: Vec<RecordBatch> = rows.iter().map(complete).collect::<Result<_, _>>()?;
        concat_batches(&schema, &rows)
    };
    let numbered = |of: usize, at: &[usize]| -> Vec<(usize, (usize, usize))> {
        let numbers = at.iter().enumerate();
        numbers
            .map(|(row, position)| (*position, (of, row)))
            .collect()
    };
    let mut order = [numbered(0, at), numbered(1, others_at)].concat();
    order.sort_unstable();
    let order: Vec<(usize, usize)> = order.into_iter().map(|(_, place)| place).collect();
    interleave_record_batch(&[&whole(rows)?, &whole(others)?], &order)
}
