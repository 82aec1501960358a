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
            path: sentence(path.to_string()),
            reason: sentence(reason.into()),
        }
    }

    pub(crate) fn unsupported(what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self::Unsupported {
            what: sentence(what.into()),
            instead: sentence(instead.into()),
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

/// The longest message: what is quoted in it may be of any length.
const LONGEST: usize = 1000;

/// A message on one line that can be read, whatever it quotes.
fn sentence(message: String) -> String {
    let is_long = message.chars().nth(LONGEST).is_some();
    if !is_long && !message.contains(char::is_control) {
        return message;
    }
    let letters: Vec<char> = message.chars().collect();
    let written = |letters: &[char]| -> String {
        let escaped = |letter: &char| match letter.is_control() {
            true => letter.escape_default().to_string(),
            false => letter.to_string(),
        };
        letters.iter().map(escaped).collect()
    };
    if !is_long {
        return written(&letters);
    }
    // What is wrong stands first, and the way out last.
    let (start, end) = (LONGEST * 2 / 3, letters.len() - LONGEST / 3);
    let (start, end) = (letters.get(..start), letters.get(end..));
    format!(
        "{} … {}",
        written(start.unwrap_or_default()),
        written(end.unwrap_or_default())
    )
}

fn place(path: &str) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_whatever_it_quotes() {
        let error = Error::invalid(&Path::root(), "a\nb\u{7}c\u{0}");
        assert_eq!(error.to_string(), r"a\nb\u{7}c\u{0}");
    }

    #[test]
    fn a_long_quote_is_cut_in_the_middle() {
        let error = Error::invalid(&Path::root(), format!("begins {} ends", "é".repeat(9000)));
        let text = error.to_string();
        assert!(text.starts_with("begins é") && text.ends_with("é ends"));
        assert!(text.chars().count() < LONGEST + 10);
    }
}
