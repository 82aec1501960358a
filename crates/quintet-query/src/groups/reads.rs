//! What PostHog answers over REST rather than as an insight: plain lists, one group, the values of a property.

use crate::error::Result;
use crate::reader::Path;
use crate::{Context, GroupIndex, GroupType};

use super::list::{Groups, GroupsQuery, NEWEST_FIRST};

/// The groups of a type, whole and the newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupsListQuery(pub(super) GroupsQuery);

impl GroupsListQuery {
    /// The first hundred groups of a type.
    pub fn of(group_type: impl Into<GroupType>) -> Self {
        Self(GroupsQuery::of(group_type))
    }

    /// Only groups whose name or key contains this, whatever its case.
    #[must_use]
    pub fn search(mut self, text: impl Into<String>) -> Self {
        self.0.search = Some(text.into()).filter(|text| !text.is_empty());
        self
    }

    /// What the question means in `context`. A search does not change the order.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for an unknown type.
    pub fn resolve(&self, context: &Context) -> Result<Groups> {
        Ok(Groups {
            order: NEWEST_FIRST.to_vec(),
            ..self.0.resolve(context)?
        })
    }
}

/// One declared group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupFind {
    /// Its type.
    pub group_type: GroupType,
    /// Its key.
    pub key: String,
}

/// The values that a property has among the groups of a type, the most frequent first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPropertyValues {
    /// Which type.
    pub group_type: GroupType,
    /// The property.
    pub key: String,
    /// Text that a value must contain, whatever its case.
    pub search: Option<String>,
    /// Values to return at most; `None` is all.
    pub limit: Option<usize>,
}

impl GroupType {
    /// The index that is meant, where it stands in a definition as `group_type_index`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid) for an index above 4 or an unknown name.
    pub fn index(&self, context: &Context) -> Result<GroupIndex> {
        self.resolve(context, &Path::root().field("group_type_index"))
    }
}
