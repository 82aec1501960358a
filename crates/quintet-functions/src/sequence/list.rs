//! Several outcomes of an actor: a list of structs.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, ListArray, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::error::Result;

/// The type of a column of outcomes.
pub(crate) fn list_of(fields: Fields) -> DataType {
    DataType::List(item(fields))
}

/// A column of outcomes: `lengths` says how many of them each actor has.
pub(crate) fn list(
    fields: Fields,
    columns: Vec<ArrayRef>,
    lengths: Vec<usize>,
) -> Result<ArrayRef> {
    let structs = StructArray::try_new(fields.clone(), columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(
        item(fields),
        offsets,
        Arc::new(structs),
        None,
    )?))
}

fn item(fields: Fields) -> FieldRef {
    Arc::new(Field::new_list_field(DataType::Struct(fields), false))
}
