//! What can go wrong with a question, sorted by whose fault it is.

use std::time::Duration;

use datafusion::error::DataFusionError;

/// Result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request failed. Its text is one sentence that names the place and the way out.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    kind: ErrorKind,
    path: Option<String>,
    message: String,
}

/// Whose fault an error is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong; [`Error::path`] says where.
    Invalid,
    /// The request makes sense, but this version does not do it; the message says what to do instead.
    Unsupported,
    /// What was named does not exist.
    NotFound,
    /// Somebody else was there first.
    Conflict,
    /// A limit of memory, disk or time was reached.
    ResourcesExhausted,
    /// Data are damaged; the message names the file.
    Corrupt,
    /// The operating system or an object store refused a read or a write.
    Io,
    /// A defect of Quintet.
    Internal,
}

impl ErrorKind {
    /// The kind in one word, as `{"error": {"code": …}}` has it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Unsupported => "unsupported",
            Self::NotFound => "not_found",
            Self::Conflict => "conflict",
            Self::ResourcesExhausted => "resources_exhausted",
            Self::Corrupt => "corrupt",
            Self::Io => "io",
            Self::Internal => "internal",
        }
    }
}

impl Error {
    /// Whose fault it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The kind in one word.
    pub fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// The place in the definition, such as `series[1].math`, where one is to blame.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref().filter(|path| !path.is_empty())
    }

    /// A question that was given up.
    pub(crate) fn took_too_long(limit: Duration) -> Self {
        Self {
            kind: ErrorKind::ResourcesExhausted,
            path: None,
            message: format!(
                "the question took longer than its time limit of {} s; allow more, or ask for a shorter range",
                limit.as_secs_f64()
            ),
        }
    }

    /// The machine has no more of something.
    pub(crate) fn exhausted(reason: String) -> Self {
        Self {
            kind: ErrorKind::ResourcesExhausted,
            path: None,
            message: reason,
        }
    }

    /// A request that is wrong at `path`.
    pub(crate) fn invalid(path: &str, reason: impl std::fmt::Display) -> Self {
        let message = if path.is_empty() {
            reason.to_string()
        } else {
            format!("{path}: {reason}")
        };
        let message = message.replace(char::is_control, " ");
        Self {
            kind: ErrorKind::Invalid,
            path: Some(path.to_owned()),
            message,
        }
    }

    /// A request that this version does not do.
    pub(crate) fn unsupported(what: &str, instead: &str) -> Self {
        Self {
            kind: ErrorKind::Unsupported,
            path: None,
            message: format!("{what} is not supported; {instead}"),
        }
    }

    /// A defect of Quintet.
    pub(crate) fn internal(what: impl std::fmt::Display) -> Self {
        Self {
            kind: ErrorKind::Internal,
            path: None,
            message: format!("internal error, please report it: {what}"),
        }
    }
}

impl From<quintet_query::Error> for Error {
    fn from(error: quintet_query::Error) -> Self {
        let kind = match &error {
            quintet_query::Error::Invalid { .. } => ErrorKind::Invalid,
            quintet_query::Error::Unsupported { .. } => ErrorKind::Unsupported,
            _ => ErrorKind::Internal,
        };
        Self {
            kind,
            path: Some(error.path().to_owned()),
            message: error.to_string(),
        }
    }
}

impl From<quintet_store::Error> for Error {
    fn from(error: quintet_store::Error) -> Self {
        use quintet_store::Error as Store;
        let kind = match &error {
            Store::Invalid { .. } => ErrorKind::Invalid,
            Store::Unsupported { .. } => ErrorKind::Unsupported,
            Store::NotFound(_) => ErrorKind::NotFound,
            Store::Conflict(_) => ErrorKind::Conflict,
            Store::ResourcesExhausted(_) => ErrorKind::ResourcesExhausted,
            Store::Corrupt { .. } => ErrorKind::Corrupt,
            Store::Io { .. } => ErrorKind::Io,
            _ => ErrorKind::Internal,
        };
        let path = match &error {
            Store::Invalid { path, .. } => Some(path.clone()),
            _ => None,
        };
        Self {
            kind,
            path,
            // DataFusion lists consumers of memory on lines of their own.
            message: error.to_string().replace(char::is_control, " "),
        }
    }
}

impl From<DataFusionError> for Error {
    fn from(error: DataFusionError) -> Self {
        quintet_store::classify(&error).into()
    }
}
