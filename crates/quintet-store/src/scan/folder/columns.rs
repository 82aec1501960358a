//! The columns of many files as those of one table: which are ours, of which type, and which are properties.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::find::File;
use crate::error::{Error, Result};
use crate::ingest::{self, Columns};
use crate::schema::{self, Promoted, PropertyType};

/// A property that has a column of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyColumn {
    /// Name of the column.
    pub column: String,
    /// The property and its type; the column may have to be cast to it.
    pub property: Promoted,
    /// `properties` may have it too, and wins there.
    pub is_beside: bool,
}

/// The table that files make together.
#[derive(Debug)]
pub(super) struct Table {
    /// Columns under their names in the files, ours in our types.
    pub(super) schema: SchemaRef,
    /// Columns with other names than here, and their names here.
    pub(super) renamed: Vec<(String, String)>,
    pub(super) properties: Vec<PropertyColumn>,
    /// Our names of the columns that at least one file has.
    pub(super) present: Vec<String>,
}

impl Table {
    /// The files have been [checked](check).
    pub(super) fn of(files: &[&File], columns: &Columns) -> Self {
        let (schema, present) = unify(files, columns);
        let renamed = columns.iter().filter(|(ours, theirs)| ours != theirs);
        let renamed = renamed.filter(|(_, theirs)| schema.index_of(theirs).is_ok());
        let renamed = renamed.map(|(ours, theirs)| (theirs.to_owned(), ours.to_owned()));
        Self {
            renamed: renamed.collect(),
            properties: properties(&schema, files, columns),
            present,
            schema,
        }
    }
}

/// The required columns are there, and ours are of types that can be read as ours.
pub(super) fn check(file: &File, columns: &Columns) -> Result<()> {
    for ours in schema::REQUIRED {
        let theirs = columns.theirs(ours);
        if !file.has(theirs) {
            return Err(ingest::missing(&file.shown, ours, theirs, file.schema()));
        }
    }
    for ours in schema::events([]).fields() {
        let name = columns.theirs(ours.name());
        let Ok(theirs) = file.schema().field_with_name(name) else {
            continue;
        };
        let is_number_as_time = ours.name() == schema::TIMESTAMP && theirs.data_type().is_numeric();
        if is_number_as_time || !can_cast_types(theirs.data_type(), ours.data_type()) {
            return Err(wrong_type(&file.shown, ours, theirs));
        }
    }
    Ok(())
}

fn wrong_type(file: &str, ours: &Field, theirs: &Field) -> Error {
    let reason = format!(
        "column `{}` is {}, which cannot be read as {}; say which column is meant with `--column {}=NAME`",
        theirs.name(),
        theirs.data_type(),
        ours.data_type(),
        ours.name()
    );
    Error::invalid(file, reason)
}

/// Our columns in our types, then the others on whose type all files agree; and our names of those that are present.
fn unify(files: &[&File], columns: &Columns) -> (SchemaRef, Vec<String>) {
    let fixed = schema::events([]);
    let mut others: Vec<(String, Option<DataType>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut present: Vec<String> = Vec::new();
    for field in files.iter().flat_map(|file| file.schema().fields()) {
        let ours = columns.ours(field.name());
        // Another column was said to be ours.
        if columns.theirs(ours) != field.name() {
            continue;
        }
        if !present.iter().any(|known| known == ours) {
            present.push(ours.to_owned());
        }
        if fixed.index_of(ours).is_ok() {
            continue;
        }
        let kind = as_read(field.data_type());
        match places.get(field.name()) {
            Some(place) if others[*place].1.as_ref() != Some(&kind) => others[*place].1 = None,
            Some(_) => {}
            None => {
                places.insert(field.name().clone(), others.len());
                others.push((field.name().clone(), Some(kind)));
            }
        }
    }
    let ours = fixed.fields().iter().map(|field| {
        let name = columns.theirs(field.name());
        Field::new(name, field.data_type().clone(), true)
    });
    let theirs = others
        .into_iter()
        .filter_map(|(name, kind)| Some(Field::new(name, kind?, true)));
    (
        Arc::new(Schema::new(ours.chain(theirs).collect::<Vec<_>>())),
        present,
    )
}

/// DataFusion reads text as views, whatever was written, and groups by dictionaries slowly.
fn as_read(kind: &DataType) -> DataType {
    match kind {
        DataType::Utf8 | DataType::LargeUtf8 => DataType::Utf8View,
        DataType::Binary | DataType::LargeBinary => DataType::BinaryView,
        DataType::Dictionary(_, values) => as_read(values),
        other => other.clone(),
    }
}

fn properties(schema: &Schema, files: &[&File], columns: &Columns) -> Vec<PropertyColumn> {
    let has_json = files
        .iter()
        .any(|file| file.has(columns.theirs(schema::PROPERTIES)));
    let ours = schema::events([]);
    let of_field = |field: &Arc<Field>| {
        let column = columns.ours(field.name());
        if ours.index_of(column).is_ok() {
            return None;
        }
        // Promoted by us, so that the JSON of every such file has the same.
        let promoted = column.strip_prefix("p.").filter(|_| has_json);
        let name = match promoted {
            Some(name) => name,
            None => ingest::property(column, has_json)?,
        };
        let everywhere = files.iter().all(|file| file.has(field.name()));
        if promoted.is_some() && !everywhere {
            return None;
        }
        Some(PropertyColumn {
            column: column.to_owned(),
            property: Promoted {
                name: name.to_owned(),
                kind: kind(field.data_type())?,
            },
            is_beside: has_json && promoted.is_none(),
        })
    };
    schema.fields().iter().filter_map(of_field).collect()
}

/// What the values of a column are as a property. Long integers are text, for a float would lose their last digits.
fn kind(column: &DataType) -> Option<PropertyType> {
    match column {
        DataType::Boolean => Some(PropertyType::Bool),
        DataType::Int64 | DataType::UInt64 => Some(PropertyType::Text),
        number if number.is_numeric() => Some(PropertyType::Number),
        other => can_cast_types(other, &DataType::Utf8View).then_some(PropertyType::Text),
    }
}
