//! Where the sets of actors come from: beside the rows of a store, or counted while a folder is read.

use std::ops::Range;
use std::sync::Arc;

use quintet_store::{ActorKind, DayOfActors, Events, FolderEvents, PersonIndex, Result, Snapshot};

/// What tells rows and actors by event and day.
#[derive(Debug, Clone)]
pub(crate) enum Sets {
    Store(Arc<Snapshot>),
    Folder(Arc<FolderEvents>),
}

impl Sets {
    /// Is there such a set for all events in a range of days?
    pub(crate) fn has_actor_sets(&self, days: &Range<i32>) -> bool {
        match self {
            Self::Store(snapshot) => snapshot.has_actor_sets(days),
            Self::Folder(_) => true,
        }
    }

    /// Have actors of this kind ids?
    pub(crate) fn knows(&self, kind: ActorKind) -> bool {
        match self {
            Self::Store(_) => true,
            Self::Folder(events) => events.knows(kind),
        }
    }

    /// May some event say that it is of nobody with a profile?
    pub(crate) fn has_personless_events(&self) -> bool {
        match self {
            Self::Store(snapshot) => snapshot.has_personless_events(),
            Self::Folder(events) => events.has_personless_events(),
        }
    }

    /// Must persons that became part of others still be followed? Those of a folder are, when they get their ids.
    pub(crate) fn has_merges(&self) -> bool {
        match self {
            Self::Store(snapshot) => snapshot.has_merges(),
            Self::Folder(_) => false,
        }
    }

    /// Rows of some events by day.
    pub(crate) async fn rows_by_day(
        &self,
        events: &Events,
        days: Range<i32>,
    ) -> Result<Vec<(i32, u64)>> {
        match self {
            Self::Store(snapshot) => snapshot.rows_by_day(events, days).await,
            Self::Folder(folder) => folder.rows_by_day(events, days).await,
        }
    }

    /// The actors of some events by day.
    pub(crate) async fn actors_by_day(
        &self,
        events: &Events,
        kind: ActorKind,
        days: Range<i32>,
    ) -> Result<Vec<Arc<Vec<DayOfActors>>>> {
        match self {
            Self::Store(snapshot) => snapshot.actors_by_day(events, kind, days).await,
            Self::Folder(folder) => folder.actors_by_day(events, kind, days).await,
        }
    }

    /// Says what is going to be asked of [`actors_by_day`](Self::actors_by_day), so that the files of a folder are read once for all of it.
    pub(crate) async fn expect(
        &self,
        kind: ActorKind,
        asked: Vec<(Events, Range<i32>)>,
    ) -> Result<()> {
        match self {
            Self::Store(_) => Ok(()),
            Self::Folder(folder) => folder.count_together(kind, asked).await,
        }
    }

    /// Persons by their ids; nothing is known of those of a folder.
    pub(crate) async fn person_index(&self) -> Result<Arc<PersonIndex>> {
        match self {
            Self::Store(snapshot) => snapshot.person_index().await,
            Self::Folder(_) => Ok(Arc::default()),
        }
    }
}
