//! The local file system, read into memory that was read into before.
//!
//! `LocalFileSystem` zeroes a new buffer for every range. Columns are megabytes, which an allocator gets from the kernel and gives back
//! each time: three quarters of the page faults of a question were these (`docs/LESSONS.md`). Everything but [`get_ranges`](ObjectStore::get_ranges)
//! is left to it.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result,
};
use tokio::runtime::Handle;

/// Bytes that are worth keeping a buffer for.
const LEAST: usize = 64 << 10;
/// Bytes of buffers that are kept.
const MOST: usize = 32 << 20;
/// What sizes of buffers are multiples of: columns of neighbouring row groups differ a little.
const STEP: usize = 256 << 10;
/// How many times what it is taken for a buffer may be.
const ROOMY: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct Local {
    files: LocalFileSystem,
    buffers: Arc<Buffers>,
}

impl Local {
    pub(crate) fn new() -> Self {
        Self {
            files: LocalFileSystem::new(),
            buffers: Arc::default(),
        }
    }
}

/// Buffers that nobody uses at the moment.
#[derive(Debug, Default)]
struct Buffers(Mutex<Vec<Vec<u8>>>);

impl Buffers {
    /// One of at least so many bytes, whatever they are.
    fn take(&self, length: usize) -> Vec<u8> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits =
            |buffer: &Vec<u8>| (length..=length.saturating_mul(ROOMY)).contains(&buffer.len());
        match kept.iter().position(fits) {
            Some(at) => kept.swap_remove(at),
            None => vec![0; length.next_multiple_of(STEP)],
        }
    }

    fn give(&self, buffer: Vec<u8>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(buffer);
        // The oldest first: whoever reads now wants other sizes.
        let mut bytes: usize = kept.iter().map(Vec::len).sum();
        while bytes > MOST && !kept.is_empty() {
            bytes -= kept.remove(0).len();
        }
    }
}

/// A buffer that is kept again as soon as nobody reads it any more.
struct Lent {
    buffer: Vec<u8>,
    used: usize,
    buffers: Arc<Buffers>,
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.buffer.get(..self.used).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.buffers.give(std::mem::take(&mut self.buffer));
    }
}

fn read(mut file: &File, range: &Range<u64>, buffers: &Arc<Buffers>) -> io::Result<Bytes> {
    let length = range.end.checked_sub(range.start);
    let length = length.and_then(|length| usize::try_from(length).ok());
    let used = length.ok_or(io::ErrorKind::InvalidInput)?;
    file.seek(SeekFrom::Start(range.start))?;
    if used < LEAST {
        let mut bytes = vec![0; used];
        file.read_exact(&mut bytes)?;
        return Ok(bytes.into());
    }
    // A length that is a mistake must not be made room for.
    if range.end > file.metadata()?.len() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut lent = Lent {
        buffer: buffers.take(used),
        used,
        buffers: Arc::clone(buffers),
    };
    match lent.buffer.get_mut(..used) {
        Some(buffer) => file.read_exact(buffer)?,
        None => return Err(io::ErrorKind::InvalidInput.into()),
    }
    Ok(Bytes::from_owner(lent))
}

#[async_trait]
impl ObjectStore for Local {
    async fn get_ranges(&self, key: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let path = self.files.path_to_filesystem(key)?;
        let (wanted, buffers) = (ranges.to_vec(), Arc::clone(&self.buffers));
        let work = move || {
            let file = File::open(path)?;
            let ranges = wanted.iter().map(|range| read(&file, range, &buffers));
            ranges.collect::<io::Result<Vec<Bytes>>>()
        };
        let read = match Handle::try_current() {
            Ok(runtime) => runtime.spawn_blocking(work).await,
            Err(_) => Ok(work()),
        };
        let error = match read {
            Ok(Ok(read)) => return Ok(read),
            Ok(Err(error)) => error,
            Err(ended) => io::Error::other(ended),
        };
        // Asked for a byte of each, for its own error: it makes room for as many bytes as it is asked for, whether or not there are any,
        // and a footer can name a column of a terabyte.
        let last = ranges
            .iter()
            .map(|range| range.end.saturating_sub(1).max(range.start)..range.end);
        self.files
            .get_ranges(key, &last.collect::<Vec<_>>())
            .await?;
        Err(object_store::Error::Generic {
            store: "Local",
            source: Box::new(error),
        })
    }

    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.files.put_opts(key, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        key: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.files.put_multipart_opts(key, options).await
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        self.files.get_opts(key, options).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.files.delete_stream(keys)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.files.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.files.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.files.copy_opts(from, to, options).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.files.rename_opts(from, to, options).await
    }
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.files.fmt(f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn ranges_are_what_the_file_holds_while_buffers_go_round() {
        let folder = tempfile::tempdir().unwrap();
        let content: Vec<u8> = (0..1_000_000u32).map(|at| (at * 7 / 3) as u8).collect();
        let path = folder.path().join("file");
        std::fs::write(&path, &content).unwrap();
        let (key, store) = (Path::from_absolute_path(&path).unwrap(), Local::new());
        let mut kept = Vec::new();
        for at in 0..200u64 {
            let start = at * 3_001;
            let ranges = [
                start..start + 100_000 + at,
                start..start,
                start + 5..start + 6,
                0..70_000,
            ];
            let read = store.get_ranges(&key, &ranges).await.unwrap();
            for (range, bytes) in ranges.iter().zip(&read) {
                assert_eq!(bytes[..], content[range.start as usize..range.end as usize]);
            }
            // Some are read much later, when others have used buffers again.
            if at % 9 == 0 {
                kept.push((ranges[0].clone(), read[0].clone()));
            }
        }
        for (range, bytes) in &kept {
            assert_eq!(bytes[..], content[range.start as usize..range.end as usize]);
        }
        drop(kept);
        let buffers = store.buffers.0.lock().unwrap();
        assert!((1..60).contains(&buffers.len()));
    }

    #[tokio::test]
    async fn errors_are_those_of_the_file_system() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, [7; 1_000]).unwrap();
        let (ours, theirs) = (Local::new(), LocalFileSystem::new());
        let key = |path: &std::path::Path| Path::from_absolute_path(path).unwrap();
        for (key, range) in [
            (key(&path), 0..2_000),
            (key(&path), 1_500..1 << 40),
            (key(&folder.path().join("none")), 0..1),
        ] {
            let ours = ours.get_ranges(&key, &[range]).await.unwrap_err();
            // Of a terabyte theirs is the end of the process.
            let beyond = 1_500..2_000;
            let theirs = theirs.get_ranges(&key, std::slice::from_ref(&beyond));
            let theirs = theirs.await.unwrap_err();
            assert_eq!(
                std::mem::discriminant(&ours),
                std::mem::discriminant(&theirs),
                "{ours} or {theirs}"
            );
        }
    }
}
