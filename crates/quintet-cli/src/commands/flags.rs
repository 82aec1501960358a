//! `quintet flags`: what feature flags are to people and groups.

use quintet::{Engine, QueryOptions};
use serde_json::{Map, Value, json};

use super::query::{definitions, print_answer};
use super::{engine, text};
use crate::arguments::{EvaluateFlags, FlagAudience, FlagFiles, FlagValues, Flags, Limits, Output};
use crate::failure::{Failure, Result};
use crate::output;

/// Where a file of several flags has them, as PostHog's API answers.
const LISTS: [&str; 2] = ["flags", "results"];

pub(super) async fn run(flags: Flags, limits: Limits) -> Result<()> {
    match flags {
        Flags::Evaluate(evaluate) => self::evaluate(evaluate, limits).await,
        Flags::Audience(audience) => self::audience(audience, limits).await,
        Flags::Values(values) => self::values(values, limits).await,
    }
}

async fn evaluate(evaluate: EvaluateFlags, limits: Limits) -> Result<()> {
    let mut definition = asked("FeatureFlagEvaluation", &evaluate.flags)?;
    let person = evaluate.person_properties.as_deref();
    let person = person.map(|text| parsed("--person-properties", text));
    let mut group_properties = Map::new();
    for (group_type, properties) in &evaluate.group_properties {
        let properties = parsed("--group-properties", properties)?;
        group_properties.insert(group_type.clone(), properties);
    }
    let groups = evaluate.groups.into_iter();
    let groups: Map<String, Value> = groups.map(|(name, key)| (name, json!(key))).collect();
    definition.extend([
        ("distinct_id".to_owned(), json!(evaluate.distinct_id)),
        ("device_id".to_owned(), json!(evaluate.device_id)),
        ("person_properties".to_owned(), json!(person.transpose()?)),
        ("groups".to_owned(), Value::Object(groups)),
        (
            "group_properties".to_owned(),
            Value::Object(group_properties),
        ),
    ]);
    let engine = engine(limits).open(&evaluate.flags.store).await?;
    ask(&engine, definition, &evaluate.flags, evaluate.output).await
}

async fn audience(audience: FlagAudience, limits: Limits) -> Result<()> {
    let definition = asked("FeatureFlagAudience", &audience.flags)?;
    let engine = engine(limits).open(&audience.flags.store).await?;
    ask(&engine, definition, &audience.flags, audience.output).await
}

async fn values(values: FlagValues, limits: Limits) -> Result<()> {
    let mut definition = asked("FeatureFlagValues", &values.flags)?;
    let engine = engine(limits).open(&values.flags.store).await?;
    if let Some(group_type) = &values.group_type {
        let index = engine.group_type_index(group_type).await?.get();
        definition.insert("group_type_index".to_owned(), json!(index));
    }
    definition.insert("limit".to_owned(), json!(values.limit));
    definition.insert("offset".to_owned(), json!(values.offset));
    ask(&engine, definition, &values.flags, values.output).await
}

async fn ask(
    engine: &Engine,
    definition: Map<String, Value>,
    files: &FlagFiles,
    output: Output,
) -> Result<()> {
    let format = output::format(output.format)?;
    let options = QueryOptions {
        now: files.now.clone(),
        definitions: files.definitions.as_deref().map(definitions).transpose()?,
        ..QueryOptions::default()
    };
    let definition = Value::Object(definition).to_string();
    let answer = engine.query_with(&definition, &options).await?;
    print_answer(&answer, format)
}

/// The question of this kind about the flags of a file.
fn asked(kind: &str, files: &FlagFiles) -> Result<Map<String, Value>> {
    let (mut flags, cohorts) = flags_of(parsed_file(&files.file)?);
    let mut others = match &files.other_flags {
        Some(path) => match flags_of(parsed_file(path)?).0 {
            Value::Array(others) => others,
            one => vec![one],
        },
        None => Vec::new(),
    };
    if let Some(key) = &files.flag {
        let all = match flags {
            Value::Array(all) => all,
            one => vec![one],
        };
        let is_wanted = |flag: &Value| flag.get("key").and_then(Value::as_str) == Some(key);
        let (wanted, rest): (Vec<Value>, Vec<Value>) = all.into_iter().partition(is_wanted);
        others.extend(rest);
        flags = wanted.into_iter().next().ok_or_else(|| {
            Failure::invalid(
                "--flag",
                format!(
                    "unknown flag '{key}'; {} has none of this key",
                    files.file.display()
                ),
            )
        })?;
    }
    let name = if flags.is_array() { "flags" } else { "flag" };
    Ok(Map::from_iter([
        ("kind".to_owned(), json!(kind)),
        (name.to_owned(), flags),
        ("other_flags".to_owned(), Value::Array(others)),
        ("cohorts".to_owned(), cohorts),
    ]))
}

/// A flag or a list of flags out of a file, and the cohorts beside them.
fn flags_of(mut file: Value) -> (Value, Value) {
    let cohorts = file.get_mut("cohorts").map(Value::take);
    let list = LISTS
        .iter()
        .find(|name| file.get(**name).is_some_and(Value::is_array));
    let flags = match list.and_then(|name| file.get_mut(*name)) {
        Some(list) => list.take(),
        None => file,
    };
    (flags, cohorts.unwrap_or_default())
}

fn parsed_file(path: &std::path::Path) -> Result<Value> {
    parsed(&path.display().to_string(), &text(path)?)
}

fn parsed(argument: &str, text: &str) -> Result<Value> {
    serde_json::from_str(text)
        .map_err(|error| Failure::invalid(argument, format!("it is no JSON ({error})")))
}
