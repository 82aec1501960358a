//! Which files a folder holds, and what is in them. Content decides; names only say where to look.

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderMetadata;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::{ObjectMeta, ObjectStoreExt};

use crate::error::{Error, Result};
use crate::files::reader::ParquetFile;
use crate::files::stored::{is_stored, seen_columns};
use crate::ingest::{Source, is_text};
use crate::location::Location;

/// Footers read at a time.
const READ_AHEAD: usize = 16;
/// Ends of the names of packed files; PostHog's exports of Parquet have them although nothing is packed around them.
const PACKED: [&str; 7] = [".zst", ".gz", ".br", ".lz4", ".sz", ".snappy", ".zstd"];
const LINES: [&str; 3] = [".jsonl", ".ndjson", ".json"];
const PARQUET: &[u8] = b"PAR1";
const GZIP: &[u8] = b"\x1f\x8b";
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// What a place holds.
pub(super) enum Found {
    /// Parquet.
    Parquet(Vec<ObjectMeta>),
    /// Nothing but messages or exports as JSON lines.
    Lines(Vec<ObjectMeta>),
}

/// A Parquet file whose footer was read.
#[derive(Clone, Debug)]
pub(super) struct File {
    /// How messages name it.
    pub(super) shown: String,
    pub(super) meta: ObjectMeta,
    pub(super) footer: ArrowReaderMetadata,
    pub(super) rows: usize,
    seen: SchemaRef,
}

impl File {
    /// The columns as readers see them.
    pub(super) fn schema(&self) -> &SchemaRef {
        &self.seen
    }

    pub(super) fn has(&self, column: &str) -> bool {
        self.schema().index_of(column).is_ok()
    }
}

/// The files at a place: those below a folder, or the one that is named.
pub(super) async fn find(location: &Location) -> Result<Found> {
    if let Ok(meta) = location.head("").await {
        return one(location, meta).await;
    }
    let mut files = location.list("").await?;
    files.retain(|meta| {
        let name = location.relative(&meta.location).unwrap_or_default();
        let is_hidden = |part: &str| part.starts_with(['.', '_']) || part == "manifest.json";
        !name.split('/').any(is_hidden)
    });
    let (parquet, others): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|meta| unpacked(&meta.location).ends_with(".parquet"));
    if !parquet.is_empty() {
        return Ok(Found::Parquet(parquet));
    }
    let is_named = |meta: &ObjectMeta| {
        let name = unpacked(&meta.location);
        LINES.iter().any(|end| name.ends_with(end))
    };
    let lines: Vec<_> = others.into_iter().filter(is_named).collect();
    if lines.is_empty() {
        return Err(nothing(location));
    }
    Ok(Found::Lines(lines))
}

/// A file's name in small letters, without the end that tells how it is packed.
fn unpacked(key: &object_store::path::Path) -> String {
    let name = key.filename().unwrap_or_default().to_ascii_lowercase();
    let end = PACKED.iter().find(|end| name.ends_with(*end));
    let kept = name.len() - end.map_or(0, |end| end.len());
    name.get(..kept).unwrap_or_default().to_owned()
}

async fn one(location: &Location, meta: ObjectMeta) -> Result<Found> {
    let start = start(location, &meta).await?;
    let is_lines = start.starts_with(GZIP)
        || start.starts_with(ZSTD)
        || meta.location.as_ref().ends_with(".br")
        || (!start.is_empty() && is_text(&start));
    if start.starts_with(PARQUET) || unpacked(&meta.location).ends_with(".parquet") {
        Ok(Found::Parquet(vec![meta]))
    } else if is_lines {
        Ok(Found::Lines(vec![meta]))
    } else {
        Err(nothing(location))
    }
}

fn nothing(location: &Location) -> Error {
    let shown = location.show("");
    Error::NotFound(format!(
        "there is neither a store nor a file of events (Parquet or JSON lines) at {shown}: make a store with `quintet init {shown}` or name another folder"
    ))
}

/// The first bytes of a file.
async fn start(location: &Location, meta: &ObjectMeta) -> Result<Vec<u8>> {
    let length = meta.size.min(4);
    if length == 0 {
        return Ok(Vec::new());
    }
    let store = location.object_store();
    let bytes = store.get_range(&meta.location, 0..length).await;
    let shown = shown(location, meta);
    Ok(bytes.map_err(|e| Error::object_store(&shown, e))?.to_vec())
}

/// How messages name a file.
pub(super) fn shown(location: &Location, meta: &ObjectMeta) -> String {
    location.show(&location.relative(&meta.location).unwrap_or_default())
}

/// The footers of files, in their order.
pub(super) async fn footers(location: &Location, files: Vec<ObjectMeta>) -> Result<Vec<File>> {
    let read = stream::iter(files).map(|meta| footer(location, meta));
    read.buffered(READ_AHEAD).try_collect().await
}

async fn footer(location: &Location, meta: ObjectMeta) -> Result<File> {
    let shown = shown(location, &meta);
    let opened = ParquetFile::open(location.object_store(), meta.location.clone(), meta.size).await;
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            let start = start(location, &meta).await?;
            if start.starts_with(ZSTD) || start.starts_with(GZIP) {
                let reason = "the Parquet file is packed as a whole; unpack it, or load it with `quintet ingest`";
                return Err(Error::invalid(shown, reason));
            }
            return Err(Error::parquet(&shown, &error));
        }
    };
    let rows = opened.footer().metadata().file_metadata().num_rows();
    let rows = usize::try_from(rows).map_err(|e| Error::corrupt(&shown, e))?;
    Ok(File {
        shown,
        meta,
        footer: opened.footer().clone(),
        rows,
        seen: match is_stored(opened.footer().schema()) {
            true => seen_columns(opened.footer().schema()),
            false => Arc::clone(opened.footer().schema()),
        },
    })
}

/// A file as a load reads it.
async fn source(location: &Location, meta: &ObjectMeta) -> Result<Source> {
    if let Some(path) = location.path(&meta.location) {
        return Ok(Source::Path(path));
    }
    let relative = location.relative(&meta.location).unwrap_or_default();
    let data = location.read(&relative).await?;
    Ok(Source::bytes(location.show(&relative), data))
}

/// All of these files as a load reads them.
pub(super) async fn sources(location: &Location, files: &[ObjectMeta]) -> Result<Vec<Source>> {
    let mut sources = Vec::with_capacity(files.len());
    for meta in files {
        sources.push(source(location, meta).await?);
    }
    Ok(sources)
}
