//! Group types with their indexes, and the groups of each by dense ref and by key.

use hashbrown::{HashSet, HashTable};

use super::properties::{Update, overlay};
use crate::ingest::{GROUP_TYPES, StringTable};

/// The longest name of a group type, in characters.
const MAX_TYPE_NAME: usize = 400;

/// A kind of group, known by an index from 0 to 4.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GroupType {
    /// The name that events use.
    pub(crate) name: String,
    /// Events before this time have no group of the type; only set where an index is used again.
    pub(crate) created_at: Option<i64>,
    /// How one is called.
    pub(crate) singular: Option<String>,
    /// How many are called.
    pub(crate) plural: Option<String>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    /// The key that events use.
    pub(crate) key: String,
    /// A JSON object; none for a group that events mention and nobody has declared.
    pub(crate) properties: Option<String>,
    /// Microseconds since 1970.
    pub(crate) created_at: i64,
    /// Counts the changes from 1; 0 while the group is not declared.
    pub(crate) version: u64,
}

/// Why a type gets no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClaimRefusal {
    /// All indexes are taken.
    Limit,
    /// The name is empty or too long.
    Name,
}

/// What declaring a group did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GroupChange {
    /// It had no row before.
    Created,
    /// Some property changed.
    Updated,
    /// Nothing new.
    Unchanged,
}

/// The groups of one index.
#[derive(Clone, Debug, Default)]
struct Keys {
    /// By ref − 1.
    list: Vec<Group>,
    slots: HashTable<u32>,
    changed: HashSet<u32>,
}

/// All group types and groups of a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Groups {
    types: [Option<GroupType>; GROUP_TYPES],
    types_changed: bool,
    keys: [Keys; GROUP_TYPES],
}

impl Keys {
    fn get(&self, r: u32) -> Option<&Group> {
        self.list.get((r as usize).checked_sub(1)?)
    }

    /// The ref of a key that was seen before.
    fn find(&self, hash: u64, key: &str) -> Option<u32> {
        let found = self
            .slots
            .find(hash, |&r| self.list[r as usize - 1].key == key);
        found.copied()
    }

    /// The ref of a key, a new one if it was not seen before.
    fn intern(&mut self, hash: u64, key: &str) -> u32 {
        if let Some(r) = self.find(hash, key) {
            return r;
        }
        let r = self.list.len() as u32 + 1;
        self.push(
            hash,
            r,
            Group {
                key: key.to_owned(),
                properties: None,
                created_at: 0,
                version: 0,
            },
        );
        self.changed.insert(r);
        r
    }

    fn push(&mut self, hash: u64, r: u32, group: Group) {
        self.list.push(group);
        let list = &self.list;
        let rehash = |&r: &u32| StringTable::hash(&list[r as usize - 1].key);
        self.slots.insert_unique(hash, r, rehash);
    }
}

impl Groups {
    /// The state that was persisted; the refs of each index are complete from 1 on, in any order.
    pub(crate) fn restore(
        types: [Option<GroupType>; GROUP_TYPES],
        rows: impl Iterator<Item = (u8, u32, Group)>,
    ) -> Self {
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable_by_key(|&(index, r, _)| (index, r));
        let mut state = Self {
            types,
            ..Self::default()
        };
        for (index, _, group) in rows {
            if let Some(keys) = state.keys.get_mut(usize::from(index)) {
                let r = keys.list.len() as u32 + 1;
                keys.push(StringTable::hash(&group.key), r, group);
            }
        }
        state
    }

    /// The group of an index and a ref.
    pub(crate) fn get(&self, index: usize, r: u32) -> Option<&Group> {
        self.keys.get(index)?.get(r)
    }

    /// All groups of an index, by ascending ref.
    pub(crate) fn iter(&self, index: usize) -> impl Iterator<Item = (u32, &Group)> {
        let keys = self.keys.get(index);
        (1..).zip(keys.into_iter().flat_map(|keys| &keys.list))
    }

    /// The group types by index.
    pub(crate) fn types(&self) -> &[Option<GroupType>; GROUP_TYPES] {
        &self.types
    }

    /// Was a type claimed since the state was restored?
    pub(crate) fn types_changed(&self) -> bool {
        self.types_changed
    }

    /// New and changed groups as (index, ref), ascending, since the state was restored or asked last.
    pub(crate) fn take_changes(&mut self) -> Vec<(u8, u32)> {
        let mut changes = Vec::new();
        for (index, keys) in (0..).zip(&mut self.keys) {
            changes.extend(keys.changed.drain().map(|r| (index, r)));
        }
        changes.sort_unstable();
        changes
    }

    /// The index of a type that is known.
    pub(crate) fn index_of(&self, name: &str) -> Option<usize> {
        let known = |t: &Option<GroupType>| t.as_ref().is_some_and(|t| t.name == name);
        self.types.iter().position(known)
    }

    /// The index of a type; a new type takes the lowest free one.
    pub(crate) fn claim(&mut self, name: &str) -> Result<usize, ClaimRefusal> {
        let free = self.types.iter().position(Option::is_none);
        self.claim_at(name, free.unwrap_or_default())
    }

    /// The index of a type; a new type takes the wanted one if it is free, else the lowest free one.
    pub(crate) fn claim_at(&mut self, name: &str, wanted: usize) -> Result<usize, ClaimRefusal> {
        if let Some(index) = self.index_of(name) {
            return Ok(index);
        }
        if name.is_empty() || name.chars().count() > MAX_TYPE_NAME {
            return Err(ClaimRefusal::Name);
        }
        let is_free = |index: &usize| self.types.get(*index).is_some_and(Option::is_none);
        let free = std::iter::once(wanted).chain(0..GROUP_TYPES).find(is_free);
        let index = free.ok_or(ClaimRefusal::Limit)?;
        self.types[index] = Some(GroupType {
            name: name.to_owned(),
            created_at: None,
            singular: None,
            plural: None,
        });
        self.types_changed = true;
        Ok(index)
    }

    /// The ref of a key; empty text is no group and has ref 0.
    pub(crate) fn reference(&mut self, index: usize, hash: u64, key: &str) -> u32 {
        match self.keys.get_mut(index) {
            Some(keys) if !key.is_empty() => keys.intern(hash, key),
            _ => 0,
        }
    }

    /// Lays properties over those of a group, which is made if it has no row.
    pub(crate) fn declare(
        &mut self,
        index: usize,
        key: &str,
        set: &str,
        created_at: i64,
    ) -> GroupChange {
        let Some(keys) = self.keys.get_mut(index) else {
            return GroupChange::Unchanged;
        };
        let r = keys.intern(StringTable::hash(key), key);
        let group = &mut keys.list[r as usize - 1];
        let change = match &group.properties {
            None => {
                group.properties = Some(overlay("{}", set).unwrap_or_else(|| "{}".into()));
                group.created_at = created_at;
                GroupChange::Created
            }
            Some(old) => match overlay(old, set) {
                None => return GroupChange::Unchanged,
                changed => {
                    group.properties = changed;
                    GroupChange::Updated
                }
            },
        };
        group.version += 1;
        keys.changed.insert(r);
        change
    }

    /// Takes properties away from a group that has a row; `unset` is a JSON list of their keys.
    pub(crate) fn unset(&mut self, index: usize, key: &str, unset: &str) -> GroupChange {
        let update = Update {
            unset: Some(unset),
            ..Update::default()
        };
        let Some(keys) = self.keys.get_mut(index) else {
            return GroupChange::Unchanged;
        };
        let Some(r) = keys.find(StringTable::hash(key), key) else {
            return GroupChange::Unchanged;
        };
        let group = &mut keys.list[r as usize - 1];
        match group
            .properties
            .as_deref()
            .and_then(|old| update.apply(old))
        {
            None => GroupChange::Unchanged,
            changed => {
                group.properties = changed;
                group.version += 1;
                keys.changed.insert(r);
                GroupChange::Updated
            }
        }
    }
}
