//! What can go wrong with a store, sorted by whose fault it is.

use std::path::Path;

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request to the store failed. Each message is one sentence that names the place and the way out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller asked for something that makes no sense; `path` names the argument, the file or the column.
    #[error("{path}: {reason}")]
    Invalid {
        /// The argument, file or column that is wrong.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The request makes sense, yet this version does not do it.
    #[error("{what} is not supported; {instead}")]
    Unsupported {
        /// What was asked for.
        what: String,
        /// What to do instead.
        instead: String,
    },
    /// There is nothing at the place that was named.
    #[error("{0}")]
    NotFound(String),
    /// Somebody else was there first.
    #[error("{0}")]
    Conflict(String),
    /// Memory, disk or another limit of the machine was reached.
    #[error("{0}")]
    ResourcesExhausted(String),
    /// Stored or loaded data are damaged.
    #[error("{file} is damaged: {reason}")]
    Corrupt {
        /// The damaged file.
        file: String,
        /// How the damage shows.
        reason: String,
    },
    /// The operating system or the object store refused a read or a write.
    #[error("{place}: {source}")]
    Io {
        /// The file or folder concerned.
        place: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A defect of this crate.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

impl Error {
    pub(crate) fn invalid(path: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.into(),
            reason: reason.into(),
        }
    }

    pub(crate) fn corrupt(file: impl Into<String>, reason: impl ToString) -> Self {
        Self::Corrupt {
            file: file.into(),
            reason: reason.to_string(),
        }
    }

    pub(crate) fn internal(what: impl ToString) -> Self {
        Self::Internal(what.to_string())
    }

    /// An error of the file system at `place`.
    pub(crate) fn io(place: &Path, source: std::io::Error) -> Self {
        let place = place.display().to_string();
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound(format!("there is no {place}")),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                Self::ResourcesExhausted(format!(
                    "{place} cannot be written: {source}; free some space"
                ))
            }
            _ => Self::Io { place, source },
        }
    }

    /// An error of the object store at `place`.
    pub(crate) fn object_store(place: &str, source: object_store::Error) -> Self {
        match source {
            object_store::Error::NotFound { .. } => Self::NotFound(format!("there is no {place}")),
            object_store::Error::AlreadyExists { .. } => {
                Self::Conflict(format!("{place} exists already"))
            }
            other if is_full(&other) => Self::ResourcesExhausted(format!(
                "{place} cannot be written: the storage is full; free some space"
            )),
            other => Self::Io {
                place: place.to_owned(),
                source: std::io::Error::other(other),
            },
        }
    }

    /// An error of the Parquet library while it read `file`.
    pub(crate) fn parquet(file: &str, source: &ParquetError) -> Self {
        match Self::below(source) {
            Some(Self::Io { source, .. }) => Self::Io {
                place: file.to_owned(),
                source,
            },
            Some(Self::NotFound(_)) => Self::corrupt(file, "the file is missing"),
            Some(below) => below,
            None => Self::corrupt(file, source),
        }
    }

    /// What a library was told by storage when it failed: an error of ours, or one of the object store.
    fn below(error: &(dyn std::error::Error + 'static)) -> Option<Self> {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let (mut ours, mut theirs) = (None, None);
        for cause in causes {
            ours = ours.or_else(|| cause.downcast_ref::<Self>().map(Self::again));
            theirs = theirs.or_else(|| match cause.downcast_ref::<object_store::Error>()? {
                object_store::Error::NotFound { path, .. } => {
                    Some(Self::NotFound(format!("there is no {path}")))
                }
                other => Some(Self::Io {
                    place: "object store".into(),
                    source: std::io::Error::other(other.to_string()),
                }),
            });
        }
        ours.or(theirs)
    }

    /// The same once more.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Invalid { path, reason } => Self::invalid(path.clone(), reason.clone()),
            Self::Unsupported { what, instead } => Self::Unsupported {
                what: what.clone(),
                instead: instead.clone(),
            },
            Self::NotFound(reason) => Self::NotFound(reason.clone()),
            Self::Conflict(reason) => Self::Conflict(reason.clone()),
            Self::ResourcesExhausted(reason) => Self::ResourcesExhausted(reason.clone()),
            Self::Corrupt { file, reason } => Self::corrupt(file.clone(), reason),
            Self::Io { place, source } => Self::Io {
                place: place.clone(),
                source: std::io::Error::new(source.kind(), source.to_string()),
            },
            Self::Internal(what) => Self::Internal(what.clone()),
        }
    }
}

/// What [`classify`] calls a file of which it knows no name. DataFusion keeps the text alone of some errors, so that it may as well be the
/// storage that has failed.
pub const SOME_FILE: &str = "a Parquet file";

/// Whether an object store has failed for lack of space below it.
fn is_full(error: &object_store::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source())
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| matches!(cause.kind(), StorageFull | QuotaExceeded))
}

/// The store's view of an error that DataFusion met while it ran a plan over a store or a folder.
///
/// Unreadable Parquet becomes [`Error::Corrupt`] ([`Snapshot::diagnose`](crate::Snapshot::diagnose) and
/// [`Folder::diagnose`](crate::Folder::diagnose) name the file too), a used-up memory pool
/// [`Error::ResourcesExhausted`], a vanished file [`Error::Corrupt`]; the rest is the request's fault
/// or [`Error::Internal`].
pub fn classify(error: &DataFusionError) -> Error {
    let wrong = |reason: &dyn ToString| Error::invalid("query", reason.to_string());
    match Error::below(error) {
        Some(Error::NotFound(reason)) => return Error::corrupt("a file of the store", reason),
        Some(below) => return below,
        None => {}
    }
    match error.find_root() {
        DataFusionError::ResourcesExhausted(message) => Error::ResourcesExhausted(format!(
            "{message}; give the engine more memory or ask for less at once"
        )),
        DataFusionError::ParquetError(cause) => Error::corrupt(SOME_FILE, cause),
        DataFusionError::External(cause) if cause.is::<ParquetError>() => {
            Error::corrupt(SOME_FILE, cause)
        }
        DataFusionError::External(cause) => Error::internal(cause),
        DataFusionError::ArrowError(cause, _) => match cause.as_ref() {
            ArrowError::ParquetError(_) => Error::corrupt(SOME_FILE, cause),
            ArrowError::ExternalError(inner) if inner.is::<ParquetError>() => {
                Error::corrupt(SOME_FILE, inner)
            }
            ArrowError::MemoryError(message) => Error::ResourcesExhausted(message.clone()),
            other => wrong(other),
        },
        // What is put aside while memory is short.
        DataFusionError::IoError(cause) => {
            let cause = std::io::Error::new(cause.kind(), cause.to_string());
            Error::io(Path::new("a temporary file"), cause)
        }
        DataFusionError::NotImplemented(what) => Error::Unsupported {
            what: what.clone(),
            instead: "write the query in another way".into(),
        },
        DataFusionError::SQL(cause, _) => wrong(cause),
        DataFusionError::SchemaError(cause, _) => wrong(cause),
        DataFusionError::Plan(reason)
        | DataFusionError::Configuration(reason)
        | DataFusionError::Execution(reason) => wrong(reason),
        other => Error::internal(other),
    }
}
