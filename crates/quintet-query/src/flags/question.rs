//! What can be asked about flags: their values for some contexts, for every group, how many they take in, and the bare hash.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::insight::NODE_HARMLESS;
use crate::reader::{Field, Object, Path, value_text};
use crate::{Context, GroupIndex, GroupType};

use super::resolve::{self, ResolvedFlags};
use super::{FeatureFlag, FlagCohorts, FlagContext};

/// How many groups are listed where nothing is said.
const USUAL_PAGE: usize = 100;

/// Any question about feature flags.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum FlagsQuestion {
    /// The values of flags for contexts.
    Evaluation(FlagEvaluationQuery),
    /// The values of a flag for every group of a type.
    Values(FlagValuesQuery),
    /// How many groups or persons each condition of a flag takes in.
    Audience(AudienceQuery),
    /// Where identifiers lie.
    Hash(FlagHashQuery),
}

/// Flags and what they need beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagDefinitions {
    flags: Vec<(Path, FeatureFlag)>,
    /// How many of the first are asked for; the others are there because they may be depended on.
    asked: usize,
    cohorts: FlagCohorts,
    group_types: Option<Vec<Option<String>>>,
}

/// The values of flags for contexts.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagEvaluationQuery {
    /// The flags.
    pub definitions: FlagDefinitions,
    /// For whom.
    pub contexts: Vec<FlagContext>,
}

/// The values of a flag for every group of a type, by key.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagValuesQuery {
    /// The flag.
    pub definitions: FlagDefinitions,
    /// The type; that of the flag unless given.
    pub group_type: Option<GroupIndex>,
    /// Groups to list at most.
    pub limit: usize,
    /// Groups to skip.
    pub offset: usize,
}

/// How many groups or persons each condition of a flag takes in.
#[derive(Debug, Clone, PartialEq)]
pub struct AudienceQuery {
    /// The flag.
    pub definitions: FlagDefinitions,
}

/// Where identifiers lie for a flag, from 0 to 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagHashQuery {
    /// The flag's key.
    pub key: String,
    /// Keys of groups, distinct ids or ids of devices.
    pub identifiers: Vec<String>,
    /// Empty for roll-outs, `variant` for variants.
    pub salt: String,
}

impl FlagsQuestion {
    /// The kinds of definitions that are read here.
    pub(crate) const KINDS: &str =
        "FeatureFlagEvaluation, FeatureFlagValues, FeatureFlagAudience, FeatureFlagHash";

    /// Reads a definition of this kind; nothing if the kind is not about flags.
    pub(crate) fn parse(kind: &str, field: &Field<'_>) -> Option<Result<Self>> {
        Some(match kind {
            "FeatureFlagEvaluation" => parse_evaluation(field).map(Self::Evaluation),
            "FeatureFlagValues" => parse_values(field).map(Self::Values),
            "FeatureFlagAudience" => parse_audience(field).map(Self::Audience),
            "FeatureFlagHash" => parse_hash(field).map(Self::Hash),
            _ => return None,
        })
    }
}

impl FlagDefinitions {
    /// Reads flags from JSON: one flag, a list of them, or an object with a list of them as `flags` or `results`, as PostHog's
    /// API gives them, and `cohorts` beside it.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to do instead.
    pub fn from_value(value: &Value) -> Result<Self> {
        let field = Field::new(Path::root(), value);
        let list = ["flags", "results"].into_iter().find(|name| {
            let found = value.get(name);
            found.is_some_and(Value::is_array)
        });
        let flags = match (value, list) {
            (Value::Array(_), _) => parse_flags(&field)?,
            (_, Some(name)) => {
                let fields = value.get(name).unwrap_or(value);
                parse_flags(&Field::new(Path::root().field(name), fields))?
            }
            _ => vec![(Path::root(), FeatureFlag::parse(&field)?)],
        };
        let cohorts = value.get("cohorts").filter(|cohorts| !cohorts.is_null());
        let cohorts = cohorts.map(|cohorts| Field::new(Path::root().field("cohorts"), cohorts));
        Ok(Self {
            asked: flags.len(),
            flags,
            cohorts: cohorts
                .map(|cohorts| FlagCohorts::parse(&cohorts))
                .transpose()?
                .unwrap_or_default(),
            group_types: None,
        })
    }

    /// The flags, those that are asked for first.
    pub fn flags(&self) -> impl Iterator<Item = &FeatureFlag> {
        self.flags.iter().map(|(_, flag)| flag)
    }

    /// The flags that are asked for.
    pub fn asked(&self) -> impl Iterator<Item = &FeatureFlag> {
        self.flags().take(self.asked)
    }

    /// Names of the group types by index: those that came with the flags, else those of the project.
    pub fn group_types<'a>(&'a self, context: &'a Context) -> &'a [Option<String>] {
        self.group_types.as_deref().unwrap_or(&context.group_types)
    }

    /// What the flags mean in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a cohort that refers to itself, [`Error::Unsupported`] for one that cannot be evaluated.
    pub fn resolve(&self, context: &Context) -> Result<ResolvedFlags> {
        resolve::resolve(&self.flags, &self.cohorts, context)
    }

    /// Reads `flag` (or `flags`), `other_flags`, `cohorts` and `group_types`.
    fn parse_fields(object: &mut Object<'_>) -> Result<Self> {
        let mut flags = match (object.get("flag"), object.get("flags")) {
            (Some(field), None) => vec![(field.path.clone(), FeatureFlag::parse(&field)?)],
            (None, Some(field)) => parse_flags(&field)?,
            (Some(_), Some(field)) => {
                return Err(field
                    .invalid("stands beside `flag`; take `other_flags` for those it depends on"));
            }
            (None, None) => return Err(Error::invalid(&object.path.field("flag"), "is missing")),
        };
        let asked = flags.len();
        if let Some(field) = object.get("other_flags") {
            flags.extend(parse_flags(&field)?);
        }
        let cohorts = object.get("cohorts");
        Ok(Self {
            flags,
            asked,
            cohorts: cohorts
                .map(|cohorts| FlagCohorts::parse(&cohorts))
                .transpose()?
                .unwrap_or_default(),
            group_types: object
                .get("group_types")
                .map(|field| parse_group_types(&field))
                .transpose()?,
        })
    }
}

fn parse_flags(field: &Field<'_>) -> Result<Vec<(Path, FeatureFlag)>> {
    let there = field.list()?.into_iter();
    there
        .filter(|field| !FeatureFlag::is_deleted(field))
        .map(|field| Ok((field.path.clone(), FeatureFlag::parse(&field)?)))
        .collect()
}

/// `["company", "project"]` or `{"0": "company", "1": "project"}`.
fn parse_group_types(field: &Field<'_>) -> Result<Vec<Option<String>>> {
    let mut names = vec![None; usize::from(GroupIndex::COUNT)];
    let named: Vec<(String, Field<'_>)> = match field.value {
        Value::Object(fields) => fields
            .iter()
            .map(|(index, name)| (index.clone(), Field::new(field.path.field(index), name)))
            .collect(),
        _ => (0..)
            .map(|at: usize| at.to_string())
            .zip(field.list()?)
            .collect(),
    };
    for (index, name) in named {
        let slot = index.parse().ok().and_then(|at: usize| names.get_mut(at));
        let Some(slot) = slot else {
            return Err(name.invalid("the index of a group type is 0 to 4"));
        };
        *slot = match name.value {
            Value::Null => None,
            _ => Some(name.text()?),
        };
    }
    Ok(names)
}

fn parse_evaluation(field: &Field<'_>) -> Result<FlagEvaluationQuery> {
    let mut object = field.object()?;
    let definitions = FlagDefinitions::parse_fields(&mut object)?;
    let usual = FlagContext::parse_fields(&mut object, &FlagContext::default())?;
    let contexts = match object.get("contexts") {
        None => vec![usual],
        Some(field) => {
            let contexts = field.list()?;
            let read = contexts.iter().map(|one| FlagContext::parse(one, &usual));
            read.collect::<Result<_>>()?
        }
    };
    object.finish(&[NODE_HARMLESS])?;
    Ok(FlagEvaluationQuery {
        definitions,
        contexts,
    })
}

fn parse_values(field: &Field<'_>) -> Result<FlagValuesQuery> {
    let mut object = field.object()?;
    let group_type = object.get("group_type_index");
    let query = FlagValuesQuery {
        definitions: FlagDefinitions::parse_fields(&mut object)?,
        group_type: group_type
            .map(|field| GroupType::parse_index(&field))
            .transpose()?,
        limit: object.count("limit")?.unwrap_or(USUAL_PAGE),
        offset: object.count("offset")?.unwrap_or(0),
    };
    object.finish(&[NODE_HARMLESS])?;
    Ok(query)
}

fn parse_audience(field: &Field<'_>) -> Result<AudienceQuery> {
    let mut object = field.object()?;
    let query = AudienceQuery {
        definitions: FlagDefinitions::parse_fields(&mut object)?,
    };
    object.finish(&[NODE_HARMLESS])?;
    Ok(query)
}

fn parse_hash(field: &Field<'_>) -> Result<FlagHashQuery> {
    let mut object = field.object()?;
    let text = |field: &Field<'_>| match field.value {
        Value::Number(_) => Ok(value_text(field.value)),
        _ => field.text(),
    };
    let mut identifiers = Vec::new();
    for field in object.list("identifiers")? {
        identifiers.push(text(&field)?);
    }
    match object.get("identifier") {
        Some(field) => identifiers.insert(0, text(&field)?),
        None if identifiers.is_empty() => {
            return Err(Error::invalid(
                &field.path.field("identifier"),
                "is missing",
            ));
        }
        None => {}
    }
    let query = FlagHashQuery {
        key: object.require("key")?.text()?,
        identifiers,
        salt: object.text("salt")?.unwrap_or_default(),
    };
    object.finish(&[NODE_HARMLESS])?;
    Ok(query)
}
