//! Why a command ended early: one sentence on standard error and the exit status of the contract.

use std::io::Write;
use std::process::ExitCode;

use quintet::{Error, ErrorKind};
use serde_json::json;

/// The request is refused: a wrong definition, an unsupported combination, a wrong flag.
const REFUSED: u8 = 2;
/// The data are damaged.
const DAMAGED: u8 = 3;
/// Anything else: a missing store or file, a store that exists already, no memory or disk, a defect.
const OTHER: u8 = 1;

/// The result of everything in this program.
pub(crate) type Result<T> = std::result::Result<T, Failure>;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something to tell the user.
    Told {
        status: u8,
        code: &'static str,
        path: Option<String>,
        message: String,
    },
    /// Nobody reads our standard output any longer, as in `quintet … | head`: the work is done.
    OutputClosed,
}

impl Failure {
    /// An argument or a file given as one is wrong.
    pub(crate) fn invalid(path: &str, reason: impl std::fmt::Display) -> Self {
        let message = format!("{path}: {reason}");
        Self::Told {
            status: REFUSED,
            code: ErrorKind::Invalid.code(),
            path: Some(path.to_owned()),
            message,
        }
    }

    /// What is asked for makes sense, but this version does not do it.
    pub(crate) fn unsupported(message: String) -> Self {
        Self::Told {
            status: REFUSED,
            code: ErrorKind::Unsupported.code(),
            path: None,
            message,
        }
    }

    /// Stored data are damaged.
    pub(crate) fn damaged(message: String) -> Self {
        Self::Told {
            status: DAMAGED,
            code: ErrorKind::Corrupt.code(),
            path: None,
            message,
        }
    }

    /// The operating system refused to read or write `place`.
    pub(crate) fn io(place: &str, error: &std::io::Error) -> Self {
        let (code, message) = match error.kind() {
            std::io::ErrorKind::NotFound => (
                ErrorKind::NotFound.code(),
                format!("there is no file {place}"),
            ),
            _ => (ErrorKind::Io.code(), format!("{place}: {error}")),
        };
        Self::Told {
            status: OTHER,
            code,
            path: None,
            message,
        }
    }

    /// A defect of ours.
    pub(crate) fn internal(what: impl std::fmt::Display) -> Self {
        let message = format!("internal error, please report it: {what}");
        Self::Told {
            status: OTHER,
            code: ErrorKind::Internal.code(),
            path: None,
            message,
        }
    }

    /// Tells standard error, as one sentence or as one line of JSON, and gives the exit status.
    pub(crate) fn report(self, as_json: bool) -> ExitCode {
        match self {
            Self::OutputClosed => ExitCode::SUCCESS,
            Self::Told {
                status,
                code,
                path,
                message,
            } => {
                tell(code, path.as_deref(), &message, as_json);
                ExitCode::from(status)
            }
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            ErrorKind::Invalid | ErrorKind::Unsupported => REFUSED,
            ErrorKind::Corrupt => DAMAGED,
            _ => OTHER,
        };
        Self::Told {
            status,
            code: error.code(),
            path: error.path().map(str::to_owned),
            message: error.to_string(),
        }
    }
}

/// Shows help and version as asked for, or refuses a command line.
pub(crate) fn usage(error: &clap::Error, as_json: bool) -> ExitCode {
    if as_json && error.use_stderr() {
        let text = error.to_string();
        let sentence = text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("error: ");
        tell("usage", None, sentence, true);
    } else {
        let _ = error.print(); // a closed terminal is no reason to fail in another way
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(REFUSED))
}

fn tell(code: &str, path: Option<&str>, message: &str, as_json: bool) {
    let text = if as_json {
        json!({"error": {"code": code, "path": path, "message": message}}).to_string()
    } else {
        let sentence: Vec<&str> = message.split_whitespace().collect();
        format!("quintet: {}", sentence.join(" "))
    };
    let _ = writeln!(std::io::stderr(), "{text}");
}
