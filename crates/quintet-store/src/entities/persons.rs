//! Persons by dense ref and by distinct id. The rules by which events change them are in `identity`.

use hashbrown::{HashMap, HashSet};
use uuid::Uuid;

use crate::ingest::StringTable;

/// The namespace of the ids that persons get from their distinct ids.
const PERSON_NAMESPACE: Uuid = Uuid::from_u128(0x9329_79b4_65c3_4424_8467_0b66_ec27_bc22);
/// The one project of a store, as it stands in the names of person ids.
const PROJECT: u32 = 1;

/// One person.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Person {
    /// The public id.
    pub(crate) id: Uuid,
    /// A JSON object.
    pub(crate) properties: String,
    /// Microseconds since 1970.
    pub(crate) created_at: i64,
    /// Was the person named by an identifying event?
    pub(crate) is_identified: bool,
    /// Is it a person at all?
    pub(crate) state: PersonState,
    /// Counts the changes from 1; 0 for ids without a profile.
    pub(crate) version: u64,
}

/// What a ref stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PersonState {
    /// A person with a profile.
    Real,
    /// An id that only personless events have used.
    Personless,
    /// Part of another person.
    Merged {
        /// The ref of that person, or of one that became part of it.
        into: u32,
        /// Compaction has moved all its events to that person, and no event will ever get its ref again.
        squashed: bool,
    },
}

/// What a load has to persist.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PersonChanges {
    /// Refs of new and changed persons, ascending.
    pub(crate) persons: Vec<u32>,
    /// New distinct ids, in the order of first sight.
    pub(crate) distinct_ids: Vec<String>,
}

/// What stands in the place of a distinct id.
#[derive(Debug)]
pub(crate) struct Renamed {
    /// The new one.
    pub(crate) id: String,
    /// The person whose public id it is too.
    pub(crate) person: Option<u32>,
}

/// All persons of a store.
#[derive(Clone, Debug, Default)]
pub(crate) struct Persons {
    /// By ref − 1.
    list: Vec<Person>,
    distinct_ids: StringTable,
    /// The ref of each distinct id, as of some time: merges are followed from there.
    owners: Vec<u32>,
    /// Refs by public id; made when an id from outside is first looked up.
    by_id: Option<HashMap<Uuid, u32>>,
    /// Fingerprint of the last update of each person: the same update again changes nothing.
    last_updates: Vec<u64>,
    changed: HashSet<u32>,
    /// From this number on distinct ids are new.
    kept_distinct_ids: usize,
}

/// The id that the person of a distinct id gets.
pub(crate) fn id_of(distinct_id: &str) -> Uuid {
    Uuid::new_v5(
        &PERSON_NAMESPACE,
        format!("{PROJECT}:{distinct_id}").as_bytes(),
    )
}

/// A person's id from a file: a UUID as it is, any other text as the name of one.
pub(crate) fn id_from_text(text: &str) -> Uuid {
    Uuid::try_parse(text).unwrap_or_else(|_| id_of(text))
}

impl Person {
    /// Whether no event belongs to it any longer, nor ever will.
    pub(crate) fn is_squashed(&self) -> bool {
        matches!(self.state, PersonState::Merged { squashed, .. } if squashed)
    }

    /// An id that no ordinary event has used yet.
    pub(super) fn without_profile(id: Uuid) -> Self {
        Self {
            id,
            properties: "{}".into(),
            created_at: 0,
            is_identified: false,
            state: PersonState::Personless,
            version: 0,
        }
    }
}

impl Persons {
    /// The state that was persisted; the refs of `persons` are complete from 1 on, in any order.
    pub(crate) fn restore(
        persons: impl Iterator<Item = (u32, Person)>,
        distinct_ids: impl Iterator<Item = (String, u32)>,
    ) -> Self {
        let mut rows: Vec<_> = persons.collect();
        rows.sort_unstable_by_key(|&(r, _)| r);
        let list: Vec<_> = rows.into_iter().map(|(_, person)| person).collect();
        let mut state = Self {
            last_updates: vec![0; list.len()],
            list,
            ..Self::default()
        };
        for (distinct_id, r) in distinct_ids {
            state.own(&distinct_id, r);
        }
        state.kept_distinct_ids = state.owners.len();
        state
    }

    /// The ref that a ref has after all merges.
    pub(crate) fn resolve(&self, r: u32) -> u32 {
        let mut r = r;
        while let Some(PersonState::Merged { into, .. }) = self.get(r).map(|p| p.state) {
            r = into;
        }
        r
    }

    /// The merged persons that events may still belong to, ascending.
    pub(crate) fn unsquashed(&self) -> Vec<u32> {
        let unsquashed = |person: &Person| {
            matches!(person.state, PersonState::Merged { .. }) && !person.is_squashed()
        };
        let merged = self.iter().filter(|(_, person)| unsquashed(person));
        merged.map(|(r, _)| r).collect()
    }

    /// Notes that no event belongs to these merged persons any longer. To keep it, the whole table is to be written.
    pub(crate) fn note_squashed(&mut self, refs: &[u32]) {
        for r in refs {
            let person = self.list.get_mut((*r as usize).wrapping_sub(1));
            if let Some(PersonState::Merged { squashed, .. }) = person.map(|p| &mut p.state) {
                *squashed = true;
            }
        }
    }

    /// Gives persons the properties that `change` makes of theirs; returns how many have changed.
    pub(crate) fn change_properties(&mut self, change: impl Fn(&str) -> Option<String>) -> u64 {
        let people = self.iter();
        let new: Vec<(u32, String)> = people
            .filter_map(|(r, person)| Some((r, change(&person.properties)?)))
            .collect();
        let changed = new.len() as u64;
        for (r, properties) in new {
            self.change(r, |person| person.properties = properties);
        }
        changed
    }

    /// The person that a ref was given to.
    pub(crate) fn get(&self, r: u32) -> Option<&Person> {
        self.list.get((r as usize).checked_sub(1)?)
    }

    /// How many refs there are.
    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    /// All refs, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Person)> {
        (1..).zip(&self.list)
    }

    /// All distinct ids with the final ref of their person, in the order of first sight.
    pub(crate) fn distinct_ids(&self) -> impl Iterator<Item = (&str, u32)> {
        (0..)
            .zip(&self.owners)
            .map(|(number, &owner)| (self.distinct_ids.get(number), self.resolve(owner)))
    }

    /// What has changed since the state was restored or asked last.
    pub(crate) fn take_changes(&mut self) -> PersonChanges {
        let mut persons: Vec<_> = self.changed.drain().collect();
        persons.sort_unstable();
        let new = self.kept_distinct_ids as u32..self.owners.len() as u32;
        let distinct_ids = new
            .map(|number| self.distinct_ids.get(number).to_owned())
            .collect();
        self.kept_distinct_ids = self.owners.len();
        PersonChanges {
            persons,
            distinct_ids,
        }
    }

    /// The final ref of a distinct id that was seen before.
    pub(crate) fn find(&self, distinct_id: &str) -> Option<u32> {
        self.find_hashed(StringTable::hash(distinct_id), distinct_id)
    }

    /// The number of a distinct id whose hash is known, in the order of first sight.
    pub(crate) fn number(&self, hash: u64, distinct_id: &str) -> Option<u32> {
        self.distinct_ids.find_hashed(hash, distinct_id)
    }

    /// [`Self::find`] for a distinct id whose hash is known.
    pub(crate) fn find_hashed(&self, hash: u64, distinct_id: &str) -> Option<u32> {
        let number = self.distinct_ids.find_hashed(hash, distinct_id)?;
        Some(self.resolve(self.owners[number as usize]))
    }

    /// Puts an id that says nothing in the place of a distinct id; none if nobody has it. The person whose public id was made of
    /// the old one is known by the new one from now on. To keep it, both tables are to be written as a whole.
    pub(crate) fn rename(&mut self, distinct_id: &str) -> Option<Renamed> {
        self.find(distinct_id)?;
        let new = Uuid::new_v4();
        let mut renamed = StringTable::default();
        for number in 0..self.distinct_ids.len() as u32 {
            match self.distinct_ids.get(number) {
                known if known == distinct_id => renamed.intern(&new.to_string()),
                other => renamed.intern(other),
            };
        }
        self.distinct_ids = renamed;
        let old = id_of(distinct_id);
        let person = (1..).zip(&self.list).find(|(_, person)| person.id == old);
        let person = person.map(|(r, _)| r);
        if let Some(r) = person {
            self.change(r, |person| person.id = new);
            self.by_id = None;
        }
        Some(Renamed {
            id: new.to_string(),
            person,
        })
    }

    /// The final ref of a person's public id.
    pub(crate) fn find_id(&mut self, id: Uuid) -> Option<u32> {
        let by_id = self.by_id.get_or_insert_with(|| {
            let ids = self.list.iter().map(|person| person.id);
            ids.zip(1..).collect()
        });
        let r = *by_id.get(&id)?;
        Some(self.resolve(r))
    }

    /// Gives a ref to a new person.
    pub(super) fn push(&mut self, person: Person) -> u32 {
        let r = self.list.len() as u32 + 1;
        if let Some(by_id) = &mut self.by_id {
            by_id.insert(person.id, r);
        }
        self.list.push(person);
        self.last_updates.push(0);
        self.changed.insert(r);
        r
    }

    /// Gives a new distinct id to a person.
    pub(super) fn own(&mut self, distinct_id: &str, r: u32) {
        let number = self.distinct_ids.intern(distinct_id) as usize;
        if number == self.owners.len() {
            self.owners.push(r);
        }
    }

    /// Changes a person and notes that it changed.
    pub(super) fn change(&mut self, r: u32, change: impl FnOnce(&mut Person)) {
        let index = (r as usize).wrapping_sub(1);
        if let Some(person) = self.list.get_mut(index) {
            change(person);
            person.version += 1;
            self.last_updates[index] = 0;
            self.changed.insert(r);
        }
    }

    /// Was this the person's last update? Remembers it, if not.
    pub(super) fn is_repeated(&mut self, r: u32, fingerprint: u64) -> bool {
        let last = self.last_updates.get_mut((r as usize).wrapping_sub(1));
        last.is_some_and(|last| std::mem::replace(last, fingerprint) == fingerprint)
    }
}
