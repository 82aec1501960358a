//! A store: make it, open it, look at its last version, load into it.

mod commit;
mod compact;
#[cfg(test)]
mod faults;
mod groups;
mod load;
mod progress;
mod purge;
mod vacuum;
mod verify;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use object_store::memory::InMemory;
use tokio::runtime::Handle;
use tokio::sync::Mutex;
use uuid::Uuid;

pub use compact::{CompactReport, Compaction};
pub use progress::Progress;
pub use purge::PurgeReport;
pub use vacuum::VacuumReport;
pub use verify::{Problem, Verification};

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
            merges_to_apply: Some(0),
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

    /// A store in memory that holds nothing but one load, for those who ask only once.
    ///
    /// # Errors
    /// Those of [`Store::ingest`].
    pub async fn in_memory(load: Load) -> Result<(Self, LoadReport)> {
        // Sessions know object stores by their URLs, and may read several of these.
        let url = format!("memory://{}/", Uuid::now_v7().simple());
        let location = Location::with_object_store(&url, Arc::new(InMemory::new()))?;
        let store = Self::create(location, Settings::default()).await?;
        let report = store.ingest(load, Arc::new(())).await?;
        Ok((store, report))
    }

    /// Whether there is a store at a place.
    ///
    /// # Errors
    /// What the file system or the object store says.
    pub async fn exists(location: &Location) -> Result<bool> {
        // A file holds no store; listing below it would fail.
        if location.head("").await.is_ok() {
            return Ok(false);
        }
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
        self.blocking(move |store, runtime| load::run(store, runtime, &load, progress.as_ref()))
            .await
    }

    /// Writes small files together, moves the events of merged persons to the person that remains, and gives columns to the
    /// properties that are asked for. Answers stay the same, and loads that meet a compaction are all there after it.
    ///
    /// Writers of one folder queue; in an object store a compaction is committed on top of loads that were faster. The files
    /// that it replaces stay for readers of earlier versions until [`Store::vacuum`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for a property that cannot have a column, [`Error::Corrupt`] for a damaged file,
    /// [`Error::Conflict`] if other writers kept replacing the same files; in all cases nothing was changed.
    pub async fn compact(&self, wanted: Compaction) -> Result<CompactReport> {
        self.blocking(move |store, runtime| compact::run(store, runtime, &wanted))
            .await
    }

    /// Deletes files that no version of the last `older_than` needs, and what writers that died have left behind.
    ///
    /// Files of a load in progress are never deleted: writers of one folder queue, and in an object store files that no
    /// version names have to be a day old at least.
    ///
    /// # Errors
    /// What the file system or the object store says, or [`Error::Corrupt`] for a damaged log.
    pub async fn vacuum(&self, older_than: Duration) -> Result<VacuumReport> {
        self.blocking(move |store, runtime| vacuum::run(store, runtime, older_than))
            .await
    }

    /// Reads every live file to its end and holds it against the log, and the log against itself.
    ///
    /// # Errors
    /// Only what keeps it from looking: [`Error::NotFound`] without a store, or what the file system says. Damage is in the
    /// report.
    pub async fn verify(&self) -> Result<Verification> {
        self.blocking(verify::run).await
    }

    /// Takes a group out of the store for good: its record, the columns of events, and the copies of its key and properties
    /// within the properties of events and persons. The events stay and belong to no group of that type. Files that hold
    /// older versions are deleted at once: queries over earlier snapshots of this store may fail after it.
    ///
    /// # Errors
    /// [`Error::NotFound`] if nothing stored names the group, [`Error::Invalid`] for an index beyond 4 or an empty key.
    pub async fn purge_group(&self, index: u8, key: &str) -> Result<PurgeReport> {
        let key = key.to_owned();
        self.blocking(move |store, runtime| purge::run(store, runtime, usize::from(index), &key))
            .await
    }

    /// Runs work that blocks on a thread of its own.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self, &Handle) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (store, runtime) = (self.clone(), Handle::current());
        tokio::task::spawn_blocking(move || work(&store, &runtime))
            .await
            .map_err(Error::internal)?
    }

    /// Takes over what was just committed, unless somebody has seen a later version.
    async fn remember(&self, snapshot: Snapshot) {
        log::checkpoint::write_if_due(&self.location, snapshot.log()).await;
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
