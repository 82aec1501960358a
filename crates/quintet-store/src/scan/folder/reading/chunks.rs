//! The bytes of some columns of a row group, for Parquet's reader, which asks for them by their place in the file.

use std::ops::Range;

use bytes::{Buf, Bytes};
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::reader::{ChunkReader, Length};

/// Stretches of a file that were read.
#[derive(Clone)]
pub(super) struct Chunks {
    size: u64,
    /// Each with its place in the file.
    stretches: Vec<(u64, Bytes)>,
}

impl Chunks {
    /// Stretches of a file of `size` bytes.
    pub(super) fn new(size: u64, ranges: &[Range<u64>], read: Vec<Bytes>) -> Self {
        let starts = ranges.iter().map(|range| range.start);
        Self {
            size,
            stretches: starts.zip(read).collect(),
        }
    }

    /// These and those of another reading of the same file.
    pub(super) fn and(mut self, other: Self) -> Self {
        self.stretches.extend(other.stretches);
        self
    }

    /// What was read from a place on.
    fn from(&self, start: u64) -> Result<Bytes> {
        let found = self.stretches.iter().find_map(|(at, bytes)| {
            let skipped = usize::try_from(start.checked_sub(*at)?).ok()?;
            (skipped < bytes.len()).then(|| bytes.slice(skipped..))
        });
        found.ok_or_else(|| ParquetError::EOF(format!("nothing was read at byte {start}")))
    }
}

impl Length for Chunks {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Chunks {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(self.from(start)?.reader())
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.from(start)?;
        if bytes.len() < length {
            return Err(ParquetError::EOF(format!(
                "{length} bytes are expected at byte {start}"
            )));
        }
        Ok(bytes.slice(..length))
    }
}
