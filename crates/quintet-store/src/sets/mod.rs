//! Who did what on which day: for each event and each day (UTC) the number of rows and the set of actors, of persons and
//! of every group type, beside the rows of each file.
//!
//! Most questions about unique actors, and all about plain totals, ask for nothing else: they are answered from here without
//! reading a row. The sets are roaring bitmaps of dense ids and exact.
//!
//! ```text
//! file of events   [ row groups … ][ blocks ][ directory ][ Parquet footer ]
//! block            one (event, actor type): the sets of its days, one after the other
//! directory        events by name, each with its days (day, rows, bytes of each set) and the places of its six blocks;
//!                  the first entry has no name and stands for all events
//! log              place and checksum of the directory; blocks have theirs in the directory
//! ```
//! Parquet readers never see the blocks: nothing in the footer points at them.

mod builder;
mod codec;
mod read;
pub(crate) mod rows;

use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

pub(crate) use builder::SetsBuilder;
pub(crate) use codec::encode;
pub use read::Events;

use crate::schema::GROUP_TYPES;

/// Persons and every group type.
pub(crate) const KINDS: usize = 1 + GROUP_TYPES;
/// Microseconds of a day.
pub(crate) const DAY: i64 = 86_400_000_000;

/// Whose ids a set holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// `person_ref`, as of ingestion: merges are the reader's.
    Person,
    /// `group_<index>_ref`.
    Group(u8),
}

impl ActorKind {
    fn position(self) -> usize {
        match self {
            Self::Person => 0,
            Self::Group(index) => 1 + usize::from(index),
        }
    }
}

/// Where the directory of a file's sets lies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetsAt {
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u64,
    /// xxh3 of the directory, as the checksums of files.
    pub(crate) checksum: String,
    /// Rows that say whether they are of somebody with a profile.
    pub(crate) personless: u64,
}

/// A day of an event in one file.
#[derive(Debug, Clone, PartialEq)]
pub struct DayOfActors {
    /// Days since 1970-01-01 UTC.
    pub day: i32,
    /// Who did it.
    pub actors: RoaringBitmap,
}

/// What the rows of a file say, before it is written.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct FileSets {
    /// By event name in byte order; the first one stands for all events and has no name.
    events: Vec<EventSets>,
    personless: u64,
}

#[derive(Debug, Default, PartialEq)]
struct EventSets {
    name: String,
    days: Vec<DaySets>,
}

#[derive(Debug, Default, PartialEq)]
struct DaySets {
    day: i32,
    rows: u64,
    /// By [`ActorKind::position`].
    actors: [RoaringBitmap; KINDS],
}

#[cfg(test)]
mod tests;
