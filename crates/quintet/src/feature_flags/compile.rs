//! From flags as they are defined to flags that can be evaluated.

use std::sync::Arc;

use chrono::Utc;
use quintet_behavior::flags::{
    Bucketing, Condition, Context as Somebody, Dependency, Evaluation, Flag, FlagSet, Holdout,
    Problem, Subject, Test, Variant, Wanted,
};
use quintet_behavior::property::Matcher;
use quintet_query::flags::{
    FeatureFlag, FlagCondition, FlagContext, FlagDefinitions, FlagFilter, FlagProperty, FlagWanted,
    FlagWarning,
};
use quintet_query::trends::Actor;
use quintet_query::{Context, GroupIndex};
use serde_json::Value;

use crate::Result;

/// PostHog's flags, ready to be evaluated for anybody, any number of times, without a store. May be shared between threads.
#[derive(Debug, Clone)]
pub struct Flags {
    set: FlagSet,
    /// Names of the group types by index.
    types: Vec<Option<String>>,
    warnings: Vec<FlagWarning>,
}

impl Flags {
    /// Flags without an engine: a flag, a list of them, or what PostHog's API answers, and the names of the group types by
    /// index. Relative dates are counted back from now. See [`Engine::flags`](crate::Engine::flags).
    ///
    /// ```
    /// use quintet::Flags;
    /// use quintet::query::flags::FlagContext;
    ///
    /// let editor = serde_json::json!({"key": "editor", "active": true,
    ///     "filters": {"aggregation_group_type_index": 0, "groups": [{"rollout_percentage": 100}]}});
    /// let flags = Flags::parse(&editor, &["company"])?;
    /// let ann = FlagContext { groups: vec![("company".into(), "acme".into())], ..FlagContext::default() };
    /// let found = flags.evaluate("editor", &flags.context(&ann)).ok_or("no such flag")?;
    /// assert!(found.value.is_on());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// `Invalid` and `Unsupported` name the place in the definition.
    pub fn parse(definition: &Value, group_types: &[&str]) -> Result<Self> {
        let mut context = Context::new(Utc::now());
        context.group_types = group_types
            .iter()
            .map(|name| Some((*name).to_owned()))
            .collect();
        Self::new(&FlagDefinitions::from_value(definition)?, &context)
    }

    pub(crate) fn new(definitions: &FlagDefinitions, context: &Context) -> Result<Self> {
        let resolved = definitions.resolve(context)?;
        let mut compiler = Compiler {
            warnings: resolved.warnings,
            flag: String::new(),
        };
        let flags = resolved.flags.iter().map(|flag| compiler.flag(flag));
        let set = FlagSet::new(flags.collect());
        let mut warnings = compiler.warnings;
        warnings.extend(set.problems().iter().map(problem));
        Ok(Self {
            set,
            types: definitions.group_types(context).to_vec(),
            warnings,
        })
    }

    /// The value of a flag; nothing if there is none of this key.
    pub fn evaluate(&self, key: &str, somebody: &Somebody) -> Option<Evaluation<'_>> {
        self.set.evaluate(key, somebody)
    }

    /// The flags themselves.
    pub const fn set(&self) -> &FlagSet {
        &self.set
    }

    /// What is not as it seems: conditions that can never hold, cohorts that nobody defined.
    pub fn warnings(&self) -> &[FlagWarning] {
        &self.warnings
    }

    /// Somebody of whom nothing is known but what the caller gives. Groups of types that have no index are left out.
    pub fn context(&self, given: &FlagContext) -> Somebody {
        let mut somebody = Somebody {
            distinct_id: given.distinct_id.clone(),
            device_id: given.device_id.clone(),
            ..Somebody::default()
        };
        somebody.person.properties = given.person_properties.clone();
        for (name, key) in &given.groups {
            if let Some(group) = self.index(name).and_then(|at| somebody.groups.get_mut(at)) {
                group.key = Some(key.clone());
            }
        }
        for (name, properties) in &given.group_properties {
            if let Some(group) = self.index(name).and_then(|at| somebody.groups.get_mut(at)) {
                group.properties = properties.clone();
            }
        }
        somebody.with_ids()
    }

    /// Group types that contexts name and nobody knows.
    pub(super) fn unknown_types(&self, contexts: &[FlagContext]) -> Vec<FlagWarning> {
        let named = contexts.iter().flat_map(|context| {
            let groups = context.groups.iter().map(|(name, _)| name);
            groups.chain(context.group_properties.iter().map(|(name, _)| name))
        });
        let mut unknown: Vec<&String> = named.filter(|name| self.index(name).is_none()).collect();
        unknown.sort();
        unknown.dedup();
        let warning = |name: &&String| FlagWarning {
            code: "unknown_group_type",
            message: format!("there is no group type '{name}'; its group is left out"),
        };
        unknown.iter().map(warning).collect()
    }

    /// How a subject is called.
    pub(super) fn name(&self, subject: Subject) -> String {
        match subject {
            Subject::Person => "person".to_owned(),
            Subject::Group(index) => {
                let name = self.types.get(index).cloned().flatten();
                name.unwrap_or_else(|| format!("group type {index}"))
            }
        }
    }

    fn index(&self, name: &str) -> Option<usize> {
        self.types
            .iter()
            .position(|known| known.as_deref() == Some(name))
    }
}

fn problem(problem: &Problem) -> FlagWarning {
    match problem {
        Problem::UnknownFlag { flag, on } => FlagWarning {
            code: "unknown_flag",
            message: format!(
                "flag '{flag}' depends on '{on}', which is not there: the condition never holds"
            ),
        },
        Problem::Cycle { flag, on } => FlagWarning {
            code: "flag_cycle",
            message: format!(
                "flag '{flag}' depends on '{on}', which depends on it: the condition never holds"
            ),
        },
    }
}

/// Whom the evaluator means.
pub(super) fn subject(actor: Actor) -> Subject {
    match actor {
        Actor::Person => Subject::Person,
        Actor::Group(index) => Subject::Group(place(index)),
    }
}

fn place(index: GroupIndex) -> usize {
    usize::from(index.get())
}

struct Compiler {
    warnings: Vec<FlagWarning>,
    /// The flag at hand.
    flag: String,
}

impl Compiler {
    fn flag(&mut self, flag: &FeatureFlag<FlagFilter>) -> Flag {
        self.flag.clone_from(&flag.key);
        let variants = flag.variants.iter().map(|variant| Variant {
            key: variant.key.clone(),
            percentage: variant.percentage,
        });
        Flag {
            key: flag.key.clone(),
            id: flag.id,
            active: flag.active,
            conditions: flag
                .conditions
                .iter()
                .map(|one| self.condition(one))
                .collect(),
            early_exit: flag.early_exit,
            variants: variants.collect(),
            payloads: flag.payloads.clone(),
            by: flag.group_type.map(place),
            bucketing: match flag.by_device {
                true => Bucketing::DeviceId,
                false => Bucketing::DistinctId,
            },
            holdout: flag.holdout.as_ref().map(|holdout| Holdout {
                test: self.test(&holdout.filter),
                percentage: holdout.percentage,
                variant: holdout.variant.clone(),
            }),
            enrollment: flag.enrollment.as_ref().map(|one| self.condition(one)),
        }
    }

    fn condition(&mut self, condition: &FlagCondition<FlagFilter>) -> Condition {
        Condition {
            by: subject(condition.by),
            test: self.test(&condition.filter),
            rollout: condition.rollout,
            variant: condition.variant.clone(),
        }
    }

    fn test(&mut self, filter: &FlagFilter) -> Test {
        match filter {
            FlagFilter::All(filters) => Test::All(filters.iter().map(|f| self.test(f)).collect()),
            FlagFilter::Any(filters) => Test::Any(filters.iter().map(|f| self.test(f)).collect()),
            FlagFilter::Not(filter) => Test::Not(Box::new(self.test(filter))),
            FlagFilter::Property(property) => self.property(property),
            FlagFilter::Listed(ids) => Test::Listed(Arc::new(ids.iter().cloned().collect())),
            FlagFilter::Flag { flag, wanted } => Test::Flag(Dependency::on(
                flag,
                match wanted {
                    FlagWanted::On => Wanted::On,
                    FlagWanted::Off => Wanted::Off,
                    FlagWanted::Variant(key) => Wanted::Variant(key.clone()),
                },
            )),
        }
    }

    /// A value that its operator cannot use, such as a broken pattern, is matched by nothing; that is told, but no error, because
    /// PostHog serves such flags.
    fn property(&mut self, property: &FlagProperty) -> Test {
        match Matcher::for_flags(property.operator.name(), &property.values) {
            Ok(matcher) => Test::Property {
                of: subject(property.of),
                key: property.key.clone(),
                matcher: Box::new(matcher),
            },
            Err(error) => {
                self.warnings.push(FlagWarning {
                    code: "unusable_value",
                    message: format!(
                        "flag '{}': the condition on '{}' never holds, as {error}",
                        self.flag, property.key
                    ),
                });
                Test::never()
            }
        }
    }
}
