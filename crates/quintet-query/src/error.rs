//! Why a definition is refused, and where in it the reason stands.

use crate::reader::Path;

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A definition that cannot be answered. Whoever wrote it can repair it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The definition is wrong.
    #[error("{}{reason}", place(path))]
    Invalid {
        /// Where, like `series[1].properties[0].operator`; empty for the definition as a whole.
        path: String,
        /// What is wrong with it, and what would be right.
        reason: String,
    },
    /// The definition means something that this version does not do.
    #[error("{what} is not supported; {instead}")]
    Unsupported {
        /// What is asked for.
        what: String,
        /// What to do instead.
        instead: String,
    },
}

impl Error {
    pub(crate) fn invalid(path: &Path, reason: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.to_string(),
            reason: reason.into(),
        }
    }

    pub(crate) fn unsupported(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Unsupported {
            what: what.into(),
            instead: instead.into(),
        }
    }

    /// The same error where the definition stands in this field of another.
    pub(crate) fn within(self, field: &str) -> Self {
        match self {
            Self::Invalid { path, reason } => Self::Invalid {
                path: if path.is_empty() {
                    field.to_owned()
                } else {
                    format!("{field}.{path}")
                },
                reason,
            },
            other => other,
        }
    }

    /// The same error where the definition is the source of another.
    pub(crate) fn in_source(self) -> Self {
        self.within("source")
    }

    /// The kind in one word: `invalid` or `unsupported`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Invalid { .. } => "invalid",
            Self::Unsupported { .. } => "unsupported",
        }
    }

    /// Where in the definition the reason stands; empty when it is the definition as a whole.
    pub fn path(&self) -> &str {
        match self {
            Self::Invalid { path, .. } => path,
            Self::Unsupported { .. } => "",
        }
    }
}

fn place(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}
