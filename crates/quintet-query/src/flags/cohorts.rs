//! The cohorts that conditions of flags name by number.

use std::collections::HashMap;

use serde_json::Value;

use crate::definitions::{CohortDefinition, CohortMembersDefinition};
use crate::error::{Error, Result};
use crate::reader::Field;
use crate::trends::Actor;

use super::FlagNode;

/// Cohorts by number, as they came with the flags.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FlagCohorts(HashMap<i64, Members>);

/// Who is in a cohort.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Members {
    /// The persons behind these distinct ids.
    Listed(Vec<String>),
    /// The persons of whom this holds.
    Described(FlagNode),
    /// A description that cannot be evaluated, and why; an error for the flags that use it.
    Unsupported(Error),
}

impl FlagCohorts {
    /// Reads `{"<number>": tree of filters}`, as PostHog gives cohorts to its libraries, or a list of cohorts with their `id`.
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut cohorts = HashMap::new();
        match field.value {
            Value::Object(fields) => {
                for (id, value) in fields {
                    let field = Field::new(field.path.field(id), value);
                    let number = id.parse().map_err(|_| {
                        field.invalid("cohorts stand under their number, such as \"98\"")
                    })?;
                    cohorts.insert(number, parse_members(&field)?);
                }
            }
            _ => {
                for field in field.list()? {
                    let id = field.object()?.require("id")?.integer()?;
                    cohorts.insert(id, parse_members(&field)?);
                }
            }
        }
        Ok(Self(cohorts))
    }

    /// A cohort: of those that came with the flags, else of the definitions beside the question.
    pub(super) fn find(&self, id: i64, definitions: &[CohortDefinition]) -> Option<Members> {
        let own = self.0.get(&id).cloned();
        own.or_else(|| {
            let cohort = definitions.iter().find(|cohort| cohort.id == id)?;
            Some(match &cohort.members {
                CohortMembersDefinition::Listed(ids) => Members::Listed(ids.clone()),
                CohortMembersDefinition::Unsupported(error) => Members::Unsupported(error.clone()),
                CohortMembersDefinition::Described(node) => match FlagNode::of_person(node) {
                    Some(node) => Members::Described(node),
                    None => Members::Unsupported(not_of_persons(id)),
                },
            })
        })
    }
}

fn not_of_persons(id: i64) -> Error {
    Error::unsupported(
        format!("cohort {id}, which is not about persons alone,"),
        "take filters on properties of persons and on cohorts into it",
    )
}

/// Listed ids go before filters, because a static cohort may carry the filters it was made with.
fn parse_members(field: &Field<'_>) -> Result<Members> {
    if let Some(ids) = field.value.get("distinct_ids").filter(|ids| !ids.is_null()) {
        let ids = Field::new(field.path.field("distinct_ids"), ids).list()?;
        return Ok(Members::Listed(
            ids.iter().map(Field::text).collect::<Result<_>>()?,
        ));
    }
    let mut tree = field.clone();
    for name in ["filters", "properties"] {
        if let Some(inner) = tree.value.get(name) {
            tree = Field::new(tree.path.field(name), inner);
        }
    }
    match FlagNode::parse(&tree, Actor::Person) {
        Ok(node) if asks_only_about_persons(&node) => Ok(Members::Described(node)),
        Ok(_) => Err(tree.invalid(
            "is not about persons alone; a cohort's filters take `type` person or cohort",
        )),
        Err(error @ Error::Unsupported { .. }) => Ok(Members::Unsupported(error)),
        Err(error) => Err(error),
    }
}

fn asks_only_about_persons(node: &FlagNode) -> bool {
    match node {
        FlagNode::All(nodes) | FlagNode::Any(nodes) => nodes.iter().all(asks_only_about_persons),
        FlagNode::Not(node) => asks_only_about_persons(node),
        FlagNode::Property(property) => property.of == Actor::Person,
        FlagNode::Cohort(_) => true,
        FlagNode::Flag { .. } => false,
    }
}
