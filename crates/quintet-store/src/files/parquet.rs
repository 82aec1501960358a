//! How all of our Parquet is written and opened: one compression, one checksum, one way to say that a file is damaged.

use bytes::Bytes;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_64;

use super::{Blocks, Encoded};
use crate::error::{Error, Result};
use crate::location::Location;
use crate::log::{Add, EventsFile, Table};

const ZSTD_LEVEL: i32 = 1;
const CREATED_BY: &str = concat!("quintet ", env!("CARGO_PKG_VERSION"));

/// Options that hold for every file.
pub(crate) fn properties() -> Result<WriterPropertiesBuilder> {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(written)?;
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_created_by(CREATED_BY.to_owned()))
}

/// Parquet is written to memory, where only a defect of ours can make it fail.
pub(crate) fn written(error: ParquetError) -> Error {
    Error::internal(error)
}

/// A file's checksum, as the log has it.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    format!("{:016x}", xxh3_64(bytes))
}

/// A new file of a table, named so that names sort by age.
pub(crate) fn encoded(
    table: Table,
    folder: &str,
    rows: u64,
    bytes: Vec<u8>,
    events: Option<EventsFile>,
) -> Encoded {
    let add = Add {
        path: format!("{folder}/{}.parquet", Uuid::now_v7()),
        table,
        size: bytes.len() as u64,
        rows,
        checksum: checksum(&bytes),
        blocks: Some(Blocks::of(&bytes)),
        events,
    };
    Encoded {
        add,
        bytes: Bytes::from(bytes),
    }
}

/// A small table as one file.
pub(crate) fn encode_batch(table: Table, batch: &RecordBatch) -> Result<Encoded> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties()?.build()))
        .map_err(written)?;
    writer.write(batch).map_err(written)?;
    let bytes = writer.into_inner().map_err(written)?;
    Ok(encoded(
        table,
        table.folder(),
        batch.num_rows() as u64,
        bytes,
        None,
    ))
}

/// A whole small file back, checked against the log.
pub(crate) async fn read_batches(location: &Location, file: &Add) -> Result<Vec<RecordBatch>> {
    let bytes = read_checked(location, file).await?;
    let shown = location.show(&file.path);
    ParquetRecordBatchReaderBuilder::try_new(bytes)
        .and_then(ParquetRecordBatchReaderBuilder::build)
        .map_err(|e| Error::parquet(&shown, &e))?
        .map(|batch| batch.map_err(|e| Error::corrupt(&shown, e)))
        .collect()
}

/// A file's bytes, if they are those that were written.
pub(crate) async fn read_checked(location: &Location, file: &Add) -> Result<Bytes> {
    let shown = location.show(&file.path);
    let bytes = match location.read(&file.path).await {
        Err(Error::NotFound(_)) => return Err(Error::corrupt(shown, "the file is missing")),
        other => other?,
    };
    if bytes.len() as u64 != file.size {
        let reason = format!("it has {} bytes, the log says {}", bytes.len(), file.size);
        return Err(Error::corrupt(shown, reason));
    }
    if checksum(&bytes) != file.checksum {
        return Err(Error::corrupt(
            shown,
            "its content is not what was written (the checksum differs)",
        ));
    }
    Ok(bytes)
}
