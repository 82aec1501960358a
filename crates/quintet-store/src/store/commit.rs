//! What all writers of a store have in common: files first, then one commit, and again where somebody else was faster.

use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use uuid::Uuid;

use super::Store;
use crate::entities::EntityState;
use crate::error::{Error, Result};
use crate::files::Encoded;
use crate::location::Location;
use crate::log::{self, Action, Add};
use crate::snapshot::Snapshot;

/// How often work is repeated on top of what others committed meanwhile.
pub(super) const ATTEMPTS: u32 = 10;

/// Does `work` until its commit is not beaten by that of another writer.
pub(super) fn repeat<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    for attempt in 1..ATTEMPTS {
        match work() {
            Err(Error::Conflict(_)) => thread::sleep(pause(attempt)),
            done => return done,
        }
    }
    work()
}

/// Some time, longer after every attempt and different for every writer.
fn pause(attempt: u32) -> Duration {
    let jitter = (Uuid::new_v4().as_u128() % 100) as u64;
    Duration::from_millis((10 << attempt.min(6)) + jitter)
}

/// Makes the next version out of `actions`, and remembers it with its persons and groups. The files of `writes` are then no
/// longer taken away, and neither are they after a failure that leaves open whether the commit stands.
///
/// # Errors
/// [`Error::Conflict`] if somebody else was faster.
pub(super) fn commit(
    store: &Store,
    runtime: &Handle,
    below: &Snapshot,
    actions: Vec<Action>,
    entities: EntityState,
    writes: &[&Writes<'_>],
) -> Result<()> {
    let version = below.version() + 1;
    let committed = runtime.block_on(log::commit(&store.location, version, &actions));
    if matches!(committed, Err(Error::Conflict(_))) {
        return committed;
    }
    for writes in writes {
        writes.keep();
    }
    committed?;
    let mut log = below.log().clone();
    log.apply(actions);
    let committed = Snapshot::with_entities(store.location.clone(), log, entities);
    runtime.block_on(store.remember(committed));
    Ok(())
}

/// Files that are written and that no commit names yet. May be shared by threads.
pub(super) struct Writes<'a> {
    location: &'a Location,
    runtime: &'a Handle,
    paths: Mutex<Vec<String>>,
}

impl<'a> Writes<'a> {
    pub(super) fn new(location: &'a Location, runtime: &'a Handle) -> Self {
        Self {
            location,
            runtime,
            paths: Mutex::default(),
        }
    }

    /// Writes a file and returns its action.
    pub(super) fn put(&self, file: Encoded) -> Result<Add> {
        let Encoded { add, bytes } = file;
        self.paths
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(add.path.clone());
        self.runtime
            .block_on(self.location.create(&add.path, bytes))?;
        Ok(add)
    }

    /// Nothing of it is taken away any longer.
    fn keep(&self) {
        self.take();
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.paths.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes away what was written. What cannot be removed is left to `vacuum`.
    pub(super) fn discard(&self) {
        for path in self.take() {
            if let Err(error) = self.runtime.block_on(self.location.remove(&path)) {
                tracing::warn!(%path, %error, "a file that no version names stays behind");
            }
        }
    }
}
