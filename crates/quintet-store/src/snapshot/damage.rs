//! The quick check: are the files of a snapshot those that were written? `Store::verify` looks closer.

use datafusion::error::DataFusionError;
use futures::{StreamExt, stream};

use super::Snapshot;
use crate::error::{Error, SOME_FILE, classify};
use crate::files::parquet::read_checked;

/// Files checked at a time; each is held in memory.
const AT_A_TIME: usize = 4;

impl Snapshot {
    /// Reads every live file and returns what is wrong: missing files, other lengths, other contents.
    pub async fn damaged_files(&self) -> Vec<Error> {
        let mut wrong = Vec::new();
        let checks: Vec<_> = self
            .log
            .all_files()
            .iter()
            .map(|file| read_checked(&self.location, file))
            .collect();
        let mut checks = stream::iter(checks).buffered(AT_A_TIME);
        while let Some(checked) = checks.next().await {
            wrong.extend(checked.err());
        }
        wrong
    }

    /// What made a plan over this snapshot fail. DataFusion seldom names the file that it could not read;
    /// if the error smells of damage, all files are checked, and the first damaged one is named.
    pub async fn diagnose(&self, error: &DataFusionError) -> Error {
        match classify(error) {
            damage @ (Error::Corrupt { .. } | Error::Io { .. }) => self
                .damaged_files()
                .await
                .into_iter()
                .next()
                .unwrap_or_else(|| self.without_damage(damage)),
            other => other,
        }
    }

    /// What is said of a failure when every file turned out to be what was written.
    pub fn without_damage(&self, error: Error) -> Error {
        match error {
            Error::Corrupt { file, reason } if file == SOME_FILE => Error::Io {
                place: self.location.show(""),
                source: std::io::Error::other(reason),
            },
            other => other,
        }
    }
}
