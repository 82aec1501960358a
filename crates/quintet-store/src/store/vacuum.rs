//! Deletes files that the newest version does not need: those that were replaced long enough ago for nobody to read an older
//! version any longer, and those of writers that died.

use std::time::Duration;

use chrono::Utc;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::ObjectMeta;
use serde::Serialize;
use tokio::runtime::Handle;

use super::Store;
use crate::error::Result;
use crate::location::Location;
use crate::log::{LOCK, LogState, Table};

/// Where there are no locks, a file that no version names may belong to a load that is not done yet; none takes as long as this.
const LONGEST_LOAD: Duration = Duration::from_secs(24 * 3600);
/// Files deleted at a time.
const DELETES_AT_A_TIME: usize = 16;

/// What a vacuum has done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VacuumReport {
    /// Files that were deleted.
    pub deleted_files: usize,
    /// Their bytes.
    pub deleted_bytes: u64,
    /// Files that the newest version does not need, too young to be deleted.
    pub kept_files: usize,
    /// Their bytes.
    pub kept_bytes: u64,
}

/// Deletes what has not been needed for `older_than`. Blocks the thread.
pub(super) fn run(store: &Store, runtime: &Handle, older_than: Duration) -> Result<VacuumReport> {
    let lock = store.location.lock(LOCK)?;
    runtime.block_on(sweep(store, older_than, lock.is_some()))
}

/// The same for a caller that has the lock, where there is one.
pub(super) async fn sweep(
    store: &Store,
    older_than: Duration,
    is_locked: bool,
) -> Result<VacuumReport> {
    let location = &store.location;
    // Listed before the log is read: what is committed in between counts as live.
    let found = unneeded(location).await?;
    let snapshot = store.snapshot().await?;
    let ages = Ages {
        log: snapshot.log(),
        now: Utc::now().timestamp_micros(),
        older_than,
        unknown_older_than: if is_locked {
            older_than
        } else {
            older_than.max(LONGEST_LOAD)
        },
    };
    let live = snapshot.log().all_files().iter();
    let live: std::collections::HashSet<&str> = live.map(|file| file.path.as_str()).collect();
    let dead = found
        .into_iter()
        .filter(|(path, _)| !live.contains(path.as_str()));
    let (old, young): (Vec<_>, Vec<_>) = dead.partition(|(path, meta)| ages.are_over(path, meta));
    let bytes = |files: &[(String, ObjectMeta)]| files.iter().map(|(_, meta)| meta.size).sum();
    let report = VacuumReport {
        deleted_files: old.len(),
        deleted_bytes: bytes(&old),
        kept_files: young.len(),
        kept_bytes: bytes(&young),
    };
    let deletes: Vec<_> = old.iter().map(|(path, _)| location.remove(path)).collect();
    stream::iter(deletes)
        .buffer_unordered(DELETES_AT_A_TIME)
        .try_collect::<()>()
        .await?;
    Ok(report)
}

/// The files of the tables that we have written or begun to write, by their path. Files of others are not ours to delete.
async fn unneeded(location: &Location) -> Result<Vec<(String, ObjectMeta)>> {
    let mut found = Vec::new();
    for table in [Table::Events].into_iter().chain(Table::ENTITIES) {
        for meta in location.list(table.folder()).await? {
            let name = meta.location.filename().unwrap_or_default();
            let is_ours =
                name.ends_with(".parquet") || (name.starts_with('.') && name.ends_with(".tmp"));
            if let Some(path) = location.relative(&meta.location).filter(|_| is_ours) {
                found.push((path, meta));
            }
        }
    }
    Ok(found)
}

/// Since when a file is not needed, and how long it has to be so.
struct Ages<'a> {
    log: &'a LogState,
    now: i64,
    older_than: Duration,
    unknown_older_than: Duration,
}

impl Ages<'_> {
    fn are_over(&self, path: &str, meta: &ObjectMeta) -> bool {
        let (since, least) = match self.log.removed_at(path) {
            Some(removed) => (removed, self.older_than),
            None => (
                meta.last_modified.timestamp_micros(),
                self.unknown_older_than,
            ),
        };
        let least = i64::try_from(least.as_micros()).unwrap_or(i64::MAX);
        since <= self.now.saturating_sub(least)
    }
}

#[cfg(test)]
mod tests;
