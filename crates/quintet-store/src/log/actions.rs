//! What a line of the log can say, in Delta's words.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::files::Blocks;
use crate::schema::Promoted;
use crate::sets::SetsAt;
use crate::sets::rows::GroupRowsAt;

/// One line of a log entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Action {
    Protocol(Protocol),
    Metadata(Metadata),
    Add(Add),
    Remove(Remove),
    Txn(Txn),
    CommitInfo(CommitInfo),
}

/// The version of the format; first line of the first entry, and again where it changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Protocol {
    pub(crate) version: u32,
}

impl Protocol {
    pub(crate) const CURRENT: u32 = 1;
}

/// The day on which weeks start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WeekStart {
    /// Weeks run from Sunday to Saturday.
    #[default]
    Sunday,
    /// Weeks run from Monday to Sunday.
    Monday,
}

/// What is chosen when a store is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// IANA name of the time zone in which days are counted; checked by the engine.
    pub timezone: String,
    /// The day on which weeks start.
    pub week_start: WeekStart,
    /// Names of the first group types: index 0, 1, … in this order, five at most.
    pub group_types: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timezone: "UTC".into(),
            week_start: WeekStart::Sunday,
            group_types: Vec::new(),
        }
    }
}

/// What holds for the whole store; the last one counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) timezone: String,
    pub(crate) week_start: WeekStart,
    pub(crate) group_types: Vec<GroupTypeEntry>,
    /// Indexes without a type that had one before, whose groups events still name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) retired_group_indexes: Vec<u8>,
    /// Absent until the first load chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) promoted: Option<Vec<Promoted>>,
    /// How many persons became part of others whose events still name them; absent where an older version wrote last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) merges_to_apply: Option<u64>,
    /// Instant at which the store was made, microseconds UTC.
    pub(crate) created_at: i64,
}

/// A group type of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupTypeEntry {
    /// The name that events use.
    pub name: String,
    /// 0 to 4.
    pub index: u8,
    /// Events before this instant (microseconds UTC) have no group of this type; set only where the index is re-used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<i64>,
    /// How one group is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub singular: Option<String>,
    /// How several groups are called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plural: Option<String>,
}

/// Which table a file belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Table {
    Events,
    Persons,
    PersonDistinctIds,
    Groups,
}

impl Table {
    /// The entity tables: each file holds changed rows, and a later row replaces an earlier one.
    pub(crate) const ENTITIES: [Self; 3] = [Self::Persons, Self::PersonDistinctIds, Self::Groups];

    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Persons => "persons",
            Self::PersonDistinctIds => "person_distinct_ids",
            Self::Groups => "groups",
        }
    }
}

/// A file becomes live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Add {
    /// Relative to the store.
    pub(crate) path: String,
    pub(crate) table: Table,
    /// Length of the file in bytes.
    pub(crate) size: u64,
    pub(crate) rows: u64,
    /// xxh3 (64 bit, hexadecimal) of the whole file.
    pub(crate) checksum: String,
    /// Checksums of its blocks, by which parts of it are checked; absent in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) blocks: Option<Blocks>,
    /// What is known of a file of events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<EventsFile>,
}

impl Add {
    /// Whether its path is one that we give: below the folder of its table, and nowhere else.
    pub(crate) fn is_in_place(&self) -> bool {
        let is_plain = |part: &str| {
            let is_usual = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            !part.is_empty() && !part.starts_with('.') && part.bytes().all(is_usual)
        };
        let below = self.path.strip_prefix(self.table.folder());
        below
            .and_then(|below| below.strip_prefix('/'))
            .is_some_and(|below| below.split('/').all(is_plain))
    }
}

/// Layout and statistics of a file of events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct EventsFile {
    /// The month (UTC) of all rows, `2024-03`, or the first and last of several, `2024-03..2024-07`.
    pub(crate) partition: String,
    /// Columns by which the rows are sorted.
    pub(crate) sort: Vec<String>,
    /// Earliest instant, microseconds UTC.
    pub(crate) min_timestamp: i64,
    /// Latest instant, microseconds UTC.
    pub(crate) max_timestamp: i64,
    pub(crate) min_event: String,
    pub(crate) max_event: String,
    /// Rows by event name; absent where the names are many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) names: Option<BTreeMap<String, u64>>,
    /// Promoted properties that have a column in this file.
    pub(crate) columns: Vec<Promoted>,
    /// Promoted properties that can have none: some row has a value of another type.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) unfit: Vec<Promoted>,
    /// Nulls by column, for columns that can hold them.
    pub(crate) nulls: BTreeMap<String, u64>,
    /// Where its sets of actors are; absent in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sets: Option<Box<SetsAt>>,
    /// Where its lists of rows by group are; absent in files of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) group_rows: Option<Box<GroupRowsAt>>,
}

/// A file is no longer live; readers of earlier versions may still need it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Remove {
    pub(crate) path: String,
}

/// A source was loaded with this commit, and need not be loaded again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Txn {
    /// Hash of the content and of all options that change its meaning.
    pub(crate) source: String,
    /// Events read from it.
    pub(crate) rows: u64,
}

/// Who reads the log by eye finds here what the commit did; readers ignore it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct CommitInfo {
    pub(crate) operation: String,
    /// Instant of the commit, microseconds UTC.
    pub(crate) time: i64,
    #[serde(default)]
    pub(crate) counts: BTreeMap<String, u64>,
}
