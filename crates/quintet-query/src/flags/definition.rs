//! A feature flag after validation.

use serde_json::Value;

use crate::GroupIndex;
use crate::filter::Operator;
use crate::trends::Actor;

/// A feature flag; `F` is what its conditions demand, [`FlagNode`] as it is written, [`FlagFilter`] once resolved.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureFlag<F = FlagNode> {
    /// Its name in code.
    pub key: String,
    /// Its number.
    pub id: Option<i64>,
    /// False: off for everybody.
    pub active: bool,
    /// The group type that the flag as a whole is about; none is persons.
    pub group_type: Option<GroupIndex>,
    /// Alternatives, tried in order.
    pub conditions: Vec<FlagCondition<F>>,
    /// A condition whose properties match but whose roll-out excludes ends the evaluation.
    pub early_exit: bool,
    /// What is handed out; the percentages sum up to 100 at most.
    pub variants: Vec<FlagVariant>,
    /// What comes with a value: by a variant's key, or under `true`.
    pub payloads: Vec<(String, Value)>,
    /// Persons are rolled out by device instead of distinct id.
    pub by_device: bool,
    /// Who is kept out of experiments.
    pub holdout: Option<FlagHoldout<F>>,
    /// What persons decided for themselves.
    pub enrollment: Option<FlagCondition<F>>,
    /// Values should outlast a change of the distinct id, which takes a memory that is not here.
    pub ensures_continuity: bool,
}

/// One way to have a flag on.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagCondition<F = FlagNode> {
    /// Whom it is about, and by whom it is rolled out.
    pub by: Actor,
    /// What must hold of them.
    pub filter: F,
    /// Percent, 0 to 100; all of them without.
    pub rollout: Option<f64>,
    /// The variant that they get.
    pub variant: Option<String>,
}

/// A variant and its share.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagVariant {
    /// Its name in code.
    pub key: String,
    /// Percent, 0 to 100.
    pub percentage: f64,
}

/// A share of everybody that is kept out of experiments.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagHoldout<F = FlagNode> {
    /// Who can be held out at all.
    pub filter: F,
    /// Percent, 0 to 100.
    pub percentage: f64,
    /// What they get instead, such as `holdout-3`.
    pub variant: String,
}

/// What a condition demands, as it is written.
#[derive(Debug, Clone, PartialEq)]
pub enum FlagNode {
    /// Every one holds; an empty list is true.
    All(Vec<FlagNode>),
    /// At least one holds; an empty list is true, as in PostHog.
    Any(Vec<FlagNode>),
    /// It does not hold.
    Not(Box<FlagNode>),
    /// A property compared with values.
    Property(FlagProperty),
    /// The person is in the cohort of this number.
    Cohort(i64),
    /// Another flag has some value.
    Flag {
        /// Its key, or its number as text.
        flag: String,
        /// What it must be.
        wanted: FlagWanted,
    },
}

/// What a condition demands, with cohorts looked up and dates made absolute.
#[derive(Debug, Clone, PartialEq)]
pub enum FlagFilter {
    /// Every one holds; an empty list is true.
    All(Vec<FlagFilter>),
    /// At least one holds; an empty list is false.
    Any(Vec<FlagFilter>),
    /// It does not hold.
    Not(Box<FlagFilter>),
    /// A property compared with values.
    Property(FlagProperty),
    /// The person goes by one of these distinct ids.
    Listed(Vec<String>),
    /// Another flag has some value.
    Flag {
        /// Its key, or its number as text.
        flag: String,
        /// What it must be.
        wanted: FlagWanted,
    },
}

/// A property of a person or a group, an operator and the values it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagProperty {
    /// Whose.
    pub of: Actor,
    /// Its name.
    pub key: String,
    /// How it is compared.
    pub operator: Operator,
    /// The values as text.
    pub values: Vec<String>,
}

/// What another flag must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlagWanted {
    /// On, with or without a variant.
    On,
    /// Off.
    Off,
    /// Exactly this variant.
    Variant(String),
}

impl<F> FeatureFlag<F> {
    /// The same flag with each demand made into something else.
    pub(crate) fn try_map<T, E>(
        &self,
        mut each: impl FnMut(&F) -> Result<T, E>,
    ) -> Result<FeatureFlag<T>, E> {
        Ok(FeatureFlag {
            key: self.key.clone(),
            id: self.id,
            active: self.active,
            group_type: self.group_type,
            conditions: self
                .conditions
                .iter()
                .map(|condition| condition.try_map(&mut each))
                .collect::<Result<_, E>>()?,
            early_exit: self.early_exit,
            variants: self.variants.clone(),
            payloads: self.payloads.clone(),
            by_device: self.by_device,
            holdout: match &self.holdout {
                None => None,
                Some(holdout) => Some(FlagHoldout {
                    filter: each(&holdout.filter)?,
                    percentage: holdout.percentage,
                    variant: holdout.variant.clone(),
                }),
            },
            enrollment: match &self.enrollment {
                None => None,
                Some(condition) => Some(condition.try_map(&mut each)?),
            },
            ensures_continuity: self.ensures_continuity,
        })
    }
}

impl<F> FlagCondition<F> {
    fn try_map<T, E>(
        &self,
        each: &mut impl FnMut(&F) -> Result<T, E>,
    ) -> Result<FlagCondition<T>, E> {
        Ok(FlagCondition {
            by: self.by,
            filter: each(&self.filter)?,
            rollout: self.rollout,
            variant: self.variant.clone(),
        })
    }
}
