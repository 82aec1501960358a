//! JSON taken apart without losing its text: entries of objects as keys and raw values, scalars as text.

mod known;

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(crate) use known::{Key, Known};

/// How deep values may nest: what the parser behind every later reader of the text accepts.
const DEPTH: usize = 127;

/// A key or a text, borrowed where the JSON text has no escapes.
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Texts;
        impl<'de> Visitor<'de> for Texts {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Texts)
    }
}

/// The entries of a JSON object in textual order; a repeated key is listed each time.
#[derive(Default)]
pub(crate) struct Entries<'a>(pub(crate) Vec<(Cow<'a, str>, &'a str)>);

impl<'de: 'a, 'a> Deserialize<'de> for Entries<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects;
        impl<'de> Visitor<'de> for Objects {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut entries = Vec::with_capacity(8);
                while let Some((Text(key), value)) = map.next_entry::<Text<'de>, &RawValue>()? {
                    entries.push((key, value.get()));
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(Objects)
    }
}

/// The entries of an object; none when the text is another value.
pub(crate) fn entries(text: &str) -> Option<Entries<'_>> {
    text.trim_start()
        .starts_with('{')
        .then(|| serde_json::from_str(text).ok())?
}

/// The values of a list; of any other text, the text itself, and of blank text nothing.
pub(crate) fn items(text: &str) -> Result<Vec<&str>, String> {
    match text.as_bytes().first() {
        None => Ok(Vec::new()),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(|e| reason(&e))?;
            Ok(items.into_iter().map(RawValue::get).collect())
        }
        Some(_) => Ok(vec![text]),
    }
}

/// The content of a JSON string; none for other values.
pub(crate) fn string(text: &str) -> Option<Cow<'_, str>> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(text).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// A value as text: strings without their quotes, everything else as its JSON text. None for null.
pub(crate) fn plain(text: &str) -> Option<Cow<'_, str>> {
    match text {
        "null" => None,
        _ => Some(string(text).unwrap_or(Cow::Borrowed(text))),
    }
}

/// Like JavaScript's truth: neither null, false, 0, nor empty text.
pub(crate) fn truthy(text: &str) -> bool {
    !matches!(text, "null" | "false" | "\"\"") && text.parse::<f64>() != Ok(0.0)
}

/// Does JSON write a text with these bytes as they are?
pub(crate) fn is_plain(text: &[u8]) -> bool {
    count(text, |b| (b < 0x20) | (b == b'"') | (b == b'\\')) == 0
}

/// Appends a JSON string.
pub(crate) fn push_string(out: &mut String, text: &str) {
    if is_plain(text.as_bytes()) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// Appends a finite number: whole ones without a fraction, all others with as few digits as tell them apart.
pub(crate) fn push_number(out: &mut String, number: f64) {
    use std::fmt::Write as _;
    let is_whole = number.fract() == 0.0 && number.abs() < 1e15;
    // Writing to memory cannot fail.
    let _ = if is_whole && !(number == 0.0 && number.is_sign_negative()) {
        write!(out, "{}", number as i64)
    } else {
        write!(out, "{}", serde_json::Value::from(number))
    };
}

/// Writes an object from its entries.
pub(crate) fn object<'a>(entries: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut inner = String::new();
    for (key, value) in entries {
        push_entry(&mut inner, key, value);
    }
    format!("{{{inner}}}")
}

/// Appends an entry to those of an object.
pub(crate) fn push_entry(entries: &mut String, key: &str, value: &str) {
    if !entries.is_empty() {
        entries.push(',');
    }
    push_string(entries, key);
    entries.push(':');
    entries.push_str(value);
}

/// Refuses what the parser would let through in a value that it only skips, and later readers
/// would stumble over: deep nesting and halves of surrogate pairs.
pub(crate) fn check(text: &str) -> Result<(), String> {
    // `[` and `{` differ in this one bit.
    let opens = count(text.as_bytes(), |b| b | 0x20 == b'{');
    if opens > DEPTH && depth(text) > DEPTH {
        return Err(format!("values are nested more than {DEPTH} deep"));
    }
    if text.contains("\\u") && lone_surrogate(text) {
        return Err("a text holds one half of a surrogate pair, which is no character".into());
    }
    Ok(())
}

/// How many bytes are meant. Short sums in bytes are what compilers turn into wide instructions.
pub(super) fn count(bytes: &[u8], meant: impl Fn(u8) -> bool) -> usize {
    let part = |part: &[u8]| part.iter().map(|&b| u8::from(meant(b))).sum::<u8>();
    bytes
        .chunks(128)
        .map(|bytes| usize::from(part(bytes)))
        .sum()
}

fn depth(text: &str) -> usize {
    let (mut depth, mut deepest, mut in_text, mut escaped) = (0usize, 0, false, false);
    for b in text.bytes() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn lone_surrogate(text: &str) -> bool {
    let mut rest = text.as_bytes();
    let mut high = false;
    while let Some((&b, tail)) = rest.split_first() {
        let unit = match (b, tail.first()) {
            (b'\\', Some(b'u')) => tail
                .get(1..5)
                .and_then(|hex| std::str::from_utf8(hex).ok())
                .and_then(|hex| u16::from_str_radix(hex, 16).ok()),
            _ => None,
        };
        match unit {
            Some(0xDC00..=0xDFFF) if high => high = false,
            Some(0xDC00..=0xDFFF) => return true,
            _ if high => return true,
            Some(0xD800..=0xDBFF) => high = true,
            _ => {}
        }
        let read = match (b, unit) {
            (_, Some(_)) => 6,
            (b'\\', None) => 2,
            _ => 1,
        };
        rest = rest.get(read..).unwrap_or_default();
    }
    high
}

/// A serde message as the end of our sentence, without the position inside a text of one line.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or(&text);
    if error.is_data() {
        message.to_owned()
    } else {
        format!("not JSON: {message} at character {}", error.column())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn entries_keep_the_order_and_the_text_of_values() {
        let Entries(found) = entries(r#" {"b": 1.0, "a\n": [ 1 ], "b": "x"}"#).unwrap();
        let found: Vec<_> = found.iter().map(|(k, v)| (k.as_ref(), *v)).collect();
        assert_eq!(found, [("b", "1.0"), ("a\n", "[ 1 ]"), ("b", "\"x\"")]);
        assert!(entries("[1]").is_none() && entries("{").is_none());
    }

    #[test]
    fn half_a_surrogate_pair_is_refused_and_a_whole_one_is_not() {
        for (text, good) in [
            (r#"{"a":"\ud83d\ude00"}"#, true),
            (r#"{"a":"\\ud83d"}"#, true),
            (r#"{"a":"\ud83d"}"#, false),
            (r#"{"a":"\ud83dx\ude00"}"#, false),
            (r#"{"a":"\ude00"}"#, false),
            (r#"{"a":"\u00e9"}"#, true),
        ] {
            assert_eq!(check(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn nesting_is_limited_and_brackets_in_texts_do_not_nest() {
        assert!(check(&"[".repeat(10_000)).is_err());
        assert!(check(&format!("\"{}\"", "[".repeat(10_000))).is_ok());
        assert!(check(&"[]".repeat(1000)).is_ok());
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = object([("a\"b", "1"), ("c", "null")].into_iter());
        assert_eq!(text, r#"{"a\"b":1,"c":null}"#);
        assert_eq!(object(std::iter::empty()), "{}");
    }

    #[test]
    fn truth_is_that_of_javascript() {
        let truths = [
            "null", "false", "0", "0.0", "\"\"", "1", "\"0\"", "[]", "true",
        ]
        .map(truthy);
        let t = true;
        assert_eq!(truths, [!t, !t, !t, !t, !t, t, t, t, t]);
    }
}
