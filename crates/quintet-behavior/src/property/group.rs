//! The key of an event's group out of its properties, for tables that have no column of it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::value::Borrowed;

/// Where the key of a group stands in the properties of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupPlace<'a> {
    /// The property that holds the key, such as `$group_0`.
    pub property: Option<&'a str>,
    /// The type's name in `$groups`, whose entry wins.
    pub name: Option<&'a str>,
}

impl GroupPlace<'_> {
    /// The key of the group; none where the event has no such group, or takes part in none because it has no person
    /// (`$process_person_profile` is false).
    ///
    /// Text as it is, any other value as the JSON text it was written in, as ingestion does
    /// (`spec/groups-and-ingestion.md` section 1.4).
    pub fn key<'a>(&self, json: &'a str) -> Option<Cow<'a, str>> {
        if !json.contains("$group") && !json.contains('\\') {
            return None;
        }
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let found = deserializer.deserialize_map(Find(self)).ok()?;
        let is_personless = found.profile == Some("false");
        let raw = found.entry.or(found.property)?;
        text(raw).filter(|key| !key.is_empty() && !is_personless)
    }
}

/// Raw JSON values; of repeated keys the last.
#[derive(Default)]
struct Found<'a> {
    property: Option<&'a str>,
    entry: Option<&'a str>,
    profile: Option<&'a str>,
}

struct Find<'p, 'a>(&'p GroupPlace<'a>);

impl<'de> Visitor<'de> for Find<'_, '_> {
    type Value = Found<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = Found::default();
        while let Some(Borrowed(key)) = map.next_key::<Borrowed<'de>>()? {
            match key.as_ref() {
                "$groups" => {
                    let groups = map.next_value::<&RawValue>()?.get();
                    found.entry = self.0.name.and_then(|name| entry(groups, name));
                }
                "$process_person_profile" => {
                    found.profile = Some(map.next_value::<&RawValue>()?.get());
                }
                key if self.0.property == Some(key) => {
                    found.property = Some(map.next_value::<&RawValue>()?.get());
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

/// The last entry of an object under a name.
fn entry<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    struct Entry<'n>(&'n str);
    impl<'de> Visitor<'de> for Entry<'_> {
        type Value = Option<&'de str>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some((Borrowed(key), value)) =
                map.next_entry::<Borrowed<'de>, &'de RawValue>()?
            {
                if key == self.0 {
                    found = Some(value.get());
                }
            }
            Ok(found)
        }
    }
    let mut deserializer = serde_json::Deserializer::from_str(object);
    deserializer.deserialize_map(Entry(name)).ok()?
}

fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'n' => None,
        b'"' => serde_json::from_str::<Borrowed<'_>>(raw)
            .ok()
            .map(|Borrowed(text)| text),
        _ => Some(Cow::Borrowed(raw)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: GroupPlace<'static> = GroupPlace {
        property: Some("$group_0"),
        name: Some("company"),
    };

    fn key(json: &str) -> Option<String> {
        PLACE.key(json).map(Cow::into_owned)
    }

    #[test]
    fn a_key_stands_under_its_number_or_under_its_name_which_wins() {
        for (json, expected) in [
            (r#"{"$group_0":"acme"}"#, Some("acme")),
            (r#"{"$groups":{"company":"acme"}}"#, Some("acme")),
            (r#"{"$groups":{"company":"a"},"$group_0":"b"}"#, Some("a")),
            (r#"{"$groups":{"project":"p"},"$group_0":"b"}"#, Some("b")),
            (r#"{"$groups":[],"$group_0":"b"}"#, Some("b")),
            (r#"{"$group_1":"b"}"#, None),
            (r#"{"\u0024group_0":"b"}"#, Some("b")),
            ("{}", None),
            ("$group_0", None),
        ] {
            assert_eq!(key(json).as_deref(), expected, "{json}");
        }
        let unnamed = GroupPlace {
            name: None,
            ..PLACE
        };
        assert_eq!(unnamed.key(r#"{"$groups":{"company":"acme"}}"#), None);
    }

    #[test]
    fn keys_are_text_and_empty_ones_are_none() {
        for (value, expected) in [
            ("42", Some("42")),
            ("true", Some("true")),
            ("[1, 2]", Some("[1, 2]")),
            (r#""a\tb""#, Some("a\tb")),
            ("\"\"", None),
            ("null", None),
        ] {
            let json = format!(r#"{{"$groups":{{"company":{value}}},"$group_0":"x"}}"#);
            assert_eq!(key(&json).as_deref(), expected, "{json}");
        }
    }

    #[test]
    fn an_event_without_a_person_has_no_groups() {
        let json = |flag: &str| {
            format!(r#"{{"$groups":{{"company":"a"}},"$process_person_profile":{flag}}}"#)
        };
        assert_eq!(key(&json("false")), None);
        assert_eq!(key(&json("true")).as_deref(), Some("a"));
    }
}
