//! Promoted properties: which ones get a typed column of their own, and the values of those columns.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, StringViewBuilder};
use hashbrown::HashMap;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::parallel;
use crate::error::{Error, Result};
use crate::ingest::StagedEvents;
use crate::schema::{Promoted, PropertyType};

/// Promoted are properties that at least one row in this many has.
const ONE_ROW_IN: u64 = 20;
/// At most this many properties are promoted.
const MAX_PROMOTED: usize = 24;
/// These have columns or tables of their own, or are read at ingestion only.
const NEVER_PROMOTED: [&str; 2] = ["$set", "$group"];
/// Up to here no two integers are the same `Float64`.
const MAX_EXACT_INTEGER: f64 = 9_007_199_254_740_991.0;

/// A property's value, as far as columns are concerned.
#[derive(Debug, Clone, PartialEq)]
enum Scalar<'a> {
    Null,
    Text(std::borrow::Cow<'a, str>),
    Number(f64),
    Bool(bool),
    /// Lists, objects, and what a column cannot hold exactly.
    Other,
}

impl<'a> Scalar<'a> {
    fn of(json: &'a str) -> Self {
        match json.as_bytes() {
            [b'n', ..] => Self::Null,
            [b't', ..] => Self::Bool(true),
            [b'f', ..] => Self::Bool(false),
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
                Self::Text(json[1..json.len() - 1].into())
            }
            [b'"', ..] => serde_json::from_str::<String>(json)
                .map_or(Self::Other, |text| Self::Text(text.into())),
            [b'-' | b'0'..=b'9', ..] => number(json).map_or(Self::Other, Self::Number),
            _ => Self::Other,
        }
    }

    fn kind(&self) -> Option<PropertyType> {
        match self {
            Self::Text(_) => Some(PropertyType::Text),
            Self::Number(_) => Some(PropertyType::Number),
            Self::Bool(_) => Some(PropertyType::Bool),
            Self::Null | Self::Other => None,
        }
    }
}

/// A JSON number as `f64`, unless it is an integer that `f64` cannot tell from its neighbours.
fn number(json: &str) -> Option<f64> {
    let value: f64 = json.parse().ok()?;
    let is_integer = !json.bytes().any(|b| matches!(b, b'.' | b'e' | b'E'));
    (value.is_finite() && !(is_integer && value.abs() > MAX_EXACT_INTEGER)).then_some(value)
}

/// The properties to promote, given the first rows of a store.
pub(crate) fn choose(staged: &StagedEvents) -> Result<Vec<Promoted>> {
    let rows = staged.len();
    let share = rows.div_ceil(parallel::cores()).max(1);
    let shares: Vec<_> = (0..rows)
        .step_by(share)
        .map(|start| start..rows.min(start + share))
        .collect();
    let parts = parallel::map(&shares, |rows| {
        let mut seen = Frequencies::default();
        seen.count(rows.clone().map(|row| staged.properties.get(row)))?;
        Ok(seen)
    })?;
    Ok(Frequencies::sum(parts).frequent())
}

/// Whether a property may have a column of its own, whatever its values.
pub(crate) fn may_be_promoted(name: &str) -> bool {
    !NEVER_PROMOTED.iter().any(|prefix| name.starts_with(prefix))
}

/// How often which properties have a value, and of which types.
#[derive(Debug, Default)]
pub(crate) struct Frequencies {
    rows: u64,
    seen: HashMap<String, Seen>,
}

impl Frequencies {
    /// Counts the properties of these rows too.
    pub(crate) fn count<'a>(&mut self, texts: impl Iterator<Item = &'a str>) -> Result<()> {
        let seen = &mut self.seen;
        let mut note = |name: &str, value: &str| match seen.get_mut(name) {
            Some(counts) => counts.note(&Scalar::of(value)),
            None => {
                let mut counts = Seen::default();
                counts.note(&Scalar::of(value));
                seen.insert(name.to_owned(), counts);
            }
        };
        for text in texts {
            self.rows += 1;
            walk(text, &mut |name, value| note(name, value))?;
        }
        Ok(())
    }

    /// The counts of all parts together.
    pub(crate) fn sum(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut sum = Self::default();
        for part in parts {
            sum.rows += part.rows;
            for (name, counts) in part.seen {
                sum.seen.entry(name).or_default().add(&counts);
            }
        }
        sum
    }

    /// The frequent properties of one scalar type; most frequent first.
    pub(crate) fn frequent(self) -> Vec<Promoted> {
        let mut chosen: Vec<(u64, Promoted)> = self
            .seen
            .into_iter()
            .filter(|(name, _)| may_be_promoted(name))
            .filter_map(|(name, seen)| {
                let kind = seen.only_kind()?;
                (seen.present * ONE_ROW_IN >= self.rows)
                    .then_some((seen.present, Promoted { name, kind }))
            })
            .collect();
        chosen.sort_unstable_by(|(a_rows, a), (b_rows, b)| {
            b_rows.cmp(a_rows).then_with(|| a.name.cmp(&b.name))
        });
        chosen.truncate(MAX_PROMOTED);
        chosen.into_iter().map(|(_, promoted)| promoted).collect()
    }

    /// What the values of a property are.
    pub(crate) fn values(&self, name: &str) -> Values {
        match self.seen.get(name).filter(|seen| seen.present > 0) {
            None => Values::Missing,
            Some(seen) => seen.only_kind().map_or(Values::Mixed, Values::Only),
        }
    }

    /// Whether a column of this type could hold all values of the property.
    pub(crate) fn fits(&self, property: &Promoted) -> bool {
        match self.values(&property.name) {
            Values::Missing => true,
            Values::Only(kind) => kind == property.kind,
            Values::Mixed => false,
        }
    }
}

/// What the values of a property are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// No row has one.
    Missing,
    /// All are of this type.
    Only(PropertyType),
    /// They are of several types, or no scalars.
    Mixed,
}

/// How often a property has a value, and of which types.
#[derive(Debug, Clone, Default)]
struct Seen {
    present: u64,
    kind: Option<PropertyType>,
    mixed: bool,
}

impl Seen {
    fn note(&mut self, value: &Scalar<'_>) {
        if *value != Scalar::Null {
            self.add(&Self {
                present: 1,
                kind: value.kind(),
                mixed: value.kind().is_none(),
            });
        }
    }

    fn add(&mut self, other: &Self) {
        self.present += other.present;
        self.mixed |=
            other.mixed || matches!((self.kind, other.kind), (Some(a), Some(b)) if a != b);
        self.kind = self.kind.or(other.kind);
    }

    fn only_kind(&self) -> Option<PropertyType> {
        if self.mixed { None } else { self.kind }
    }
}

/// The column of each promoted property over these rows; none where a value is of another type.
pub(crate) fn columns<'a>(
    promoted: &[Promoted],
    texts: impl Iterator<Item = &'a str>,
) -> Result<Vec<Option<ArrayRef>>> {
    if promoted.is_empty() {
        return Ok(Vec::new());
    }
    let index: HashMap<&str, usize> = promoted
        .iter()
        .enumerate()
        .map(|(at, p)| (p.name.as_str(), at))
        .collect();
    let mut builders: Vec<Option<Builder>> = promoted
        .iter()
        .map(|p| Some(Builder::new(p.kind)))
        .collect();
    let mut values: Vec<Scalar<'a>> = vec![Scalar::Null; promoted.len()];
    for text in texts {
        walk(text, &mut |name, value: &'a str| {
            if let Some(at) = index.get(name) {
                // A later value of a repeated key replaces the earlier one, as JSON parsers do.
                values[*at] = Scalar::of(value);
            }
        })?;
        for (builder, value) in builders.iter_mut().zip(&mut values) {
            let fits = builder.as_mut().is_some_and(|builder| builder.push(value));
            if !fits {
                *builder = None;
            }
            *value = Scalar::Null;
        }
    }
    Ok(builders
        .into_iter()
        .map(|builder| builder.map(Builder::finish))
        .collect())
}

enum Builder {
    Text(StringViewBuilder),
    Number(Float64Builder),
    Bool(BooleanBuilder),
}

impl Builder {
    fn new(kind: PropertyType) -> Self {
        match kind {
            PropertyType::Text => Self::Text(StringViewBuilder::new()),
            PropertyType::Number => Self::Number(Float64Builder::new()),
            PropertyType::Bool => Self::Bool(BooleanBuilder::new()),
        }
    }

    /// Appends a value; false if the column cannot hold it.
    fn push(&mut self, value: &Scalar<'_>) -> bool {
        match (self, value) {
            (Self::Text(column), Scalar::Text(text)) => column.append_value(text),
            (Self::Number(column), Scalar::Number(number)) => column.append_value(*number),
            (Self::Bool(column), Scalar::Bool(bool)) => column.append_value(*bool),
            (Self::Text(column), Scalar::Null) => column.append_null(),
            (Self::Number(column), Scalar::Null) => column.append_null(),
            (Self::Bool(column), Scalar::Null) => column.append_null(),
            _ => return false,
        }
        true
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Text(mut column) => Arc::new(column.finish()),
            Self::Number(mut column) => Arc::new(column.finish()),
            Self::Bool(mut column) => Arc::new(column.finish()),
        }
    }
}

/// Calls `each` with the name and the JSON text of every property of an object.
fn walk<'a>(object: &'a str, each: &mut impl FnMut(&str, &'a str)) -> Result<()> {
    let mut json = serde_json::Deserializer::from_str(object);
    json.deserialize_map(Walk(each))
        .map_err(|e| Error::internal(format!("the properties of an event are no object: {e}")))
}

struct Walk<'f, F>(&'f mut F);

impl<'de, F: FnMut(&str, &'de str)> Visitor<'de> for Walk<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name)? {
            let value: &'de RawValue = map.next_value()?;
            (self.0)(&name, value.get());
        }
        Ok(())
    }
}

/// Reads a key without a copy, unless it has escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(text.into())
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use datafusion::arrow::array::{Array, AsArray};
    use datafusion::arrow::datatypes::Float64Type;

    use super::*;
    use crate::files::testing::staged_with;

    fn promoted(name: &str, kind: PropertyType) -> Promoted {
        Promoted {
            name: name.into(),
            kind,
        }
    }

    #[test]
    fn frequent_properties_of_one_scalar_type_are_promoted_most_frequent_first() {
        let staged = staged_with(&[
            r#"{"t":"x","n":1,"b":true,"mixed":1,"list":[1],"$set":"x","$group_type":"c","gone":null}"#,
            r#"{"t":"y","n":2.5,"mixed":"a","big":9007199254740993}"#,
            r#"{"t":"\u00e9"}"#,
        ]);
        let chosen = choose(&staged).unwrap();
        let expected = [
            promoted("t", PropertyType::Text),
            promoted("n", PropertyType::Number),
            promoted("b", PropertyType::Bool),
        ];
        assert_eq!(chosen, expected);
    }

    #[test]
    fn a_rare_property_is_not_promoted() {
        let mut texts = vec![r#"{"a":1}"#; 40];
        texts[0] = r#"{"a":1,"rare":1}"#;
        assert_eq!(
            choose(&staged_with(&texts)).unwrap(),
            [promoted("a", PropertyType::Number)]
        );
    }

    #[test]
    fn missing_and_null_are_null_and_empty_text_stays_empty() {
        let texts = [
            r#"{"a":""}"#,
            r#"{"a":null}"#,
            "{}",
            r#"{"a":"1","a":"\"q\""}"#,
        ];
        let columns = columns(&[promoted("a", PropertyType::Text)], texts.into_iter()).unwrap();
        let values: Vec<_> = columns[0]
            .as_ref()
            .unwrap()
            .as_string_view()
            .iter()
            .collect();
        assert_eq!(values, [Some(""), None, None, Some("\"q\"")]);
    }

    #[test]
    fn a_value_of_another_type_leaves_the_column_out() {
        let wanted = [
            promoted("a", PropertyType::Number),
            promoted("b", PropertyType::Number),
        ];
        let columns =
            columns(&wanted, [r#"{"a":1,"b":-2e3}"#, r#"{"a":"1"}"#].into_iter()).unwrap();
        assert!(columns[0].is_none());
        let b = columns[1].as_ref().unwrap().as_primitive::<Float64Type>();
        assert_eq!((b.value(0), b.is_null(1)), (-2000.0, true));
    }

    #[test]
    fn what_a_column_cannot_hold_exactly_is_no_scalar() {
        for json in [
            "9007199254740993",
            "-9007199254740992",
            "1e999",
            r#""\ud800""#,
            "[1]",
            "{}",
        ] {
            assert_eq!(Scalar::of(json), Scalar::Other, "{json}");
        }
        assert_eq!(
            Scalar::of("9007199254740991"),
            Scalar::Number(MAX_EXACT_INTEGER)
        );
    }
}
