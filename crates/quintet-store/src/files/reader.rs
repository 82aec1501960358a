//! One Parquet file of an object store, opened to read parts of it.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::arrow::{ParquetRecordBatchStreamBuilder, ProjectionMask};
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataReader,
};
use futures::future::{BoxFuture, FutureExt};
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use crate::error::Error;
use crate::location::Location;
use crate::log::Add;

/// Some columns of a live file, batch by batch.
pub(crate) async fn columns<'a>(
    location: &Location,
    file: &Add,
    names: impl IntoIterator<Item = &'a str>,
) -> crate::error::Result<BoxStream<'static, crate::error::Result<RecordBatch>>> {
    let shown = location.show(&file.path);
    let opened = ParquetFile::open(location.object_store(), location.key(&file.path), file.size);
    let opened = opened.await.map_err(|e| Error::parquet(&shown, &e))?;
    let builder = opened.read();
    let names: Vec<&str> = names.into_iter().collect();
    let mask = mask(&builder, &names);
    let batches = builder.with_projection(mask).build();
    let batches = batches.map_err(|e| Error::parquet(&shown, &e))?;
    Ok(batches.map_err(move |e| Error::parquet(&shown, &e)).boxed())
}

/// The columns of these names; found by their places, as a dot in a name would be taken for a path.
pub(crate) fn mask(
    file: &ParquetRecordBatchStreamBuilder<Ranges>,
    names: &[impl AsRef<str>],
) -> ProjectionMask {
    let roots = names.iter();
    let roots = roots.filter_map(|name| file.schema().index_of(name.as_ref()).ok());
    ProjectionMask::roots(file.parquet_schema(), roots)
}

/// A file whose footer was read.
pub(crate) struct ParquetFile {
    ranges: Ranges,
    footer: ArrowReaderMetadata,
}

impl ParquetFile {
    /// Reads the footer of a file of `size` bytes.
    pub(crate) async fn open(store: &Arc<dyn ObjectStore>, key: Path, size: u64) -> Result<Self> {
        let mut ranges = Ranges {
            store: Arc::clone(store),
            key,
            size,
        };
        let footer =
            ArrowReaderMetadata::load_async(&mut ranges, ArrowReaderOptions::default()).await?;
        Ok(Self { ranges, footer })
    }

    /// Reads the footer of a file of `size` bytes, and where its pages are: then rows can be skipped without reading them.
    pub(crate) async fn open_with_pages(
        store: &Arc<dyn ObjectStore>,
        key: Path,
        size: u64,
    ) -> Result<Self> {
        let mut ranges = Ranges {
            store: Arc::clone(store),
            key,
            size,
        };
        let footer = ParquetMetaDataReader::new()
            .with_offset_index_policy(PageIndexPolicy::Optional)
            .load_and_finish(&mut ranges, size)
            .await?;
        let footer = ArrowReaderMetadata::try_new(Arc::new(footer), ArrowReaderOptions::default())?;
        Ok(Self { ranges, footer })
    }

    /// The footer, and the columns as Arrow sees them.
    pub(crate) fn footer(&self) -> &ArrowReaderMetadata {
        &self.footer
    }

    /// Begins to read rows.
    pub(crate) fn read(&self) -> ParquetRecordBatchStreamBuilder<Ranges> {
        ParquetRecordBatchStreamBuilder::new_with_metadata(self.ranges.clone(), self.footer.clone())
    }

    /// Begins to read rows with some columns in other types; `other` says which.
    pub(crate) fn read_as(
        &self,
        other: impl Fn(&Field) -> Option<DataType>,
    ) -> Result<ParquetRecordBatchStreamBuilder<Ranges>> {
        let stored = self.footer.schema();
        if stored.fields().iter().all(|field| other(field).is_none()) {
            return Ok(self.read());
        }
        let fields = stored.fields().iter().map(|field| match other(field) {
            Some(kind) => Arc::new(field.as_ref().clone().with_data_type(kind)),
            None => Arc::clone(field),
        });
        let schema =
            Schema::new_with_metadata(fields.collect::<Fields>(), stored.metadata().clone());
        let options = ArrowReaderOptions::new().with_schema(Arc::new(schema));
        let footer = ArrowReaderMetadata::try_new(Arc::clone(self.footer.metadata()), options)?;
        let builder =
            ParquetRecordBatchStreamBuilder::new_with_metadata(self.ranges.clone(), footer);
        Ok(builder)
    }
}

/// The bytes of one file, range by range.
#[derive(Clone)]
pub(crate) struct Ranges {
    store: Arc<dyn ObjectStore>,
    key: Path,
    size: u64,
}

fn failed(error: object_store::Error) -> ParquetError {
    ParquetError::External(Box::new(error))
}

impl AsyncFileReader for Ranges {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        async move { self.store.get_range(&self.key, range).await.map_err(failed) }.boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        async move {
            self.store
                .get_ranges(&self.key, &ranges)
                .await
                .map_err(failed)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let size = self.size;
            Ok(Arc::new(
                ParquetMetaDataReader::new()
                    .load_and_finish(self, size)
                    .await?,
            ))
        }
        .boxed()
    }
}
