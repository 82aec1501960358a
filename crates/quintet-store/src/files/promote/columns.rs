//! The values of promoted properties, out of the JSON text of properties into columns.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanBuilder, Float64Builder, StringViewBuilder};

use super::names::Names;
use crate::error::Result;
use crate::ingest::MAX_EXACT_INTEGER;
use crate::schema::{Promoted, PropertyType};

/// A property's value, as far as columns are concerned.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Text(std::borrow::Cow<'a, str>),
    Number(f64),
    Bool(bool),
    /// Lists, objects, and what a column cannot hold exactly.
    Other,
}

impl<'a> Scalar<'a> {
    /// A value from its JSON text.
    pub(super) fn of(json: &'a str) -> Self {
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

    /// The type of column that it belongs in.
    pub(super) fn kind(&self) -> Option<PropertyType> {
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

/// The column of each promoted property over these rows; none where a value is of another type.
pub(crate) fn columns<'a>(
    promoted: &[Promoted],
    texts: impl Iterator<Item = &'a str>,
) -> Result<Vec<Option<ArrayRef>>> {
    if promoted.is_empty() {
        return Ok(Vec::new());
    }
    let mut names = Names::of(promoted.iter().map(|p| p.name.as_str()));
    let mut builders: Vec<Option<Builder>> = promoted
        .iter()
        .map(|p| Some(Builder::new(p.kind)))
        .collect();
    let mut values: Vec<Scalar<'a>> = vec![Scalar::Null; promoted.len()];
    for text in texts {
        names.walk(text, |name, value| {
            // A later value of a repeated key replaces the earlier one, as JSON parsers do.
            if let Some(place) = values.get_mut(name) {
                *place = Scalar::of(value);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use datafusion::arrow::array::{Array, AsArray};
    use datafusion::arrow::datatypes::Float64Type;

    use super::*;

    fn promoted(name: &str, kind: PropertyType) -> Promoted {
        Promoted {
            name: name.into(),
            kind,
        }
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
