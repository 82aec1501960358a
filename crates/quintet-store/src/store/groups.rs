//! What people change of group types and groups by hand. Each change is one commit; no event is read or written.

use std::collections::BTreeMap;

use chrono::Utc;
use tokio::runtime::Handle;

use super::Store;
use super::commit::{Writes, commit, repeat};
use crate::entities::{EntityState, Groups};
use crate::error::{Error, Result};
use crate::log::{Action, Add, CommitInfo, LOCK, Remove};
use crate::snapshot::Snapshot;
use crate::tables;

impl Store {
    /// Sets how one and several groups of a type are called. What is `None` stays as it is, an empty text takes a name away.
    /// The name that events use never changes.
    ///
    /// # Errors
    /// [`Error::Invalid`] if the index has no type, [`Error::Conflict`] if other writers kept winning.
    pub async fn rename_group_type(
        &self,
        index: u8,
        singular: Option<String>,
        plural: Option<String>,
    ) -> Result<()> {
        self.change_groups("rename_group_type", move |groups| {
            groups
                .rename_type(usize::from(index), singular.as_deref(), plural.as_deref())
                .then_some(())
                .ok_or_else(|| no_type(index))
        })
        .await
    }

    /// Deletes a group type and all that was declared of its groups. Events keep its keys; the next type that is new takes
    /// the index, and does not see events from before its own first one.
    ///
    /// # Errors
    /// As [`Store::rename_group_type`].
    pub async fn delete_group_type(&self, index: u8) -> Result<()> {
        self.change_groups("delete_group_type", move |groups| {
            groups
                .delete_type(usize::from(index))
                .then_some(())
                .ok_or_else(|| no_type(index))
        })
        .await
    }

    /// Deletes what was declared of a group. Events keep its key and are still counted for it.
    ///
    /// # Errors
    /// [`Error::Invalid`] if nobody has declared it, [`Error::Conflict`] if other writers kept winning.
    pub async fn delete_group(&self, index: u8, key: &str) -> Result<()> {
        let key = key.to_owned();
        self.change_groups("delete_group", move |groups| {
            groups
                .delete(usize::from(index), &key)
                .then_some(())
                .ok_or_else(|| {
                    Error::invalid("group_key", format!("there is no group `{key}` of type {index}; `quintet groups list` shows those that are declared"))
                })
        })
        .await
    }

    /// Commits what `change` does, again on top of what others committed meanwhile where it has to.
    async fn change_groups(
        &self,
        operation: &'static str,
        change: impl Fn(&mut Groups) -> Result<()> + Send + 'static,
    ) -> Result<()> {
        let (store, runtime) = (self.clone(), Handle::current());
        let work = move || {
            let _queued = store.location.lock(LOCK)?;
            repeat(|| {
                let snapshot = runtime.block_on(store.snapshot())?;
                let mut state = runtime.block_on(snapshot.entities())?.state().clone();
                change(&mut state.groups)?;
                write(&store, &runtime, &snapshot, state, operation)
            })
        };
        tokio::task::spawn_blocking(work)
            .await
            .map_err(Error::internal)?
    }
}

fn no_type(index: u8) -> Error {
    Error::invalid(
        "group_type_index",
        format!(
            "index {index} has no group type; `quintet group-types list` shows those there are"
        ),
    )
}

/// Writes the files of changed groups, then the log entry that names them.
fn write(
    store: &Store,
    runtime: &Handle,
    below: &Snapshot,
    mut state: EntityState,
    operation: &str,
) -> Result<()> {
    let (files, removes) = tables::persist(below.log(), &mut state)?;
    let mut metadata = below.log().metadata.clone();
    tables::note_group_types(&mut metadata, &state.groups);
    let writes = Writes::new(&store.location, runtime);
    let added = files.into_iter().map(|file| writes.put(file));
    let written = added.collect::<Result<Vec<Add>>>().and_then(|adds| {
        let mut actions = actions(adds, removes, operation);
        if metadata != below.log().metadata {
            actions.insert(0, Action::Metadata(metadata));
        }
        commit(store, runtime, below, actions, state, &[&writes])
    });
    if written.is_err() {
        writes.discard();
    }
    written
}

fn actions(adds: Vec<Add>, removes: Vec<Remove>, operation: &str) -> Vec<Action> {
    let info = CommitInfo {
        operation: operation.to_owned(),
        time: Utc::now().timestamp_micros(),
        counts: BTreeMap::new(),
    };
    removes
        .into_iter()
        .map(Action::Remove)
        .chain(adds.into_iter().map(Action::Add))
        .chain([Action::CommitInfo(info)])
        .collect()
}

#[cfg(test)]
mod tests;
