//! Reading a JSON definition field by field, with the path of each field in every error.
//!
//! Knows nothing of insights: only what an object, a list, a text or a number is.

use std::fmt;

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Where in a definition something stands, like `series[1].properties[0].operator`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn root() -> Self {
        Self::default()
    }

    pub(crate) fn field(&self, name: &str) -> Self {
        if self.0.is_empty() {
            Self(name.to_owned())
        } else {
            Self(format!("{}.{name}", self.0))
        }
    }

    pub(crate) fn index(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How deep a definition may nest: what serde_json reads of text. Everything that is done with definitions recurses.
const DEPTH: usize = 127;

/// Refuses values that no text could have given. Does not recurse itself.
pub(crate) fn not_too_deep(value: &Value) -> Result<()> {
    let mut level: Vec<&Value> = vec![value];
    for _ in 0..=DEPTH {
        if level.is_empty() {
            return Ok(());
        }
        level = level
            .into_iter()
            .flat_map(|value| -> Box<dyn Iterator<Item = &Value>> {
                match value {
                    Value::Array(items) => Box::new(items.iter()),
                    Value::Object(fields) => Box::new(fields.values()),
                    _ => Box::new(std::iter::empty()),
                }
            })
            .collect();
    }
    let reason = format!("the definition is nested more than {DEPTH} deep");
    Err(Error::invalid(&Path::root(), reason))
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub(crate) path: Path,
    pub(crate) value: &'a Value,
}

impl<'a> Field<'a> {
    pub(crate) fn new(path: Path, value: &'a Value) -> Self {
        Self { path, value }
    }

    pub(crate) fn invalid(&self, reason: impl Into<String>) -> Error {
        Error::invalid(&self.path, reason)
    }

    fn expected(&self, what: &str) -> Error {
        self.invalid(format!("must be {what}, not {}", kind_of(self.value)))
    }

    pub(crate) fn text(&self) -> Result<String> {
        match self.value {
            Value::String(text) => Ok(text.clone()),
            _ => Err(self.expected("a text")),
        }
    }

    pub(crate) fn flag(&self) -> Result<bool> {
        self.value
            .as_bool()
            .ok_or_else(|| self.expected("true or false"))
    }

    pub(crate) fn number(&self) -> Result<f64> {
        self.value.as_f64().ok_or_else(|| self.expected("a number"))
    }

    /// A whole number, also when written as `7.0` or `"7"`, as older definitions do.
    pub(crate) fn integer(&self) -> Result<i64> {
        let whole = match self.value {
            Value::Number(number) => number.as_i64().or_else(|| whole_number(number.as_f64()?)),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        whole.ok_or_else(|| self.expected("a whole number"))
    }

    pub(crate) fn count(&self) -> Result<usize> {
        usize::try_from(self.integer()?)
            .map_err(|_| self.invalid("must be a whole number, 0 or more"))
    }

    pub(crate) fn list(&self) -> Result<Vec<Field<'a>>> {
        let Value::Array(items) = self.value else {
            return Err(self.expected("a list"));
        };
        Ok(items
            .iter()
            .enumerate()
            .map(|(index, value)| Field::new(self.path.index(index), value))
            .collect())
    }

    pub(crate) fn object(&self) -> Result<Object<'a>> {
        match self.value {
            Value::Object(fields) => Ok(Object {
                path: self.path.clone(),
                fields,
                read: Vec::new(),
            }),
            _ => Err(self.expected("an object")),
        }
    }

    /// The value that stands beside this text in `choices`.
    pub(crate) fn one_of<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T> {
        let text = self.text()?;
        choices
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, value)| *value)
            .ok_or_else(|| {
                let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
                self.invalid(format!("'{text}' must be one of {}", names.join(", ")))
            })
    }
}

/// An object being read: remembers which fields were asked for, so that the rest can be refused.
#[derive(Debug)]
pub(crate) struct Object<'a> {
    pub(crate) path: Path,
    fields: &'a Map<String, Value>,
    read: Vec<&'static str>,
}

impl<'a> Object<'a> {
    /// The field, if it is there and not null.
    pub(crate) fn get(&mut self, name: &'static str) -> Option<Field<'a>> {
        self.read.push(name);
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(value) => Some(Field::new(self.path.field(name), value)),
        }
    }

    pub(crate) fn require(&mut self, name: &'static str) -> Result<Field<'a>> {
        let path = self.path.field(name);
        self.get(name)
            .ok_or_else(|| Error::invalid(&path, "is missing"))
    }

    pub(crate) fn text(&mut self, name: &'static str) -> Result<Option<String>> {
        self.get(name).map(|field| field.text()).transpose()
    }

    /// The text, if there is any in it: editors write an empty one where nothing is chosen.
    pub(crate) fn filled_text(&mut self, name: &'static str) -> Result<Option<String>> {
        Ok(self.text(name)?.filter(|text| !text.is_empty()))
    }

    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool> {
        Ok(self
            .get(name)
            .map(|field| field.flag())
            .transpose()?
            .unwrap_or(false))
    }

    pub(crate) fn number(&mut self, name: &'static str) -> Result<Option<f64>> {
        self.get(name).map(|field| field.number()).transpose()
    }

    pub(crate) fn integer(&mut self, name: &'static str) -> Result<Option<i64>> {
        self.get(name).map(|field| field.integer()).transpose()
    }

    pub(crate) fn count(&mut self, name: &'static str) -> Result<Option<usize>> {
        self.get(name).map(|field| field.count()).transpose()
    }

    pub(crate) fn object(&mut self, name: &'static str) -> Result<Option<Object<'a>>> {
        self.get(name).map(|field| field.object()).transpose()
    }

    /// The items of a list; none when the field is absent.
    pub(crate) fn list(&mut self, name: &'static str) -> Result<Vec<Field<'a>>> {
        Ok(self
            .get(name)
            .map(|field| field.list())
            .transpose()?
            .unwrap_or_default())
    }

    /// The texts of a list; none when the field is absent.
    pub(crate) fn texts(&mut self, name: &'static str) -> Result<Vec<String>> {
        self.list(name)?.iter().map(Field::text).collect()
    }

    pub(crate) fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        choices: &[(&str, T)],
    ) -> Result<Option<T>> {
        self.get(name)
            .map(|field| field.one_of(choices))
            .transpose()
    }

    /// Refuses a field that would change the figures. Null, false, an empty list and an empty object say nothing.
    pub(crate) fn refuse(&mut self, name: &'static str, instead: &str) -> Result<()> {
        match self.get(name) {
            Some(field) if !says_nothing(field.value) => Err(Error::unsupported(
                format!("the field `{}`", field.path),
                instead,
            )),
            _ => Ok(()),
        }
    }

    /// Refuses every field that was neither read nor is known to leave the figures alone. Null says nothing and is fine.
    pub(crate) fn finish(self, harmless: &[&[&str]]) -> Result<()> {
        let unknown = self.fields.iter().find(|(name, value)| {
            !value.is_null()
                && !self.read.contains(&name.as_str())
                && !harmless.iter().any(|names| names.contains(&name.as_str()))
        });
        match unknown {
            None => Ok(()),
            Some((name, _)) => Err(Error::invalid(
                &self.path.field(name),
                "is not a field that is known here and could change the figures; check its spelling or leave it out",
            )),
        }
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

/// A value as text: strings as they are, everything else as JSON.
pub(crate) fn value_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A number without a fraction that a signed 64-bit integer holds exactly.
fn whole_number(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (number.fract() == 0.0 && number.abs() <= EXACT).then_some(number as i64)
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
