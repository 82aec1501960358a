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
    /// Was it seen under a type only that its index no longer has?
    pub(crate) is_former: bool,
}

impl Group {
    /// Back to a key that nobody has declared; false if it was no more than that.
    fn forget(&mut self) -> bool {
        self.created_at = 0;
        self.version = 0;
        self.properties.take().is_some()
    }
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
    /// Indexes whose type was deleted while groups of it were known: whoever takes one anew must not inherit them.
    retired: [bool; GROUP_TYPES],
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
            if std::mem::take(&mut self.list[r as usize - 1].is_former) {
                self.changed.insert(r);
            }
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
                is_former: false,
            },
        );
        self.changed.insert(r);
        r
    }

    fn push(&mut self, hash: u64, r: u32, group: Group) {
        // Without a key it was purged, and is only a place that no other group may take.
        let is_purged = group.key.is_empty();
        self.list.push(group);
        if is_purged {
            return;
        }
        let list = &self.list;
        let rehash = |&r: &u32| StringTable::hash(&list[r as usize - 1].key);
        self.slots.insert_unique(hash, r, rehash);
    }
}

impl Groups {
    /// The state that was persisted; the refs of each index are complete from 1 on, in any order.
    pub(crate) fn restore(
        types: [Option<GroupType>; GROUP_TYPES],
        retired: &[u8],
        rows: impl Iterator<Item = (u8, u32, Group)>,
    ) -> Self {
        let mut rows: Vec<_> = rows.collect();
        rows.sort_unstable_by_key(|&(index, r, _)| (index, r));
        let mut state = Self {
            types,
            ..Self::default()
        };
        for index in retired {
            if let Some(place) = state.retired.get_mut(usize::from(*index)) {
                *place = true;
            }
        }
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

    /// Indexes, ascending, that are not to be taken anew without hiding what was theirs before.
    pub(crate) fn retired(&self) -> Vec<u8> {
        (0..)
            .zip(self.retired)
            .filter_map(|(index, retired)| retired.then_some(index))
            .collect()
    }

    /// The group of an index and a key, declared or only seen on events.
    pub(crate) fn find(&self, index: usize, key: &str) -> Option<&Group> {
        let keys = self.keys.get(index)?;
        keys.get(keys.find(StringTable::hash(key), key)?)
    }

    /// Was a type claimed, renamed or deleted since the state was restored?
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

    /// The index of a type; a new type takes the lowest free one. `at` is the instant of what names it: events before it
    /// are hidden from a type whose index had another one before.
    pub(crate) fn claim(&mut self, name: &str, at: i64) -> Result<usize, ClaimRefusal> {
        let free = self.types.iter().position(Option::is_none);
        self.claim_at(name, free.unwrap_or_default(), at)
    }

    /// The index of a type; a new type takes the wanted one if it is free, else the lowest free one. `at` is as in
    /// [`claim`](Self::claim).
    pub(crate) fn claim_at(
        &mut self,
        name: &str,
        wanted: usize,
        at: i64,
    ) -> Result<usize, ClaimRefusal> {
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
            created_at: self.retired[index].then_some(at),
            singular: None,
            plural: None,
        });
        self.retired[index] = false;
        self.types_changed = true;
        Ok(index)
    }

    /// Forgets a group for good, its key included; its ref is never given again. Returns the ref, if there was one.
    pub(crate) fn purge(&mut self, index: usize, key: &str) -> Option<u32> {
        let keys = self.keys.get_mut(index)?;
        let hash = StringTable::hash(key);
        let r = keys.find(hash, key)?;
        if let Ok(slot) = keys.slots.find_entry(hash, |other| *other == r) {
            slot.remove();
        }
        keys.list[r as usize - 1] = Group {
            key: String::new(),
            properties: None,
            created_at: 0,
            version: 0,
            is_former: false,
        };
        keys.changed.insert(r);
        Some(r)
    }

    /// Sets how one and several groups of a type are called; what is not given stays, empty text takes a name away.
    /// False if the index has no type.
    pub(crate) fn rename_type(
        &mut self,
        index: usize,
        singular: Option<&str>,
        plural: Option<&str>,
    ) -> bool {
        let Some(Some(known)) = self.types.get_mut(index) else {
            return false;
        };
        let shown = |name: &str| (!name.is_empty()).then(|| name.to_owned());
        if let Some(singular) = singular {
            known.singular = shown(singular);
        }
        if let Some(plural) = plural {
            known.plural = shown(plural);
        }
        self.types_changed = true;
        true
    }

    /// Forgets a type and what was declared of its groups; their keys stay, for events name them. False if the index has no type.
    pub(crate) fn delete_type(&mut self, index: usize) -> bool {
        let (Some(place), Some(keys)) = (self.types.get_mut(index), self.keys.get_mut(index))
        else {
            return false;
        };
        if place.take().is_none() {
            return false;
        }
        for (r, group) in (1..).zip(&mut keys.list) {
            group.forget();
            group.is_former = true;
            keys.changed.insert(r);
        }
        self.retired[index] = !keys.list.is_empty();
        self.types_changed = true;
        true
    }

    /// Forgets what was declared of a group; events keep its key. False if nothing was.
    pub(crate) fn delete(&mut self, index: usize, key: &str) -> bool {
        let Some(keys) = self.keys.get_mut(index) else {
            return false;
        };
        let Some(r) = keys.find(StringTable::hash(key), key) else {
            return false;
        };
        let declared = keys.list[r as usize - 1].forget();
        if declared {
            keys.changed.insert(r);
        }
        declared
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
