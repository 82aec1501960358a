//! From JSON text to a property's text, and between numbers and their text.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// The text of property `key` in a JSON object, or `None` where it is absent or null, or `json` is no object.
///
/// Strings as they are, numbers as [`number_text`], booleans as `true`/`false`, arrays and objects as the JSON text
/// they were written in. Of a key that occurs twice the last counts, as with any JSON parser.
pub fn from_json<'a>(json: &'a str, key: &str) -> Option<Cow<'a, str>> {
    if !may_contain(json, key) {
        return None;
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let raw = deserializer.deserialize_map(Find { key }).ok()??;
    text(raw.get())
}

/// The text of a JSON value as [`from_json`] gives it; `None` for null.
pub fn value_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map(|n| Cow::Owned(number_text(n)))
        }
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        other => Some(Cow::Owned(other.to_string())),
    }
}

/// A key can only stand in the text as it is, unless something is escaped.
fn may_contain(json: &str, key: &str) -> bool {
    json.contains(key) || json.contains('\\')
}

/// The property text of one JSON value.
fn text(raw: &str) -> Option<Cow<'_, str>> {
    match raw.as_bytes().first()? {
        b'n' => None,
        b'"' => match serde_json::from_str::<Borrowed<'_>>(raw) {
            Ok(Borrowed(text)) => Some(text),
            Err(_) => Some(Cow::Borrowed(raw)),
        },
        b'-' | b'0'..=b'9' => Some(canonical_number(raw)),
        _ => Some(Cow::Borrowed(raw)),
    }
}

/// Integers stay as written; everything else prints as the number it is.
fn canonical_number(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|b| b.is_ascii_digit() || b == b'-') {
        return Cow::Borrowed(raw);
    }
    match raw.parse::<f64>() {
        Ok(number) if number.is_finite() => Cow::Owned(number_text(number)),
        _ => Cow::Borrowed(raw),
    }
}

/// A number as text: the shortest that reads back as the same number, without exponent and without a trailing `.0`.
///
/// ```
/// assert_eq!(quintet_behavior::property::number_text(10.0), "10");
/// assert_eq!(quintet_behavior::property::number_text(17.5), "17.5");
/// ```
pub fn number_text(number: f64) -> String {
    if number == 0.0 {
        "0".to_owned()
    } else {
        number.to_string()
    }
}

/// The number that a property's text stands for, or `None` where it is not a finite number.
pub fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    let starts_as_number = text
        .bytes()
        .next()
        .is_some_and(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.'));
    if !starts_as_number {
        return None;
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// A URL without trailing `/`, `?` and `#`; an empty rest becomes `/` (`breakdown_normalize_url`).
pub fn normalize_url(url: &str) -> &str {
    match url.trim_end_matches(['/', '?', '#']) {
        "" => "/",
        rest => rest,
    }
}

/// A JSON string that borrows from the input unless it holds escapes.
pub(super) struct Borrowed<'a>(pub(super) Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Borrowed<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = Borrowed<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Borrowed(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Borrowed(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Walks an object and keeps the last value of `key`, parsing nothing else.
struct Find<'k> {
    key: &'k str,
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_key) = map.next_key_seed(KeyIs(self.key))? {
            if is_key {
                found = Some(map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key without keeping it.
struct KeyIs<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for KeyIs<'_> {
    type Value = bool;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for KeyIs<'_> {
    type Value = bool;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(json: &str, key: &str) -> Option<String> {
        from_json(json, key).map(Cow::into_owned)
    }

    #[test]
    fn values_print_as_text() {
        let json = r#"{"s":"a b","e":"tab\tq\"","i":10,"f":10.0,"g":1.50,"x":1e3,"t":true,"n":null,"l":[1, 2],"o":{"a":1},"":"empty"}"#;
        for (key, expected) in [
            ("s", Some("a b")),
            ("e", Some("tab\tq\"")),
            ("i", Some("10")),
            ("f", Some("10")),
            ("g", Some("1.5")),
            ("x", Some("1000")),
            ("t", Some("true")),
            ("n", None),
            ("l", Some("[1, 2]")),
            ("o", Some(r#"{"a":1}"#)),
            ("", Some("empty")),
            ("absent", None),
        ] {
            assert_eq!(get(json, key).as_deref(), expected, "{key}");
        }
    }

    #[test]
    fn integers_beyond_f64_keep_their_digits() {
        assert_eq!(
            get(r#"{"id":12345678901234567890123}"#, "id").as_deref(),
            Some("12345678901234567890123")
        );
    }

    #[test]
    fn an_escaped_key_is_found_and_the_last_of_two_counts() {
        assert_eq!(get(r#"{"\u0061":1}"#, "a").as_deref(), Some("1"));
        assert_eq!(get(r#"{"a":1,"a":2}"#, "a").as_deref(), Some("2"));
    }

    #[test]
    fn what_is_no_object_has_no_properties() {
        for json in ["", "[]", "\"a\"", "{\"a\":", "null"] {
            assert_eq!(get(json, "a"), None, "{json}");
        }
    }

    #[test]
    fn numbers_are_read_from_text() {
        assert_eq!(number(" 5 "), Some(5.0));
        assert_eq!(number("1e3"), Some(1000.0));
        for text in ["", "nan", "inf", "1e999", "five", "5 apples"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn urls_lose_their_trailing_marks() {
        assert_eq!(normalize_url("https://a.b/c/?#"), "https://a.b/c");
        assert_eq!(normalize_url("/"), "/");
    }
}
