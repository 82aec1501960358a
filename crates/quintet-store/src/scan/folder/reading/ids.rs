//! Dense ids of a folder's actors, given out while rows are read, so that the operators of a store's fast path serve a folder too.
//!
//! Ids are counted up from 1 in no particular order and hold for one question. A text that the file keeps in a dictionary is looked up
//! once per dictionary, any other once per row.

use std::sync::{Arc, PoisonError, RwLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::error::Result;
use hashbrown::HashMap;
use uuid::Uuid;

use crate::ingest::StringTable;

/// The ids of one kind of actor.
#[derive(Debug, Default)]
pub(super) struct Ids {
    known: RwLock<Known>,
    /// Is the empty text nobody?
    empty_is_none: bool,
    /// Keys that stand for others.
    aliases: HashMap<String, String>,
}

/// Keys and their numbers, counted up from 0. Most keys are UUIDs, which are told apart as numbers.
#[derive(Debug, Default)]
struct Known {
    uuids: HashMap<u128, u32>,
    texts: StringTable,
    /// By the number that a text has among the texts.
    of_texts: Vec<u32>,
    /// By the number of a key, whose number it goes by.
    last: Vec<u32>,
}

/// A key, ready to be looked up.
#[derive(Clone, Copy)]
enum Key<'a> {
    Uuid(u128),
    Text(u64, &'a str),
}

impl<'a> Key<'a> {
    fn of(text: &'a str) -> Self {
        match uuid(text) {
            Some(uuid) => Self::Uuid(uuid),
            None => Self::Text(StringTable::hash(text), text),
        }
    }
}

/// Bytes of a UUID as text.
const UUID: usize = 36;

/// The UUID that a text is, if it is the only text that is this UUID.
fn uuid(text: &str) -> Option<u128> {
    // All bytes are looked at together: a loop that may end early is not vectorised.
    let shouts = |text: &str| {
        text.bytes()
            .fold(false, |any, byte| any | byte.is_ascii_uppercase())
    };
    let is_usual = text.len() == UUID && !shouts(text);
    let uuid = is_usual.then(|| Uuid::try_parse(text).ok())?;
    uuid.map(|uuid| uuid.as_u128())
}

impl Known {
    fn find(&self, key: Key<'_>) -> Option<u32> {
        match key {
            Key::Uuid(uuid) => self.uuids.get(&uuid).copied(),
            Key::Text(hash, text) => {
                let number = self.texts.find_hashed(hash, text)?;
                self.of_texts.get(number as usize).copied()
            }
        }
    }

    fn intern(&mut self, key: Key<'_>) -> u32 {
        if let Some(number) = self.find(key) {
            return number;
        }
        let number = u32::try_from(self.last.len()).unwrap_or(u32::MAX);
        self.last.push(number);
        match key {
            Key::Uuid(uuid) => {
                self.uuids.insert(uuid, number);
            }
            Key::Text(hash, text) => {
                self.texts.intern_hashed(hash, text);
                self.of_texts.push(number);
            }
        }
        number
    }

    fn id(&self, number: u32) -> u32 {
        self.last.get(number as usize).map_or(0, |last| last + 1)
    }
}

impl Ids {
    /// Persons, of whom some became part of others: old and new key.
    pub(super) fn of_persons(merges: &[(String, String)]) -> Self {
        Self {
            aliases: merges.iter().cloned().collect(),
            ..Self::default()
        }
    }

    /// Groups.
    pub(super) fn of_groups() -> Self {
        Self {
            empty_is_none: true,
            ..Self::default()
        }
    }

    /// The id of each key; 0 for none.
    fn of<'a>(&self, keys: impl Iterator<Item = Option<&'a str>>, recent: &mut Recent) -> Vec<u32> {
        let mut open: Vec<(usize, &str)> = Vec::new();
        let id = |(at, key): (usize, Option<&'a str>)| {
            let key = key.filter(|key| !(self.empty_is_none && key.is_empty()));
            let Some(key) = key else { return 0 };
            recent.find(key).unwrap_or_else(|| {
                open.push((at, key));
                0
            })
        };
        let mut ids: Vec<u32> = keys.enumerate().map(id).collect();
        if open.is_empty() {
            return ids;
        }
        // Parsed first, looked up then: what is looked up does not lie in the cache, and neighbouring misses wait together.
        let keys: Vec<Key<'_>> = open.iter().map(|(_, text)| Key::of(text)).collect();
        let mut unknown: Vec<(usize, &str, Key<'_>)> = Vec::new();
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            for ((at, text), key) in open.iter().zip(keys) {
                match (known.find(key), ids.get_mut(*at)) {
                    (Some(number), Some(id)) => *id = known.id(number),
                    _ => unknown.push((*at, text, key)),
                }
            }
        }
        if !unknown.is_empty() {
            self.give(&unknown, &mut ids);
        }
        for (at, text) in open {
            recent.keep(text, ids.get(at).copied().unwrap_or(0));
        }
        ids
    }

    /// Gives ids to keys that had none, unless somebody else did so meanwhile.
    fn give(&self, unknown: &[(usize, &str, Key<'_>)], ids: &mut [u32]) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (at, text, key) in unknown {
            let number = known.intern(*key);
            if let Some(other) = self.aliases.get(*text) {
                let other = known.intern(Key::of(other));
                if let Some(last) = known.last.get_mut(number as usize) {
                    *last = other;
                }
            }
            if let Some(id) = ids.get_mut(*at) {
                *id = known.id(number);
            }
        }
    }
}

/// Ids of UUIDs that were met lately. Events of one actor mostly come close to each other: of ten, about nine are found here, without
/// being parsed (`docs/LESSONS.md`).
#[derive(Debug, Default)]
struct Recent(Vec<([u8; UUID], u32)>);

impl Recent {
    /// A power of two: the place of a text is told by the upper bits of its hash.
    const PLACES: u32 = 1 << 14;

    fn place(text: &[u8; UUID]) -> usize {
        // The first and last digits of a UUID, of which either may be a clock.
        let (first, last) = (text.first_chunk(), text.last_chunk());
        let digits = first.zip(last).map_or(0, |(first, last)| {
            u64::from_le_bytes(*first) ^ u64::from_le_bytes(*last).rotate_left(32)
        });
        let hash = digits.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (hash >> (u64::BITS - Self::PLACES.trailing_zeros())) as usize
    }

    #[inline]
    fn find(&self, text: &str) -> Option<u32> {
        let text = <&[u8; UUID]>::try_from(text.as_bytes()).ok()?;
        let (known, id) = self.0.get(Self::place(text))?;
        (known == text && *id != 0).then_some(*id)
    }

    fn keep(&mut self, text: &str, id: u32) {
        let Ok(text) = <&[u8; UUID]>::try_from(text.as_bytes()) else {
            return;
        };
        if self.0.is_empty() {
            self.0.resize(Self::PLACES as usize, ([0; UUID], 0));
        }
        if let Some(place) = self.0.get_mut(Self::place(text)) {
            *place = (*text, id);
        }
    }
}

/// Ids of columns that are read batch by batch; remembers those of the dictionary at hand.
#[derive(Debug)]
pub(super) struct Lookup {
    ids: Arc<Ids>,
    dictionary: Option<(ArrayRef, Vec<u32>)>,
    recent: Recent,
}

impl Lookup {
    pub(super) fn new(ids: Arc<Ids>) -> Self {
        Self {
            ids,
            dictionary: None,
            recent: Recent::default(),
        }
    }

    /// The ids of a column of keys; where one is null, that of the column beside it.
    pub(super) fn ids(&mut self, keys: &ArrayRef, beside: Option<&ArrayRef>) -> Result<ArrayRef> {
        let beside = beside.filter(|_| keys.null_count() > 0);
        if let (DataType::Dictionary(..), None) = (keys.data_type(), beside)
            && let Some(coded) = keys.as_dictionary_opt::<Int32Type>()
        {
            let of_values = self.of_dictionary(coded.values())?;
            let codes = coded.keys();
            let id = |code: Option<i32>| {
                let code = usize::try_from(code?).ok()?;
                of_values.get(code).copied()
            };
            let ids: Vec<u32> = match codes.null_count() {
                0 => codes
                    .values()
                    .iter()
                    .map(|code| id(Some(*code)).unwrap_or(0))
                    .collect(),
                _ => codes.iter().map(|code| id(code).unwrap_or(0)).collect(),
            };
            return Ok(Arc::new(UInt32Array::from(ids)));
        }
        let texts = cast(keys, &DataType::Utf8View)?;
        let texts = texts.as_string_view();
        let ids = match beside {
            None => self.ids.of(texts.iter(), &mut self.recent),
            Some(beside) => {
                let beside = cast(beside, &DataType::Utf8View)?;
                let beside = beside.as_string_view().iter();
                let keys = texts.iter().zip(beside).map(|(key, beside)| key.or(beside));
                self.ids.of(keys, &mut self.recent)
            }
        };
        Ok(Arc::new(UInt32Array::from(ids)))
    }

    fn of_dictionary(&mut self, values: &ArrayRef) -> Result<&[u32]> {
        let is_known =
            |(known, _): &(ArrayRef, Vec<u32>)| known.to_data().ptr_eq(&values.to_data());
        if !self.dictionary.as_ref().is_some_and(is_known) {
            let texts = cast(values, &DataType::Utf8View)?;
            let texts = texts.as_string_view().iter();
            let ids = self.ids.of(texts, &mut Recent::default());
            self.dictionary = Some((Arc::clone(values), ids));
        }
        Ok(self.dictionary.as_ref().map_or(&[], |(_, ids)| ids))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{DictionaryArray, StringViewArray};

    use super::*;

    fn ids(lookup: &mut Lookup, keys: ArrayRef, beside: Option<ArrayRef>) -> Vec<u32> {
        let found = lookup.ids(&keys, beside.as_ref());
        let found = found.map(|ids| {
            ids.as_primitive::<datafusion::arrow::datatypes::UInt32Type>()
                .values()
                .to_vec()
        });
        found.unwrap_or_default()
    }

    fn texts(texts: &[Option<&str>]) -> ArrayRef {
        Arc::new(texts.iter().copied().collect::<StringViewArray>())
    }

    #[test]
    fn texts_and_dictionaries_give_the_same_ids() {
        let mut lookup = Lookup::new(Arc::new(Ids::of_groups()));
        let rows = [Some("b"), None, Some("a"), Some(""), Some("b")];
        let coded: DictionaryArray<Int32Type> = rows.iter().copied().collect();
        let of_texts = ids(&mut lookup, texts(&rows), None);
        assert_eq!(of_texts, [1, 0, 2, 0, 1]);
        assert_eq!(ids(&mut lookup, Arc::new(coded), None), of_texts);
    }

    #[test]
    fn who_became_part_of_another_has_the_others_id_and_who_has_no_key_goes_by_what_stands_beside()
    {
        let merges = [("old".to_owned(), "new".to_owned())];
        let mut lookup = Lookup::new(Arc::new(Ids::of_persons(&merges)));
        let keys = texts(&[Some("old"), Some("x"), None, Some("new"), None]);
        let beside = texts(&[Some("1"), Some("2"), Some("x"), Some("3"), Some("old")]);
        let found = ids(&mut lookup, keys, Some(beside));
        assert_eq!(
            (found[0], found[1], found[0]),
            (found[3], found[2], found[4])
        );
        assert_ne!(found[0], found[1]);
    }

    #[test]
    fn whoever_was_met_lately_keeps_the_id_and_others_in_the_same_place_get_their_own() {
        let ids_of = Arc::new(Ids::of_persons(&[]));
        let uuid = |number: u32| {
            let number = number.wrapping_mul(0x9E37_79B9);
            format!("{number:08x}-0000-4000-8000-{:012x}", number.rotate_left(7))
        };
        // Three times as many as there are places, twice, and some that differ from others in the case of a letter.
        let many: Vec<String> = (0..3 * Recent::PLACES).map(uuid).collect();
        let loud: Vec<String> = many
            .iter()
            .take(50)
            .map(|uuid| uuid.to_uppercase())
            .collect();
        let rows: Vec<Option<&str>> = many
            .iter()
            .chain(&loud)
            .map(|row| Some(row.as_str()))
            .collect();
        let mut lookup = Lookup::new(Arc::clone(&ids_of));
        let first = ids(&mut lookup, texts(&rows), None);
        let again = ids(&mut lookup, texts(&rows), None);
        let elsewhere = ids(&mut Lookup::new(ids_of), texts(&rows), None);
        assert_eq!((&first, &first), (&again, &elsewhere));
        let different: std::collections::BTreeSet<&str> = rows.iter().copied().flatten().collect();
        let given: std::collections::BTreeSet<u32> = first.into_iter().collect();
        assert_eq!(given.len(), different.len());
        assert!(!given.contains(&0));
    }
}
