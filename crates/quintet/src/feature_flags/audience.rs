//! How many groups or persons the conditions of a flag take in, counted over the store without a server.

use std::collections::BTreeMap;

use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::{array_agg, min};
use datafusion::prelude::DataFrame;
use quintet_behavior::flags::{
    Bucketing, Context as Somebody, Flag, FlagValue, GROUP_TYPES, Place, Subject,
};
use quintet_query::GroupIndex;
use quintet_query::flags::{FlagDefinitions, FlagWarning};
use quintet_store::schema;
use serde_json::{Map, Value, json};

use super::stored::{ID, KEY, properties_of};
use super::{Asked, Flags, with_warnings};
use crate::Result;
use crate::answer::Answer;
use crate::data::column;
use crate::rows::objects;

/// The distinct id that a person is rolled out by, and all of them.
const FIRST_ID: &str = "first id";
const ALL_IDS: &str = "all ids";
const PERSON: &str = "person of ids";

/// One row per condition of every flag that is asked for; beside them, as `summary`, how many get which value by all conditions
/// in their order.
pub(super) async fn answer(definitions: &FlagDefinitions, asked: Asked<'_>) -> Result<Answer> {
    let flags = Flags::new(definitions, asked.context)?;
    let mut warnings = flags.warnings().to_vec();
    let (mut rows, mut summary) = (Vec::new(), Vec::new());
    for definition in definitions.asked() {
        let mut all = flags.set().flags().iter();
        let Some(flag) = all.find(|flag| flag.key == definition.key) else {
            continue;
        };
        warnings.extend(not_counted(flag, &flags));
        let mut counts = vec![Count::default(); flag.conditions.len()];
        for subject in subjects(flag) {
            let mut whole = Whole::default();
            each(subject, asked, |somebody| {
                whole.add(&flags, &flag.key, somebody);
                let places = flags.set().places(&flag.key, somebody);
                let places = places.into_iter().flatten().zip(&flag.conditions);
                for ((place, condition), count) in places.zip(&mut counts) {
                    if condition.by == subject {
                        count.add(place);
                    }
                }
            })
            .await?;
            summary.push(whole.to_json(flag, &flags, subject));
        }
        let conditions = flag.conditions.iter().zip(&counts).enumerate();
        rows.extend(
            conditions
                .map(|(at, (condition, count))| count.to_json(flag, at, &flags, condition.by)),
        );
    }
    let columns = [
        "key",
        "condition_index",
        "of",
        "total",
        "matching",
        "in_rollout",
        "values",
    ];
    Ok(with_warnings(Answer::of_rows(rows), &warnings)
        .with("summary", Value::Array(summary))
        .with("columns", json!(columns)))
}

/// Whom the conditions are about, each once.
fn subjects(flag: &Flag) -> Vec<Subject> {
    let groups = (0..GROUP_TYPES).map(Subject::Group);
    let all = [Subject::Person].into_iter().chain(groups);
    all.filter(|subject| flag.conditions.iter().any(|one| one.by == *subject))
        .collect()
}

/// What cannot be counted: groups are looked at without their people, and people without their groups and devices.
fn not_counted(flag: &Flag, flags: &Flags) -> Vec<FlagWarning> {
    let mut warnings = Vec::new();
    for (at, condition) in flag.conditions.iter().enumerate() {
        let groups = (0..GROUP_TYPES).map(Subject::Group);
        let mut others = [Subject::Person].into_iter().chain(groups);
        let other = others.find(|of| *of != condition.by && condition.test.asks_about(*of));
        if let Some(other) = other {
            warnings.push(FlagWarning {
                code: "other_subject",
                message: format!(
                    "condition {at} of '{}' is about a {}, but asks for properties of a {}, which are taken to be absent",
                    flag.key,
                    flags.name(condition.by),
                    flags.name(other)
                ),
            });
        }
    }
    let of_persons = flag.conditions.iter().any(|one| one.by == Subject::Person);
    if of_persons && flag.bucketing == Bucketing::DeviceId {
        warnings.push(FlagWarning {
            code: "no_devices",
            message: format!(
                "'{}' is rolled out by device, and no device of a person is stored: nobody is counted",
                flag.key
            ),
        });
    }
    warnings
}

/// Who a condition takes in.
#[derive(Debug, Clone, Default)]
struct Count {
    total: u64,
    matching: u64,
    values: BTreeMap<String, u64>,
}

impl Count {
    fn add(&mut self, place: Place<'_>) {
        self.total += 1;
        match place {
            Place::NoSubject | Place::Outside => {}
            Place::OutOfRollout => self.matching += 1,
            Place::In(value) => {
                self.matching += 1;
                *self.values.entry(name(value)).or_default() += 1;
            }
        }
    }

    fn to_json(&self, flag: &Flag, at: usize, flags: &Flags, by: Subject) -> Value {
        json!({
            "key": flag.key,
            "condition_index": at,
            "of": flags.name(by),
            "group_type_index": index(by),
            "total": self.total,
            "matching": self.matching,
            "in_rollout": self.values.values().sum::<u64>(),
            "values": self.values,
        })
    }
}

/// What everybody of a kind gets.
#[derive(Default)]
struct Whole {
    total: u64,
    values: BTreeMap<String, u64>,
}

impl Whole {
    fn add(&mut self, flags: &Flags, key: &str, somebody: &Somebody) {
        self.total += 1;
        let found = flags.evaluate(key, somebody);
        if let Some(found) = found.filter(|found| found.value.is_on()) {
            *self.values.entry(name(found.value)).or_default() += 1;
        }
    }

    fn to_json(&self, flag: &Flag, flags: &Flags, of: Subject) -> Value {
        json!({
            "key": flag.key,
            "of": flags.name(of),
            "group_type_index": index(of),
            "total": self.total,
            "on": self.values.values().sum::<u64>(),
            "values": self.values,
        })
    }
}

fn index(subject: Subject) -> Option<usize> {
    match subject {
        Subject::Person => None,
        Subject::Group(index) => Some(index),
    }
}

fn name(value: FlagValue<'_>) -> String {
    match value {
        FlagValue::Variant(key) => key.to_owned(),
        FlagValue::On => "true".to_owned(),
        FlagValue::Off => "false".to_owned(),
    }
}

/// Everybody of a kind who is declared, one after the other.
async fn each(subject: Subject, asked: Asked<'_>, mut one: impl FnMut(&Somebody)) -> Result<()> {
    let plan = match subject {
        Subject::Person => persons(asked)?,
        Subject::Group(at) => match u8::try_from(at).ok().and_then(GroupIndex::new) {
            Some(index) => match asked.data.groups(index)? {
                Some((groups, _)) => {
                    Some(groups.select(vec![column(KEY), column(schema::PROPERTIES)])?)
                }
                None => None,
            },
            None => None,
        },
    };
    let Some(plan) = plan else {
        return Ok(());
    };
    asked
        .run
        .each(plan, |batch| {
            for row in objects(&[batch])? {
                one(&somebody(subject, row));
            }
            Ok(())
        })
        .await
}

/// Persons with their ids. One with several is rolled out by the first, as by any that it may come with.
fn persons(asked: Asked<'_>) -> Result<Option<DataFrame>> {
    let (Some((persons, _)), Some(ids)) = (asked.data.persons()?, asked.data.distinct_ids()?)
    else {
        return Ok(None);
    };
    let ids = ids.aggregate(
        vec![column(schema::PERSON_ID).alias(PERSON)],
        vec![
            min(column(schema::DISTINCT_ID)).alias(FIRST_ID),
            array_agg(column(schema::DISTINCT_ID)).alias(ALL_IDS),
        ],
    )?;
    let persons = persons.select(vec![column(ID), column(schema::PROPERTIES)])?;
    let persons = persons.join(ids, JoinType::Inner, &[ID], &[PERSON], None)?;
    Ok(Some(persons))
}

fn somebody(subject: Subject, mut row: Map<String, Value>) -> Somebody {
    let mut somebody = Somebody::default();
    let text = |value: Option<Value>| match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    match subject {
        Subject::Person => {
            somebody.person.properties = properties_of(&row);
            somebody.distinct_id = text(row.remove(FIRST_ID));
            if let Some(Value::Array(ids)) = row.remove(ALL_IDS) {
                somebody.person.distinct_ids =
                    ids.into_iter().filter_map(|id| text(Some(id))).collect();
            }
        }
        Subject::Group(at) => {
            if let Some(group) = somebody.groups.get_mut(at) {
                group.properties = properties_of(&row);
                group.key = text(row.remove(KEY));
            }
        }
    }
    somebody.with_ids()
}
