//! Any question about groups as things: which one a definition asks.

use crate::error::Result;
use crate::reader::Field;

use super::{
    GroupFind, GroupPageQuery, GroupPropertyValues, GroupsListQuery, GroupsQuery, RelatedGroups,
};

/// Any question about groups as things.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum GroupsQuestion {
    /// Groups of a type in chosen columns.
    Table(GroupsQuery),
    /// Groups of a type, whole.
    List(GroupsListQuery),
    /// One declared group.
    Find(GroupFind),
    /// The values of a property.
    PropertyValues(GroupPropertyValues),
    /// The group types.
    Types,
    /// Persons and groups that share events with somebody.
    Related(RelatedGroups),
    /// All about one group.
    Page(GroupPageQuery),
}

impl GroupsQuestion {
    /// The kinds of definitions that are read here.
    pub(crate) const KINDS: &str = "GroupsQuery, GroupsList, GroupFind, GroupPage, GroupPropertyValues, GroupTypes, RelatedGroups";

    /// Reads a definition of this kind; nothing if the kind is not about groups.
    pub(crate) fn parse(kind: &str, field: &Field<'_>) -> Option<Result<Self>> {
        Some(match kind {
            "GroupsQuery" => GroupsQuery::parse(field).map(Self::Table),
            "GroupsList" => GroupsListQuery::parse(field).map(Self::List),
            "GroupFind" => GroupFind::parse(field).map(Self::Find),
            "GroupPropertyValues" => GroupPropertyValues::parse(field).map(Self::PropertyValues),
            "GroupTypes" => types(field).map(|()| Self::Types),
            "RelatedGroups" => RelatedGroups::parse(field).map(Self::Related),
            "GroupPage" => GroupPageQuery::parse(field).map(Self::Page),
            _ => return None,
        })
    }
}

fn types(field: &Field<'_>) -> Result<()> {
    field.object()?.finish(&[crate::insight::NODE_HARMLESS])
}
