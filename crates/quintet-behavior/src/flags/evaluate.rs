//! The algorithm, in the order of `spec/groups-and-ingestion.md` section 5.2.

use super::definition::{Bucketing, Condition, Dependency, Flag, Test, Wanted};
use super::outcome::{Evaluation, FlagValue, Place, Reason};
use super::{Context, Subject, hash, holdout_hash};

/// The values of flags that others may depend on, by their place in the set.
pub(super) type Known<'a> = [Option<FlagValue<'a>>];

impl Flag {
    pub(super) fn evaluate<'a>(&'a self, context: &Context, known: &Known<'_>) -> Evaluation<'a> {
        if !self.active {
            return Evaluation::off(Reason::InactiveFlag, None);
        }
        let before = self.held_out(context, known);
        if let Some(decided) = before.or_else(|| self.enrolled(context, known)) {
            return decided;
        }
        let mut told = (Reason::NoConditionMatch, None);
        for (index, condition) in self.conditions.iter().enumerate() {
            let reason = match self.place(condition, context, known) {
                Place::In(value) => {
                    return self.with(value, Reason::ConditionMatch, Some(index));
                }
                Place::OutOfRollout if self.early_exit => {
                    return Evaluation::off(Reason::OutOfRolloutBound, Some(index));
                }
                Place::OutOfRollout => Reason::OutOfRolloutBound,
                Place::NoSubject if condition.by != Subject::Person => Reason::NoGroupType,
                Place::NoSubject | Place::Outside => continue,
            };
            if reason > told.0 {
                told = (reason, Some(index));
            }
        }
        Evaluation::off(told.0, told.1)
    }

    /// Where a context lies to one of the conditions, taken by itself.
    pub(super) fn place<'a>(
        &'a self,
        condition: &'a Condition,
        context: &Context,
        known: &Known<'_>,
    ) -> Place<'a> {
        let Some(identifier) = self.identifier(condition.by, context) else {
            return Place::NoSubject;
        };
        if !condition.test.holds(context, known) {
            Place::Outside
        } else if !self.rolls_out_to(condition, identifier) {
            Place::OutOfRollout
        } else {
            Place::In(self.value(condition, identifier))
        }
    }

    /// What a subject is shared out by.
    fn identifier<'c>(&self, by: Subject, context: &'c Context) -> Option<&'c str> {
        match (by, self.bucketing) {
            (Subject::Group(index), _) => context.group_key(index),
            (Subject::Person, Bucketing::DistinctId) => context.distinct_id.as_deref(),
            (Subject::Person, Bucketing::DeviceId) => context.device_id.as_deref(),
        }
    }

    fn held_out<'a>(&'a self, context: &Context, known: &Known<'_>) -> Option<Evaluation<'a>> {
        let holdout = self.holdout.as_ref()?;
        let by = self.by.map_or(Subject::Person, Subject::Group);
        let identifier = self.identifier(by, context)?;
        let is_held_out = holdout_hash(identifier) <= holdout.percentage / 100.0
            && holdout.test.holds(context, known);
        let value = FlagValue::Variant(&holdout.variant);
        is_held_out.then(|| self.with(value, Reason::HoldoutConditionValue, None))
    }

    /// What the person decided, if it did: one of the properties that are asked for is there.
    fn enrolled<'a>(&'a self, context: &Context, known: &Known<'_>) -> Option<Evaluation<'a>> {
        let enrollment = self.enrollment.as_ref()?;
        if !enrollment.test.has_property(context) {
            return None;
        }
        Some(match self.place(enrollment, context, known) {
            Place::In(_) => self.with(FlagValue::On, Reason::SuperConditionValue, None),
            _ => Evaluation::off(Reason::SuperConditionValue, None),
        })
    }

    /// The end of the share is inside; a full share needs no hash.
    fn rolls_out_to(&self, condition: &Condition, identifier: &str) -> bool {
        match condition.rollout {
            Some(percentage) if percentage < 100.0 => {
                hash(&self.key, identifier, "") <= percentage / 100.0
            }
            _ => true,
        }
    }

    fn value<'a>(&'a self, condition: &Condition, identifier: &str) -> FlagValue<'a> {
        let overridden = condition.variant.as_ref();
        let chosen = overridden.and_then(|key| self.variants.iter().find(|v| v.key == *key));
        let variant = chosen.or_else(|| {
            if self.variants.is_empty() {
                return None;
            }
            let at = hash(&self.key, identifier, "variant");
            let mut end = 0.0;
            self.variants.iter().find(|variant| {
                end += variant.percentage / 100.0;
                at < end
            })
        });
        variant.map_or(FlagValue::On, |variant| FlagValue::Variant(&variant.key))
    }

    fn with<'a>(
        &'a self,
        value: FlagValue<'a>,
        reason: Reason,
        condition: Option<usize>,
    ) -> Evaluation<'a> {
        let name = match value {
            FlagValue::Variant(key) => key,
            FlagValue::On | FlagValue::Off => "true",
        };
        let payload = self.payloads.iter().find(|(key, _)| key == name);
        Evaluation {
            value,
            payload: payload.map(|(_, payload)| payload),
            reason,
            condition,
        }
    }
}

impl Test {
    fn holds(&self, context: &Context, known: &Known<'_>) -> bool {
        match self {
            Self::All(tests) => tests.iter().all(|test| test.holds(context, known)),
            Self::Any(tests) => tests.iter().any(|test| test.holds(context, known)),
            Self::Not(test) => !test.holds(context, known),
            Self::Property { of, key, matcher } => matcher.matches_json(context.property(*of, key)),
            Self::Listed(members) => context.ids().any(|id| members.contains(id)),
            Self::Flag(dependency) => dependency.is_met(known),
        }
    }

    /// Whether the context has a property that is asked for.
    fn has_property(&self, context: &Context) -> bool {
        match self {
            Self::All(tests) | Self::Any(tests) => tests.iter().any(|t| t.has_property(context)),
            Self::Not(test) => test.has_property(context),
            Self::Property { of, key, .. } => context.property(*of, key).is_some(),
            Self::Listed(_) | Self::Flag(_) => false,
        }
    }
}

impl Dependency {
    /// A flag without a value, because it is not there or waits for this one, meets nothing.
    fn is_met(&self, known: &Known<'_>) -> bool {
        let value = self.at.and_then(|at| known.get(at).copied().flatten());
        value.is_some_and(|value| match &self.wanted {
            Wanted::On => value.is_on(),
            Wanted::Off => !value.is_on(),
            Wanted::Variant(key) => value == FlagValue::Variant(key),
        })
    }
}
