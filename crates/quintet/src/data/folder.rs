//! What a folder that nobody loaded lacks, put together from what it has: our names of columns, keys of groups, and persons as
//! they are now.
//!
//! All of it is part of plans: columns that a question does not read cost nothing.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::{last_value, min};
use datafusion::logical_expr::{Expr, ExprFunctionExt};
use datafusion::prelude::{DataFrame, coalesce, in_list, lit, starts_with};
use quintet_functions::expr_fn::{group_key, json_property};
use quintet_store::{Folder, schema};

use super::{Data, column, text};
use crate::Result;

/// The column of all that was known of an event's person at its time.
const PERSON_PROPERTIES: &str = "person_properties";
/// Events that say nothing of their person.
const NO_PERSON: [&str; 3] = ["$groupidentify", "$exception", "$$heatmap"];
/// A distinct id that is joined with events, and whose it is.
const OF_ID: &str = "joined id";
const OF_PERSON: &str = "joined person";

/// What makes up for what a folder lacks.
#[derive(Clone)]
pub(super) struct Unloaded {
    /// Columns with other names than here, and their names here.
    renamed: Vec<(String, String)>,
    /// Keys of groups, by the index that has to be read from the properties.
    groups: Vec<GroupKey>,
    persons: Persons,
    has_person_properties: bool,
    /// Does every event name its person?
    names_persons: bool,
}

/// A column of groups that is put together.
#[derive(Clone)]
struct GroupKey {
    column: &'static str,
    has_column: bool,
    property: Option<&'static str>,
    name: Option<String>,
}

/// How the person of an event is found.
#[derive(Clone)]
enum Persons {
    /// By the event alone.
    Told,
    /// By the event, and then by who became part of whom: old and new person.
    Merged(RecordBatch),
    /// By the distinct id, of which an export says whose it is.
    Exported(RecordBatch),
}

impl Unloaded {
    pub(super) fn of(folder: &Folder) -> Result<Self> {
        let has = |name: &str| folder.columns().iter().any(|known| known == name);
        let groups = (0..).zip(schema::GROUPS).filter_map(|(index, column)| {
            let (property, name) = folder.group_place(index)?;
            Some(GroupKey {
                column,
                has_column: has(column),
                property,
                name: name.map(str::to_owned),
            })
        });
        let persons = match folder.told() {
            Some(told) if told.has_persons => {
                Persons::Exported(told.entities.person_distinct_ids()?.clone())
            }
            Some(told) if !told.merges.is_empty() => Persons::Merged(pairs(told.merges)?),
            _ => Persons::Told,
        };
        Ok(Self {
            renamed: folder.renamed().to_vec(),
            groups: groups.collect(),
            persons,
            has_person_properties: has(PERSON_PROPERTIES),
            names_persons: folder.is_complete(schema::PERSON_ID),
        })
    }

    /// Is there an export of persons?
    pub(super) fn has_persons(&self) -> bool {
        matches!(self.persons, Persons::Exported(_))
    }

    /// What a column of ours is called in the files.
    pub(super) fn theirs<'a>(&'a self, ours: &'a str) -> &'a str {
        let renamed = self.renamed.iter().find(|(_, known)| known == ours);
        renamed.map_or(ours, |(theirs, _)| theirs)
    }

    /// The events of the files under our names, with the keys of their groups.
    pub(super) fn complete(&self, events: DataFrame) -> Result<DataFrame> {
        let mut events = self.with_our_names(events)?;
        for key in &self.groups {
            let found = group_key(
                column(schema::PROPERTIES),
                key.property,
                key.name.as_deref(),
            );
            let found = match key.has_column {
                true => coalesce(vec![column(key.column), found]),
                false => found,
            };
            events = events.with_column(key.column, found)?;
        }
        Ok(events)
    }

    fn with_our_names(&self, events: DataFrame) -> Result<DataFrame> {
        if self.renamed.is_empty() {
            return Ok(events);
        }
        let fields = events.schema().fields().clone();
        let columns = fields.iter().map(|field| {
            let theirs = field.name();
            let ours = self.renamed.iter().find(|(known, _)| known == theirs);
            column(theirs).alias(ours.map_or(theirs, |(_, ours)| ours))
        });
        Ok(events.select(columns.collect::<Vec<_>>())?)
    }

    /// Events with the person to whom each belongs now. Who is not told is its distinct id.
    pub(super) fn with_person(&self, data: &Data, events: DataFrame) -> Result<DataFrame> {
        let told = match self.names_persons {
            true => column(schema::PERSON_ID),
            false => coalesce(vec![column(schema::PERSON_ID), column(schema::DISTINCT_ID)]),
        };
        let (known, by) = match &self.persons {
            Persons::Told => return Ok(events.with_column(schema::PERSON_ID, told)?),
            Persons::Merged(merges) => (merges, schema::PERSON_ID),
            Persons::Exported(owners) => (owners, schema::DISTINCT_ID),
        };
        let known = data.read_batch(known.clone())?.select(vec![
            column(schema::DISTINCT_ID).alias(OF_ID),
            column(schema::PERSON_ID).alias(OF_PERSON),
        ])?;
        let told = events.with_column(schema::PERSON_ID, told)?;
        let joined = told.join(known, JoinType::Left, &[by], &[OF_ID], None)?;
        let person = coalesce(vec![column(OF_PERSON), column(schema::PERSON_ID)]);
        Ok(joined
            .with_column(schema::PERSON_ID, person)?
            .drop_columns(&[OF_ID, OF_PERSON])?)
    }

    /// The persons whom events tell of, one row each: `id`, `properties`, `is_identified` and `created_at`.
    ///
    /// Of each person's properties the last that an event knew count; `known` are those that the survey met.
    pub(super) fn persons(&self, data: &Data, known: DataFrame) -> Result<DataFrame> {
        const KNOWN: &str = "known id";
        const IDENTIFIED: &str = "known as identified";
        const KNOWN_PROPERTIES: &str = "known properties";
        const LAST: &str = "last properties";
        let mut facts = vec![min(column(schema::TIMESTAMP)).alias("created_at")];
        if self.has_person_properties {
            facts.push(last_properties()?.alias(LAST));
        }
        let events = data.events(true)?.filter(has_profile())?;
        let persons = events.aggregate(vec![column(schema::PERSON_ID)], facts)?;
        let known = known.select(vec![
            column("id").alias(KNOWN),
            column("is_identified").alias(IDENTIFIED),
            column(schema::PROPERTIES).alias(KNOWN_PROPERTIES),
        ])?;
        let persons = persons.join(known, JoinType::Left, &[schema::PERSON_ID], &[KNOWN], None)?;
        let mut properties = vec![column(KNOWN_PROPERTIES), text("{}")];
        if self.has_person_properties {
            properties.insert(0, column(LAST));
        }
        Ok(persons.select(vec![
            column(schema::PERSON_ID).alias("id"),
            coalesce(properties).alias(schema::PROPERTIES),
            coalesce(vec![column(IDENTIFIED), lit(false)]).alias("is_identified"),
            column("created_at"),
        ])?)
    }

    /// Whose each distinct id is that events tell of.
    pub(super) fn distinct_ids(&self, data: &Data) -> Result<DataFrame> {
        let events = data.events(true)?.filter(has_profile())?;
        let columns = [schema::DISTINCT_ID, schema::PERSON_ID].map(column);
        Ok(events.select(columns.to_vec())?.distinct()?)
    }
}

/// Does an event belong to a person with a profile?
fn has_profile() -> Expr {
    let flag = json_property(column(schema::PROPERTIES), "$process_person_profile");
    flag.clone().is_null().or(flag.not_eq(text("false")))
}

fn last_properties() -> Result<Expr> {
    let told = column(PERSON_PROPERTIES);
    let says_something = in_list(column(schema::EVENT), NO_PERSON.map(text).to_vec(), true);
    let order = vec![
        column(schema::TIMESTAMP).sort(true, true),
        told.clone().sort(true, true),
    ];
    let filter = says_something.and(starts_with(told.clone(), text("{")));
    // A builder takes nothing over from the expression that it is made of.
    let last = last_value(told, Vec::new()).order_by(order);
    Ok(last.filter(filter).build()?)
}

/// Pairs of an old and a new person, under the names of distinct ids and their persons.
fn pairs(merges: &[(String, String)]) -> Result<RecordBatch> {
    let names = [schema::DISTINCT_ID, schema::PERSON_ID];
    let fields = names.map(|name| Field::new(name, DataType::Utf8View, false));
    let old: StringViewArray = merges.iter().map(|(old, _)| Some(old)).collect();
    let new: StringViewArray = merges.iter().map(|(_, new)| Some(new)).collect();
    let batch = RecordBatch::try_new(
        Arc::new(Schema::new(fields.to_vec())),
        vec![Arc::new(old), Arc::new(new)],
    );
    Ok(batch.map_err(datafusion::error::DataFusionError::from)?)
}
