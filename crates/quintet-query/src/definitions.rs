//! Definitions that queries refer to by number: actions, cohorts, and the project's lists of filters.
//!
//! A definition that this version cannot run is an error only for the query that uses it.

use std::sync::Arc;

use serde_json::Value;

use crate::Context;
use crate::error::{Error, Result};
use crate::filter::{Cohort, CohortMembers, Filter, PropertyNode, check_regex};
use crate::reader::{Field, Object, Path, not_too_deep};

mod action;

pub use action::{Action, ActionStep, UrlMatching};

/// Fields of a definition that PostHog's API writes and that say nothing about who or what is meant.
const HARMLESS: &[&str] = &[
    "count",
    "created_at",
    "created_by",
    "deleted",
    "description",
    "errors_calculating",
    "groups",
    "is_calculating",
    "is_static",
    "last_calculated_at",
    "last_calculation",
    "last_error_at",
    "pinned_at",
    "post_to_slack",
    "query",
    "slack_message_format",
    "tags",
    "team",
    "team_id",
    "updated_at",
    "uuid",
    "version",
    "cohort_type",
    "experiment_set",
    "pending_version",
    "bytecode",
    "bytecode_error",
    "is_action",
    "action_id",
    "steps_json",
    "summary",
    "verified",
    "creation_context",
    "user_access_level",
    "_create_in_folder",
];

/// What queries refer to by number or by switch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Definitions {
    /// Named unions of events.
    pub actions: Vec<Action>,
    /// Named sets of persons.
    pub cohorts: Vec<CohortDefinition>,
    /// What `filterTestAccounts` adds to a query.
    pub test_account_filters: PropertyNode,
    /// Rewrites of URL paths, in order, for `is_cleaned_path_exact` and for paths that ask for them.
    pub path_cleaning_filters: Vec<PathCleaning>,
}

/// A set of persons as it is defined.
#[derive(Debug, Clone, PartialEq)]
pub struct CohortDefinition {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Who is in it.
    pub members: CohortMembersDefinition,
}

/// Who is in a cohort, as it is defined.
#[derive(Debug, Clone, PartialEq)]
pub enum CohortMembersDefinition {
    /// The persons behind these distinct ids.
    Listed(Vec<String>),
    /// The persons that satisfy these filters.
    Described(PropertyNode),
    /// A description that cannot be run, and why; an error for the queries that use the cohort.
    Unsupported(Error),
}

/// A rewrite of URL paths: what matches `regex` becomes `alias`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathCleaning {
    /// What is looked for.
    pub regex: String,
    /// What it becomes; `\1` to `\9` are the groups of the match, `\0` is all of it.
    pub alias: String,
}

impl Definitions {
    /// Reads `{"actions": [..], "cohorts": [..], "test_account_filters": [..], "path_cleaning_filters": [..]}`; each may be absent.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong.
    pub fn parse(definitions: &Value) -> Result<Self> {
        not_too_deep(definitions)?;
        let mut object = Field::new(Path::root(), definitions).object()?;
        let read = Self {
            actions: object
                .list("actions")?
                .iter()
                .map(Action::parse)
                .collect::<Result<_>>()?,
            cohorts: object
                .list("cohorts")?
                .iter()
                .map(CohortDefinition::parse)
                .collect::<Result<_>>()?,
            test_account_filters: PropertyNode::parse_field(&mut object, "test_account_filters")?,
            path_cleaning_filters: object
                .list("path_cleaning_filters")?
                .iter()
                .map(PathCleaning::parse)
                .collect::<Result<_>>()?,
        };
        object.finish(&[])?;
        Ok(read)
    }

    pub(crate) fn action(&self, id: i64) -> Option<&Action> {
        self.actions.iter().find(|action| action.id == id)
    }
}

impl CohortDefinition {
    fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let id = object.require("id")?.integer()?;
        let read = Self {
            id,
            name: object.text("name")?.unwrap_or_else(|| id.to_string()),
            members: parse_members(&mut object)?,
        };
        object.finish(&[HARMLESS])?;
        Ok(read)
    }
}

/// Who is in the cohort: listed ids go before filters, because a static cohort may carry the filters it was made with.
fn parse_members(object: &mut Object<'_>) -> Result<CohortMembersDefinition> {
    let filters = object.get("filters");
    if let Some(ids) = object.get("distinct_ids") {
        let ids = ids.list()?.iter().map(Field::text).collect::<Result<_>>()?;
        return Ok(CohortMembersDefinition::Listed(ids));
    }
    let Some(filters) = filters else {
        return Ok(CohortMembersDefinition::Listed(Vec::new()));
    };
    let described = match filters.value {
        Value::Object(fields) if fields.contains_key("properties") => {
            let mut wrapper = filters.object()?;
            PropertyNode::parse_field(&mut wrapper, "properties")
        }
        _ => PropertyNode::parse(&filters),
    };
    match described {
        Ok(node) => Ok(CohortMembersDefinition::Described(node)),
        Err(error @ Error::Unsupported { .. }) => Ok(CohortMembersDefinition::Unsupported(error)),
        Err(error) => Err(error),
    }
}

impl PathCleaning {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let regex = object.require("regex")?;
        let read = Self {
            regex: regex.text()?,
            alias: object.text("alias")?.unwrap_or_default(),
        };
        let groups = check_regex(&regex.path, &read.regex)?.captures_len();
        read.check_alias(groups.saturating_sub(1), &object.path.field("alias"))?;
        object.finish(&[&["order", "id"]])?;
        Ok(read)
    }

    /// Refuses references to groups that the pattern does not have.
    fn check_alias(&self, groups: usize, path: &Path) -> Result<()> {
        let mut characters = self.alias.chars().peekable();
        while let Some(character) = characters.next() {
            let escaped = characters.next_if(|_| character == '\\');
            let group = escaped.and_then(|escaped| escaped.to_digit(10));
            if let Some(group) = group.filter(|group| *group as usize > groups) {
                return Err(Error::invalid(
                    path,
                    format!(
                        "refers to group {group}, but the regex has {groups}; put parentheses around what it should repeat"
                    ),
                ));
            }
        }
        Ok(())
    }
}

/// The cohort of this number with its description resolved. A number that nobody defined has no members, as in PostHog.
///
/// `within` are the cohorts whose descriptions led here.
pub(crate) fn resolve_cohort(
    id: i64,
    context: &Context,
    path: &Path,
    within: &[i64],
) -> Result<Arc<Cohort>> {
    if within.contains(&id) {
        return Err(Error::invalid(
            path,
            format!("cohort {id} refers to itself; take it out of its own filters"),
        ));
    }
    let Some(definition) = context
        .definitions
        .cohorts
        .iter()
        .find(|cohort| cohort.id == id)
    else {
        return Ok(Arc::new(Cohort {
            id,
            name: id.to_string(),
            members: CohortMembers::Listed(Vec::new()),
        }));
    };
    let members = match &definition.members {
        CohortMembersDefinition::Listed(ids) => CohortMembers::Listed(ids.clone()),
        CohortMembersDefinition::Described(node) => {
            let within = [within, &[id]].concat();
            let filter = node.resolve_within(context, path, &within)?;
            CohortMembers::Described(only_of_persons(filter, id, path)?)
        }
        CohortMembersDefinition::Unsupported(error) => return Err(error.clone()),
    };
    Ok(Arc::new(Cohort {
        id,
        name: definition.name.clone(),
        members,
    }))
}

/// A cohort is a set of persons, so its filters can only ask about persons.
fn only_of_persons(filter: Filter, cohort: i64, path: &Path) -> Result<Filter> {
    if filter.asks_only_about_persons() {
        Ok(filter)
    } else {
        Err(Error::invalid(
            path,
            format!(
                "cohort {cohort} has a filter that is not about a person; its filters take `type` person or cohort"
            ),
        ))
    }
}

#[cfg(test)]
mod tests;
