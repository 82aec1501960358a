//! What holds after a run of commits: settings, live files in the order they were added, loaded sources.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::actions::{Action, Add, Metadata, Table};
use crate::error::{Error, Result};

/// The sum of all log entries up to a version.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogState {
    /// Number of the last entry.
    pub(crate) version: u64,
    entries: u64,
    has_metadata: bool,
    pub(crate) metadata: Metadata,
    files: Vec<Arc<Add>>,
    /// Events read, by loaded source.
    loads: HashMap<String, u64>,
}

impl LogState {
    /// Takes the actions of the next entry in.
    pub(crate) fn apply(&mut self, actions: Vec<Action>) {
        self.version = self.entries;
        self.entries += 1;
        let mut removed = HashSet::new();
        let mut added = Vec::new();
        for action in actions {
            match action {
                Action::Metadata(metadata) => {
                    self.metadata = metadata;
                    self.has_metadata = true;
                }
                Action::Add(add) => added.push(Arc::new(add)),
                Action::Remove(remove) => {
                    removed.insert(remove.path);
                }
                Action::Txn(txn) => {
                    self.loads.insert(txn.source, txn.rows);
                }
                Action::Protocol(_) | Action::CommitInfo(_) => {}
            }
        }
        if !removed.is_empty() {
            self.files.retain(|file| !removed.contains(&file.path));
        }
        self.files.extend(added);
    }

    pub(crate) fn checked(self, first_entry: &str) -> Result<Self> {
        if self.has_metadata {
            Ok(self)
        } else {
            Err(Error::corrupt(first_entry, "the log has no metadata"))
        }
    }

    /// All live files, in the order they were added.
    pub(crate) fn all_files(&self) -> &[Arc<Add>] {
        &self.files
    }

    /// Live files of one table, in the order they were added.
    pub(crate) fn files(&self, table: Table) -> impl Iterator<Item = &Arc<Add>> {
        self.files.iter().filter(move |file| file.table == table)
    }

    /// Events read when a source was loaded, if it was.
    pub(crate) fn loaded(&self, source: &str) -> Option<u64> {
        self.loads.get(source).copied()
    }

    /// Number of sources loaded so far.
    pub(crate) fn loads(&self) -> usize {
        self.loads.len()
    }
}
