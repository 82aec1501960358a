//! What a series means in a context: its events, the conditions on them, whom it can count, and what rows echo of it.

use serde_json::Value;

use crate::definitions::Action;
use crate::error::{Error, Result};
use crate::filter::{Filter, PropertyNode};
use crate::reader::Path;
use crate::{Context, GroupIndex};

use super::{Math, SeriesNode, SeriesSource};

/// What rows say about their series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesEcho {
    /// Position of the series.
    pub order: usize,
    /// The event's or the action's name, or `All events`: the label.
    pub label: String,
    /// `events` or `actions`.
    pub kind: &'static str,
    /// The event's name, the action's number, or null for every event.
    pub id: Value,
    /// Name as the definition gives it, else that of the event or action.
    pub name: Option<String>,
    /// Name that a person gave the series.
    pub custom_name: Option<String>,
    /// What is counted, as asked.
    pub math: Option<&'static str>,
    /// The property that is aggregated.
    pub math_property: Option<String>,
    /// The group type whose groups are counted.
    pub math_group_type_index: Option<u8>,
}

/// Who is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// The person of an event.
    Person,
    /// The event's group of this type; events without one are left out.
    Group(GroupIndex),
}

/// What a query demands of the events of every series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions<'a> {
    pub(crate) properties: &'a PropertyNode,
    pub(crate) filter_test_accounts: bool,
}

impl Conditions<'_> {
    /// These and those of the series at this position.
    pub(crate) fn resolve(
        &self,
        index: usize,
        node: &SeriesNode,
        context: &Context,
    ) -> Result<Filter> {
        let path = Path::root().field("series").index(index);
        let of_series = node
            .properties
            .resolve(context, &path.field("properties"))?;
        Ok(Filter::all([of_series, self.of_query(context)?]))
    }

    /// These alone.
    pub(crate) fn of_query(&self, context: &Context) -> Result<Filter> {
        let root = Path::root();
        let mut filters = vec![
            self.properties
                .resolve(context, &root.field("properties"))?,
        ];
        if self.filter_test_accounts {
            let test_accounts = &context.definitions.test_account_filters;
            filters.push(test_accounts.resolve(context, &root.field("test_account_filters"))?);
        }
        Ok(Filter::all(filters))
    }
}

impl SeriesNode {
    /// The action that it is about, if somebody defined it.
    pub(crate) fn action<'a>(&self, context: &'a Context) -> Option<&'a Action> {
        match self.source {
            SeriesSource::Action(id) => context.definitions.action(id),
            SeriesSource::Event(_) => None,
        }
    }

    /// What the event itself must be. An action that nobody defined matches nothing.
    pub(crate) fn matching(
        &self,
        action: Option<&Action>,
        context: &Context,
        path: &Path,
    ) -> Result<Filter> {
        match (&self.source, action) {
            (SeriesSource::Event(Some(event)), _) => Ok(Filter::Event(event.clone())),
            (SeriesSource::Event(None), _) => Ok(Filter::always()),
            (SeriesSource::Action(_), Some(action)) => action.resolve(context, path),
            (SeriesSource::Action(_), None) => Ok(Filter::never()),
        }
    }

    /// As [`action`](Self::action), where an action that nobody defined is an error.
    pub(crate) fn known_action<'a>(
        &self,
        context: &'a Context,
        path: &Path,
    ) -> Result<Option<&'a Action>> {
        match (&self.source, self.action(context)) {
            (SeriesSource::Action(id), None) => Err(Error::invalid(
                &path.field("id"),
                format!("Action ID {id} does not exist; add it to the definitions"),
            )),
            (_, action) => Ok(action),
        }
    }

    /// The group type that it names.
    pub(crate) fn group_index(&self, context: &Context, path: &Path) -> Result<Option<GroupIndex>> {
        let path = path.field("math_group_type_index");
        self.math_group_type
            .as_ref()
            .map(|group_type| group_type.resolve(context, &path))
            .transpose()
    }

    /// The group type without which its math has no meaning.
    pub(crate) fn required(&self, group: Option<GroupIndex>, path: &Path) -> Result<GroupIndex> {
        group.ok_or_else(|| {
            Error::invalid(
                &path.field("math_group_type_index"),
                format!(
                    "the math {} needs the index of a group type, 0 to 4",
                    self.math.name()
                ),
            )
        })
    }

    /// What rows say about it, standing at this position.
    pub(crate) fn echo(
        &self,
        order: usize,
        action: Option<&Action>,
        context: &Context,
        path: &Path,
    ) -> Result<SeriesEcho> {
        let (kind, id, label) = match &self.source {
            SeriesSource::Event(Some(event)) => ("events", event.as_str().into(), event.clone()),
            SeriesSource::Event(None) => ("events", Value::Null, "All events".to_owned()),
            SeriesSource::Action(id) => {
                let name =
                    action.map_or_else(|| format!("Action {id}"), |action| action.name.clone());
                ("actions", (*id).into(), name)
            }
        };
        Ok(SeriesEcho {
            order,
            name: Some(self.name.clone().unwrap_or_else(|| label.clone())),
            label,
            kind,
            id,
            custom_name: self.custom_name.clone(),
            math: (self.math != Math::Total).then(|| self.math.name()),
            math_property: self
                .math_property
                .as_ref()
                .map(|property| property.key.clone()),
            math_group_type_index: self.group_index(context, path)?.map(GroupIndex::get),
        })
    }
}
