//! The events of a load: which staged rows are new, and the files that they become.

use std::collections::HashSet;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use tokio::runtime::Handle;

use crate::error::Result;
use crate::files::actors::Actors;
use crate::files::dedupe::{self, Candidates, Found};
use crate::files::seen::Seen;
use crate::files::{self, Encoded, layout, parallel, promote};
use crate::ingest::{EventCounts, StagedEvents};
use crate::location::Location;
use crate::log::{Add, LogState, Remove, Table};
use crate::schema::Promoted;
use crate::store::Progress;

/// Files written at a time; each waits for the disk.
const WRITES_AT_A_TIME: usize = 8;

/// The events of an attempt: files that are live or will be, and those that will no longer be.
pub(super) struct EventsTable<'a> {
    location: Location,
    runtime: &'a Handle,
    progress: &'a dyn Progress,
    pub(super) promoted: Option<Vec<Promoted>>,
    pub(super) live: Vec<Arc<Add>>,
    /// Paths of files that this attempt has written.
    pub(super) written: Vec<String>,
    /// What this attempt has written, by uuid.
    seen: Seen,
    pub(super) seen_memory: usize,
    /// Files of the version below that this attempt replaces.
    pub(super) removed: Vec<Remove>,
    /// Stored events and duplicates so far.
    pub(super) counts: EventCounts,
}

impl<'a> EventsTable<'a> {
    /// Those of a version.
    pub(super) fn new(
        location: &Location,
        log: &LogState,
        runtime: &'a Handle,
        progress: &'a dyn Progress,
    ) -> Self {
        Self {
            location: location.clone(),
            runtime,
            progress,
            promoted: log.metadata.promoted.clone(),
            live: log.files(Table::Events).cloned().collect(),
            written: Vec::new(),
            seen: Seen::default(),
            seen_memory: 0,
            removed: Vec::new(),
            counts: EventCounts::default(),
        }
    }

    /// Writes the staged rows that are new, and writes files again that hold older versions of them.
    pub(super) fn write(&mut self, staged: &StagedEvents, actors: &Actors) -> Result<()> {
        let promoted = match &self.promoted {
            Some(promoted) => promoted.clone(),
            None => self.promoted.insert(promote::choose(staged)?).clone(),
        };
        let mut rows = dedupe::within(staged);
        let repeated = (staged.len() - rows.len()) as u64;
        let found = self.find(staged, &rows)?;
        let same: HashSet<u32> = found
            .iter()
            .flat_map(|(_, found)| found.same.iter().copied())
            .collect();
        let replaced: usize = found.iter().map(|(_, found)| found.replaced.len()).sum();
        rows.retain(|row| !same.contains(row));
        self.counts.duplicates += repeated + same.len() as u64 + replaced as u64;
        self.counts.stored += (rows.len() - replaced) as u64;
        for (file, found) in found {
            self.replace(&file, &found.replaced)?;
        }
        let count = rows.len() as u64;
        self.seen.flush(staged, &rows, self.seen_memory);
        let files = layout::plan(staged, rows)?;
        let files = files::encode(staged, &files, &promoted, actors)?;
        let added = self.put(files)?;
        added.iter().for_each(|file| self.seen.written(&file.path));
        self.live.extend(added.into_iter().map(Arc::new));
        self.progress.written(count);
        Ok(())
    }

    /// The staged rows that live files hold already, by file.
    fn find(&self, staged: &StagedEvents, rows: &[u32]) -> Result<Vec<(Arc<Add>, Found)>> {
        let mut found = Vec::new();
        let mut unknown: Vec<Arc<Add>> = self.live.clone();
        for (rows, paths) in self.seen.candidates(staged, rows)? {
            let (own, others): (Vec<_>, Vec<_>) = unknown
                .into_iter()
                .partition(|file| paths.contains(&file.path));
            unknown = others;
            found.extend(self.find_in(&own, staged, &rows)?);
        }
        found.extend(self.find_in(&unknown, staged, rows)?);
        Ok(found)
    }

    fn find_in(
        &self,
        files: &[Arc<Add>],
        staged: &StagedEvents,
        rows: &[u32],
    ) -> Result<Vec<(Arc<Add>, Found)>> {
        if files.is_empty() || rows.is_empty() {
            return Ok(Vec::new());
        }
        let candidates = Candidates::of(staged, rows);
        parallel::map(files, |file| {
            let found = dedupe::against(&self.location, file, staged, &candidates);
            Ok((Arc::clone(file), self.runtime.block_on(found)?))
        })
    }

    /// Writes a live file again without some rows.
    fn replace(&mut self, old: &Add, rows: &[usize]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let new = self
            .runtime
            .block_on(files::rewrite(&self.location, old, rows))?;
        let added = self.put(new.into_iter().collect())?;
        for file in &added {
            self.seen.replaced(&old.path, &file.path);
        }
        self.live.retain(|file| file.path != old.path);
        self.live.extend(added.into_iter().map(Arc::new));
        match self.written.iter().position(|written| *written == old.path) {
            // Written by this very load, so that no version names it.
            Some(at) => {
                self.written.remove(at);
                self.runtime.block_on(self.location.remove(&old.path))?;
            }
            None => self.removed.push(Remove {
                path: old.path.clone(),
            }),
        }
        Ok(())
    }

    /// Writes files and returns their actions.
    pub(super) fn put(&mut self, files: Vec<Encoded>) -> Result<Vec<Add>> {
        self.written
            .extend(files.iter().map(|file| file.add.path.clone()));
        let location = &self.location;
        self.runtime.block_on(
            stream::iter(files)
                .map(|file| async move {
                    location.create(&file.add.path, file.bytes).await?;
                    Ok(file.add)
                })
                .buffered(WRITES_AT_A_TIME)
                .try_collect(),
        )
    }

    /// Takes away what was written. What cannot be removed is left to `vacuum`.
    pub(super) fn discard(&self) {
        for path in &self.written {
            if let Err(error) = self.runtime.block_on(self.location.remove(path)) {
                tracing::warn!(%path, %error, "a file of a load that failed stays behind");
            }
        }
    }
}
