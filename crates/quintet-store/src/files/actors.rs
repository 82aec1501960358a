//! What persons and groups of staged rows are called: taken when rows are handed on to be written, so that further rows may meet
//! persons and groups meanwhile.

use uuid::fmt::Hyphenated;

use crate::entities::EntityState;
use crate::ingest::{StagedEvents, TextColumn};
use crate::schema::GROUP_TYPES;

/// The names of the actors of some rows.
#[derive(Debug, Default)]
pub(crate) struct Actors {
    persons: Names,
    groups: [Names; GROUP_TYPES],
}

/// Names by ref.
#[derive(Debug, Default)]
struct Names {
    texts: TextColumn,
    /// The place of each name, counted from 1; 0 where none is known.
    places: Vec<u32>,
}

impl Actors {
    /// Those of all rows.
    pub(crate) fn of(staged: &StagedEvents, entities: &EntityState) -> Self {
        let mut text = [0; Hyphenated::LENGTH];
        let persons = Names::of(&staged.persons, |person, names| {
            if let Some(person) = entities.persons.get(person) {
                names.push(person.id.hyphenated().encode_lower(&mut text));
            }
        });
        let mut groups = [const { None }; GROUP_TYPES];
        for (index, (names, refs)) in groups.iter_mut().zip(&staged.groups).enumerate() {
            *names = Some(Names::of(refs, |group, names| {
                if let Some(group) = entities.groups.get(index, group) {
                    names.push(&group.key);
                }
            }));
        }
        Self {
            persons,
            groups: groups.map(Option::unwrap_or_default),
        }
    }

    /// The public id of a person.
    pub(crate) fn person(&self, person: u32) -> Option<&str> {
        self.persons.get(person)
    }

    /// The key of a group of the type with this index.
    pub(crate) fn group(&self, index: usize, group: u32) -> Option<&str> {
        self.groups.get(index)?.get(group)
    }
}

impl Names {
    /// Those of these refs; `push` appends one, if there is one.
    fn of(refs: &[u32], mut push: impl FnMut(u32, &mut TextColumn)) -> Self {
        let mut names = Self::default();
        for r in refs {
            let at = *r as usize;
            if names.places.len() <= at {
                names.places.resize(at + 1, 0);
            }
            let known = names.texts.len();
            if let Some(place) = names.places.get_mut(at).filter(|place| **place == 0) {
                push(*r, &mut names.texts);
                if names.texts.len() > known {
                    *place = names.texts.len() as u32;
                }
            }
        }
        names
    }

    fn get(&self, r: u32) -> Option<&str> {
        let place = self.places.get(r as usize)?.checked_sub(1)?;
        Some(self.texts.get(place as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_by_ref_and_unknown_ones_are_none() {
        let names = Names::of(&[7, 2, 7, 0], |r, names| {
            if r != 0 {
                names.push(&r.to_string());
            }
        });
        assert_eq!(
            [0, 2, 3, 7, 8].map(|r| names.get(r)),
            [None, Some("2"), None, Some("7"), None]
        );
    }
}
