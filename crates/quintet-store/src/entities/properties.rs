//! Properties of persons and groups: JSON objects as text, and how new values are laid over old ones.

use std::borrow::Cow;

use hashbrown::HashTable;
use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use crate::ingest::json;

/// An object that can be changed key by key, in the order of first sight.
struct Object<'a> {
    entries: Vec<(Cow<'a, str>, Option<&'a str>)>,
    slots: HashTable<usize>,
    changed: bool,
}

fn hash(key: &str) -> u64 {
    xxh3_64(key.as_bytes())
}

impl<'a> Object<'a> {
    /// The last of several equal keys wins.
    fn new(text: &'a str) -> Self {
        let json::Entries(read) = json::entries(text).unwrap_or_default();
        let mut object = Self {
            entries: Vec::with_capacity(read.len()),
            slots: HashTable::with_capacity(read.len()),
            changed: false,
        };
        for (key, value) in read {
            object.put(key, value);
        }
        object.changed = false;
        object
    }

    fn find(&self, key: &str) -> Option<usize> {
        let found = self
            .slots
            .find(hash(key), |&i| self.entries[i].0.as_ref() == key);
        found.copied()
    }

    fn has(&self, key: &str) -> bool {
        self.find(key).is_some_and(|i| self.entries[i].1.is_some())
    }

    fn put(&mut self, key: Cow<'a, str>, value: &'a str) {
        match self.find(&key) {
            Some(i) => {
                if self.entries[i].1.is_none_or(|old| !same(old, value)) {
                    self.entries[i].1 = Some(value);
                    self.changed = true;
                }
            }
            None => {
                let hashed = hash(&key);
                let entries = &self.entries;
                let rehash = |&i: &usize| hash(&entries[i].0);
                self.slots.insert_unique(hashed, entries.len(), rehash);
                self.entries.push((key, Some(value)));
                self.changed = true;
            }
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(i) = self.find(key) {
            self.changed |= self.entries[i].1.take().is_some();
        }
    }

    fn write(&self) -> String {
        let present = self.entries.iter();
        json::object(present.filter_map(|(key, value)| Some((key.as_ref(), (*value)?))))
    }
}

/// Are two JSON texts the same value? 1 and "1" are not.
fn same(a: &str, b: &str) -> bool {
    let value = |text| serde_json::from_str::<Value>(text).ok();
    a == b || (value(a).is_some() && value(a) == value(b))
}

/// What an event wants changed on its person: applied in the order of the fields.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Update<'a> {
    /// An object: values for keys that are absent.
    pub(crate) set_once: Option<&'a str>,
    /// An object: values that overwrite.
    pub(crate) set: Option<&'a str>,
    /// A list of keys, or an object whose keys are meant.
    pub(crate) unset: Option<&'a str>,
}

impl Update<'_> {
    /// Does it want nothing?
    pub(crate) fn is_empty(&self) -> bool {
        self.set_once.is_none() && self.set.is_none() && self.unset.is_none()
    }

    /// The properties after the update; none when they stay as they are.
    pub(crate) fn apply(&self, properties: &str) -> Option<String> {
        let unset = self.unset.map(keys).unwrap_or_default();
        let mut object = Object::new(properties);
        if let Some(json::Entries(entries)) = self.set_once.and_then(json::entries) {
            let absent: Vec<_> = entries
                .into_iter()
                .filter(|(key, _)| !object.has(key))
                .collect();
            for (key, value) in absent {
                object.put(key, value);
            }
        }
        if let Some(json::Entries(entries)) = self.set.and_then(json::entries) {
            for (key, value) in entries {
                object.put(key, value);
            }
        }
        for key in &unset {
            object.remove(key);
        }
        let after = object.changed.then(|| object.write());
        after.filter(|text| text != properties)
    }

    /// A number that stands for the update; 0 is left free.
    pub(crate) fn fingerprint(&self) -> u64 {
        let parts = [self.set_once, self.set, self.unset];
        parts.iter().fold(1, |sum: u64, part| {
            sum.rotate_left(21) ^ part.map_or(7, hash)
        }) | 1
    }
}

/// The keys that an `$unset` names.
pub(crate) fn keys(unset: &str) -> Vec<String> {
    match serde_json::from_str(unset) {
        Ok(Value::Array(items)) => items
            .into_iter()
            .filter_map(|item| match item {
                Value::String(key) => Some(key),
                _ => None,
            })
            .collect(),
        Ok(Value::Object(map)) => map.into_iter().map(|(key, _)| key).collect(),
        _ => Vec::new(),
    }
}

/// A shallow overlay: `{...old, ...new}`; none when nothing changes.
pub(crate) fn overlay(old: &str, new: &str) -> Option<String> {
    let set = Some(new);
    Update {
        set,
        ..Update::default()
    }
    .apply(old)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn update<'a>(set_once: &'a str, set: &'a str, unset: &'a str) -> Update<'a> {
        Update {
            set_once: Some(set_once),
            set: Some(set),
            unset: Some(unset),
        }
    }

    #[test]
    fn set_overwrites_and_set_once_only_fills_absent_keys() {
        let after = update(r#"{"c":3,"e":4}"#, r#"{"b":4}"#, "[]").apply(r#"{"b":3,"c":4}"#);
        assert_eq!(after.unwrap(), r#"{"b":4,"c":4,"e":4}"#);
    }

    #[test]
    fn set_beats_set_once_of_the_same_event() {
        let after = update(r#"{"a":"once"}"#, r#"{"a":"set"}"#, "{}").apply("{}");
        assert_eq!(after.unwrap(), r#"{"a":"set"}"#);
    }

    #[test]
    fn unset_takes_keys_from_a_list_or_an_object_and_comes_last() {
        for unset in [r#"["a","c",5]"#, r#"{"a":1,"c":""}"#] {
            let after = update("{}", r#"{"c":9}"#, unset).apply(r#"{"a":1,"b":2}"#);
            assert_eq!(after.unwrap(), r#"{"b":2}"#);
        }
    }

    #[test]
    fn an_update_that_changes_nothing_leaves_the_text_alone() {
        assert_eq!(
            overlay(r#"{"a": {"x":1, "y":2}}"#, r#"{"a":{"y":2,"x":1}}"#),
            None
        );
        assert_eq!(overlay("{}", "{}"), None);
        assert_eq!(update("{}", "{}", r#"["z"]"#).apply(r#"{"a":1}"#), None);
    }

    #[test]
    fn one_and_the_text_one_are_different_values() {
        assert_eq!(
            overlay(r#"{"a":1}"#, r#"{"a":"1"}"#).unwrap(),
            r#"{"a":"1"}"#
        );
    }

    #[test]
    fn an_overlay_is_shallow_and_null_is_a_value() {
        let after = overlay(r#"{"a":{"x":1},"b":2}"#, r#"{"a":{"y":1},"b":null}"#);
        assert_eq!(after.unwrap(), r#"{"a":{"y":1},"b":null}"#);
    }

    #[test]
    fn numbers_keep_their_text() {
        let after = overlay("{}", r#"{"a":123456789012345678901234567890}"#);
        assert_eq!(after.unwrap(), r#"{"a":123456789012345678901234567890}"#);
    }
}
