//! Sets of actors back from the files of a snapshot.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::runtime::SpawnedTask;
use futures::{StreamExt, TryStreamExt, stream};

use super::codec::{Block, Directory, EventEntry, read_block, read_directory};
use super::{ActorKind, DAY, DayOfActors, SetsAt};
use crate::cache::{Cached, Part};
use crate::error::{Error, Result};
use crate::files::parquet::checksum;
use crate::location::Location;
use crate::log::Add;
use crate::snapshot::Snapshot;

/// Files read at a time: what is read is small, and waiting is most of it.
const FILES_AT_A_TIME: usize = 8;

/// Which events are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Events {
    /// All.
    All,
    /// Those with one of these names.
    Named(BTreeSet<String>),
}

/// The days of one event in one file.
type Days = Arc<Vec<DayOfActors>>;

/// A file with its directory.
struct Opened<'a> {
    file: &'a Arc<Add>,
    directory: Arc<Directory>,
}

impl Snapshot {
    /// Have all files with events in a range of days sets of actors?
    pub fn has_actor_sets(&self, days: &Range<i32>) -> bool {
        self.files_of(days).all(|file| at(file).is_some())
    }

    /// May some event say that it is of nobody with a profile?
    pub fn has_personless_events(&self) -> bool {
        self.events_files()
            .any(|file| at(file).is_none_or(|at| at.personless > 0))
    }

    /// Rows of some events by day (days since 1970-01-01 UTC, end exclusive), in no order; a day may come several times.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming a damaged file, or what the file system says; [`Error::Internal`] if a file has no sets.
    pub async fn rows_by_day(&self, events: &Events, days: Range<i32>) -> Result<Vec<(i32, u64)>> {
        let mut found = Vec::new();
        for opened in self.open_sets(&days).await? {
            for entry in opened.entries(events) {
                let within = entry.days.iter().filter(|day| days.contains(&day.day));
                found.extend(within.map(|day| (day.day, u64::from(day.rows))));
            }
        }
        Ok(found)
    }

    /// The actors of some events by day, as [`rows_by_day`](Self::rows_by_day). The sets of a list are of one event and file, and
    /// may hold days outside the range.
    ///
    /// # Errors
    /// As there.
    pub async fn actors_by_day(
        &self,
        events: &Events,
        kind: ActorKind,
        days: Range<i32>,
    ) -> Result<Vec<Arc<Vec<DayOfActors>>>> {
        let mut reading = Vec::new();
        for opened in self.open_sets(&days).await? {
            let has_any = |entry: &EventEntry| {
                entry.days.iter().any(|day| days.contains(&day.day)) && entry.block(kind).length > 0
            };
            let entries = opened.places(events).into_iter();
            for at in entries.filter(|at| opened.directory.events.get(*at).is_some_and(has_any)) {
                let (file, directory) = (Arc::clone(opened.file), Arc::clone(&opened.directory));
                let block = block(self.location().clone(), file, directory, at, kind);
                reading.push(SpawnedTask::spawn(block));
            }
        }
        let mut found = Vec::with_capacity(reading.len());
        for block in reading {
            found.push(block.await.map_err(Error::internal)??);
        }
        Ok(found)
    }

    fn files_of(&self, days: &Range<i32>) -> impl Iterator<Item = &Arc<Add>> {
        let instant = |day: i32| i64::from(day).saturating_mul(DAY);
        let (from, to) = (instant(days.start), instant(days.end));
        self.events_files().filter(move |file| {
            file.events
                .as_ref()
                .is_none_or(|events| events.min_timestamp < to && events.max_timestamp >= from)
        })
    }

    async fn open_sets(&self, days: &Range<i32>) -> Result<Vec<Opened<'_>>> {
        let files: Vec<_> = self
            .files_of(days)
            .map(|file| async move {
                Ok(Opened {
                    file,
                    directory: self.directory(file).await?,
                })
            })
            .collect();
        stream::iter(files)
            .buffer_unordered(FILES_AT_A_TIME)
            .try_collect()
            .await
    }

    async fn directory(&self, file: &Add) -> Result<Arc<Directory>> {
        let missing = || Error::internal(format!("{} has no sets of actors", file.path));
        let at = at(file).ok_or_else(missing)?;
        let read = async || {
            let location = self.location();
            let damaged = |reason| Error::corrupt(location.show(&file.path), reason);
            let range = at.offset..at.offset + at.length;
            let bytes = location.read_range(&file.path, range).await?;
            if checksum(&bytes) != at.checksum {
                return Err(damaged(
                    "its sets of actors are not what was written".into(),
                ));
            }
            Ok(Cached::new(
                read_directory(&bytes).map_err(damaged)?,
                bytes.len(),
            ))
        };
        self.cache().get(&file.path, Part::Directory, read).await
    }
}

/// The sets of one event of a file. Each is read and decoded by a task of its own, so that cores share them.
async fn block(
    location: Location,
    file: Arc<Add>,
    directory: Arc<Directory>,
    at: usize,
    kind: ActorKind,
) -> Result<Days> {
    let missing = || Error::internal(format!("{} has no such event", file.path));
    let entry = directory.events.get(at).ok_or_else(missing)?;
    let block = entry.block(kind);
    let read = async || {
        let range = block.offset..block.offset + u64::from(block.length);
        let bytes = location.read_range(&file.path, range).await?;
        let days = read_block(entry, kind.position(), &bytes)
            .map_err(|reason| Error::corrupt(location.show(&file.path), reason))?;
        Ok(Cached::new(days, bytes.len()))
    };
    let part = Part::Actors(block.offset);
    location.cache().get(&file.path, part, read).await
}

impl Opened<'_> {
    fn entries(&self, events: &Events) -> impl Iterator<Item = &EventEntry> {
        let places = self.places(events).into_iter();
        places.filter_map(|at| self.directory.events.get(at))
    }

    /// Where the events are in the directory.
    fn places(&self, events: &Events) -> Vec<usize> {
        let named = self.directory.events.get(1..).unwrap_or_default();
        match events {
            Events::All => vec![0],
            Events::Named(names) => names
                .iter()
                .filter_map(|name| named.binary_search_by(|entry| entry.name.cmp(name)).ok())
                .map(|at| at + 1)
                .collect(),
        }
    }
}

impl EventEntry {
    fn block(&self, kind: ActorKind) -> Block {
        self.blocks
            .get(kind.position())
            .copied()
            .unwrap_or_default()
    }
}

fn at(file: &Add) -> Option<&SetsAt> {
    file.events.as_ref()?.sets.as_deref()
}
