//! Where a store lies: one folder or object-store prefix, with durable whole-file reads and writes.
//! It knows nothing of what the files hold.

use std::fs::{self, File};
use std::io::Write;
use std::ops::Range;
use std::path::{self, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::TryStreamExt;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions};
use url::Url;
use uuid::Uuid;

use crate::cache::Cache;
use crate::error::{Error, Result};
use crate::local::Local;
use crate::log::Add;
use crate::verified::Verified;

/// A folder or an object-store prefix that holds (or will hold) a store or plain Parquet files.
#[derive(Debug, Clone)]
pub struct Location {
    shown: String,
    url: ObjectStoreUrl,
    /// As it is: for what is checked as a whole, or is not in the log.
    store: Arc<dyn ObjectStore>,
    /// The same, checked: for what reads parts of files.
    verified: Arc<Verified>,
    checked: Arc<dyn ObjectStore>,
    prefix: Path,
    /// The same place in the file system, where there is one: only there can we lock and sync.
    folder: Option<PathBuf>,
    /// What was decoded of its files.
    cache: Arc<Cache>,
}

impl Location {
    /// The place that a folder path or a `file://` URL names.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for other URL schemes: give their object store to
    /// [`Location::with_object_store`].
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::invalid(
                "location",
                "it is empty; give a folder or a file:// URL",
            ));
        }
        let folder = match text.split_once("://") {
            None => PathBuf::from(text),
            Some(("file", _)) => Url::parse(text)
                .ok()
                .and_then(|url| url.to_file_path().ok())
                .ok_or_else(|| {
                    Error::invalid(text, "it is not a file URL; write file:///absolute/path")
                })?,
            Some((scheme, _)) => {
                return Err(Error::Unsupported {
                    what: format!("the URL scheme {scheme}:// in {text}"),
                    instead:
                        "pass its Arc<dyn ObjectStore> to Location::with_object_store(url, store)"
                            .into(),
                });
            }
        };
        let folder = resolved(&folder).map_err(|e| Error::io(&folder, e))?;
        let prefix =
            Path::from_absolute_path(&folder).map_err(|e| Error::invalid(text, e.to_string()))?;
        let store = Arc::new(Local::new());
        Ok(Self {
            folder: Some(folder),
            ..Self::of(text, ObjectStoreUrl::local_filesystem(), store, prefix)
        })
    }

    /// The place that `url` names within `store`; the path of the URL is the prefix of all keys.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the URL has no scheme and host that DataFusion can register.
    pub fn with_object_store(url: &str, store: Arc<dyn ObjectStore>) -> Result<Self> {
        let parsed = Url::parse(url).map_err(|e| Error::invalid(url, e.to_string()))?;
        let base = format!(
            "{}://{}",
            parsed.scheme(),
            &parsed[url::Position::BeforeUsername..url::Position::AfterPort]
        );
        let wrong = |e: &dyn ToString| Error::invalid(url, e.to_string());
        let base = ObjectStoreUrl::parse(&base).map_err(|e| wrong(&e))?;
        let prefix = Path::from_url_path(parsed.path()).map_err(|e| wrong(&e))?;
        Ok(Self::of(url, base, store, prefix))
    }

    fn of(shown: &str, url: ObjectStoreUrl, store: Arc<dyn ObjectStore>, prefix: Path) -> Self {
        let shown = shown.trim_end_matches('/').to_owned();
        let verified = Arc::new(Verified::new(Arc::clone(&store), shown.clone()));
        Self {
            shown,
            url,
            store,
            checked: Arc::clone(&verified) as Arc<dyn ObjectStore>,
            verified,
            prefix,
            folder: None,
            cache: Arc::new(Cache::new(0)),
        }
    }

    /// Keeps at most so many bytes of what is decoded of the files here, shared by all clones; nothing unless set.
    #[must_use]
    pub fn with_cache(mut self, bytes: usize) -> Self {
        self.cache = Arc::new(Cache::new(bytes));
        self
    }

    /// The URL under which a DataFusion session must know [`Location::object_store`].
    pub fn object_store_url(&self) -> &ObjectStoreUrl {
        &self.url
    }

    /// The object store that holds the files. What it reads of files of the store is held against the checksums in the log.
    pub fn object_store(&self) -> &Arc<dyn ObjectStore> {
        &self.checked
    }

    /// From now on, [`Location::object_store`] checks what it reads of these files.
    pub(crate) fn know(&self, files: &[Arc<Add>]) {
        let keyed = files.iter().map(|file| (self.key(&file.path), file));
        self.verified.know(keyed);
    }

    /// The key of a file, given its path within this place.
    pub(crate) fn key(&self, relative: &str) -> Path {
        relative
            .split('/')
            .filter(|part| !part.is_empty())
            .fold(self.prefix.clone(), Path::join)
    }

    /// A file's path within this place, given its key.
    pub(crate) fn relative(&self, key: &Path) -> Option<String> {
        let parts: Vec<String> = key
            .prefix_match(&self.prefix)?
            .map(|part| part.as_ref().to_owned())
            .collect();
        Some(parts.join("/"))
    }

    /// A file's place in the file system, given its key; none in an object store.
    pub(crate) fn path(&self, key: &Path) -> Option<PathBuf> {
        self.folder.as_ref()?;
        LocalFileSystem::new().path_to_filesystem(key).ok()
    }

    /// How messages name a file of this place.
    pub(crate) fn show(&self, relative: &str) -> String {
        if relative.is_empty() {
            self.shown.clone()
        } else {
            format!("{}/{relative}", self.shown)
        }
    }

    /// A whole file.
    pub(crate) async fn read(&self, relative: &str) -> Result<Bytes> {
        let failed = |e| Error::object_store(&self.show(relative), e);
        self.store
            .get(&self.key(relative))
            .await
            .map_err(failed)?
            .bytes()
            .await
            .map_err(failed)
    }

    /// Some bytes of a file.
    pub(crate) async fn read_range(&self, relative: &str, range: Range<u64>) -> Result<Bytes> {
        self.store
            .get_range(&self.key(relative), range)
            .await
            .map_err(|e| Error::object_store(&self.show(relative), e))
    }

    /// What was decoded of the files of this place.
    pub(crate) fn cache(&self) -> &Cache {
        &self.cache
    }

    /// A whole file, or nothing where there is none.
    pub(crate) async fn read_if_there(&self, relative: &str) -> Result<Option<Bytes>> {
        match self.read(relative).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What the store knows of one file.
    pub(crate) async fn head(&self, relative: &str) -> Result<ObjectMeta> {
        self.store
            .head(&self.key(relative))
            .await
            .map_err(|e| Error::object_store(&self.show(relative), e))
    }

    /// All files below a path, in the order of their keys.
    pub(crate) async fn list(&self, relative: &str) -> Result<Vec<ObjectMeta>> {
        let key = self.key(relative);
        let mut found: Vec<ObjectMeta> = self
            .store
            .list(Some(&key))
            .try_collect()
            .await
            .map_err(|e| Error::object_store(&self.show(relative), e))?;
        found.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(found)
    }

    /// Writes a file that does not exist yet; it survives a power cut once this returns.
    ///
    /// # Errors
    /// [`Error::Conflict`] if the file exists: exactly one of several writers wins.
    pub(crate) async fn create(&self, relative: &str, bytes: Bytes) -> Result<()> {
        let Some(folder) = &self.folder else {
            let create = PutOptions {
                mode: PutMode::Create,
                ..PutOptions::default()
            };
            let put = self
                .store
                .put_opts(&self.key(relative), bytes.into(), create)
                .await;
            return put
                .map(drop)
                .map_err(|e| Error::object_store(&self.show(relative), e));
        };
        let (folder, relative, shown) = (folder.clone(), relative.to_owned(), self.show(relative));
        tokio::task::spawn_blocking(move || create_durably(&folder, &relative, &shown, &bytes))
            .await
            .map_err(Error::internal)?
    }

    /// Removes a file; one that is not there is no error.
    pub(crate) async fn remove(&self, relative: &str) -> Result<()> {
        match self.store.delete(&self.key(relative)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(Error::object_store(&self.show(relative), e)),
        }
    }

    /// Waits until no other process writes to this place, and keeps others out until dropped.
    /// Object stores have no locks: there, the commit alone decides. Blocks the thread.
    pub(crate) fn lock(&self, relative: &str) -> Result<Option<File>> {
        let Some(folder) = &self.folder else {
            return Ok(None);
        };
        let path = folder.join(relative);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        }
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| Error::io(&path, e))?;
        file.lock().map_err(|e| Error::io(&path, e))?;
        Ok(Some(file))
    }
}

/// An absolute path without `..`, which keys cannot have; what does not exist yet may only stand behind it.
fn resolved(folder: &path::Path) -> std::io::Result<PathBuf> {
    let absolute = path::absolute(folder)?;
    let goes_up = |path: &path::Path| path.components().any(|c| c == path::Component::ParentDir);
    let there = absolute.ancestors().find(|folder| folder.exists());
    match there.filter(|_| goes_up(&absolute)) {
        Some(there) => {
            let rest = absolute.strip_prefix(there).unwrap_or(path::Path::new(""));
            Ok(fs::canonicalize(there)?.join(rest))
        }
        None => Ok(absolute),
    }
}

/// `object_store`'s local implementation never syncs, so a commit could outlive the data it names
/// in a power cut. Here the content reaches the disk first, then takes its name by a hard link
/// (which fails if the name is taken), then every folder on the way is synced.
fn create_durably(root: &path::Path, relative: &str, shown: &str, bytes: &[u8]) -> Result<()> {
    let target = root.join(relative);
    let parent = target.parent().unwrap_or(root);
    let new_folders: Vec<&path::Path> = parent
        .ancestors()
        .take_while(|folder| !folder.exists())
        .collect();
    fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    let staged = parent.join(format!(".{}.tmp", Uuid::now_v7()));
    let written = File::create_new(&staged)
        .and_then(|mut file| file.write_all(bytes).and_then(|()| file.sync_all()))
        .and_then(|()| fs::hard_link(&staged, &target));
    let removed = fs::remove_file(&staged);
    match written {
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(Error::Conflict(format!("{shown} exists already")));
        }
        Err(e) => return Err(Error::io(&target, e)),
        Ok(()) => removed.map_err(|e| Error::io(&staged, e))?,
    }
    sync_folder(parent)?;
    new_folders
        .iter()
        .filter_map(|folder| folder.parent())
        .try_for_each(sync_folder)
}

#[cfg(unix)]
fn sync_folder(folder: &path::Path) -> Result<()> {
    File::open(folder)
        .and_then(|file| file.sync_all())
        .map_err(|e| Error::io(folder, e))
}

/// Other systems cannot open a folder as a file; their file systems order the entries themselves.
#[cfg(not(unix))]
fn sync_folder(_: &path::Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use object_store::memory::InMemory;

    use super::*;

    async fn the_first_writer_of_a_file_wins(location: Location) {
        location
            .create("a/b.json", Bytes::from_static(b"one"))
            .await
            .unwrap();
        let second = location
            .create("a/b.json", Bytes::from_static(b"two"))
            .await;
        assert!(matches!(second, Err(Error::Conflict(_))), "{second:?}");
        assert_eq!(
            location.read("a/b.json").await.unwrap(),
            Bytes::from_static(b"one")
        );
        let keys: Vec<_> = location
            .list("a")
            .await
            .unwrap()
            .iter()
            .map(|meta| location.relative(&meta.location).unwrap())
            .collect();
        assert_eq!(keys, ["a/b.json"]);
        assert_eq!(location.read_if_there("a/c.json").await.unwrap(), None);
    }

    #[tokio::test]
    async fn the_first_writer_of_a_file_wins_in_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("with space & %41");
        the_first_writer_of_a_file_wins(Location::parse(place.to_str().unwrap()).unwrap()).await;
    }

    #[tokio::test]
    async fn the_first_writer_of_a_file_wins_in_an_object_store() {
        let store = Arc::new(InMemory::new());
        the_first_writer_of_a_file_wins(
            Location::with_object_store("memory://bucket/some/prefix", store).unwrap(),
        )
        .await;
    }

    #[test]
    fn other_schemes_are_refused_with_the_way_out() {
        let message = Location::parse("s3://bucket/store")
            .unwrap_err()
            .to_string();
        assert!(message.contains("with_object_store"), "{message}");
    }

    #[test]
    fn a_path_may_go_up() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a");
        fs::create_dir(&inner).unwrap();
        let up = inner.join("../new/store");
        let (up, plain) = (
            Location::parse(up.to_str().unwrap()).unwrap(),
            fs::canonicalize(folder.path()).unwrap().join("new/store"),
        );
        let plain = Location::parse(plain.to_str().unwrap()).unwrap();
        assert_eq!(up.key("x"), plain.key("x"));
    }

    #[test]
    fn a_file_url_names_the_same_place_as_its_path() {
        let (url, path) = (
            Location::parse("file:///tmp/a%20b").unwrap(),
            Location::parse("/tmp/a b").unwrap(),
        );
        assert_eq!(url.key("x"), path.key("x"));
    }
}
