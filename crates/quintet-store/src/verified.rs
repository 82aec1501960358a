//! An object store whose reads are held against what was written: reads of files that the log knows are widened to blocks, and the
//! checksums of these are compared. Whatever reads through it (our scans, DataFusion's, foreign sessions) gets the bytes that were
//! written, or [`Error::Corrupt`] naming the file.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use async_trait::async_trait;
use bytes::Bytes;
use chrono::DateTime;
use futures::stream::{self, BoxStream, StreamExt};
use object_store::path::Path;
use object_store::{
    Attributes, CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, RenameOptions, Result,
};

use crate::error::Error;
use crate::files::Blocks;
use crate::log::Add;

/// See the module.
pub(crate) struct Verified {
    inner: Arc<dyn ObjectStore>,
    /// What messages call the place.
    place: String,
    /// Files by their keys, for as long as somebody knows a version that they are part of.
    files: RwLock<HashMap<Path, Weak<Add>>>,
}

impl Verified {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, place: String) -> Self {
        Self {
            inner,
            place,
            files: RwLock::default(),
        }
    }

    /// From now on, reads of these files are checked.
    pub(crate) fn know<'a>(&self, files: impl Iterator<Item = (Path, &'a Arc<Add>)>) {
        let mut known = self.files.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, file| file.strong_count() > 0);
        known.extend(files.map(|(key, file)| (key, Arc::downgrade(file))));
    }

    /// A file whose blocks have checksums.
    fn known(&self, key: &Path) -> Option<Arc<Add>> {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        let file = files.get(key)?.upgrade()?;
        file.blocks.is_some().then_some(file)
    }

    /// These ranges, out of the blocks that they lie in.
    async fn read(&self, key: &Path, file: &Add, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let damaged = |reason: &str| {
            let source = Error::corrupt(format!("{}/{}", self.place, file.path), reason);
            object_store::Error::Generic {
                store: "quintet",
                source: Box::new(source),
            }
        };
        if ranges
            .iter()
            .any(|range| range.end > file.size || range.start > range.end)
        {
            return Err(damaged("something is looked for beyond its end"));
        }
        let wide = together(ranges, file.size);
        let read = self.inner.get_ranges(key, &wide).await?;
        let holds = |(range, bytes): (&Range<u64>, &Bytes)| {
            let is_whole = bytes.len() as u64 == range.end - range.start;
            let blocks = file.blocks.as_ref();
            is_whole && blocks.is_none_or(|blocks| blocks.hold(range.start, bytes))
        };
        if read.len() != wide.len() || !wide.iter().zip(&read).all(holds) {
            return Err(damaged(
                "its content is not what was written (the checksum of a block differs)",
            ));
        }
        let part = |range: &Range<u64>| {
            let at = wide
                .partition_point(|wide| wide.start <= range.start)
                .checked_sub(1)?;
            let (wide, bytes) = (wide.get(at)?, read.get(at)?);
            let start = (range.start - wide.start) as usize;
            let end = (range.end - wide.start) as usize;
            (end <= bytes.len()).then(|| bytes.slice(start..end))
        };
        let parts: Option<Vec<Bytes>> = ranges.iter().map(part).collect();
        parts.ok_or_else(|| damaged("something is looked for beyond its end"))
    }
}

/// Ranges widened to blocks, ascending; those that meet are one.
fn together(ranges: &[Range<u64>], size: u64) -> Vec<Range<u64>> {
    let mut wide: Vec<Range<u64>> = ranges
        .iter()
        .map(|range| Blocks::around(range, size))
        .collect();
    wide.sort_unstable_by_key(|range| range.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(wide.len());
    for range in wide {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

/// What a request for a part means in a file of this size.
fn resolved(range: Option<&GetRange>, size: u64) -> Range<u64> {
    match range {
        None => 0..size,
        Some(GetRange::Bounded(range)) => range.start..range.end.min(size).max(range.start),
        Some(GetRange::Offset(start)) => *start..size.max(*start),
        Some(GetRange::Suffix(length)) => size.saturating_sub(*length)..size,
    }
}

#[async_trait]
impl ObjectStore for Verified {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.inner.put_opts(key, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        key: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(key, options).await
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        let Some(file) = self.known(key).filter(|_| !options.head) else {
            return self.inner.get_opts(key, options).await;
        };
        let range = resolved(options.range.as_ref(), file.size);
        let bytes = self.read(key, &file, std::slice::from_ref(&range)).await?;
        let bytes = bytes.into_iter().next().unwrap_or_default();
        // Files never change, so nobody asks for more than the log knows.
        let meta = ObjectMeta {
            location: key.clone(),
            last_modified: DateTime::UNIX_EPOCH,
            size: file.size,
            e_tag: None,
            version: None,
        };
        Ok(GetResult {
            payload: GetResultPayload::Stream(stream::once(async { Ok(bytes) }).boxed()),
            meta,
            range,
            attributes: Attributes::default(),
        })
    }

    async fn get_ranges(&self, key: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match self.known(key) {
            Some(file) => self.read(key, &file, ranges).await,
            None => self.inner.get_ranges(key, ranges).await,
        }
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.inner.rename_opts(from, to, options).await
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({})", self.inner)
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_that_share_blocks_are_read_once() {
        let block = 32 << 10;
        let merged = together(
            &[5 * block..5 * block + 1, 10..20, block - 1..block + 1],
            6 * block - 7,
        );
        assert_eq!(merged, [0..2 * block, 5 * block..6 * block - 7]);
    }

    #[test]
    fn a_part_may_be_asked_for_from_either_end() {
        assert_eq!(resolved(None, 9), 0..9);
        assert_eq!(resolved(Some(&GetRange::Suffix(4)), 9), 5..9);
        assert_eq!(resolved(Some(&GetRange::Suffix(40)), 9), 0..9);
        assert_eq!(resolved(Some(&GetRange::Offset(4)), 9), 4..9);
        assert_eq!(resolved(Some(&GetRange::Bounded(4..90)), 9), 4..9);
    }
}
