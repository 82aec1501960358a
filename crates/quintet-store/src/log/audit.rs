//! Whether the log agrees with itself: for `verify`, which trusts no shortcut.

use std::collections::HashSet;

use futures::TryStreamExt;

use super::actions::Action;
use super::state::LogState;
use super::{Versions, checkpoint, entries, entry_path};
use crate::error::{Error, Result};
use crate::location::Location;

/// What is wrong with the log: entries that add a file twice or remove one that is not live, and checkpoints that say
/// something else than the entries. The state is that after the last entry.
///
/// # Errors
/// [`Error::Corrupt`] for an entry that is missing or unreadable, beyond which nothing can be said.
pub(crate) async fn audit(location: &Location) -> Result<(LogState, Vec<Error>)> {
    let versions = Versions::list(location).await?;
    let last = versions.last(location)?;
    let (mut state, mut wrong) = (LogState::default(), Vec::new());
    let (mut known, mut live) = (HashSet::new(), HashSet::new());
    let mut entries = entries(location, 0..=last);
    while let Some(actions) = entries.try_next().await? {
        let entry = state.next();
        for reason in contradictions(&actions, &mut known, &mut live) {
            wrong.push(Error::corrupt(location.show(&entry_path(entry)), reason));
        }
        state.apply(actions);
        if versions.checkpoints.binary_search(&state.version).is_ok() {
            let file = location.show(&checkpoint::path(state.version));
            match checkpoint::read(location, state.version).await {
                Ok(sum) if sum == state => {}
                Ok(_) => wrong.push(Error::corrupt(file, "it says something else than the log")),
                Err(error) => wrong.push(error),
            }
        }
    }
    let state = state.checked(&location.show(&entry_path(0)))?;
    Ok((state, wrong))
}

fn contradictions(
    actions: &[Action],
    known: &mut HashSet<String>,
    live: &mut HashSet<String>,
) -> Vec<String> {
    let mut found = Vec::new();
    for action in actions {
        match action {
            Action::Remove(remove) if !live.remove(&remove.path) => {
                found.push(format!("it removes {}, which is not live", remove.path));
            }
            Action::Add(add) => {
                if !known.insert(add.path.clone()) {
                    found.push(format!("it adds {} once more", add.path));
                }
                live.insert(add.path.clone());
            }
            _ => {}
        }
    }
    found
}
