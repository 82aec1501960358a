//! Where a load's bytes come from, and the hash by which a source is known again.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use xxhash_rust::xxh3::Xxh3;

use super::columns::Columns;
use super::report::{LoadReport, code};
use crate::error::{Error, Result};

/// What is to be loaded in one atomic step.
#[derive(Clone, Debug, Default)]
pub struct Load {
    /// Events: files, folders and bytes, read in this order.
    pub sources: Vec<Source>,
    /// What the events look like.
    pub format: Format,
    /// Files of persons, read before the events.
    pub persons: Vec<Source>,
    /// Files of groups, read before the events.
    pub groups: Vec<Source>,
    /// The clock of receipt in microseconds since 1970, for messages that do not carry one.
    pub received_at: Option<i64>,
    /// How the columns of the events are called that are not called as ours are.
    pub columns: Columns,
    /// The type of groups of which only the id is known, in OpenPanel messages.
    pub default_group_type: Option<String>,
    /// About as much memory as the load may take in bytes, however large the sources are; persons and
    /// groups, which are all held, come on top. None: a gibibyte and a half.
    pub memory: Option<usize>,
}

/// Something that can be read from start to end, more than once.
#[derive(Clone, Debug)]
pub enum Source {
    /// A file, or a folder with all files below it in order of their paths.
    Path(PathBuf),
    /// Bytes in memory, for example what came through standard input.
    Bytes {
        /// What messages call it.
        name: String,
        /// The content.
        data: Bytes,
    },
}

impl Source {
    /// Bytes in memory, under the name that messages give them.
    pub fn bytes(name: impl Into<String>, data: impl Into<Bytes>) -> Self {
        Self::Bytes {
            name: name.into(),
            data: data.into(),
        }
    }

    /// What messages call the source.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Bytes { name, .. } => name.clone(),
        }
    }

    /// Opens the source for reading from its start.
    pub(super) fn open(&self) -> Result<Box<dyn Read + Send>> {
        Ok(match self {
            Self::Path(path) => Box::new(File::open(path).map_err(|e| Error::io(path, e))?),
            Self::Bytes { data, .. } => Box::new(std::io::Cursor::new(data.clone())),
        })
    }
}

/// What events look like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Found out from the content: Parquet, or else messages of PostHog, Segment or OpenPanel.
    #[default]
    Auto,
    /// PostHog capture messages.
    PostHog,
    /// Segment messages.
    Segment,
    /// OpenPanel messages.
    OpenPanel,
    /// Parquet with the columns of our events, see [`Columns`].
    Parquet,
}

impl std::str::FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "auto" => Ok(Self::Auto),
            "posthog" => Ok(Self::PostHog),
            "segment" => Ok(Self::Segment),
            "openpanel" => Ok(Self::OpenPanel),
            "parquet" => Ok(Self::Parquet),
            _ => Err(Error::invalid(
                "format",
                format!("`{name}` is none of auto, posthog, segment, openpanel, parquet"),
            )),
        }
    }
}

/// The sources with each folder replaced by the files below it, sorted by path.
///
/// Hidden files, names that begin with `_` and the `manifest.json` of exports are no events: they are skipped with a warning.
pub(crate) fn expand(sources: &[Source], report: &mut LoadReport) -> Result<Vec<Source>> {
    let mut files = Vec::new();
    for source in sources {
        match source {
            Source::Path(path) if path.is_dir() => walk(path, &mut files, report)?,
            other => files.push(other.clone()),
        }
    }
    Ok(files)
}

/// Notes a file that holds no events.
pub(crate) fn skip(file: &str, report: &mut LoadReport) {
    report.warn(code::FILE_SKIPPED, || file.to_owned());
}

fn walk(folder: &Path, files: &mut Vec<Source>, report: &mut LoadReport) -> Result<()> {
    let failed = |e| Error::io(folder, e);
    let mut paths = Vec::new();
    for entry in folder.read_dir().map_err(failed)? {
        paths.push(entry.map_err(failed)?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(['.', '_']) || name == "manifest.json" {
            skip(&path.display().to_string(), report);
        } else if path.is_dir() {
            walk(&path, files, report)?;
        } else {
            files.push(Source::Path(path));
        }
    }
    Ok(())
}

/// The hash of a source's bytes as they lie, before any decompression.
pub(crate) fn content_hash(source: &Source) -> Result<u128> {
    let mut hash = Xxh3::new();
    let mut reader = source.open()?;
    let mut buffer = vec![0; 1 << 18];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => return Ok(hash.digest128()),
            Ok(n) => hash.update(&buffer[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Error::io(Path::new(&source.name()), e)),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_folder_is_its_files_in_order_of_their_paths() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("b")).unwrap();
        for name in [
            "c.jsonl",
            "b/x.jsonl",
            "a.jsonl",
            "manifest.json",
            ".hidden",
        ] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        let mut report = LoadReport::default();
        let files = expand(&[Source::Path(dir.path().into())], &mut report).unwrap();
        let names: Vec<_> = files.iter().map(Source::name).collect();
        let expected =
            ["a.jsonl", "b/x.jsonl", "c.jsonl"].map(|n| dir.path().join(n).display().to_string());
        assert_eq!(names, expected);
        assert_eq!(report.warnings[0].count, 2);
    }

    #[test]
    fn the_hash_is_that_of_the_bytes() {
        let source = |data: &'static str| Source::Bytes {
            name: "x".into(),
            data: Bytes::from_static(data.as_bytes()),
        };
        assert_eq!(
            content_hash(&source("a")).unwrap(),
            content_hash(&source("a")).unwrap()
        );
        assert_ne!(
            content_hash(&source("a")).unwrap(),
            content_hash(&source("b")).unwrap()
        );
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = content_hash(&Source::Path("/nowhere/at all".into())).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at all"), "{error}");
    }
}
