//! A plain folder of Parquet with our columns, read as it lies: no store, no log, no copies.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::compute::can_cast_types;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;

use super::{EventsTable, ScanFile, ScanOptions};
use crate::error::{Error, Result, classify};
use crate::files::reader::ParquetFile;
use crate::location::Location;
use crate::schema::{self, Promoted, PropertyType};

/// Footers read at a time.
const READ_AHEAD: usize = 16;

/// All `*.parquet` files below a place, as one table of events pinned when it was opened.
///
/// Columns are found by name: `event`, `distinct_id` and `timestamp` must be there; any other of ours
/// may be absent (and reads as null); unknown ones are kept if all files agree on their type. Columns named `p.<name>` are
/// properties; where no file has a column `properties`, every column that is none of ours is one.
/// Text of any kind is read as `Utf8View`, timestamps of any unit as microseconds UTC.
#[derive(Debug)]
pub struct Folder {
    location: Location,
    schema: SchemaRef,
    files: Vec<ScanFile>,
    properties: Vec<PropertyColumn>,
    present: Vec<String>,
}

/// A property that has a column of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PropertyColumn {
    /// Name of the column.
    pub column: String,
    /// The property and its type.
    pub property: Promoted,
}

struct Footer {
    shown: String,
    meta: ObjectMeta,
    schema: SchemaRef,
    rows: usize,
}

impl Folder {
    /// Reads the footers of all Parquet files below `location` (or of the one file that it names).
    ///
    /// # Errors
    /// [`Error::NotFound`] without any such file, [`Error::Invalid`] naming the file and the column where one of the
    /// required columns is missing or of an impossible type, [`Error::Corrupt`] naming a damaged file.
    pub async fn open(location: Location) -> Result<Self> {
        let files = parquet_files(&location).await?;
        let footers: Vec<Footer> = stream::iter(files)
            .map(|meta| footer(&location, meta))
            .buffered(READ_AHEAD)
            .try_collect()
            .await?;
        for footer in &footers {
            check(footer)?;
        }
        let (schema, present) = unify(&footers);
        let properties = properties(&schema, &footers);
        let files = footers
            .into_iter()
            .map(|footer| ScanFile {
                meta: footer.meta,
                statistics: Arc::new(Statistics {
                    num_rows: Precision::Exact(footer.rows),
                    ..Statistics::new_unknown(&schema)
                }),
            })
            .collect();
        Ok(Self {
            location,
            schema,
            files,
            properties,
            present,
        })
    }

    /// The events of all files; rows lie in no known order.
    pub fn events(&self) -> Arc<dyn TableProvider> {
        self.events_with(ScanOptions::default())
    }

    /// [`Folder::events`], read in another way.
    pub fn events_with(&self, options: ScanOptions) -> Arc<dyn TableProvider> {
        let url = self.location.object_store_url().clone();
        Arc::new(EventsTable::new(
            Arc::clone(&self.schema),
            url,
            self.files.clone(),
            false,
            options,
        ))
    }

    /// Names of the columns that at least one file has; those of ours that are missing here read as null.
    pub fn columns(&self) -> &[String] {
        &self.present
    }

    /// Properties that have a typed column of their own in every file.
    pub fn properties(&self) -> &[PropertyColumn] {
        &self.properties
    }

    /// Number of rows in all files.
    pub fn rows(&self) -> u64 {
        self.files
            .iter()
            .filter_map(|file| file.statistics.num_rows.get_value())
            .map(|rows| *rows as u64)
            .sum()
    }

    /// What made a plan over this folder fail; if the error smells of damage, all files are read to the end,
    /// and the first one that cannot be is named.
    pub async fn diagnose(&self, error: &DataFusionError) -> Error {
        let damage = classify(error);
        if matches!(damage, Error::Corrupt { .. } | Error::Io { .. }) {
            for file in &self.files {
                if let Err(e) = read_to_the_end(&self.location, &file.meta).await {
                    let shown = self
                        .location
                        .relative(&file.meta.location)
                        .unwrap_or_default();
                    return Error::parquet(&self.location.show(&shown), &e);
                }
            }
        }
        damage
    }

    /// The place that was opened.
    pub fn location(&self) -> &Location {
        &self.location
    }
}

async fn parquet_files(location: &Location) -> Result<Vec<ObjectMeta>> {
    let shown = location.show("");
    let is_parquet = |name: &str| {
        let hidden = name.split('/').any(|part| part.starts_with(['.', '_']));
        !hidden && name.to_ascii_lowercase().ends_with(".parquet")
    };
    if shown.to_ascii_lowercase().ends_with(".parquet")
        && let Ok(meta) = location.head("").await
    {
        return Ok(vec![meta]);
    }
    let mut files = location.list("").await?;
    files.retain(|meta| {
        location
            .relative(&meta.location)
            .is_some_and(|name| is_parquet(&name))
    });
    if files.is_empty() {
        return Err(Error::NotFound(format!(
            "there is neither a store nor a Parquet file at {shown}: make a store with `quintet init {shown}` or name another folder"
        )));
    }
    Ok(files)
}

async fn footer(location: &Location, meta: ObjectMeta) -> Result<Footer> {
    let shown = location.show(&location.relative(&meta.location).unwrap_or_default());
    let opened = ParquetFile::open(location.object_store(), meta.location.clone(), meta.size).await;
    let opened = opened.map_err(|e| Error::parquet(&shown, &e))?;
    let rows = opened.footer().metadata().file_metadata().num_rows();
    let rows = usize::try_from(rows).map_err(|e| Error::corrupt(&shown, e))?;
    Ok(Footer {
        shown,
        meta,
        schema: Arc::clone(opened.footer().schema()),
        rows,
    })
}

async fn read_to_the_end(location: &Location, meta: &ObjectMeta) -> Result<(), ParquetError> {
    let file = ParquetFile::open(location.object_store(), meta.location.clone(), meta.size).await?;
    let batches = file.read().build()?;
    batches.try_for_each(|_| async { Ok(()) }).await
}

/// The required columns are there, and ours are of types that can be read as ours.
fn check(footer: &Footer) -> Result<()> {
    for name in schema::REQUIRED {
        if footer.schema.index_of(name).is_err() {
            let reason = format!(
                "it has no column `{name}`; an events file needs event, distinct_id and timestamp"
            );
            return Err(Error::invalid(&footer.shown, reason));
        }
    }
    for ours in schema::events([]).fields() {
        if let Ok(theirs) = footer.schema.field_with_name(ours.name())
            && !can_cast_types(theirs.data_type(), ours.data_type())
        {
            let reason = format!(
                "column `{}` is {}, which cannot be read as {}",
                ours.name(),
                theirs.data_type(),
                ours.data_type()
            );
            return Err(Error::invalid(&footer.shown, reason));
        }
    }
    Ok(())
}

/// Our columns in our types, then the others on whose type all files agree; and the names that are present.
fn unify(footers: &[Footer]) -> (SchemaRef, Vec<String>) {
    let fixed = schema::events([]);
    let mut others: Vec<(String, Option<DataType>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut present: Vec<String> = Vec::new();
    for field in footers.iter().flat_map(|footer| footer.schema.fields()) {
        if !present.contains(field.name()) {
            present.push(field.name().clone());
        }
        if fixed.index_of(field.name()).is_ok() {
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
    let ours = fixed
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), field.data_type().clone(), true));
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

fn properties(schema: &Schema, footers: &[Footer]) -> Vec<PropertyColumn> {
    let kinds = [PropertyType::Text, PropertyType::Number, PropertyType::Bool];
    let everywhere = |column: &str| {
        footers
            .iter()
            .all(|footer| footer.schema.index_of(column).is_ok())
    };
    let ours = schema::events([]);
    let has_json = footers
        .iter()
        .any(|footer| footer.schema.index_of(schema::PROPERTIES).is_ok());
    let name = |column: &str| match column.strip_prefix("p.") {
        Some(name) => Some(name.to_owned()),
        None if has_json || ours.index_of(column).is_ok() => None,
        None => Some(column.to_owned()),
    };
    let fields = schema.fields().iter().filter_map(|field| {
        let name = name(field.name())?;
        let kind = kinds
            .into_iter()
            .find(|kind| kind.data_type() == *field.data_type())?;
        everywhere(field.name()).then(|| PropertyColumn {
            column: field.name().clone(),
            property: Promoted { name, kind },
        })
    });
    fields.collect()
}

#[cfg(test)]
mod tests;
