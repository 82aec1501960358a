//! The log of commits: `_log/<20 digits>.json`, one file of JSON lines for each version.
//! It says which files are live; it does not read them.

mod actions;
mod audit;
pub(crate) mod checkpoint;
mod seal;
mod state;

use std::ops::RangeInclusive;

use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};

pub(crate) use actions::{
    Action, Add, CommitInfo, EventsFile, Metadata, Protocol, Remove, Table, Txn,
};
pub use actions::{GroupTypeEntry, Settings, WeekStart};
pub(crate) use audit::audit;
pub(crate) use state::LogState;

use crate::error::{Error, Result};
use crate::location::Location;

const FOLDER: &str = "_log";
/// Held by local writers for a whole load, so that they queue instead of repeating each other's work.
pub(crate) const LOCK: &str = "_log/.lock";
/// Log entries fetched at a time.
const READ_AHEAD: usize = 16;

fn entry_path(version: u64) -> String {
    format!("{FOLDER}/{version:020}.json")
}

fn entry_version(path: &str) -> Option<u64> {
    version_of(path, ".json")
}

fn version_of(path: &str, suffix: &str) -> Option<u64> {
    let digits = path
        .strip_prefix(FOLDER)?
        .strip_prefix('/')?
        .strip_suffix(suffix)?;
    (digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit()))
        .then(|| digits.parse().ok())?
}

/// Writes version `version`, or tells that somebody else did.
///
/// # Errors
/// [`Error::Conflict`] if somebody else has made the version. After any other error it is not known whether it stands.
pub(crate) async fn commit(location: &Location, version: u64, actions: &[Action]) -> Result<()> {
    let mut text = Vec::new();
    for action in actions {
        serde_json::to_writer(&mut text, action).map_err(Error::internal)?;
        text.push(b'\n');
    }
    seal::close(&mut text)?;
    let (path, entry) = (entry_path(version), Bytes::from(text));
    match location.create(&path, entry.clone()).await {
        // A client that repeats a request whose answer was lost finds its own entry, and must not take it for another's.
        Err(Error::Conflict(_)) if location.read(&path).await? == entry => Ok(()),
        other => other,
    }
}

/// Whether there is a store at all.
pub(crate) async fn exists(location: &Location) -> Result<bool> {
    Ok(!Versions::list(location).await?.entries.is_empty())
}

/// What is there of the log, ascending.
struct Versions {
    entries: Vec<u64>,
    checkpoints: Vec<u64>,
}

impl Versions {
    async fn list(location: &Location) -> Result<Self> {
        let files = location.list(FOLDER).await?;
        let paths: Vec<String> = files
            .iter()
            .filter_map(|meta| location.relative(&meta.location))
            .collect();
        let sorted = |version: fn(&str) -> Option<u64>| {
            let mut found: Vec<u64> = paths.iter().filter_map(|path| version(path)).collect();
            found.sort_unstable();
            found
        };
        Ok(Self {
            entries: sorted(entry_version),
            checkpoints: sorted(checkpoint::version),
        })
    }

    /// The number of the last entry, if all before it are there.
    fn last(&self, location: &Location) -> Result<u64> {
        let Some(last) = self.entries.last().copied() else {
            let place = location.show("");
            return Err(Error::NotFound(format!(
                "there is no store at {place}: make one with `quintet init {place}`"
            )));
        };
        let missing = (0..=last)
            .zip(&self.entries)
            .find_map(|(want, have)| (want != *have).then_some(want));
        match missing {
            Some(missing) => Err(Error::corrupt(
                location.show(&entry_path(missing)),
                "the log entry is missing",
            )),
            None => Ok(last),
        }
    }
}

/// The state after the last commit.
///
/// # Errors
/// [`Error::NotFound`] without a store, [`Error::Corrupt`] if an entry is damaged or missing.
pub(crate) async fn replay(location: &Location) -> Result<LogState> {
    let versions = Versions::list(location).await?;
    let last = versions.last(location)?;
    let mut state = LogState::default();
    let mut next = 0;
    for version in versions.checkpoints.iter().rev().filter(|v| **v <= last) {
        match checkpoint::read(location, *version).await {
            Ok(sum) => {
                (state, next) = (sum, version + 1);
                break;
            }
            Err(error) => tracing::warn!(%error, "a checkpoint is passed over"),
        }
    }
    let mut entries = entries(location, next..=last);
    while let Some(actions) = entries.try_next().await? {
        state.apply(actions);
    }
    state.checked(&location.show(&entry_path(0)))
}

/// The actions of these entries, one entry after the other.
fn entries(
    location: &Location,
    versions: RangeInclusive<u64>,
) -> impl Stream<Item = Result<Vec<Action>>> + Unpin {
    let reads = versions.map(move |version| async move {
        let entry = read(location, version).await?;
        entry.ok_or_else(|| Error::corrupt(location.show(FOLDER), "a log entry vanished"))
    });
    Box::pin(stream::iter(reads).buffered(READ_AHEAD))
}

/// The state after the last commit, given that after an earlier one; nothing if nothing was committed since.
pub(crate) async fn advance(location: &Location, from: &LogState) -> Result<Option<LogState>> {
    let mut next: Option<LogState> = None;
    loop {
        let version = next.as_ref().unwrap_or(from).version + 1;
        let Some(actions) = read(location, version).await? else {
            return Ok(next);
        };
        next.get_or_insert_with(|| from.clone()).apply(actions);
    }
}

async fn read(location: &Location, version: u64) -> Result<Option<Vec<Action>>> {
    let path = entry_path(version);
    let Some(bytes) = location.read_if_there(&path).await? else {
        return Ok(None);
    };
    decode(&location.show(&path), &bytes).map(Some)
}

/// The actions of one log entry. An entry always ends with a line break, so that a cut one shows.
fn decode(file: &str, bytes: &[u8]) -> Result<Vec<Action>> {
    let text = std::str::from_utf8(bytes).map_err(|e| Error::corrupt(file, e))?;
    let text = match seal::open(text) {
        Ok(lines) => lines,
        Err(reason) => {
            // A newer version may close its entries in another way; its protocol line says so.
            let first = text.lines().next().map(serde_json::from_str);
            check_protocol(first.and_then(Result::ok).as_slice())?;
            return Err(Error::corrupt(file, reason));
        }
    };
    let mut actions = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let action = match serde_json::from_str(line) {
            Ok(action) => action,
            Err(e) => {
                // A newer version may write actions that this one cannot read; its protocol line says so.
                check_protocol(&actions)?;
                return Err(Error::corrupt(file, format!("line {}: {e}", at + 1)));
            }
        };
        actions.push(action);
    }
    check_protocol(&actions)?;
    misplaced(file, &actions)?;
    Ok(actions)
}

/// A store reads and deletes what its log names: nothing but its own files may be named.
fn misplaced(file: &str, actions: &[Action]) -> Result<()> {
    let wrong = actions.iter().find_map(|action| match action {
        Action::Add(add) if !add.is_in_place() => Some(&add.path),
        _ => None,
    });
    match wrong {
        Some(path) => Err(Error::corrupt(
            file,
            format!("it names {path:?}, which is no file of the store"),
        )),
        None => Ok(()),
    }
}

fn check_protocol(actions: &[Action]) -> Result<()> {
    for action in actions {
        if let Action::Protocol(Protocol { version }) = action
            && *version != Protocol::CURRENT
        {
            return Err(Error::Unsupported {
                what: format!("a store of protocol version {version}"),
                instead: format!(
                    "use a newer quintet: this one reads version {}",
                    Protocol::CURRENT
                ),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
