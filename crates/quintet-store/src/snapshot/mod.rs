//! A store as it was after one commit: settings, live files, persons and groups. It never changes.

mod damage;

use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::execution::object_store::ObjectStoreUrl;
use object_store::ObjectStore;
use tokio::sync::OnceCell;

use crate::cache::Cache;
use crate::entities::EntityState;
use crate::error::Result;
use crate::location::Location;
use crate::log::{Add, GroupTypeEntry, LogState, Table, WeekStart};
use crate::scan::{EventsByGroup, RunsTable, ScanOptions, StoredEvents, StoredFile};
use crate::schema::{self, Promoted};
use crate::tables::{self, ActorNames, Entities, PersonIndex};

/// One version of a store, pinned: later commits do not change what it shows.
#[derive(Debug)]
pub struct Snapshot {
    location: Location,
    log: LogState,
    /// Shared with the versions before and after that have the same persons and groups.
    entities: Arc<OnceCell<Entities>>,
    persons: Arc<OnceCell<Arc<PersonIndex>>>,
    names: Arc<ActorNames>,
}

impl Snapshot {
    pub(crate) fn new(location: Location, log: LogState) -> Self {
        location.know(log.all_files());
        Self {
            location,
            log,
            entities: Arc::default(),
            persons: Arc::default(),
            names: Arc::default(),
        }
    }

    /// The snapshot of a later version, which keeps what was loaded of persons and groups if they are the same.
    pub(crate) fn advanced(&self, log: LogState) -> Self {
        let files = |log: &LogState| -> Vec<String> {
            let tables = Table::ENTITIES
                .into_iter()
                .flat_map(|table| log.files(table));
            tables.map(|file| file.path.clone()).collect()
        };
        let same = self.log.metadata.group_types == log.metadata.group_types
            && files(&self.log) == files(&log);
        let (entities, persons, names) = match same {
            true => (
                Arc::clone(&self.entities),
                Arc::clone(&self.persons),
                Arc::clone(&self.names),
            ),
            false => Default::default(),
        };
        self.location.know(log.all_files());
        Self {
            location: self.location.clone(),
            log,
            entities,
            persons,
            names,
        }
    }

    /// The snapshot of a version whose persons and groups the writer has at hand.
    pub(crate) fn with_entities(location: Location, log: LogState, state: EntityState) -> Self {
        location.know(log.all_files());
        Self {
            location,
            log,
            entities: Arc::new(OnceCell::new_with(Some(Entities::new(state)))),
            persons: Arc::default(),
            names: Arc::default(),
        }
    }

    pub(crate) fn persons_cell(&self) -> &OnceCell<Arc<PersonIndex>> {
        &self.persons
    }

    pub(crate) fn names(&self) -> &ActorNames {
        &self.names
    }

    pub(crate) fn log(&self) -> &LogState {
        &self.log
    }

    pub(crate) fn events_files(&self) -> impl Iterator<Item = &Arc<Add>> {
        self.log.files(Table::Events)
    }

    /// Number of the commit that this snapshot shows; 0 is the empty store.
    pub fn version(&self) -> u64 {
        self.log.version
    }

    /// What was decoded of the files of the store.
    pub(crate) fn cache(&self) -> &Cache {
        self.location.cache()
    }

    /// Where the store lies.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The URL under which a DataFusion session must know [`Snapshot::object_store`]; `file:///` for folders,
    /// which every session knows already.
    pub fn object_store_url(&self) -> &ObjectStoreUrl {
        self.location.object_store_url()
    }

    /// The object store that holds the files.
    pub fn object_store(&self) -> &Arc<dyn ObjectStore> {
        self.location.object_store()
    }

    /// IANA name of the time zone in which days are counted.
    pub fn timezone(&self) -> &str {
        &self.log.metadata.timezone
    }

    /// The day on which weeks start.
    pub fn week_start(&self) -> WeekStart {
        self.log.metadata.week_start
    }

    /// The group types, by ascending index.
    pub fn group_types(&self) -> &[GroupTypeEntry] {
        &self.log.metadata.group_types
    }

    /// Properties that have a typed column in every live file, and hence in [`Snapshot::events`].
    pub fn promoted(&self) -> Vec<Promoted> {
        let in_file = |file: &Add, wanted: &Promoted| {
            file.events
                .as_ref()
                .is_some_and(|events| events.columns.contains(wanted))
        };
        let chosen = self.log.metadata.promoted.iter().flatten();
        chosen
            .filter(|wanted| self.events_files().all(|file| in_file(file, wanted)))
            .cloned()
            .collect()
    }

    /// The columns of [`Snapshot::events`].
    pub fn events_schema(&self) -> SchemaRef {
        schema::events(&self.promoted())
    }

    /// The events as they were stored: persons as of ingestion, to which the reader applies
    /// [`Entities::person_overrides`].
    pub fn events(&self) -> Arc<dyn TableProvider> {
        self.events_with(ScanOptions::default())
    }

    /// [`Snapshot::events`], of which only the rows with the names asked for are read, and kept: the store's fast path. Plans over it
    /// cannot be sent elsewhere.
    pub fn events_by_runs(&self) -> Arc<dyn TableProvider> {
        Arc::new(RunsTable::of(self))
    }

    /// [`Snapshot::events`], read in another way.
    pub fn events_with(&self, options: ScanOptions) -> Arc<dyn TableProvider> {
        Arc::new(self.stock_events(options))
    }

    /// [`Snapshot::events`], of which rows of groups that are asked for by key are found without looking at others. Plans over it cannot be
    /// sent elsewhere; the rules [`GroupsByRef`](crate::GroupsByRef) and [`FirstRows`](crate::FirstRows) are for them.
    pub fn events_by_group(self: &Arc<Self>, options: ScanOptions) -> Arc<dyn TableProvider> {
        Arc::new(EventsByGroup::of(Arc::clone(self), options))
    }

    pub(crate) fn stock_events(&self, options: ScanOptions) -> StoredEvents {
        StoredEvents::new(
            self.events_schema(),
            self.object_store_url().clone(),
            self.events_files()
                .map(|file| StoredFile::live(&self.location, file))
                .collect(),
            true,
            options,
        )
    }

    /// Whether events may name persons that have become part of others since: then
    /// [`Entities::person_overrides`] is to be applied to them.
    pub fn has_merges(&self) -> bool {
        self.log.metadata.merges_to_apply != Some(0)
    }

    /// Persons and groups; read when first asked for.
    ///
    /// # Errors
    /// [`Error::Corrupt`](crate::Error::Corrupt) naming a damaged file, or what the file system says.
    pub async fn entities(&self) -> Result<&Entities> {
        let load = || async {
            tables::load(&self.location, &self.log)
                .await
                .map(Entities::new)
        };
        self.entities.get_or_try_init(load).await
    }
}
