//! Who asks for a flag: a person, the groups that it acts for, and what is known of them.

use serde_json::{Map, Value};

/// How many group types there can be.
pub const GROUP_TYPES: usize = 5;

/// Whom a condition is about, and by whom it is rolled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The person.
    Person,
    /// The person's group of this type, 0 to 4.
    Group(usize),
}

/// Who asks for a flag.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Context {
    /// The id that the person goes by now.
    pub distinct_id: Option<String>,
    /// The id of its device, for flags that are rolled out by device.
    pub device_id: Option<String>,
    /// What is known of the person.
    pub person: Person,
    /// Its groups, by index of their type.
    pub groups: [Group; GROUP_TYPES],
}

/// What is known of a person.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Person {
    /// Other ids that it goes by, for lists of members.
    pub distinct_ids: Vec<String>,
    /// Its properties.
    pub properties: Map<String, Value>,
}

/// A group that a person acts for, and what is known of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Group {
    /// Its key; an empty one is none.
    pub key: Option<String>,
    /// Its properties.
    pub properties: Map<String, Value>,
}

impl Context {
    /// A person of whom nothing is known but the id.
    pub fn of(distinct_id: impl Into<String>) -> Self {
        Self {
            distinct_id: Some(distinct_id.into()),
            ..Self::default()
        }
    }

    /// The same, where ids are properties too, unless there are others of these names: `distinct_id` of the person and `$group_key`
    /// of its groups, as PostHog's libraries have them. Flags for a few companies by name ask for these.
    #[must_use]
    pub fn with_ids(mut self) -> Self {
        let put = |properties: &mut Map<String, Value>, name: &str, id: &Option<String>| {
            if let Some(id) = id.as_ref().filter(|id| !id.is_empty())
                && !properties.contains_key(name)
            {
                properties.insert(name.to_owned(), Value::from(id.as_str()));
            }
        };
        put(
            &mut self.person.properties,
            "distinct_id",
            &self.distinct_id,
        );
        for group in &mut self.groups {
            put(&mut group.properties, "$group_key", &group.key);
        }
        self
    }

    /// The key of the group of this type, if there is one.
    pub(super) fn group_key(&self, index: usize) -> Option<&str> {
        let key = self.groups.get(index)?.key.as_deref();
        key.filter(|key| !key.is_empty())
    }

    pub(super) fn property(&self, of: Subject, key: &str) -> Option<&Value> {
        match of {
            Subject::Person => self.person.properties.get(key),
            Subject::Group(index) => self.groups.get(index)?.properties.get(key),
        }
    }

    /// Every id that the person is known by.
    pub(super) fn ids(&self) -> impl Iterator<Item = &String> {
        self.distinct_id.iter().chain(&self.person.distinct_ids)
    }
}
