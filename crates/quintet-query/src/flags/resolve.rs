//! From flags as they are written to flags that mean the same at any time: cohorts are looked up, relative dates counted back from
//! the clock.

use std::collections::BTreeSet;

use chrono::SecondsFormat;

use crate::Context;
use crate::dates::instant_before;
use crate::error::{Error, Result};
use crate::reader::Path;

use super::cohorts::Members;
use super::{FeatureFlag, FlagCohorts, FlagFilter, FlagNode, FlagProperty};

/// So many cohorts may lead to each other: more are a mistake, and cost a stack.
const DEEPEST: usize = 64;

/// Flags that are ready to be evaluated, and what should be known about them.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedFlags {
    /// The flags, in their order.
    pub flags: Vec<FeatureFlag<FlagFilter>>,
    /// What is not as it seems.
    pub warnings: Vec<FlagWarning>,
}

/// Something about a flag that is not as it seems, though it can be evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagWarning {
    /// The kind in one word.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

/// Resolves flags, of which `path` tells where each stands.
pub(super) fn resolve(
    flags: &[(Path, FeatureFlag)],
    cohorts: &FlagCohorts,
    context: &Context,
) -> Result<ResolvedFlags> {
    let mut resolver = Resolver {
        cohorts,
        context,
        unknown: BTreeSet::new(),
    };
    let mut warnings = Vec::new();
    let mut resolved = Vec::new();
    for (path, flag) in flags {
        let path = path.field("filters");
        resolved.push(flag.try_map(|node| resolver.filter(node, &path, &[]))?);
        if flag.ensures_continuity {
            warnings.push(FlagWarning {
                code: "experience_continuity_ignored",
                message: format!(
                    "flag '{}' should keep its value when a person is identified; nothing is remembered here, and groups need it not",
                    flag.key
                ),
            });
        }
    }
    warnings.extend(resolver.unknown.iter().map(|id| FlagWarning {
        code: "unknown_cohort",
        message: format!("there is no cohort {id}, so that nobody is in it; give its definition"),
    }));
    Ok(ResolvedFlags {
        flags: resolved,
        warnings,
    })
}

struct Resolver<'a> {
    cohorts: &'a FlagCohorts,
    context: &'a Context,
    /// Cohorts that nobody defined.
    unknown: BTreeSet<i64>,
}

impl Resolver<'_> {
    /// `within` are the cohorts whose descriptions led here.
    fn filter(&mut self, node: &FlagNode, path: &Path, within: &[i64]) -> Result<FlagFilter> {
        let mut all = |nodes: &[FlagNode]| -> Result<Vec<FlagFilter>> {
            let each = nodes.iter().map(|node| self.filter(node, path, within));
            each.collect()
        };
        Ok(match node {
            FlagNode::All(nodes) => FlagFilter::All(all(nodes)?),
            FlagNode::Any(nodes) if nodes.is_empty() => FlagFilter::All(Vec::new()),
            FlagNode::Any(nodes) => FlagFilter::Any(all(nodes)?),
            FlagNode::Not(node) => FlagFilter::Not(Box::new(self.filter(node, path, within)?)),
            FlagNode::Property(property) => FlagFilter::Property(self.property(property)),
            FlagNode::Cohort(id) => self.cohort(*id, path, within)?,
            FlagNode::Flag { flag, wanted } => FlagFilter::Flag {
                flag: flag.clone(),
                wanted: wanted.clone(),
            },
        })
    }

    fn cohort(&mut self, id: i64, path: &Path, within: &[i64]) -> Result<FlagFilter> {
        if within.contains(&id) {
            let reason = format!("cohort {id} refers to itself; take it out of its own filters");
            return Err(Error::invalid(path, reason));
        }
        if within.len() >= DEEPEST {
            let reason = format!(
                "cohort {id} is one of more than {DEEPEST} that lead to each other; write them as fewer"
            );
            return Err(Error::invalid(path, reason));
        }
        match self.cohorts.find(id, &self.context.definitions.cohorts) {
            Some(Members::Listed(ids)) => Ok(FlagFilter::Listed(ids)),
            Some(Members::Described(node)) => self.filter(&node, path, &[within, &[id]].concat()),
            Some(Members::Unsupported(error)) => Err(error),
            None => {
                self.unknown.insert(id);
                Ok(FlagFilter::Any(Vec::new()))
            }
        }
    }

    fn property(&self, property: &FlagProperty) -> FlagProperty {
        let absolute = |value: &String| match instant_before(value, self.context.now) {
            Some(instant) => instant.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            None => value.clone(),
        };
        FlagProperty {
            values: match property.operator.compares_dates() {
                true => property.values.iter().map(absolute).collect(),
                false => property.values.clone(),
            },
            ..property.clone()
        }
    }
}
