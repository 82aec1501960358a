//! Objects whose text is known to be JSON, taken apart without checking it again: several times faster than a parser.

use std::borrow::Cow;

/// The entries of an object in textual order: a repeated key is met each time.
///
/// Of a text that is no JSON after all the entries are arbitrary pieces, and [`Self::ended_well`] may say so.
pub(crate) struct Known<'a> {
    text: &'a str,
    at: usize,
    ended_well: bool,
}

/// A key as it stands between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key<'a> {
    /// The text between the quotes.
    pub(crate) raw: &'a str,
    escaped: bool,
}

impl<'a> Key<'a> {
    /// The key that is meant.
    pub(crate) fn text(self) -> Cow<'a, str> {
        if !self.escaped {
            return Cow::Borrowed(self.raw);
        }
        let quoted = format!("\"{}\"", self.raw);
        serde_json::from_str(&quoted).map_or(Cow::Borrowed(self.raw), Cow::Owned)
    }

    /// Does it stand there as it is meant?
    pub(crate) fn is_plain(self) -> bool {
        !self.escaped
    }
}

impl<'a> Known<'a> {
    /// The entries of an object.
    pub(crate) fn of(object: &'a str) -> Self {
        let mut known = Self {
            text: object,
            at: 0,
            ended_well: false,
        };
        known.skip_blank();
        if known.byte() == Some(b'{') {
            known.at += 1;
        } else {
            known.at = object.len();
        }
        known
    }

    /// Was the end of the object met?
    pub(crate) fn ended_well(&self) -> bool {
        self.ended_well
    }

    #[inline]
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn skip_blank(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// What follows the quote at which the cursor stands, up to the next one, and whether it has escapes.
    #[inline]
    fn string(&mut self) -> Option<(&'a str, bool)> {
        let start = self.at + 1;
        let (end, escaped) = closing_quote(self.text.as_bytes(), start)?;
        self.at = end + 1;
        Some((self.text.get(start..end)?, escaped))
    }

    #[inline]
    fn value(&mut self) -> Option<&'a str> {
        let start = self.at;
        match self.byte()? {
            b'"' => {
                self.string()?;
            }
            b'{' | b'[' => self.skip_nested()?,
            _ => {
                while !matches!(
                    self.byte(),
                    None | Some(b',' | b'}' | b' ' | b'\t' | b'\n' | b'\r')
                ) {
                    self.at += 1;
                }
            }
        }
        self.text.get(start..self.at)
    }

    fn skip_nested(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match self.byte()? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }

    #[inline]
    fn entry(&mut self) -> Option<(Key<'a>, &'a str)> {
        self.skip_blank();
        if self.byte() == Some(b',') {
            self.at += 1;
            self.skip_blank();
        }
        if self.byte()? != b'"' {
            self.ended_well = self.byte() == Some(b'}');
            return None;
        }
        let (raw, escaped) = self.string()?;
        self.skip_blank();
        if self.byte()? != b':' {
            return None;
        }
        self.at += 1;
        self.skip_blank();
        Some((Key { raw, escaped }, self.value()?))
    }
}

impl<'a> Iterator for Known<'a> {
    type Item = (Key<'a>, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let entry = self.entry();
        if entry.is_none() {
            self.at = self.text.len();
        }
        entry
    }
}

/// Where the quote that ends a text is, and whether there are escapes before it.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut escaped = false;
    loop {
        at = quote_or_escape(bytes, at)?;
        if bytes.get(at) == Some(&b'"') {
            return Some((at, escaped));
        }
        escaped = true;
        at += 2;
    }
}

/// The first quote or backslash from a place on, eight bytes at a time.
fn quote_or_escape(bytes: &[u8], from: usize) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let (words, tail) = rest.as_chunks::<8>();
    for (n, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let found = zeros(word ^ each(b'"')) | zeros(word ^ each(b'\\'));
        if found != 0 {
            return Some(from + n * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    let place = tail.iter().position(|b| matches!(b, b'"' | b'\\'))?;
    Some(from + words.len() * 8 + place)
}

/// Eight times the same byte.
const fn each(byte: u8) -> u64 {
    0x0101_0101_0101_0101 * byte as u64
}

/// The upper bit of the first byte that is zero, and perhaps of some above it.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(each(1)) & !word & each(0x80)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::super::{Entries, entries};
    use super::*;

    fn pairs(text: &str) -> Vec<(String, &str)> {
        let mut known = Known::of(text);
        let pairs = known.by_ref();
        let pairs = pairs.map(|(key, value)| (key.text().into_owned(), value));
        let pairs = pairs.collect();
        assert!(known.ended_well(), "{text}");
        pairs
    }

    #[test]
    fn entries_are_those_of_the_parser() {
        for text in [
            "{}",
            " { } ",
            r#"{"a":1}"#,
            r#" { "a" : -1.5e3 , "b\"\\" : "x\\" , "c":[1,{"d":"]}"},"\""],"a":null } "#,
            r#"{"long key of more than eight bytes":"a text of more than eight bytes","e":{},"f":true}"#,
        ] {
            let Entries(expected) = entries(text).unwrap();
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(key, value)| (key.into_owned(), value))
                .collect();
            assert_eq!(pairs(text), expected);
        }
    }

    #[test]
    fn what_is_no_object_does_not_end_well() {
        for text in [
            "",
            "[1]",
            "{",
            r#"{"a"#,
            r#"{"a"}"#,
            r#"{"a":"#,
            r#"{"a":{"#,
        ] {
            let mut known = Known::of(text);
            let _ = known.by_ref().count();
            assert!(!known.ended_well(), "{text}");
        }
    }

    fn values() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            ".*".prop_map(Into::into),
            r#"["\\a-c{}\[\],: ]*"#.prop_map(Into::into),
        ];
        leaf.prop_recursive(3, 20, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                prop::collection::hash_map(r#"["\\a-c]*"#, inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_object_is_taken_apart_as_the_parser_does(
            object in prop::collection::hash_map(".*", values(), 0..8), pretty in any::<bool>()
        ) {
            let object = serde_json::Value::Object(object.into_iter().collect());
            let text = match pretty {
                true => serde_json::to_string_pretty(&object).unwrap(),
                false => object.to_string(),
            };
            let Entries(expected) = entries(&text).unwrap();
            let expected: Vec<_> = expected.into_iter().map(|(key, value)| (key.into_owned(), value)).collect();
            prop_assert_eq!(pairs(&text), expected);
        }
    }
}
