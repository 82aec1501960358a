//! Group types: the five kinds of groups that an event can belong to, by index or by name.

use crate::Context;
use crate::error::{Error, Result};
use crate::reader::{Field, Path};

/// Index of a group type, 0 to 4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupIndex(u8);

impl GroupIndex {
    /// How many group types there can be.
    pub const COUNT: u8 = 5;

    /// The index, or `None` above 4.
    pub const fn new(index: u8) -> Option<Self> {
        if index < Self::COUNT {
            Some(Self(index))
        } else {
            None
        }
    }

    /// The index as a number, 0 to 4.
    pub const fn get(self) -> u8 {
        self.0
    }
}

/// A group type as a definition names it: JSON by index, Rust code by index or name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum GroupType {
    /// Its index, 0 to 4.
    Index(u8),
    /// Its name, as in [`Context::group_types`].
    Name(String),
}

impl From<&str> for GroupType {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for GroupType {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

impl From<u8> for GroupType {
    fn from(index: u8) -> Self {
        Self::Index(index)
    }
}

impl From<GroupIndex> for GroupType {
    fn from(index: GroupIndex) -> Self {
        Self::Index(index.get())
    }
}

impl GroupType {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        Self::parse_index(field).map(Self::from)
    }

    pub(crate) fn parse_index(field: &Field<'_>) -> Result<GroupIndex> {
        let index = field.integer()?;
        u8::try_from(index)
            .ok()
            .and_then(GroupIndex::new)
            .ok_or_else(|| out_of_range(&field.path, index))
    }

    pub(crate) fn resolve(&self, context: &Context, path: &Path) -> Result<GroupIndex> {
        match self {
            Self::Index(index) => {
                GroupIndex::new(*index).ok_or_else(|| out_of_range(path, i64::from(*index)))
            }
            Self::Name(name) => (0..GroupIndex::COUNT)
                .zip(&context.group_types)
                .find(|(_, known)| known.as_ref() == Some(name))
                .and_then(|(index, _)| GroupIndex::new(index))
                .ok_or_else(|| unknown_name(path, name, context)),
        }
    }
}

fn out_of_range(path: &Path, index: i64) -> Error {
    Error::invalid(
        path,
        format!("there is no group type {index}; the index of a group type is 0 to 4"),
    )
}

fn unknown_name(path: &Path, name: &str, context: &Context) -> Error {
    let known: Vec<&str> = context
        .group_types
        .iter()
        .flatten()
        .map(String::as_str)
        .collect();
    let known = if known.is_empty() {
        "there are none yet".to_owned()
    } else {
        format!("known are {}", known.join(", "))
    };
    Error::invalid(path, format!("there is no group type '{name}'; {known}"))
}
