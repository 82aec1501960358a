//! Persons and groups as pure state: who a distinct id is, and what is known of each. Nothing here reads or writes files.

mod groups;
mod identity;
mod persons;
mod properties;

pub(crate) use groups::{ClaimRefusal, Group, GroupChange, GroupType, Groups};
pub(crate) use identity::{Creation, Merge, MergeKind, MergeRefusal};
pub(crate) use persons::{Person, PersonState, Persons, Renamed, id_from_text};
pub(crate) use properties::{Update, keys, overlay};

/// All that a load knows of persons and groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntityState {
    /// The persons and their distinct ids.
    pub(crate) persons: Persons,
    /// The group types and their groups.
    pub(crate) groups: Groups,
}
