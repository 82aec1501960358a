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

/// The UUID that a text is, if it is the only text that is this UUID.
fn uuid(text: &str) -> Option<u128> {
    const LENGTH: usize = 36;
    let is_usual = text.len() == LENGTH && !text.bytes().any(|byte| byte.is_ascii_uppercase());
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
    fn of<'a>(&self, keys: impl Iterator<Item = Option<&'a str>>) -> Vec<u32> {
        let mut ids = Vec::with_capacity(keys.size_hint().0);
        let mut unknown: Vec<(usize, &str)> = Vec::new();
        {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            for key in keys {
                let key = key.filter(|key| !(self.empty_is_none && key.is_empty()));
                let Some(key) = key else {
                    ids.push(0);
                    continue;
                };
                match known.find(Key::of(key)) {
                    Some(number) => ids.push(known.id(number)),
                    None => {
                        unknown.push((ids.len(), key));
                        ids.push(0);
                    }
                }
            }
        }
        if unknown.is_empty() {
            return ids;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (at, key) in unknown {
            let number = known.intern(Key::of(key));
            if let Some(other) = self.aliases.get(key) {
                let other = known.intern(Key::of(other));
                if let Some(last) = known.last.get_mut(number as usize) {
                    *last = other;
                }
            }
            if let Some(id) = ids.get_mut(at) {
                *id = known.id(number);
            }
        }
        ids
    }
}

/// Ids of columns that are read batch by batch; remembers those of the dictionary at hand.
#[derive(Debug)]
pub(super) struct Lookup {
    ids: Arc<Ids>,
    dictionary: Option<(ArrayRef, Vec<u32>)>,
}

impl Lookup {
    pub(super) fn new(ids: Arc<Ids>) -> Self {
        Self {
            ids,
            dictionary: None,
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
            None => self.ids.of(texts.iter()),
            Some(beside) => {
                let beside = cast(beside, &DataType::Utf8View)?;
                let beside = beside.as_string_view().iter();
                self.ids
                    .of(texts.iter().zip(beside).map(|(key, beside)| key.or(beside)))
            }
        };
        Ok(Arc::new(UInt32Array::from(ids)))
    }

    fn of_dictionary(&mut self, values: &ArrayRef) -> Result<&[u32]> {
        let is_known =
            |(known, _): &(ArrayRef, Vec<u32>)| known.to_data().ptr_eq(&values.to_data());
        if !self.dictionary.as_ref().is_some_and(is_known) {
            let texts = cast(values, &DataType::Utf8View)?;
            let ids = self.ids.of(texts.as_string_view().iter());
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
}
