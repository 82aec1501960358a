//! A store: make it, open it, look at its last version, load into it.

mod groups;
mod load;
mod progress;

use std::sync::Arc;

use chrono::Utc;
use tokio::runtime::Handle;
use tokio::sync::Mutex;

pub use progress::Progress;

use crate::entities::{ClaimRefusal, Groups};
use crate::error::{Error, Result};
use crate::ingest::{Load, LoadReport};
use crate::location::Location;
use crate::log::{self, Action, CommitInfo, GroupTypeEntry, Metadata, Protocol, Settings};
use crate::schema::GROUP_TYPES;
use crate::snapshot::Snapshot;
use crate::tables::group_type_entries;

/// A place of events, persons and groups. Clones share what was read.
#[derive(Debug, Clone)]
pub struct Store {
    location: Location,
    latest: Arc<Mutex<Option<Arc<Snapshot>>>>,
}

impl Store {
    /// Makes an empty store.
    ///
    /// # Errors
    /// [`Error::Conflict`] if there is one, [`Error::Invalid`] for wrong group types.
    pub async fn create(location: Location, settings: Settings) -> Result<Self> {
        let exists = || {
            let place = location.show("");
            Error::Conflict(format!(
                "there is a store at {place} already: open it, or name another place"
            ))
        };
        if log::exists(&location).await? {
            return Err(exists());
        }
        let metadata = Metadata {
            group_types: group_types(&settings.group_types)?,
            retired_group_indexes: Vec::new(),
            timezone: settings.timezone,
            week_start: settings.week_start,
            promoted: None,
            created_at: Utc::now().timestamp_micros(),
        };
        let info = CommitInfo {
            operation: "create".into(),
            time: metadata.created_at,
            counts: Default::default(),
        };
        let protocol = Protocol {
            version: Protocol::CURRENT,
        };
        let actions = [
            Action::Protocol(protocol),
            Action::Metadata(metadata),
            Action::CommitInfo(info),
        ];
        match log::commit(&location, 0, &actions).await {
            Err(Error::Conflict(_)) => return Err(exists()),
            other => other?,
        }
        Ok(Self::at(location))
    }

    /// Opens a store.
    ///
    /// # Errors
    /// [`Error::NotFound`] without one, [`Error::Corrupt`] if its log is damaged, [`Error::Unsupported`] if a newer
    /// version wrote it.
    pub async fn open(location: Location) -> Result<Self> {
        let store = Self::at(location);
        store.snapshot().await?;
        Ok(store)
    }

    /// Opens a store, or makes one with these settings where there is none.
    ///
    /// # Errors
    /// Those of [`Store::open`] and [`Store::create`].
    pub async fn open_or_create(location: Location, settings: Settings) -> Result<Self> {
        if !log::exists(&location).await? {
            match Self::create(location.clone(), settings).await {
                Ok(_) | Err(Error::Conflict(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Self::open(location).await
    }

    /// Whether there is a store at a place.
    ///
    /// # Errors
    /// What the file system or the object store says.
    pub async fn exists(location: &Location) -> Result<bool> {
        log::exists(location).await
    }

    fn at(location: Location) -> Self {
        Self {
            location,
            latest: Arc::default(),
        }
    }

    /// Where the store lies.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The last version, including what other processes have committed.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub async fn snapshot(&self) -> Result<Arc<Snapshot>> {
        let mut latest = self.latest.lock().await;
        let snapshot = match latest.as_ref() {
            None => Arc::new(Snapshot::new(
                self.location.clone(),
                log::replay(&self.location).await?,
            )),
            Some(known) => match log::advance(&self.location, known.log()).await? {
                None => return Ok(Arc::clone(known)),
                Some(log) => Arc::new(known.advanced(log)),
            },
        };
        Ok(Arc::clone(latest.insert(snapshot)))
    }

    /// Loads events, persons and groups: all of it becomes visible at once, or nothing does.
    ///
    /// Writers of one folder queue; in an object store, where two loads meet, one is repeated on top of the other.
    /// Refused lines do not fail the load: the report counts them. Runs on a thread of its own within the
    /// caller's tokio runtime.
    ///
    /// # Errors
    /// [`Error::Corrupt`] for a source that is cut off or a damaged store, [`Error::NotFound`] for a missing file,
    /// [`Error::Conflict`] if other writers kept winning; in all cases nothing was stored.
    pub async fn ingest(&self, load: Load, progress: Arc<dyn Progress>) -> Result<LoadReport> {
        let (store, runtime) = (self.clone(), Handle::current());
        tokio::task::spawn_blocking(move || load::run(&store, &runtime, &load, progress.as_ref()))
            .await
            .map_err(Error::internal)?
    }

    /// Takes over what was just committed, unless somebody has seen a later version.
    async fn remember(&self, snapshot: Snapshot) {
        let mut latest = self.latest.lock().await;
        if latest
            .as_ref()
            .is_none_or(|known| known.version() < snapshot.version())
        {
            *latest = Some(Arc::new(snapshot));
        }
    }
}

fn group_types(names: &[String]) -> Result<Vec<GroupTypeEntry>> {
    let mut groups = Groups::default();
    for (place, name) in names.iter().enumerate() {
        let refused = |reason: String| Error::invalid(format!("group type {}", place + 1), reason);
        if names[..place].contains(name) {
            return Err(refused(format!("`{name}` is named twice")));
        }
        groups.claim(name, 0).map_err(|refusal| {
            refused(match refusal {
                ClaimRefusal::Limit => {
                    format!("a store holds {GROUP_TYPES} group types; `{name}` is one too many")
                }
                ClaimRefusal::Name => format!("`{name}` is no name: give 1 to 400 characters"),
            })
        })?;
    }
    Ok(group_type_entries(groups.types()))
}

#[cfg(test)]
mod tests;
