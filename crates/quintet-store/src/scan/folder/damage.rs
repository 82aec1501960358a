//! Looking again, once a question has failed: which file, and which value, cannot be read.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::ProjectionMask;
use datafusion::parquet::errors::ParquetError;
use futures::TryStreamExt;
use object_store::ObjectMeta;

use crate::files::reader::ParquetFile;
use crate::location::Location;
use crate::schema;

/// Reads all of a file.
pub(super) async fn read_to_the_end(
    location: &Location,
    meta: &ObjectMeta,
) -> Result<(), ParquetError> {
    let file = ParquetFile::open(location.object_store(), meta.location.clone(), meta.size).await?;
    let batches = file.read().build()?;
    batches.try_for_each(|_| async { Ok(()) }).await
}

/// The first text in a column of times that is none.
pub(super) async fn unreadable_time(
    location: &Location,
    meta: &ObjectMeta,
    column: &str,
) -> Result<Option<String>, ParquetError> {
    let file = ParquetFile::open(location.object_store(), meta.location.clone(), meta.size).await?;
    let builder = file.read();
    let mask = ProjectionMask::columns(builder.parquet_schema(), [column]);
    let mut batches = builder.with_projection(mask).build()?;
    while let Some(batch) = batches.try_next().await? {
        let texts = cast(batch.column(0), &DataType::Utf8)?;
        let times = cast(&texts, &schema::timestamp_type())?;
        let texts = texts.as_string::<i32>();
        let unreadable = (0..texts.len()).find(|row| texts.is_valid(*row) && times.is_null(*row));
        if let Some(row) = unreadable {
            return Ok(Some(texts.value(row).to_owned()));
        }
    }
    Ok(None)
}
