//! An object store that fails at a chosen operation, in one of the ways in which storage fails.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Not at all.
    None,
    /// One operation fails, those after it do not.
    Once,
    /// From then on nothing works.
    Gone,
    /// From then on nothing can be written; what is there can be read and deleted.
    Full,
    /// From then on nothing can be written or deleted, for lack of permission.
    ReadOnly,
    /// If it is a write of data, half of it is left behind.
    Torn,
    /// If it is a write, it is done, but the answer is lost.
    Lost,
    /// The same, and the client asks again by itself.
    LostAndRepeated,
}

pub(super) const FAULTS: [Fault; 7] = [
    Fault::Once,
    Fault::Gone,
    Fault::Full,
    Fault::ReadOnly,
    Fault::Torn,
    Fault::Lost,
    Fault::LostAndRepeated,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Read,
    Write,
    Delete,
}

/// What is to become of an operation.
enum Turn {
    Works,
    Fails(Error),
    IsTorn(Error),
    IsLost(Error),
}

/// Memory that fails.
#[derive(Debug)]
pub(super) struct Faulty {
    pub(super) inner: Arc<InMemory>,
    fault: Fault,
    /// The operation at which it begins, counted from 0.
    at: u64,
    operations: AtomicU64,
}

impl Faulty {
    pub(super) fn new(inner: InMemory, fault: Fault, at: u64) -> Self {
        Self {
            inner: Arc::new(inner),
            fault,
            at,
            operations: AtomicU64::new(0),
        }
    }

    /// How often something was asked of it.
    pub(super) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    /// Whether the operation was met at which it begins.
    pub(super) fn was_met(&self) -> bool {
        self.operations.load(Ordering::Relaxed) > self.at
    }

    fn turn(&self, kind: Kind, key: &Path) -> Turn {
        let number = self.operations.fetch_add(1, Ordering::Relaxed);
        let (is_now, has_begun) = (number == self.at, number >= self.at);
        let generic = || Error::Generic {
            store: "faulty",
            source: format!("the storage failed at operation {number}").into(),
        };
        let denied = || Error::PermissionDenied {
            path: key.to_string(),
            source: "read-only".into(),
        };
        let full = || Error::Generic {
            store: "faulty",
            source: Box::new(std::io::Error::from(std::io::ErrorKind::StorageFull)),
        };
        match self.fault {
            Fault::Once if is_now => Turn::Fails(generic()),
            Fault::Gone if has_begun => Turn::Fails(generic()),
            Fault::Full if has_begun && kind == Kind::Write => Turn::Fails(full()),
            Fault::ReadOnly if has_begun && kind != Kind::Read => Turn::Fails(denied()),
            Fault::Torn if is_now => Turn::IsTorn(generic()),
            Fault::Lost if is_now && kind == Kind::Write => Turn::IsLost(generic()),
            Fault::LostAndRepeated if is_now && kind == Kind::Write => {
                Turn::IsLost(Error::AlreadyExists {
                    path: key.to_string(),
                    source: "asked again".into(),
                })
            }
            _ => Turn::Works,
        }
    }

    fn works(&self, kind: Kind, key: &Path) -> Result<()> {
        match self.turn(kind, key) {
            Turn::Works => Ok(()),
            Turn::Fails(error) | Turn::IsTorn(error) | Turn::IsLost(error) => Err(error),
        }
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        key: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        match self.turn(Kind::Write, key) {
            Turn::Works => self.inner.put_opts(key, payload, options).await,
            Turn::Fails(error) => Err(error),
            // An entry of the log is there or not: every store that we support gives it its name at once.
            Turn::IsTorn(error) if key.as_ref().contains("_log") => Err(error),
            Turn::IsTorn(error) => {
                let bytes: Bytes = payload.into();
                let half = bytes.slice(..bytes.len() / 2);
                self.inner.put(key, half.into()).await?;
                Err(error)
            }
            Turn::IsLost(error) => {
                self.inner.put_opts(key, payload, options).await?;
                Err(error)
            }
        }
    }

    async fn put_multipart_opts(
        &self,
        key: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        Err(Error::NotSupported {
            source: format!("{key} in parts").into(),
        })
    }

    async fn get_opts(&self, key: &Path, options: GetOptions) -> Result<GetResult> {
        self.works(Kind::Read, key)?;
        self.inner.get_opts(key, options).await
    }

    async fn get_ranges(&self, key: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.works(Kind::Read, key)?;
        self.inner.get_ranges(key, ranges).await
    }

    fn delete_stream(
        &self,
        keys: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        match self.works(Kind::Delete, &Path::default()) {
            Ok(()) => self.inner.delete_stream(keys),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.works(Kind::Read, &Path::default()) {
            Ok(()) => self.inner.list(prefix),
            Err(error) => stream::once(async { Err(error) }).boxed(),
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.works(Kind::Read, &Path::default())?;
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.works(Kind::Write, to)?;
        self.inner.copy_opts(from, to, options).await
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Faulty")
    }
}
