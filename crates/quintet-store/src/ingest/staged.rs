//! Events that were read and not yet written: one vector per column, rows in the order of receipt.

use std::borrow::Cow;

use uuid::Uuid;

use super::strings::{StringTable, TextColumn};
use super::typed::Typed;

/// How many group types a store has room for.
pub(crate) const GROUP_TYPES: usize = 5;

/// No number.
const UNKNOWN: u32 = u32::MAX;

/// The rows of a load until a writer takes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct StagedEvents {
    /// Ids of the events.
    pub(crate) uuids: Vec<Uuid>,
    /// Was the id in the message? Generated ids never are duplicates.
    pub(crate) uuid_given: Vec<bool>,
    /// Event names, as numbers of `names`.
    pub(crate) events: Vec<u32>,
    /// Distinct ids, as numbers of `ids`.
    pub(crate) distinct_ids: Vec<u32>,
    /// The event names that occur.
    pub(crate) names: StringTable,
    /// The distinct ids that occur.
    pub(crate) ids: StringTable,
    /// Their numbers here by their numbers among all persons' ids, which are looked up already.
    known_ids: Vec<u32>,
    /// Microseconds since 1970, UTC.
    pub(crate) timestamps: Vec<i64>,
    /// When rows of exports were received, which tells which of two is the later one; 0 for all others.
    pub(crate) received: Vec<i64>,
    /// The text of each event's properties, a JSON object; nothing where they are in columns.
    pub(crate) properties: TextColumn,
    /// The properties in columns, where they came so.
    pub(crate) typed: Typed,
    /// Refs of the persons at ingestion.
    pub(crate) persons: Vec<u32>,
    /// Refs of the groups per group type; 0 = none.
    pub(crate) groups: [Vec<u32>; GROUP_TYPES],
}

impl StagedEvents {
    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.uuids.len()
    }

    /// Are there no rows?
    pub(crate) fn is_empty(&self) -> bool {
        self.uuids.is_empty()
    }

    /// The text of an event's properties, a JSON object.
    pub(crate) fn properties_of(&self, row: usize) -> Cow<'_, str> {
        match self.typed.text(row) {
            Some(text) => Cow::Owned(text),
            None => Cow::Borrowed(self.properties.get(row)),
        }
    }

    /// The number of a distinct id, given its number among all persons' ids.
    pub(super) fn distinct_id(&mut self, among_all: u32, hash: u64, text: &str) -> u32 {
        let at = among_all as usize;
        if self.known_ids.len() <= at {
            self.known_ids.resize(at + 1, UNKNOWN);
        }
        if self.known_ids[at] == UNKNOWN {
            self.known_ids[at] = self.ids.intern_hashed(hash, text);
        }
        self.known_ids[at]
    }

    /// Memory that the rows take.
    pub(crate) fn bytes(&self) -> usize {
        let fixed = size_of::<Uuid>() + 1 + 2 * size_of::<u32>() + 2 * size_of::<i64>();
        let refs = (1 + GROUP_TYPES) * size_of::<u32>();
        self.len() * (fixed + refs)
            + self.properties.bytes()
            + self.typed.bytes()
            + self.names.bytes()
            + self.ids.bytes()
            + self.known_ids.len() * size_of::<u32>()
    }

    /// Forgets the rows and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.uuids.clear();
        self.uuid_given.clear();
        self.events.clear();
        self.distinct_ids.clear();
        self.names.clear();
        self.ids.clear();
        self.known_ids.clear();
        self.timestamps.clear();
        self.received.clear();
        self.properties.clear();
        self.typed.clear();
        self.persons.clear();
        for refs in &mut self.groups {
            refs.clear();
        }
    }
}
