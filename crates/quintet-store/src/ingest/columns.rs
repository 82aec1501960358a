//! The columns of other people's tables: how they are called, and which of them are properties.

use std::borrow::Cow;

use super::json;
use crate::error::{Error, Result};

/// Columns of exports that hold nothing but copies of what `properties` or other columns hold, or numbers of the exporter.
const BOOKKEEPING: [&str; 6] = [
    "team_id",
    "set",
    "set_once",
    "people_set",
    "people_set_once",
    "bq_ingested_timestamp",
];
/// What a page's elements are called in a column, and what as a property.
const ELEMENTS: (&str, &str) = ("elements_chain", "$elements_chain");

/// How the columns of a table are called that are not called as ours are.
///
/// Ours are `event`, `distinct_id`, `timestamp`, `uuid`, `properties`, `person_id`, `person_properties`, `created_at`
/// and `$group_0` to `$group_4`; any other name on our side is a property's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Columns(Vec<(String, String)>);

impl Columns {
    /// From pairs of our name and theirs.
    ///
    /// # Errors
    /// [`Error::Invalid`] if a name is empty or ours is given twice.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Result<Self> {
        let mut columns: Vec<(String, String)> = Vec::new();
        for (ours, theirs) in pairs {
            if ours.is_empty() || theirs.is_empty() {
                return Err(Error::invalid(
                    "column",
                    "a name is empty; write `event=name`",
                ));
            }
            if columns.iter().any(|(known, _)| *known == ours) {
                let reason = format!("`{ours}` is given twice; a column has one name");
                return Err(Error::invalid("column", reason));
            }
            columns.push((ours, theirs));
        }
        Ok(Self(columns))
    }

    /// Pairs of our name and theirs.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.0.iter();
        pairs.map(|(ours, theirs)| (ours.as_str(), theirs.as_str()))
    }

    /// Are all columns called as ours are?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a column of ours is called.
    pub(crate) fn theirs<'a>(&'a self, ours: &'a str) -> &'a str {
        self.iter()
            .find(|(name, _)| *name == ours)
            .map_or(ours, |(_, theirs)| theirs)
    }

    /// What a column of theirs is called here.
    pub(crate) fn ours<'a>(&'a self, theirs: &'a str) -> &'a str {
        self.iter()
            .find(|(_, name)| *name == theirs)
            .map_or(theirs, |(ours, _)| ours)
    }
}

/// The property that a further column holds; none if it holds none.
pub(super) fn property(column: &str) -> Option<&str> {
    match column {
        name if BOOKKEEPING.contains(&name) => None,
        name if name == ELEMENTS.0 => Some(ELEMENTS.1),
        name => Some(name),
    }
}

/// Properties with those of further columns that they lack.
pub(super) fn with_others<'a>(
    properties: Cow<'a, str>,
    others: &[(Cow<'_, str>, &str)],
) -> Cow<'a, str> {
    let mut further = String::new();
    for (column, value) in others {
        let Some(name) = property(column).filter(|_| *value != "\"\"") else {
            continue;
        };
        if !has(&properties, name) {
            json::push_entry(&mut further, name, value);
        }
    }
    prepend(properties, further)
}

/// Does an object have a key? Most do not even hold its text.
pub(super) fn has(object: &str, key: &str) -> bool {
    object.contains(key)
        && json::entries(object)
            .is_some_and(|json::Entries(all)| all.iter().any(|(known, _)| known == key))
}

/// An object with entries before its own.
pub(super) fn prepend(object: Cow<'_, str>, entries: String) -> Cow<'_, str> {
    if entries.is_empty() {
        return object;
    }
    let rest = object
        .trim_start()
        .strip_prefix('{')
        .unwrap_or("}")
        .trim_start();
    let comma = if rest.starts_with('}') { "" } else { "," };
    Cow::Owned(format!("{{{entries}{comma}{rest}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_go_both_ways_and_default_to_ours() {
        let columns = Columns::new([("event".into(), "name".into())]).unwrap();
        assert_eq!(
            (columns.theirs("event"), columns.theirs("uuid")),
            ("name", "uuid")
        );
        assert_eq!((columns.ours("name"), columns.ours("x")), ("event", "x"));
        for wrong in [[("a", ""), ("b", "c")], [("a", "b"), ("a", "c")]] {
            let pairs = wrong.map(|(a, b)| (a.to_owned(), b.to_owned()));
            assert!(Columns::new(pairs).is_err());
        }
    }

    #[test]
    fn further_columns_are_properties_unless_there_is_such_a_property() {
        let others = [
            ("plan", "\"pro\""),
            ("a", "2"),
            ("team_id", "7"),
            ("elements_chain", "\"a:href\""),
        ];
        let others = others.map(|(key, value)| (Cow::Borrowed(key), value));
        assert_eq!(
            with_others(r#"{"a":1}"#.into(), &others),
            r#"{"plan":"pro","$elements_chain":"a:href","a":1}"#
        );
        assert_eq!(
            with_others(" { }".into(), &others[..1]),
            r#"{"plan":"pro"}"#
        );
    }
}
