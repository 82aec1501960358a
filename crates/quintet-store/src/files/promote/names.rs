//! The names of properties as dense numbers, guessed before they are looked up: objects of one kind of event list the same names
//! in the same order, so after each name the one that followed it last time is tried first.

use crate::error::{Error, Result};
use crate::ingest::StringTable;
use crate::ingest::json::{Key, Known};

/// No name has followed yet.
const NONE: u32 = u32::MAX;

/// The names that were met.
#[derive(Debug, Default)]
pub(super) struct Names {
    table: StringTable,
    /// What followed last time: the first name of an object at 0, what came after name `n` at `n + 1`.
    next: Vec<u32>,
}

impl Names {
    /// These names have the numbers from 0 on.
    pub(super) fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut all = Self::default();
        for name in names {
            all.table.intern(name);
        }
        all
    }

    /// Calls `each` with the number of the name and the JSON text of every property of an object.
    pub(super) fn walk<'a>(
        &mut self,
        object: &'a str,
        mut each: impl FnMut(usize, &'a str),
    ) -> Result<()> {
        let mut before = 0;
        let mut entries = Known::of(object);
        for (key, value) in entries.by_ref() {
            let number = self.number(before, key);
            before = number + 1;
            each(number, value);
        }
        if entries.ended_well() {
            return Ok(());
        }
        Err(Error::internal(
            "the properties of an event are no JSON object",
        ))
    }

    /// The name of a number.
    pub(super) fn get(&self, number: usize) -> &str {
        self.table.get(number as u32)
    }

    fn number(&mut self, before: usize, key: Key<'_>) -> usize {
        let guess = self.next.get(before).copied().unwrap_or(NONE);
        if guess != NONE && key.is_plain() && self.table.get(guess) == key.raw {
            return guess as usize;
        }
        let number = self.table.intern(&key.text());
        if self.next.len() <= before {
            self.next.resize(before + 1, NONE);
        }
        self.next[before] = number;
        number as usize
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn names_are_told_apart_in_any_order() {
        let mut names = Names::of(["b", "a"].into_iter());
        let mut met = Vec::new();
        for text in [
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"a":4,"c":5,"b":6}"#,
            r#"{"\u0061":7}"#,
            "{}",
        ] {
            names
                .walk(text, |name, value| met.push((name, value)))
                .unwrap();
        }
        let expected = [
            (1, "1"),
            (0, "2"),
            (2, "3"),
            (1, "4"),
            (2, "5"),
            (0, "6"),
            (1, "7"),
        ];
        assert_eq!(met, expected);
        assert_eq!(names.get(2), "c");
        assert!(names.walk("{", |_, _| ()).is_err());
    }
}
