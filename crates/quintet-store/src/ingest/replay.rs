//! What exports say of groups and persons. Their rows lie in no order, so the later timestamp wins, not the later row.

use hashbrown::HashMap;

use super::json;
use super::report::LoadReport;
use super::stage::count;
use super::strings::StringTable;
use crate::entities::{Groups, Persons, Update, keys};

/// What orders two values: the time of the event, then of its receipt.
type Stamp = (i64, i64);

/// Stands for the last update of a person that no row changes.
const KEPT: i64 = i64::MAX;

/// What the rows of a load have said.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// By index and key.
    groups: HashMap<(usize, String), History>,
    /// By ref − 1.
    persons: Vec<Seen>,
}

/// What the last row said of a person.
#[derive(Clone, Debug)]
struct Seen {
    at: i64,
    /// Of the text of all that was known: most rows say the same as the one before.
    fingerprint: u64,
    /// The hashes of the properties that were known then: one that is not among those of a later row is gone.
    properties: Box<[u64]>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            at: i64::MIN,
            fingerprint: 0,
            properties: Box::default(),
        }
    }
}

/// The last value of each property of a group.
#[derive(Debug, Default)]
struct History {
    /// Since when; none while the group was only spoken of as if it existed.
    created_at: Option<i64>,
    values: HashMap<String, (Stamp, Option<String>)>,
}

impl History {
    fn put(&mut self, property: &str, stamp: Stamp, value: Option<&str>) {
        let entry = self.values.entry_ref(property);
        let last = entry.or_insert((stamp, None));
        if last.0 <= stamp {
            *last = (stamp, value.map(str::to_owned));
        }
    }
}

impl Seen {
    /// Lays all that is known now over what was known, and takes away what is known no more.
    fn replace(&mut self, persons: &mut Persons, person: u32, whole: &str) {
        let fingerprint = hash(whole);
        if std::mem::replace(&mut self.fingerprint, fingerprint) == fingerprint {
            return;
        }
        let json::Entries(entries) = json::entries(whole).unwrap_or_default();
        let properties: Box<[u64]> = entries.iter().map(|(key, _)| hash(key)).collect();
        let mut unset = None;
        if self
            .properties
            .iter()
            .any(|known| !properties.contains(known))
        {
            let known = persons
                .get(person)
                .map_or("{}", |known| known.properties.as_str());
            let json::Entries(known) = json::entries(known).unwrap_or_default();
            let gone = known.iter().map(|(key, _)| key.as_ref()).filter(|key| {
                let key = hash(key);
                self.properties.contains(&key) && !properties.contains(&key)
            });
            unset = Some(serde_json::Value::from_iter(gone).to_string());
        }
        self.properties = properties;
        let update = Update {
            set: Some(whole),
            unset: unset.as_deref(),
            ..Update::default()
        };
        persons.update(person, &update);
    }
}

fn hash(text: &str) -> u64 {
    StringTable::hash(text)
}

impl Replay {
    /// A `$groupidentify`.
    pub(super) fn declare(
        &mut self,
        index: usize,
        key: &str,
        set: &str,
        stamp: Stamp,
        created_at: i64,
    ) {
        let history = self.groups.entry((index, key.to_owned())).or_default();
        history.created_at = Some(
            history
                .created_at
                .map_or(created_at, |at| at.min(created_at)),
        );
        let json::Entries(entries) = json::entries(set).unwrap_or_default();
        for (property, value) in entries {
            history.put(&property, stamp, Some(value));
        }
    }

    /// A `$delete_group_property`.
    pub(super) fn unset(&mut self, index: usize, key: &str, unset: &str, stamp: Stamp) {
        let history = self.groups.entry((index, key.to_owned())).or_default();
        for property in keys(unset) {
            history.put(&property, stamp, None);
        }
    }

    /// These persons are known from elsewhere: no row changes their properties.
    pub(super) fn keep(&mut self, persons: &[u32]) {
        for person in persons {
            self.seen(*person).at = KEPT;
        }
    }

    /// Changes a person as a row says that does not come in the order of time: `whole` is all that was known
    /// of the person at the time of the event.
    pub(super) fn update(
        &mut self,
        persons: &mut Persons,
        person: u32,
        timestamp: i64,
        whole: Option<&str>,
        update: Update<'_>,
    ) {
        let seen = self.seen(person);
        if seen.at <= timestamp {
            seen.at = timestamp;
            match whole {
                Some(whole) => seen.replace(persons, person, whole),
                None => persons.update(person, &update),
            }
        } else if whole.is_none() && seen.at != KEPT {
            for set_once in [update.set, update.set_once].into_iter().flatten() {
                let update = Update {
                    set_once: Some(set_once),
                    ..Update::default()
                };
                persons.update(person, &update);
            }
        }
    }

    fn seen(&mut self, person: u32) -> &mut Seen {
        let at = (person as usize).saturating_sub(1);
        if self.persons.len() <= at {
            self.persons.resize(at + 1, Seen::default());
        }
        &mut self.persons[at]
    }

    /// Gives the groups their properties.
    pub(super) fn finish(self, groups: &mut Groups, report: &mut LoadReport) {
        let mut histories: Vec<_> = self.groups.into_iter().collect();
        histories.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        for ((index, key), history) in histories {
            let mut values: Vec<_> = history.values.into_iter().collect();
            values.sort_unstable_by(|(a, (a_at, _)), (b, (b_at, _))| (a_at, a).cmp(&(b_at, b)));
            let kept = values
                .iter()
                .filter_map(|(property, (_, value))| Some((property.as_str(), value.as_deref()?)));
            if let Some(created_at) = history.created_at {
                let set = json::object(kept);
                count(report, groups.declare(index, &key, &set, created_at));
            }
            let gone: Vec<&str> = values
                .iter()
                .filter(|(_, (_, value))| value.is_none())
                .map(|(property, _)| property.as_str())
                .collect();
            if !gone.is_empty() {
                let unset = serde_json::Value::from(gone).to_string();
                count(report, groups.unset(index, &key, &unset));
            }
        }
    }
}
