//! Opening a source by its content: gzip, zstd, Parquet or text. The name of a file says nothing, but for brotli.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};

use bytes::Bytes;
use datafusion::parquet;
use datafusion::parquet::file::reader::{ChunkReader, Length};
use flate2::read::MultiGzDecoder;

use super::source::Source;
use crate::error::{Error, Result};

const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";
const PARQUET: &[u8] = b"PAR1";
/// Brotli has no mark of its own: only the name tells it, where the content is no text.
const BROTLI: &str = ".br";

/// An open source.
pub(super) enum Input {
    /// Text, decompressed.
    Text(Text),
    /// A Parquet file.
    Parquet(Parquet),
}

/// Text as it comes out of the decompressor.
pub(super) struct Text {
    reader: Box<dyn Read + Send>,
    file: String,
    compressed: bool,
}

/// The bytes of a Parquet file, which is read out of order.
pub(crate) enum Parquet {
    /// A file as it lies.
    File(File),
    /// Bytes in memory.
    Bytes(Bytes),
}

impl Parquet {
    /// The bytes of a source that is known to be such a file.
    pub(crate) fn open(source: &Source) -> Result<Self> {
        Ok(match source {
            Source::Path(path) => Self::File(File::open(path).map_err(|e| Error::io(path, e))?),
            Source::Bytes { data, .. } => Self::Bytes(data.clone()),
        })
    }
}

impl Length for Parquet {
    fn len(&self) -> u64 {
        match self {
            Self::File(file) => Length::len(file),
            Self::Bytes(bytes) => Length::len(bytes),
        }
    }
}

impl ChunkReader for Parquet {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> parquet::errors::Result<Self::T> {
        Ok(match self {
            Self::File(file) => Box::new(file.get_read(start)?),
            Self::Bytes(bytes) => Box::new(bytes.get_read(start)?),
        })
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        match self {
            Self::File(file) => file.get_bytes(start, length),
            Self::Bytes(bytes) => bytes.get_bytes(start, length),
        }
    }
}

/// Finds out what a source is and opens it.
pub(super) fn open(source: &Source) -> Result<Input> {
    let file = source.name();
    let failed = |e: io::Error| Error::io(std::path::Path::new(&file), e);
    let (start, reader) = peek(source.open()?).map_err(failed)?;
    if start.starts_with(PARQUET) {
        return Ok(Input::Parquet(Parquet::open(source)?));
    }
    let unpacked: Box<dyn Read + Send> = if start.starts_with(GZIP) {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(
            1 << 17,
            reader,
        )))
    } else if start.starts_with(ZSTD) {
        Box::new(zstd::stream::read::Decoder::new(reader).map_err(failed)?)
    } else if file.ends_with(BROTLI) && !is_text(&start) {
        Box::new(brotli_decompressor::Decompressor::new(reader, 1 << 16))
    } else {
        return Ok(Input::Text(Text {
            reader,
            file,
            compressed: false,
        }));
    };
    let (start, mut reader) = peek(unpacked).map_err(|e| Error::corrupt(&file, reason(&e)))?;
    if start.starts_with(PARQUET) {
        let mut data = Vec::new();
        let read = reader.read_to_end(&mut data);
        read.map_err(|e| Error::corrupt(&file, reason(&e)))?;
        return Ok(Input::Parquet(Parquet::Bytes(data.into())));
    }
    Ok(Input::Text(Text {
        reader,
        file,
        compressed: true,
    }))
}

/// Could this be the beginning of JSON?
pub(crate) fn is_text(start: &[u8]) -> bool {
    let first = start.trim_ascii().first();
    first.is_none_or(|first| matches!(first, b'{' | b'[' | 0xef))
}

/// The first bytes of a reader, and the reader as if they had not been read.
fn peek(mut reader: Box<dyn Read + Send>) -> io::Result<(Vec<u8>, Box<dyn Read + Send>)> {
    let mut start = Vec::new();
    reader.by_ref().take(4).read_to_end(&mut start)?;
    let reader = Cursor::new(start.clone()).chain(reader);
    Ok((start, Box::new(reader)))
}

impl Text {
    /// Appends up to `more` bytes; 0 at the end.
    pub(super) fn fill(&mut self, buffer: &mut Vec<u8>, more: usize) -> Result<usize> {
        let read = self.reader.by_ref().take(more as u64).read_to_end(buffer);
        read.map_err(|e| {
            if self.compressed {
                Error::corrupt(&self.file, reason(&e))
            } else {
                Error::io(std::path::Path::new(&self.file), e)
            }
        })
    }

    /// What messages call the source.
    pub(super) fn file(&self) -> &str {
        &self.file
    }
}

fn reason(error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        "it ends in the middle of its compressed data; fetch it again".into()
    } else {
        format!("it cannot be decompressed ({error})")
    }
}
