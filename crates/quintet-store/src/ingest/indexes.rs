//! Which type stands behind `$group_0` to `$group_4` of what is loaded, and which index it has here.
//!
//! An export numbers the types as the project it comes from does. The name of a number is never written beside it; it
//! shows where an event has the same key under a name in `$groups` and under a number.

use super::message::{Message, Parsed, Span, TagType};
use super::staged::GROUP_TYPES;
use crate::entities::{ClaimRefusal, Groups};

/// Where the groups of a foreign index go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Nothing has shown the type: they keep the number.
    #[default]
    Unknown,
    /// The type has this index here.
    At(usize),
    /// The store has no room for the type.
    Nowhere(ClaimRefusal),
}

/// What the rows of a load have shown.
#[derive(Debug, Default)]
pub(super) struct Indexes {
    votes: [Vec<(String, u64)>; GROUP_TYPES],
    places: [Place; GROUP_TYPES],
    /// Groups of rows by index whose type was not known.
    unnamed: [u64; GROUP_TYPES],
    /// Instant of the earliest row that voted.
    earliest: Option<i64>,
}

impl Indexes {
    /// Counts what the messages of a block show.
    pub(super) fn vote(&mut self, parsed: &Parsed) {
        for message in &parsed.messages {
            self.vote_of(parsed, message);
        }
    }

    /// Decides on each index by its votes. A type that is new here keeps its number if that is free.
    pub(super) fn settle(&mut self, groups: &mut Groups) {
        for index in 0..GROUP_TYPES {
            let most = self.votes[index].iter().max_by_key(|(_, votes)| *votes);
            if let (Some((name, _)), Place::Unknown) = (most, self.places[index]) {
                self.places[index] =
                    match groups.claim_at(name, index, self.earliest.unwrap_or_default()) {
                        Ok(index) => Place::At(index),
                        Err(refusal) => Place::Nowhere(refusal),
                    };
            }
        }
    }

    /// The index here of the groups of a row under a foreign index.
    pub(super) fn place(
        &mut self,
        parsed: &Parsed,
        message: &Message,
        index: usize,
        groups: &mut Groups,
    ) -> Result<usize, ClaimRefusal> {
        if self.places[index] == Place::Unknown {
            self.vote_of(parsed, message);
            self.settle(groups);
        }
        match self.places[index] {
            Place::At(ours) => Ok(ours),
            Place::Nowhere(refusal) => Err(refusal),
            Place::Unknown => {
                self.unnamed[index] += 1;
                Ok(index)
            }
        }
    }

    /// Indexes without a type in the end, with the number of groups of rows under them.
    pub(super) fn unnamed(&self, groups: &Groups) -> impl Iterator<Item = (usize, u64)> {
        let types = groups.types();
        let counts = self.unnamed.into_iter().enumerate();
        counts.filter(|(index, count)| *count > 0 && types[*index].is_none())
    }

    fn vote_of(&mut self, parsed: &Parsed, message: &Message) {
        let tags = &parsed.tags[message.tags.clone()];
        let is_name = |of: TagType| matches!(of, TagType::Name(_));
        if !tags.iter().any(|tag| is_name(tag.of)) {
            return;
        }
        let at = message.timestamp;
        self.earliest = Some(self.earliest.map_or(at, |earliest| earliest.min(at)));
        let mut numbered: [Option<Span>; GROUP_TYPES] = [None; GROUP_TYPES];
        for tag in tags {
            if let TagType::Index(index) = tag.of {
                numbered[index] = Some(tag.key);
            }
        }
        let text = |span: Span| parsed.text(span);
        for (index, key) in numbered.iter().enumerate() {
            let Some(key) = key.map(text).filter(|key| !key.is_empty()) else {
                continue;
            };
            let same_number = numbered
                .iter()
                .flatten()
                .filter(|other| text(**other) == key);
            let mut names = tags.iter().filter_map(|tag| match tag.of {
                TagType::Name(name) if text(tag.key) == key => Some(text(name)),
                _ => None,
            });
            // Two types with one key could be either way round.
            if let (1, Some(name), None) = (same_number.count(), names.next(), names.next()) {
                self.count(index, name);
            }
        }
    }

    fn count(&mut self, index: usize, name: &str) {
        let votes = &mut self.votes[index];
        match votes.iter_mut().find(|(known, _)| known == name) {
            Some((_, count)) => *count += 1,
            None => votes.push((name.to_owned(), 1)),
        }
    }
}
