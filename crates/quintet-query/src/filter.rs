//! Property filters after validation: a tree of conditions on one event, its person and its groups.
//!
//! An action is lowered to this tree too, so that whoever plans a query meets one vocabulary only.
//! Rules: `spec/filters-and-dates.md` section 1.

use std::sync::Arc;

use crate::GroupIndex;

mod definition;
mod operator;
mod parse;
mod resolve;

pub use definition::{PropertyCondition, PropertyNode, PropertyScope};
pub use operator::Operator;
pub(crate) use operator::WIRE_NAMES;
pub(crate) use parse::{HARMLESS, check_regex, parse_cohort, value_texts};

/// A condition on one event.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every condition holds; `All(vec![])` is true.
    All(Vec<Filter>),
    /// At least one condition holds; `Any(vec![])` is false.
    Any(Vec<Filter>),
    /// The event has this name.
    Event(String),
    /// A property compared with values.
    Property(PropertyFilter),
    /// The event's person is in the cohort (or is not, when `negated`).
    Cohort {
        /// Whose members are meant.
        cohort: Arc<Cohort>,
        /// True for `not_in`.
        negated: bool,
    },
}

/// A property, an operator and the values it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct PropertyFilter {
    /// Which property.
    pub property: Property,
    /// How it is compared.
    pub operator: Operator,
    /// The values as text (`10`, `true`, `acme`; objects as JSON text). Empty for `is_set` and `is_not_set`.
    pub values: Vec<String>,
}

/// A property of an event, of its person, or of one of its groups.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Property {
    /// Where it is looked up.
    pub source: PropertySource,
    /// Its name.
    pub key: String,
}

/// Where a property's value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PropertySource {
    /// The event's JSON properties.
    Event,
    /// A column of the event itself, such as `distinct_id` or `$group_0`.
    EventMetadata,
    /// The current properties of the event's person.
    Person,
    /// The current properties of the event's group of this type.
    Group(GroupIndex),
    /// A property of the event's session (`$session_duration`).
    Session,
}

/// A set of persons, listed or described.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohort {
    /// Its number, as queries name it.
    pub id: i64,
    /// Its name, shown in breakdowns.
    pub name: String,
    /// Who is in it.
    pub members: CohortMembers,
}

/// Who is in a cohort.
#[derive(Debug, Clone, PartialEq)]
pub enum CohortMembers {
    /// The persons behind these distinct ids.
    Listed(Vec<String>),
    /// The persons whose properties satisfy this filter (only `Person` properties and cohorts occur in it).
    Described(Filter),
}

impl Filter {
    /// The filter that every event satisfies.
    pub const fn always() -> Self {
        Self::All(Vec::new())
    }

    /// The filter that no event satisfies.
    pub const fn never() -> Self {
        Self::Any(Vec::new())
    }

    /// The event's name compared with these texts.
    pub(crate) fn event_name(operator: Operator, values: Vec<String>) -> Self {
        Self::Property(PropertyFilter {
            property: Property {
                source: PropertySource::EventMetadata,
                key: "event".to_owned(),
            },
            operator,
            values,
        })
    }

    /// All of them, flattened: a condition that always holds is left out, and one alone stands for itself.
    pub fn all(filters: impl IntoIterator<Item = Self>) -> Self {
        let mut conditions = Vec::new();
        for filter in filters {
            match filter {
                Self::All(inner) => conditions.extend(inner),
                other => conditions.push(other),
            }
        }
        alone(conditions).unwrap_or_else(Self::All)
    }

    /// Any of them; one alone stands for itself.
    pub fn any(filters: impl IntoIterator<Item = Self>) -> Self {
        alone(filters.into_iter().collect()).unwrap_or_else(Self::Any)
    }

    /// True when nothing in the filter asks about the event or its groups.
    pub fn asks_only_about_persons(&self) -> bool {
        match self {
            Self::All(inner) | Self::Any(inner) => inner.iter().all(Self::asks_only_about_persons),
            Self::Event(_) => false,
            Self::Property(condition) => condition.property.source == PropertySource::Person,
            Self::Cohort { .. } => true,
        }
    }

    /// True when nothing in the filter asks about anything but a property of the groups of this type.
    pub(crate) fn asks_only_about_groups(&self, of: GroupIndex) -> bool {
        match self {
            Self::All(inner) | Self::Any(inner) => {
                inner.iter().all(|filter| filter.asks_only_about_groups(of))
            }
            Self::Property(condition) => condition.property.source == PropertySource::Group(of),
            Self::Event(_) | Self::Cohort { .. } => false,
        }
    }
}

fn alone(mut conditions: Vec<Filter>) -> Result<Filter, Vec<Filter>> {
    if conditions.len() == 1 {
        conditions.pop().ok_or(conditions)
    } else {
        Err(conditions)
    }
}

#[cfg(test)]
mod tests;
