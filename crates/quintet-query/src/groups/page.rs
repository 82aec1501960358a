//! All about one group: what is known of it, when it was active, what it did and who belongs to it.

use crate::dates::Reading;
use crate::error::{Error, Result};
use crate::reader::Path;
use crate::{Context, DateRange, GroupIndex, GroupType, Interval, Period};

/// How many days of activity are shown where nothing is said.
pub(super) const USUAL_DAYS: usize = 30;
/// How many events and members are named where nothing is said.
pub(super) const USUAL_TOP: usize = 10;
/// A century of days is a slip of the keyboard.
const MOST_DAYS: usize = 36_525;

/// A page about a group as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupPageQuery {
    /// The group's type.
    pub group_type: GroupType,
    /// Its key.
    pub key: String,
    /// So many days of activity, today among them.
    pub days: usize,
    /// So many of its most frequent events and most active members.
    pub top: usize,
}

impl GroupPageQuery {
    /// The last 30 days of a group, with ten events and members.
    pub fn of(group_type: impl Into<GroupType>, key: impl Into<String>) -> Self {
        Self {
            group_type: group_type.into(),
            key: key.into(),
            days: USUAL_DAYS,
            top: USUAL_TOP,
        }
    }

    /// What the question means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an unknown type, or for no days or too many.
    pub fn resolve(&self, context: &Context) -> Result<GroupPage> {
        let path = Path::root().field("days");
        let before_today = match self.days.checked_sub(1) {
            Some(days) if days < MOST_DAYS => days,
            _ => {
                return Err(Error::invalid(
                    &path,
                    format!("must be 1 to {MOST_DAYS}, not {}", self.days),
                ));
            }
        };
        let range = DateRange {
            date_from: Some(match before_today {
                0 => "dStart".to_owned(),
                days => format!("-{days}d"),
            }),
            ..DateRange::default()
        };
        let range = range.resolve(
            Reading {
                interval: Interval::Day,
                exact: false,
            },
            context,
            &path,
        )?;
        Ok(GroupPage {
            group_type: self.group_type.index(context)?,
            key: self.key.clone(),
            days: Period::in_buckets(&range, Interval::Day, context, &path)?,
            top: self.top,
        })
    }
}

/// A validated page about a group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupPage {
    /// The group's type.
    pub group_type: GroupIndex,
    /// Its key.
    pub key: String,
    /// The days of its activity.
    pub days: Period,
    /// So many of its most frequent events and most active members.
    pub top: usize,
}
