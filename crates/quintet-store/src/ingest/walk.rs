//! One walk over an event's properties that picks out the keys with a meaning to ingestion and skips the rest.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::json::{Known, Text};
use super::staged::GROUP_TYPES;

/// The raw JSON values of the properties that ingestion reacts to; of repeated keys the last.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Walk<'a> {
    pub(super) set: Option<&'a str>,
    pub(super) set_once: Option<&'a str>,
    pub(super) unset: Option<&'a str>,
    /// `$groups`.
    pub(super) groups: Option<&'a str>,
    /// `$group_0` to `$group_4`.
    pub(super) direct: [Option<&'a str>; GROUP_TYPES],
    /// `groups`, which some send by mistake.
    pub(super) groups_without_dollar: Option<&'a str>,
    pub(super) process_person_profile: Option<&'a str>,
    pub(super) session_id: Option<&'a str>,
    pub(super) ignore_sent_at: Option<&'a str>,
    pub(super) anon_distinct_id: Option<&'a str>,
    pub(super) alias: Option<&'a str>,
    pub(super) distinct_id: Option<&'a str>,
    pub(super) group_type: Option<&'a str>,
    pub(super) group_key: Option<&'a str>,
    pub(super) group_set: Option<&'a str>,
    pub(super) group_unset: Option<&'a str>,
}

/// Does ingestion react to a property?
pub(super) fn has_meaning(key: &str) -> bool {
    Walk::default().slot(key).is_some()
}

impl<'a> Walk<'a> {
    /// Of these entries.
    pub(super) fn of<'k>(entries: impl Iterator<Item = (&'k str, &'a str)>) -> Self {
        let mut walk = Self::default();
        for (key, value) in entries {
            if let Some(slot) = walk.slot(key) {
                *slot = Some(value);
            }
        }
        walk
    }

    /// Of an object whose text is known to be JSON.
    pub(super) fn of_known(object: &'a str) -> Self {
        let mut walk = Self::default();
        for (key, value) in Known::of(object) {
            if let Some(slot) = walk.slot(&key.text()) {
                *slot = Some(value);
            }
        }
        walk
    }

    /// May the properties be stored otherwise than they came?
    pub(super) fn changes_properties(&self) -> bool {
        let is_lower = |id: &str| id.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
        let updates = [self.set, self.set_once, self.unset];
        updates.iter().any(Option::is_some)
            || self.direct.iter().any(Option::is_some)
            || self.process_person_profile.is_some()
            || !self.session_id.is_none_or(is_lower)
    }

    /// Where the value of a key belongs; none for keys without a meaning here.
    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        if !key.starts_with(['$', 'g', 'a', 'd']) {
            return None;
        }
        Some(match key {
            "$set" => &mut self.set,
            "$set_once" => &mut self.set_once,
            "$unset" => &mut self.unset,
            "$groups" => &mut self.groups,
            "$group_0" => &mut self.direct[0],
            "$group_1" => &mut self.direct[1],
            "$group_2" => &mut self.direct[2],
            "$group_3" => &mut self.direct[3],
            "$group_4" => &mut self.direct[4],
            "groups" => &mut self.groups_without_dollar,
            "$process_person_profile" => &mut self.process_person_profile,
            "$session_id" => &mut self.session_id,
            "$ignore_sent_at" => &mut self.ignore_sent_at,
            "$anon_distinct_id" => &mut self.anon_distinct_id,
            "alias" => &mut self.alias,
            "distinct_id" => &mut self.distinct_id,
            "$group_type" => &mut self.group_type,
            "$group_key" => &mut self.group_key,
            "$group_set" => &mut self.group_set,
            "$group_unset" => &mut self.group_unset,
            _ => return None,
        })
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Walk<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Properties;
        impl<'de> Visitor<'de> for Properties {
            type Value = Walk<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object as properties")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut walk = Walk::default();
                while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
                    match walk.slot(&key) {
                        Some(slot) => *slot = Some(map.next_value::<&RawValue>()?.get()),
                        None => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(walk)
            }
        }
        deserializer.deserialize_map(Properties)
    }
}
