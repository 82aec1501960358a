//! What was decoded of files, kept for the next question. Files never change, so nothing in here is ever wrong.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache as QuickCache;

use crate::error::{Error, Result};

/// About the size of what is kept at a time: only a guess for the cache's own tables.
const USUAL_BYTES: usize = 64 << 10;

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    /// Its footer.
    Footer,
    /// Some rows of a column.
    Column {
        name: Arc<str>,
        /// As a dictionary.
        is_coded: bool,
        row_group: usize,
        /// The first row, within the row group.
        start: usize,
        rows: usize,
    },
    /// The directory of its sets of actors.
    Directory,
    /// The sets of actors whose bytes begin here.
    Actors(u64),
    /// The head of its lists of rows by group.
    GroupRows,
    /// Rows by group of the type with this index.
    GroupCounts(usize),
    /// Some rows of a column, told apart by a hash of their numbers.
    Chosen { name: Arc<str>, rows: u128 },
}

/// Something decoded, and about how many bytes it takes.
pub(crate) struct Cached<T> {
    value: T,
    bytes: usize,
}

impl<T> Cached<T> {
    pub(crate) fn new(value: T, bytes: usize) -> Self {
        Self { value, bytes }
    }
}

/// Keeps what is asked for most, up to a number of bytes. Shared by all that read a place.
pub(crate) struct Cache(QuickCache<(Arc<str>, Part), Kept, ByBytes>);

#[derive(Clone)]
struct Kept {
    value: Arc<dyn Any + Send + Sync>,
    bytes: usize,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<(Arc<str>, Part), Kept> for ByBytes {
    fn weight(&self, _: &(Arc<str>, Part), kept: &Kept) -> u64 {
        kept.bytes.max(1) as u64
    }
}

impl Cache {
    /// A cache of so many bytes; 0 keeps nothing.
    pub(crate) fn new(bytes: usize) -> Self {
        Self(QuickCache::with_weighter(
            bytes / USUAL_BYTES,
            bytes as u64,
            ByBytes,
        ))
    }

    /// A part of a file: as it was kept, or read now.
    pub(crate) async fn get<T: Send + Sync + 'static>(
        &self,
        path: &str,
        part: Part,
        read: impl AsyncFnOnce() -> Result<Cached<T>>,
    ) -> Result<Arc<T>> {
        let read = async {
            let Cached { value, bytes } = read().await?;
            let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
            Ok::<_, Error>(Kept { value, bytes })
        };
        let key = (Arc::from(path), part);
        let kept = match self.0.capacity() {
            0 => read.await?,
            _ => self.0.get_or_insert_async(&key, read).await?,
        };
        let (path, part) = key;
        kept.value
            .downcast()
            .map_err(|_| Error::internal(format!("{part:?} of {path} was kept as something else")))
    }

    /// A part of a file, if it was kept.
    pub(crate) fn find<T: Send + Sync + 'static>(&self, path: &str, part: &Part) -> Option<Arc<T>> {
        if self.0.capacity() == 0 {
            return None;
        }
        let kept = self.0.get(&(Arc::from(path), part.clone()))?;
        kept.value.downcast().ok()
    }

    /// Keeps a part of a file that takes so many bytes.
    pub(crate) fn keep<T: Send + Sync + 'static>(
        &self,
        path: &str,
        part: Part,
        value: T,
        bytes: usize,
    ) {
        if self.0.capacity() > 0 {
            let value: Arc<dyn Any + Send + Sync> = Arc::new(value);
            self.0
                .insert((Arc::from(path), part), Kept { value, bytes });
        }
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache")
            .field("bytes", &self.0.weight())
            .field("capacity", &self.0.capacity())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn reads_of(cache: &Cache) -> usize {
        let mut reads = 0;
        for _ in 0..3 {
            let read = async || {
                reads += 1;
                Ok(Cached::new(7u8, 10))
            };
            let kept = cache.get("file", Part::Directory, read).await;
            assert_eq!(kept.ok().as_deref(), Some(&7));
        }
        reads
    }

    #[tokio::test]
    async fn what_was_read_is_read_once_if_there_is_room() {
        assert_eq!(reads_of(&Cache::new(1 << 20)).await, 1);
        assert_eq!(reads_of(&Cache::new(0)).await, 3);
    }
}
