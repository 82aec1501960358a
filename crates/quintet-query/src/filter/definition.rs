//! Property filters as they are written, before names of group types and numbers of cohorts are looked up.

use crate::GroupType;

use super::Operator;

/// A tree of property filters as a definition holds it. The default, an empty list, is always true.
#[derive(Debug, Clone, PartialEq)]
pub enum PropertyNode {
    /// Every one holds; an empty list is true.
    All(Vec<PropertyNode>),
    /// At least one holds; an empty list is true, as in PostHog.
    Any(Vec<PropertyNode>),
    /// A property compared with values.
    Property(PropertyCondition),
    /// The person is in the cohort of this number (or is not, when `negated`).
    Cohort {
        /// Its number.
        id: i64,
        /// True for `not_in`.
        negated: bool,
    },
}

/// A property, an operator and the values it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyCondition {
    /// Whose property.
    pub scope: PropertyScope,
    /// Its name.
    pub key: String,
    /// How it is compared.
    pub operator: Operator,
    /// The values as text; empty for `is_set` and `is_not_set`.
    pub values: Vec<String>,
}

/// Whose property is meant, as a definition says it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum PropertyScope {
    /// The event's own.
    #[default]
    Event,
    /// A column of the event, such as `distinct_id`.
    EventMetadata,
    /// Its person's.
    Person,
    /// That of its group of this type.
    Group(GroupType),
    /// That of its session.
    Session,
}

impl Default for PropertyNode {
    fn default() -> Self {
        Self::All(Vec::new())
    }
}

impl PropertyNode {
    /// A property of the event.
    pub fn event(key: impl Into<String>, operator: Operator, value: impl Into<String>) -> Self {
        Self::property(PropertyScope::Event, key, operator, [value.into()])
    }

    /// A property of the event's person.
    pub fn person(key: impl Into<String>, operator: Operator, value: impl Into<String>) -> Self {
        Self::property(PropertyScope::Person, key, operator, [value.into()])
    }

    /// A property of the event's group of this type.
    pub fn group(
        group_type: impl Into<GroupType>,
        key: impl Into<String>,
        operator: Operator,
        value: impl Into<String>,
    ) -> Self {
        Self::property(
            PropertyScope::Group(group_type.into()),
            key,
            operator,
            [value.into()],
        )
    }

    /// A property of anything, compared with any number of values.
    pub fn property(
        scope: PropertyScope,
        key: impl Into<String>,
        operator: Operator,
        values: impl IntoIterator<Item = String>,
    ) -> Self {
        Self::Property(PropertyCondition {
            scope,
            key: key.into(),
            operator,
            values: if operator.takes_no_value() {
                Vec::new()
            } else {
                values.into_iter().collect()
            },
        })
    }

    /// Adds a condition that must hold too.
    pub(crate) fn and(&mut self, other: Self) {
        match self {
            Self::All(nodes) => nodes.push(other),
            _ => {
                let before = std::mem::take(self);
                *self = Self::All(vec![before, other]);
            }
        }
    }
}
