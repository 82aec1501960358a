//! PostHog's export of persons: a row for each change of a distinct id or of a person, in no order.
//!
//! Of the rows of a distinct id the one with the highest `person_distinct_id_version` says whose it is; of those of a person the one
//! with the highest `person_version` says what is known of it.

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use hashbrown::HashMap;
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::input::{self, Input};
use super::json;
use super::lines::Blocks;
use super::normalise::{UNKNOWN, clean_id, id_text};
use super::parquet;
use super::report::LoadReport;
use super::source::Source;
use super::strings::StringTable;
use super::timestamp;
use crate::entities::{Creation, EntityState, Update, id_from_text};
use crate::error::{Error, Result};

/// The columns that are read.
const COLUMNS: [&str; 7] = [
    "distinct_id",
    "person_id",
    "properties",
    "person_distinct_id_version",
    "person_version",
    "created_at",
    "is_deleted",
];

/// What the files of a load say of persons.
#[derive(Debug, Default)]
pub(crate) struct PersonsExport {
    /// In the order of first sight.
    distinct_ids: Vec<(String, Owner)>,
    places: HashMap<String, usize>,
    persons: HashMap<Uuid, Known>,
}

/// Whose a distinct id is.
#[derive(Debug)]
struct Owner {
    version: i64,
    person: Uuid,
    is_deleted: bool,
}

/// What is known of a person.
#[derive(Debug)]
struct Known {
    version: i64,
    properties: String,
    created_at: Option<i64>,
}

/// A line of the export. Every field may be given as text.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    distinct_id: &'a RawValue,
    #[serde(borrow)]
    person_id: &'a RawValue,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
    #[serde(borrow, default)]
    person_distinct_id_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    person_version: Option<&'a RawValue>,
    #[serde(borrow, default)]
    created_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    is_deleted: Option<&'a RawValue>,
}

/// A row, its values as plain texts in the order of [`COLUMNS`].
type Row<'a> = [Option<&'a str>; COLUMNS.len()];

impl PersonsExport {
    /// Takes in a file of the export, Parquet or JSON lines.
    pub(crate) fn read(&mut self, source: &Source, report: &mut LoadReport) -> Result<()> {
        let file = source.name();
        match input::open(source)? {
            Input::Text(text) => {
                for block in Blocks::new(text) {
                    let decoded = block?.decode();
                    for &line in &decoded.damaged {
                        report.reject(&file, line, "the line is not UTF-8 text".into());
                    }
                    for (number, unit) in decoded.units() {
                        let taken = json::check(unit)
                            .and_then(|()| json::items(unit))
                            .and_then(|items| items.iter().try_for_each(|item| self.line(item)));
                        if let Err(reason) = taken {
                            report.reject(&file, number, reason);
                        }
                    }
                }
            }
            Input::Parquet(data) => {
                let mut row = 0;
                for batch in parquet::batches(&file, data, &COLUMNS)? {
                    let batch = batch?;
                    self.batch(&file, &batch, &mut row, report)?;
                }
            }
        }
        Ok(())
    }

    fn line(&mut self, text: &str) -> Result<(), String> {
        let line: Line<'_> = serde_json::from_str(text).map_err(|e| json::reason(&e))?;
        let values = [
            id_text(line.distinct_id.get()),
            json::plain(line.person_id.get()),
            line.properties.and_then(|value| json::plain(value.get())),
            line.person_distinct_id_version
                .and_then(|value| json::plain(value.get())),
            line.person_version
                .and_then(|value| json::plain(value.get())),
            line.created_at.and_then(|value| json::plain(value.get())),
            line.is_deleted.and_then(|value| json::plain(value.get())),
        ];
        self.row(values.each_ref().map(Option::as_deref))
    }

    fn batch(
        &mut self,
        file: &str,
        batch: &RecordBatch,
        row: &mut u64,
        report: &mut LoadReport,
    ) -> Result<()> {
        let mut columns = Vec::with_capacity(COLUMNS.len());
        for name in COLUMNS {
            let texts = batch.column_by_name(name).map(|array| {
                cast(array, &DataType::Utf8).map_err(|e| {
                    Error::invalid(file, format!("its column `{name}` cannot be read: {e}"))
                })
            });
            columns.push(texts.transpose()?);
        }
        for at in 0..batch.num_rows() {
            *row += 1;
            let mut values: Row<'_> = [None; COLUMNS.len()];
            for (value, column) in values.iter_mut().zip(&columns) {
                let texts = column.as_ref().map(|column| column.as_string::<i32>());
                *value = texts
                    .filter(|texts| texts.is_valid(at))
                    .map(|texts| texts.value(at));
            }
            if let Err(reason) = self.row(values) {
                report.reject(file, *row, reason);
            }
        }
        Ok(())
    }

    fn row(&mut self, row: Row<'_>) -> Result<(), String> {
        let [
            distinct_id,
            person_id,
            properties,
            id_version,
            version,
            created_at,
            is_deleted,
        ] = row;
        let distinct_id = distinct_id.filter(|id| !id.trim().is_empty());
        let distinct_id = clean_id(distinct_id.ok_or("`distinct_id` is missing or blank")?);
        let person = person_id
            .filter(|id| !id.is_empty())
            .ok_or("`person_id` is missing")?;
        let properties = match properties.map(str::trim) {
            None | Some("" | "null") => "{}",
            Some(text) if json::entries(text).is_some() => text,
            Some(_) => return Err("`properties` is no JSON object".into()),
        };
        json::check(properties)?;
        let person = id_from_text(person);
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok()).unwrap_or(0);
        self.own(
            &distinct_id,
            Owner {
                version: number(id_version),
                person,
                is_deleted: is_deleted.is_some_and(|text| matches!(text, "true" | "1")),
            },
        );
        let version = number(version);
        let known = self.persons.entry(person).or_insert_with(|| Known {
            version,
            properties: String::new(),
            created_at: None,
        });
        if version >= known.version {
            known.version = version;
            properties.clone_into(&mut known.properties);
            known.created_at = created_at.and_then(timestamp::parse).or(known.created_at);
        }
        Ok(())
    }

    fn own(&mut self, distinct_id: &str, owner: Owner) {
        match self.places.get(distinct_id) {
            Some(place) => {
                let known = self.distinct_ids.get_mut(*place).map(|(_, known)| known);
                if let Some(known) = known.filter(|known| known.version <= owner.version) {
                    *known = owner;
                }
            }
            None => {
                self.places
                    .insert(distinct_id.to_owned(), self.distinct_ids.len());
                self.distinct_ids.push((distinct_id.to_owned(), owner));
            }
        }
    }

    /// Makes the persons that the files have told of, and returns their refs.
    ///
    /// `received_at` is when persons without a `created_at` began.
    pub(crate) fn finish(
        self,
        received_at: Option<i64>,
        state: &mut EntityState,
        report: &mut LoadReport,
    ) -> Vec<u32> {
        let persons = &mut state.persons;
        let mut made: HashMap<Uuid, u32> = HashMap::new();
        for (distinct_id, owner) in self.distinct_ids {
            if owner.is_deleted {
                continue;
            }
            let known = self.persons.get(&owner.person);
            if let Some(person) = made.get(&owner.person) {
                let united = persons.unite(&distinct_id, *person);
                report.persons.merged += u64::from(united);
                continue;
            }
            let created_at = known.and_then(|known| known.created_at);
            let creation = Creation {
                at: created_at.or(received_at).unwrap_or(UNKNOWN),
                event: None,
                id: Some(owner.person),
            };
            let hash = StringTable::hash(&distinct_id);
            let (person, created) = persons.ensure(hash, &distinct_id, creation);
            report.persons.created += u64::from(created);
            made.insert(owner.person, person);
            let set = known.map(|known| known.properties.as_str());
            persons.update(
                person,
                &Update {
                    set,
                    ..Update::default()
                },
            );
            if let Some(at) = created_at {
                persons.set_created_at(person, at);
            }
        }
        made.into_values().collect()
    }
}
