//! What holds after a run of commits: settings, live files in the order they were added, files that were live, loaded sources.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::actions::{Action, Add, Metadata, Table};
use crate::error::{Error, Result};

/// The sum of all log entries up to a version.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct LogState {
    /// Number of the last entry.
    pub(crate) version: u64,
    entries: u64,
    has_metadata: bool,
    pub(crate) metadata: Metadata,
    files: Vec<Arc<Add>>,
    /// Files that are no longer live, with the instant of the commit that removed them.
    removed: BTreeMap<String, i64>,
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
        // Nothing tells when a file was removed by a commit without a time: it counts as removed just now, for ever.
        let mut time = i64::MAX;
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
                Action::CommitInfo(info) => time = info.time,
                Action::Protocol(_) => {}
            }
        }
        if !removed.is_empty() {
            self.files.retain(|file| !removed.contains(&file.path));
        }
        self.removed
            .extend(removed.into_iter().map(|path| (path, time)));
        self.files.extend(added);
    }

    /// Number of the entry that is to be applied next.
    pub(super) fn next(&self) -> u64 {
        self.entries
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

    /// The instant (microseconds UTC) at which a file stopped being live; none if it never was, or still is.
    pub(crate) fn removed_at(&self, path: &str) -> Option<i64> {
        self.removed.get(path).copied()
    }

    /// Whether all these files are live.
    pub(crate) fn has_all<'a>(&self, paths: impl IntoIterator<Item = &'a String>) -> bool {
        let live: HashSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        paths.into_iter().all(|path| live.contains(path.as_str()))
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

/// A state as a checkpoint keeps it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Sum {
    version: u64,
    metadata: Metadata,
    files: Vec<Add>,
    removed: BTreeMap<String, i64>,
    loads: BTreeMap<String, u64>,
}

impl From<&LogState> for Sum {
    fn from(state: &LogState) -> Self {
        Self {
            version: state.version,
            metadata: state.metadata.clone(),
            files: state.files.iter().map(|file| Add::clone(file)).collect(),
            removed: state.removed.clone(),
            loads: state
                .loads
                .iter()
                .map(|(source, rows)| (source.clone(), *rows))
                .collect(),
        }
    }
}

impl From<Sum> for LogState {
    fn from(sum: Sum) -> Self {
        Self {
            version: sum.version,
            entries: sum.version.saturating_add(1),
            has_metadata: true,
            metadata: sum.metadata,
            files: sum.files.into_iter().map(Arc::new).collect(),
            removed: sum.removed,
            loads: sum.loads.into_iter().collect(),
        }
    }
}
