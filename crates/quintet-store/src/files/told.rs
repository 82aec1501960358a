//! Properties that the promoted columns tell already: JSON objects are left out of files where columns say the same, and put back
//! when they are read.
//!
//! ```text
//! p.$browser  p.duration_ms  p.plan        properties, as readers see them                  in the file
//! Firefox     120            null          {"$browser":"Firefox","duration_ms":120}         null
//! Firefox     120            null          {"duration_ms":120,"$browser":"Firefox"}         as it is
//! ```
//! What is put back is the very text that was left out: a text is left out only if it is what the columns make. They make an object
//! of their values in the order of the names, without white space, and with numbers as [`json::push_number`] writes them.

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, StringViewArray, StringViewBuilder,
};
use datafusion::arrow::datatypes::Float64Type;

use crate::ingest::json;

/// The promoted columns of some rows.
pub(crate) struct Told<'a>(Vec<Entry<'a>>);

/// A property: its name as JSON writes it, up to the value, and its values.
struct Entry<'a> {
    key: String,
    values: Values<'a>,
}

enum Values<'a> {
    Text(&'a StringViewArray),
    Number(&'a Float64Array),
    Bool(&'a BooleanArray),
}

impl<'a> Told<'a> {
    /// Of columns by the names of their properties, or why they are no columns of properties.
    pub(crate) fn of(
        columns: impl IntoIterator<Item = (&'a str, &'a ArrayRef)>,
    ) -> Result<Self, String> {
        let mut named: Vec<(&str, &ArrayRef)> = columns.into_iter().collect();
        named.sort_unstable_by_key(|(name, _)| *name);
        let entries = named.into_iter().map(|(name, column)| {
            let mut key = String::new();
            json::push_string(&mut key, name);
            key.push(':');
            let values = Values::of(column)
                .ok_or_else(|| format!("the column of the property {name} has another type"))?;
            Ok(Entry { key, values })
        });
        Ok(Self(entries.collect::<Result<_, String>>()?))
    }

    /// Writes the object of a row.
    pub(crate) fn write(&self, row: usize, out: &mut String) {
        let mut separator = '{';
        for entry in self.0.iter().filter(|entry| entry.values.has(row)) {
            out.push(separator);
            out.push_str(&entry.key);
            entry.values.write(row, out);
            separator = ',';
        }
        out.push_str(if separator == '{' { "{}" } else { "}" });
    }

    /// Is this the object of a row? `scratch` is memory to work in. Another one is told by its first difference.
    pub(crate) fn is(&self, row: usize, text: &str, scratch: &mut String) -> bool {
        let mut rest = Some(text);
        let mut separator = '{';
        for entry in self.0.iter().filter(|entry| entry.values.has(row)) {
            let value = rest
                .and_then(|rest| rest.strip_prefix(separator))
                .and_then(|rest| rest.strip_prefix(entry.key.as_str()));
            let Some(value) = value else { return false };
            scratch.clear();
            entry.values.write(row, scratch);
            rest = value.strip_prefix(scratch.as_str());
            separator = ',';
        }
        rest == Some(if separator == '{' { "{}" } else { "}" })
    }

    /// The texts of rows with those put back that are null.
    pub(crate) fn restore(&self, texts: &StringViewArray) -> StringViewArray {
        if texts.null_count() == 0 {
            return texts.clone();
        }
        let mut scratch = String::new();
        let mut column = StringViewBuilder::with_capacity(texts.len());
        for (row, text) in texts.iter().enumerate() {
            if let Some(text) = text {
                column.append_value(text);
            } else {
                scratch.clear();
                self.write(row, &mut scratch);
                column.append_value(&scratch);
            }
        }
        column.finish()
    }

    /// The texts of rows, null where the columns tell as much.
    pub(crate) fn reduce(&self, texts: &StringViewArray) -> StringViewArray {
        let mut scratch = String::new();
        let rows = texts.iter().enumerate();
        rows.map(|(row, text)| text.filter(|text| !self.is(row, text, &mut scratch)))
            .collect()
    }
}

impl<'a> Values<'a> {
    fn of(column: &'a ArrayRef) -> Option<Self> {
        let text = column.as_string_view_opt().map(Self::Text);
        let number = || column.as_primitive_opt::<Float64Type>().map(Self::Number);
        let bool = || column.as_boolean_opt().map(Self::Bool);
        text.or_else(number).or_else(bool)
    }

    fn has(&self, row: usize) -> bool {
        match self {
            Self::Text(values) => values.is_valid(row),
            Self::Number(values) => values.is_valid(row),
            Self::Bool(values) => values.is_valid(row),
        }
    }

    fn write(&self, row: usize, out: &mut String) {
        match self {
            Self::Text(values) => json::push_string(out, values.value(row)),
            Self::Number(values) => json::push_number(out, values.value(row)),
            Self::Bool(values) => out.push_str(if values.value(row) { "true" } else { "false" }),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use super::*;

    fn columns() -> Vec<(&'static str, ArrayRef)> {
        let texts: ArrayRef = Arc::new(StringViewArray::from(vec![Some("a\"b"), None, Some("")]));
        let numbers: ArrayRef = Arc::new(Float64Array::from(vec![Some(4984.0), None, Some(-0.5)]));
        let bools: ArrayRef = Arc::new(BooleanArray::from(vec![Some(true), None, None]));
        vec![("t", texts), ("n", numbers), ("b", bools)]
    }

    #[test]
    fn what_columns_tell_is_left_out_and_put_back() {
        let columns = columns();
        let told = Told::of(columns.iter().map(|(name, array)| (*name, array))).unwrap();
        let texts = StringViewArray::from(vec![
            r#"{"b":true,"n":4984,"t":"a\"b"}"#,
            "{}",
            r#"{"n":-0.5,"t":""}"#,
        ]);
        let reduced = told.reduce(&texts);
        assert_eq!(reduced.null_count(), 3);
        assert_eq!(told.restore(&reduced), texts);
    }

    #[test]
    fn any_other_text_stays_as_it_is() {
        let columns = columns();
        let told = Told::of(columns.iter().map(|(name, array)| (*name, array))).unwrap();
        for other in [
            r#"{"n":4984,"b":true,"t":"a\"b"}"#,
            r#"{"b":true,"n":4984.0,"t":"a\"b"}"#,
            r#"{"b":true,"n":4984,"t":"a\"b","more":1}"#,
            r#"{"b": true,"n":4984,"t":"a\"b"}"#,
            r#"{"b":true}"#,
            "{}",
            "",
        ] {
            let texts = StringViewArray::from(vec![Some(other), Some(other), Some("{}")]);
            let reduced = told.reduce(&texts);
            assert_eq!(reduced.iter().next(), Some(Some(other)));
            assert_eq!(told.restore(&reduced), texts);
        }
    }
}
