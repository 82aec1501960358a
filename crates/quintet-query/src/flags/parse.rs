//! Reading a feature flag from PostHog's JSON.
//!
//! Fields beside a flag's `filters` are its administration, of which PostHog has more with every version: those that are not known
//! are passed over. Within `filters` they could change who gets a flag, and are refused.

use serde_json::Value;

use crate::error::Result;
use crate::filter::Operator;
use crate::reader::{Field, Object};
use crate::trends::Actor;
use crate::{GroupIndex, GroupType};

use super::{FeatureFlag, FlagCondition, FlagHoldout, FlagNode, FlagProperty, FlagVariant};

const AGGREGATION: &str = "aggregation_group_type_index";
/// Fields of a condition that only tell people what it is.
const HARMLESS: &[&str] = &["description", "name", "sort_key", "users_affected", "id"];
/// Sums of percentages may miss 100 by this much, because they are no whole numbers.
const ROUNDING: f64 = 1e-6;

impl FeatureFlag {
    /// Reads a flag.
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let key_field = object.require("key")?;
        let key = key_field.text()?;
        if key.is_empty() {
            return Err(key_field.invalid("must not be empty; the key is part of what is hashed"));
        }
        if object.flag("deleted")? {
            return Err(field.invalid(format!(
                "unknown flag: '{key}' is deleted; restore it, or ask for another"
            )));
        }
        let active = object.get("active").map(|field| field.flag()).transpose()?;
        let filters = object.require("filters")?;
        let mut filters = filters.object()?;
        // PostHog keeps these two beside the filters; its libraries are also given them within.
        let by_device = by_device(&mut object)?.or(by_device(&mut filters)?);
        let continuity = "ensure_experience_continuity";
        let ensures_continuity = object.flag(continuity)? | filters.flag(continuity)?;
        let group_type = group_type(&mut filters)?;
        let by = group_type.map_or(Actor::Person, Actor::Group);
        let conditions = filters.list("groups")?;
        let flag = Self {
            id: object.integer("id")?,
            active: active.unwrap_or(true),
            group_type,
            conditions: conditions
                .iter()
                .map(|condition| parse_condition(condition, by))
                .collect::<Result<_>>()?,
            early_exit: filters.flag("early_exit")?,
            variants: variants(&mut filters)?,
            payloads: payloads(&mut filters)?,
            by_device: by_device.unwrap_or(false),
            holdout: holdout(&mut filters, by)?,
            enrollment: enrollment(&mut filters, &key)?,
            ensures_continuity,
            key,
        };
        filters.finish(&[])?;
        Ok(flag)
    }

    /// Whether a list of flags should leave it out: a deleted flag does not exist.
    pub(crate) fn is_deleted(field: &Field<'_>) -> bool {
        field.value.get("deleted") == Some(&Value::Bool(true))
    }
}

fn by_device(object: &mut Object<'_>) -> Result<Option<bool>> {
    let identifiers = [("distinct_id", false), ("device_id", true)];
    object.one_of("bucketing_identifier", &identifiers)
}

fn group_type(object: &mut Object<'_>) -> Result<Option<GroupIndex>> {
    let field = object.get(AGGREGATION);
    field
        .map(|field| GroupType::parse_index(&field))
        .transpose()
}

/// `by` is whom the flag is about: a condition that says nothing is about the same, one that says null is about persons.
fn parse_condition(field: &Field<'_>, by: Actor) -> Result<FlagCondition> {
    let mut object = field.object()?;
    let own = group_type(&mut object)?;
    let by = match field.value.get(AGGREGATION) {
        None => by,
        Some(_) => own.map_or(Actor::Person, Actor::Group),
    };
    let condition = FlagCondition {
        by,
        filter: match object.get("properties") {
            Some(properties) => FlagNode::parse(&properties, by)?,
            None => FlagNode::All(Vec::new()),
        },
        rollout: percentage(&mut object, "rollout_percentage")?,
        variant: object.filled_text("variant")?,
    };
    object.finish(&[HARMLESS])?;
    Ok(condition)
}

fn percentage(object: &mut Object<'_>, name: &'static str) -> Result<Option<f64>> {
    let Some(field) = object.get(name) else {
        return Ok(None);
    };
    match field.number()? {
        percentage if (0.0..=100.0).contains(&percentage) => Ok(Some(percentage)),
        percentage => {
            Err(field.invalid(format!("is a percentage from 0 to 100, not {percentage}")))
        }
    }
}

fn variants(filters: &mut Object<'_>) -> Result<Vec<FlagVariant>> {
    let Some(mut multivariate) = filters.object("multivariate")? else {
        return Ok(Vec::new());
    };
    let path = multivariate.path.field("variants");
    let variants = multivariate.list("variants")?;
    let variants: Vec<FlagVariant> = variants.iter().map(variant).collect::<Result<_>>()?;
    multivariate.finish(&[])?;
    let sum: f64 = variants.iter().map(|variant| variant.percentage).sum();
    if sum > 100.0 + ROUNDING {
        return Err(crate::Error::invalid(
            &path,
            format!("the percentages of the variants sum up to {sum}; they share 100"),
        ));
    }
    Ok(variants)
}

fn variant(field: &Field<'_>) -> Result<FlagVariant> {
    let mut object = field.object()?;
    let variant = FlagVariant {
        key: object.require("key")?.text()?,
        percentage: percentage(&mut object, "rollout_percentage")?.unwrap_or(0.0),
    };
    object.finish(&[HARMLESS])?;
    Ok(variant)
}

/// Payloads lie in PostHog as JSON text; what does not parse is text.
fn payloads(filters: &mut Object<'_>) -> Result<Vec<(String, Value)>> {
    let Some(field) = filters.get("payloads") else {
        return Ok(Vec::new());
    };
    field.object()?;
    let payloads = field.value.as_object().into_iter().flatten();
    let parsed = |payload: &Value| match payload {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| payload.clone()),
        _ => payload.clone(),
    };
    Ok(payloads
        .filter(|(_, payload)| !payload.is_null())
        .map(|(key, payload)| (key.clone(), parsed(payload)))
        .collect())
}

/// `holdout: {id, exclusion_percentage}`, or the older `holdout_groups: [condition]`.
fn holdout(filters: &mut Object<'_>, by: Actor) -> Result<Option<FlagHoldout>> {
    let older = filters.list("holdout_groups")?;
    if let Some(mut object) = filters.object("holdout")? {
        let id = object.require("id")?.integer()?;
        let holdout = FlagHoldout {
            filter: FlagNode::All(Vec::new()),
            percentage: percentage(&mut object, "exclusion_percentage")?.unwrap_or(0.0),
            variant: format!("holdout-{id}"),
        };
        object.finish(&[HARMLESS])?;
        return Ok(Some(holdout));
    }
    let Some(field) = older.first() else {
        return Ok(None);
    };
    let condition = parse_condition(field, by)?;
    Ok(Some(FlagHoldout {
        filter: condition.filter,
        percentage: condition.rollout.unwrap_or(100.0),
        variant: condition.variant.unwrap_or_else(|| "holdout".to_owned()),
    }))
}

/// What persons decided for themselves: always about the person, whatever the flag is about.
fn enrollment(filters: &mut Object<'_>, key: &str) -> Result<Option<FlagCondition>> {
    let first = filters.list("super_groups")?;
    let own = filters.flag("feature_enrollment")?;
    if let Some(field) = first.first() {
        let condition = parse_condition(field, Actor::Person)?;
        return Ok(Some(FlagCondition {
            by: Actor::Person,
            ..condition
        }));
    }
    let decided = FlagProperty {
        of: Actor::Person,
        key: format!("$feature_enrollment/{key}"),
        operator: Operator::Exact,
        values: vec!["true".to_owned()],
    };
    Ok(own.then_some(FlagCondition {
        by: Actor::Person,
        filter: FlagNode::Property(decided),
        rollout: None,
        variant: None,
    }))
}
