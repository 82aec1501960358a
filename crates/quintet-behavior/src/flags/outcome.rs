//! What comes of evaluating a flag: its value, why, and by which condition.

use serde_json::Value;

/// The value of a flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FlagValue<'a> {
    /// Off.
    Off,
    /// On, without a variant.
    On,
    /// On, with this variant.
    Variant(&'a str),
}

/// Why a flag has its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The flag is switched off.
    InactiveFlag,
    /// The test of no condition holds.
    NoConditionMatch,
    /// The test of a condition holds, but its roll-out leaves them out.
    OutOfRolloutBound,
    /// A condition is about a group, and none of its type is given.
    NoGroupType,
    /// A condition takes them in.
    ConditionMatch,
    /// They are held out of experiments.
    HoldoutConditionValue,
    /// They decided for themselves.
    SuperConditionValue,
}

/// The value of a flag for a context.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evaluation<'a> {
    /// The value.
    pub value: FlagValue<'a>,
    /// What comes with the value.
    pub payload: Option<&'a Value>,
    /// Why; of several reasons the most telling.
    pub reason: Reason,
    /// The condition that decided, or that gave the reason; none where no single one did.
    pub condition: Option<usize>,
}

/// Where a context lies to one condition, taken by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// It is about a group of a type that is not given, or rolled out by an id that is not.
    NoSubject,
    /// The test does not hold.
    Outside,
    /// The test holds, the roll-out leaves it out.
    OutOfRollout,
    /// It is taken in, and would have this value.
    In(FlagValue<'a>),
}

impl FlagValue<'_> {
    /// True unless the flag is off.
    pub const fn is_on(self) -> bool {
        !matches!(self, Self::Off)
    }

    /// `false`, `true`, or the variant.
    pub fn to_json(self) -> Value {
        match self {
            Self::Off => Value::Bool(false),
            Self::On => Value::Bool(true),
            Self::Variant(key) => Value::from(key),
        }
    }
}

impl Reason {
    /// Its wire name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::InactiveFlag => "inactive_flag",
            Self::NoConditionMatch => "no_condition_match",
            Self::OutOfRolloutBound => "out_of_rollout_bound",
            Self::NoGroupType => "no_group_type",
            Self::ConditionMatch => "condition_match",
            Self::HoldoutConditionValue => "holdout_condition_value",
            Self::SuperConditionValue => "super_condition_value",
        }
    }
}

impl<'a> Evaluation<'a> {
    pub(super) const fn off(reason: Reason, condition: Option<usize>) -> Self {
        Self {
            value: FlagValue::Off,
            payload: None,
            reason,
            condition,
        }
    }

    /// `{"value", "payload"?, "reason", "condition_index"?}`.
    pub fn to_json(&self) -> Value {
        let mut row = serde_json::Map::from_iter([
            ("value".to_owned(), self.value.to_json()),
            ("reason".to_owned(), self.reason.name().into()),
        ]);
        if let Some(payload) = self.payload {
            row.insert("payload".to_owned(), payload.clone());
        }
        if let Some(index) = self.condition {
            row.insert("condition_index".to_owned(), index.into());
        }
        Value::Object(row)
    }
}
