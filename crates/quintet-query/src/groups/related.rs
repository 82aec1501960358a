//! Who goes together: persons and groups that share events.

use chrono::TimeDelta;

use crate::error::{Error, Result};
use crate::reader::Path;
use crate::{Context, GroupIndex, GroupType};

/// How far back events are looked at where nothing is said.
pub(super) const USUAL_DAYS: usize = 90;

/// The persons and groups that share events with a group, or the groups of a person, as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelatedGroups {
    /// With whom.
    pub of: RelatedTo<GroupType>,
    /// Only events of so many days before now count.
    pub days: usize,
    /// Persons, and groups of each type, to return at most; `None` is all.
    pub limit: Option<usize>,
}

/// Somebody whose company is asked for; `T` names the type of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelatedTo<T> {
    /// A group by its type and key.
    Group(T, String),
    /// A person by its id or any of its distinct ids.
    Person(String),
}

impl RelatedGroups {
    /// Whoever shared events with this in the last 90 days.
    pub fn to(of: RelatedTo<GroupType>) -> Self {
        Self {
            of,
            days: USUAL_DAYS,
            limit: None,
        }
    }

    /// What the question means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown type, or for more days than a calendar has.
    pub fn resolve(&self, context: &Context) -> Result<Related> {
        let of = match &self.of {
            RelatedTo::Group(group_type, key) => {
                RelatedTo::Group(group_type.index(context)?, key.clone())
            }
            RelatedTo::Person(id) => RelatedTo::Person(id.clone()),
        };
        let span = i64::try_from(self.days).ok().and_then(TimeDelta::try_days);
        let since = span
            .and_then(|span| context.now.checked_sub_signed(span))
            .ok_or_else(|| {
                Error::invalid(
                    &Path::root().field("days"),
                    format!("{} days are more than a calendar has", self.days),
                )
            })?;
        Ok(Related {
            of,
            after: since.timestamp_micros(),
            before: context.now.timestamp_micros(),
            limit: self.limit,
        })
    }
}

/// A validated question for who goes together. Times are microseconds since 1970 in UTC, both exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Related {
    /// With whom.
    pub of: RelatedTo<GroupIndex>,
    /// Events up to this instant do not count.
    pub after: i64,
    /// Nor do events from this instant on.
    pub before: i64,
    /// Persons, and groups of each type, to return at most; `None` is all.
    pub limit: Option<usize>,
}

impl Related {
    /// The group types to look for, by index: all but that of the group itself.
    pub fn types(&self) -> impl Iterator<Item = GroupIndex> + '_ {
        let own = match &self.of {
            RelatedTo::Group(index, _) => Some(*index),
            RelatedTo::Person(_) => None,
        };
        (0..GroupIndex::COUNT)
            .filter_map(GroupIndex::new)
            .filter(move |index| Some(*index) != own)
    }
}
