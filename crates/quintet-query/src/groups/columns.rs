//! What a list of groups can show and be ordered by.

use crate::error::{Error, Result};
use crate::reader::{Field, Path};

/// A column of a list of groups, under the name that it was asked for by.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// The text of the definition.
    pub name: String,
    /// What it means.
    pub column: Column,
}

/// What one cell of a list of groups holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Column {
    /// How the group is called, and its key.
    Name,
    /// Its key.
    Key,
    /// When it began.
    CreatedAt,
    /// All of its properties.
    Properties,
    /// One of its properties.
    Property(String),
    /// A figure over all groups.
    Aggregate(Aggregate),
}

/// A figure over all groups of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Aggregate {
    /// How many there are.
    Count,
    /// How many have the property.
    CountOf(String),
    /// How many values the property has.
    CountDistinct(String),
    /// The sum of the numbers that the property holds.
    Sum(String),
    /// Their average.
    Average(String),
    /// The least of them.
    Min(String),
    /// The greatest of them.
    Max(String),
}

/// What a list of groups is ordered by; missing values come last.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupOrder {
    /// By what.
    pub key: OrderKey,
    /// True for the greatest first.
    pub descending: bool,
}

/// By what groups are compared.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderKey {
    /// How they are called.
    Name,
    /// Their keys.
    Key,
    /// When they began.
    CreatedAt,
    /// A property: numbers by size, before texts by their characters.
    Property(String),
    /// How well their names fit the search: equal, beginning with it, containing it.
    Rank,
}

const COLUMNS: &str = "group_name, key, created_at, properties, properties.<name>, or one of count(*), count, sum, avg, min and max of a property";

impl Column {
    /// Reads a column; what stands behind ` -- ` is a remark.
    pub(super) fn parse(field: &Field<'_>) -> Result<Self> {
        let text = field.text()?;
        let expression = text.split(" -- ").next().unwrap_or_default().trim();
        Self::plain(expression)
            .or_else(|| Aggregate::parse(expression).map(Self::Aggregate))
            .ok_or_else(|| no_column(&field.path, expression))
    }

    fn plain(text: &str) -> Option<Self> {
        Some(match text {
            "group_name" => Self::Name,
            "key" => Self::Key,
            "created_at" => Self::CreatedAt,
            "properties" => Self::Properties,
            other => Self::Property(property(other)?),
        })
    }

    /// What the cells of a column hold, in one word.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Name | Self::Properties => "object",
            Self::Key => "text",
            Self::CreatedAt => "time",
            Self::Property(_) => "json",
            Self::Aggregate(_) => "number",
        }
    }
}

impl Aggregate {
    fn parse(text: &str) -> Option<Self> {
        let (function, rest) = text.split_once('(')?;
        let argument = rest.strip_suffix(')')?.trim();
        match (function.trim().to_ascii_lowercase().as_str(), argument) {
            ("count", "" | "*") => Some(Self::Count),
            ("count", of) => match of.get(..9) {
                Some(word) if word.eq_ignore_ascii_case("distinct ") => {
                    property(of.get(9..)?.trim()).map(Self::CountDistinct)
                }
                _ => property(of).map(Self::CountOf),
            },
            ("sum", of) => property(of).map(Self::Sum),
            ("avg", of) => property(of).map(Self::Average),
            ("min", of) => property(of).map(Self::Min),
            ("max", of) => property(of).map(Self::Max),
            _ => None,
        }
    }
}

impl GroupOrder {
    /// Reads `<column> [ASC|DESC]`; nothing for a figure over all groups, which is one row.
    pub(super) fn parse(field: &Field<'_>) -> Result<Option<Self>> {
        let text = field.text()?;
        let (column, descending) = direction(text.trim());
        let key = match Column::plain(column) {
            Some(Column::Name) => OrderKey::Name,
            Some(Column::Key) => OrderKey::Key,
            Some(Column::CreatedAt) => OrderKey::CreatedAt,
            Some(Column::Property(name)) => OrderKey::Property(name),
            _ if Aggregate::parse(column).is_some() => return Ok(None),
            _ => return Err(no_column(&field.path, column)),
        };
        Ok(Some(Self { key, descending }))
    }
}

/// A column and whether it is wanted in descending order.
fn direction(text: &str) -> (&str, bool) {
    let word = |(column, last): (&'_ str, &str)| match last.to_ascii_lowercase().as_str() {
        "desc" => Some((column.len(), true)),
        "asc" => Some((column.len(), false)),
        _ => None,
    };
    match text.rsplit_once(char::is_whitespace).and_then(word) {
        Some((length, descending)) => (text.get(..length).unwrap_or(text).trim_end(), descending),
        None => (text, false),
    }
}

/// The name behind `properties.`, in quotes of either kind or without.
fn property(text: &str) -> Option<String> {
    let name = text.strip_prefix("properties.")?;
    let quoted = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    let name = quoted('`').or_else(|| quoted('"')).unwrap_or(name);
    let is_call = !text.ends_with(['`', '"']) && name.contains(['(', ')', '+', '*', '/', ',']);
    (!name.is_empty() && !is_call).then(|| name.to_owned())
}

fn no_column(path: &Path, text: &str) -> Error {
    Error::invalid(
        path,
        format!(
            "'{text}' is no column of groups; take {COLUMNS}, or ask with SQL over the table `groups`"
        ),
    )
}
