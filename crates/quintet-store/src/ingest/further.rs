//! Columns of a Parquet file that are properties of its events, written as JSON.

use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringArray};

use super::columns;
use super::json;
use super::walk::{self, Walk};

/// A column that is a property.
pub(super) struct Property {
    name: String,
    /// The name as JSON writes it, up to the value.
    key: String,
    array: ArrayRef,
    values: StringArray,
    /// Are the values numbers or truths, which stand in JSON as they are?
    bare: bool,
    /// Are there only values that stand between quotes as they are?
    plain: bool,
    /// Does ingestion react to it?
    has_meaning: bool,
}

/// The properties of one row; its memory is used for the next one again.
#[derive(Default)]
pub(super) struct Properties {
    text: String,
    /// Where the values are that ingestion reacts to, by the places of their columns.
    meanings: Vec<(usize, Range<usize>)>,
}

impl Property {
    /// A column with its `values` as text; `bare` ones are numbers or truths.
    pub(super) fn new(name: &str, array: &ArrayRef, values: StringArray, bare: bool) -> Self {
        let mut key = String::new();
        json::push_string(&mut key, name);
        key.push(':');
        Self {
            name: name.to_owned(),
            key,
            array: Arc::clone(array),
            bare,
            plain: json::is_plain(values.values()),
            values,
            has_meaning: walk::has_meaning(name),
        }
    }

    /// The property's name, its column as it came, and as text.
    pub(super) fn column(&self) -> (&str, &ArrayRef, &StringArray) {
        (&self.name, &self.array, &self.values)
    }

    /// About how much text the values make.
    pub(super) fn bytes(&self) -> usize {
        let quoted = self.key.len() + 3;
        self.values.values().len() + (self.values.len() - self.values.null_count()) * quoted
    }

    /// The value of a row, if it stands for something.
    fn value(&self, row: usize) -> Option<&str> {
        let value = self.values.is_valid(row).then(|| self.values.value(row))?;
        let is_nothing = self.bare && matches!(value, "NaN" | "inf" | "-inf");
        (!is_nothing).then_some(value)
    }

    fn push(&self, out: &mut String, value: &str) {
        if out.len() > 1 {
            out.push(',');
        }
        out.push_str(&self.key);
        self.push_value(out, value);
    }

    fn push_value(&self, out: &mut String, value: &str) {
        if self.bare {
            out.push_str(value);
        } else if self.plain {
            out.push('"');
            out.push_str(value);
            out.push('"');
        } else {
            json::push_string(out, value);
        }
    }
}

impl Properties {
    /// What of a row has a meaning to ingestion.
    pub(super) fn walk(&mut self, columns: &[Property], row: usize) -> Walk<'_> {
        let text = &mut self.text;
        self.meanings.clear();
        text.clear();
        for (place, column) in columns.iter().enumerate() {
            if !column.has_meaning {
                continue;
            }
            if let Some(value) = column.value(row) {
                let start = text.len();
                column.push_value(text, value);
                self.meanings.push((place, start..text.len()));
            }
        }
        self.meanings(columns)
    }

    /// What of the row before has a meaning to ingestion.
    pub(super) fn meanings(&self, columns: &[Property]) -> Walk<'_> {
        let meanings = self.meanings.iter().filter_map(|(place, value)| {
            let name = columns.get(*place)?.name.as_str();
            Some((name, self.text.get(value.clone())?))
        });
        Walk::of(meanings)
    }

    /// An object of all columns of a row, and what of it has a meaning to ingestion.
    pub(super) fn of(&mut self, columns: &[Property], row: usize) -> (&str, Option<Walk<'_>>) {
        let text = &mut self.text;
        self.meanings.clear();
        text.clear();
        text.push('{');
        for (place, column) in columns.iter().enumerate() {
            let Some(value) = column.value(row) else {
                continue;
            };
            let start = text.len() + usize::from(text.len() > 1) + column.key.len();
            column.push(text, value);
            if column.has_meaning {
                self.meanings.push((place, start..text.len()));
            }
        }
        text.push('}');
        (&self.text, Some(self.meanings(columns)))
    }

    /// An object with the columns of a row before its own entries, those left out that it has itself.
    pub(super) fn beside<'a>(
        &'a mut self,
        given: &'a str,
        columns: &[Property],
        row: usize,
    ) -> &'a str {
        let text = &mut self.text;
        text.clear();
        text.push('{');
        for column in columns {
            let Some(value) = column.value(row) else {
                continue;
            };
            // An empty text in a column beside `properties` is how exports write that there is nothing.
            let is_nothing = !column.bare && value.is_empty();
            let is_hidden = given.len() > 2 && columns::has(given, &column.name);
            if !is_nothing && !is_hidden {
                column.push(text, value);
            }
        }
        if text.len() == 1 {
            return given;
        }
        let rest = given.strip_prefix('{').unwrap_or("}").trim_start();
        if !rest.starts_with('}') {
            text.push(',');
        }
        text.push_str(rest);
        text
    }
}
