//! Columns of text in one buffer: [`TextColumn`] keeps every value, [`StringTable`] each distinct one once.

use hashbrown::HashTable;
use xxhash_rust::xxh3::xxh3_64;

/// Values of a text column, one after the other in one buffer.
#[derive(Clone, Debug)]
pub(crate) struct TextColumn {
    text: String,
    ends: Vec<usize>,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self {
            text: String::new(),
            ends: vec![0],
        }
    }
}

impl TextColumn {
    /// Appends a value.
    pub(crate) fn push(&mut self, value: &str) {
        self.text.push_str(value);
        self.ends.push(self.text.len());
    }

    /// How many values there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// The value of a row; rows that do not exist read as empty text.
    pub(crate) fn get(&self, row: usize) -> &str {
        match (self.ends.get(row), self.ends.get(row + 1)) {
            (Some(&start), Some(&end)) => &self.text[start..end],
            _ => "",
        }
    }

    /// Memory that the values take.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len() + self.ends.len() * size_of::<usize>()
    }

    /// Forgets the values and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.ends.truncate(1);
    }
}

/// Distinct texts, each known by a dense number counted from 0 in order of first sight.
#[derive(Clone, Debug, Default)]
pub(crate) struct StringTable {
    texts: TextColumn,
    hashes: Vec<u64>,
    slots: HashTable<u32>,
}

impl StringTable {
    /// The hash under which [`Self::intern_hashed`] and [`Self::find_hashed`] look a text up.
    pub(crate) fn hash(text: &str) -> u64 {
        xxh3_64(text.as_bytes())
    }

    /// The number of a text, a new one if it was not seen before.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        self.intern_hashed(Self::hash(text), text)
    }

    /// [`Self::intern`] for a text whose hash is known.
    pub(crate) fn intern_hashed(&mut self, hash: u64, text: &str) -> u32 {
        if let Some(known) = self.find_hashed(hash, text) {
            return known;
        }
        let number = self.hashes.len() as u32;
        self.texts.push(text);
        self.hashes.push(hash);
        let hashes = &self.hashes;
        self.slots
            .insert_unique(hash, number, |&n| hashes[n as usize]);
        number
    }

    /// The number of a text that was seen before, whose hash is known.
    pub(crate) fn find_hashed(&self, hash: u64, text: &str) -> Option<u32> {
        self.slots
            .find(hash, |&n| self.texts.get(n as usize) == text)
            .copied()
    }

    /// The text of a number.
    pub(crate) fn get(&self, number: u32) -> &str {
        self.texts.get(number as usize)
    }

    /// How many distinct texts there are.
    pub(crate) fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Memory that the table takes.
    pub(crate) fn bytes(&self) -> usize {
        self.texts.bytes() + self.hashes.len() * (size_of::<u64>() + 2 * size_of::<u32>())
    }

    /// Forgets the texts and keeps the memory.
    pub(crate) fn clear(&mut self) {
        self.texts.clear();
        self.hashes.clear();
        self.slots.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_the_number_of_its_first_sight() {
        let mut table = StringTable::default();
        assert_eq!(
            [table.intern("a"), table.intern(""), table.intern("a")],
            [0, 1, 0]
        );
        assert_eq!(
            (
                table.get(1),
                table.find_hashed(StringTable::hash("b"), "b"),
                table.len()
            ),
            ("", None, 2)
        );
        table.clear();
        assert_eq!(
            (
                table.intern("b"),
                table.find_hashed(StringTable::hash("a"), "a")
            ),
            (0, None)
        );
    }

    #[test]
    fn a_column_gives_back_what_was_pushed() {
        let mut column = TextColumn::default();
        for value in ["{}", "", "ä"] {
            column.push(value);
        }
        assert_eq!(
            [column.get(0), column.get(1), column.get(2), column.get(9)],
            ["{}", "", "ä", ""]
        );
    }
}
