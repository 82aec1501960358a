//! Persons and distinct ids as rows of files.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, StringViewBuilder, TimestampMicrosecondArray, UInt32Array,
    UInt64Array,
};
use datafusion::arrow::datatypes::{
    DataType, Field, Schema, SchemaRef, TimestampMicrosecondType, UInt32Type, UInt64Type,
};
use datafusion::arrow::record_batch::RecordBatch;
use uuid::Uuid;

use super::columns::{Reason, bools, numbers, texts};
use crate::entities::{Person, PersonState};
use crate::error::{Error, Result};
use crate::schema::timestamp_type;

static PERSONS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("ref", DataType::UInt32, false),
        Field::new("id", DataType::Utf8View, false),
        Field::new("properties", DataType::Utf8View, false),
        Field::new("created_at", timestamp_type(), false),
        Field::new("is_identified", DataType::Boolean, false),
        Field::new("has_profile", DataType::Boolean, false),
        Field::new("merged_into", DataType::UInt32, true),
        Field::new("version", DataType::UInt64, false),
        Field::new("squashed", DataType::Boolean, false),
    ]))
});

static DISTINCT_IDS: LazyLock<SchemaRef> = LazyLock::new(|| {
    Arc::new(Schema::new(vec![
        Field::new("distinct_id", DataType::Utf8View, false),
        Field::new("person_ref", DataType::UInt32, false),
    ]))
});

pub(super) fn batch<'a>(persons: impl Iterator<Item = (u32, &'a Person)>) -> Result<RecordBatch> {
    let rows: Vec<(u32, &Person)> = persons.collect();
    let people = || rows.iter().map(|(_, person)| *person);
    let (mut ids, mut properties) = (StringViewBuilder::new(), StringViewBuilder::new());
    for person in people() {
        ids.append_value(person.id.to_string());
        properties.append_value(&person.properties);
    }
    let merged_into = people().map(|person| match person.state {
        PersonState::Merged { into, .. } => Some(into),
        PersonState::Real | PersonState::Personless => None,
    });
    let created_at = TimestampMicrosecondArray::from_iter_values(people().map(|p| p.created_at))
        .with_timezone("UTC");
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(rows.iter().map(|(r, _)| *r))),
        Arc::new(ids.finish()),
        Arc::new(properties.finish()),
        Arc::new(created_at),
        Arc::new(
            people()
                .map(|p| Some(p.is_identified))
                .collect::<BooleanArray>(),
        ),
        Arc::new(
            people()
                .map(|p| Some(p.state != PersonState::Personless))
                .collect::<BooleanArray>(),
        ),
        Arc::new(merged_into.collect::<UInt32Array>()),
        Arc::new(UInt64Array::from_iter_values(people().map(|p| p.version))),
        Arc::new(
            people()
                .map(|p| Some(p.is_squashed()))
                .collect::<BooleanArray>(),
        ),
    ];
    RecordBatch::try_new(Arc::clone(&PERSONS), columns).map_err(Error::internal)
}

pub(super) fn distinct_id_batch<'a>(
    distinct_ids: impl Iterator<Item = (&'a str, u32)>,
) -> Result<RecordBatch> {
    let (mut texts, mut refs) = (StringViewBuilder::new(), Vec::new());
    for (distinct_id, r) in distinct_ids {
        texts.append_value(distinct_id);
        refs.push(r);
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(texts.finish()), Arc::new(UInt32Array::from(refs))];
    RecordBatch::try_new(Arc::clone(&DISTINCT_IDS), columns).map_err(Error::internal)
}

/// The last row of each person, by ref − 1.
#[derive(Default)]
pub(super) struct Rows(Vec<Option<Person>>);

impl Rows {
    pub(super) fn take(&mut self, batch: &RecordBatch) -> Result<(), Reason> {
        let refs = numbers::<UInt32Type>(batch, "ref", &DataType::UInt32)?;
        let ids = texts(batch, "id")?;
        let properties = texts(batch, "properties")?;
        let created_at =
            numbers::<TimestampMicrosecondType>(batch, "created_at", &timestamp_type())?;
        let is_identified = bools(batch, "is_identified")?;
        let has_profile = bools(batch, "has_profile")?;
        let merged_into = numbers::<UInt32Type>(batch, "merged_into", &DataType::UInt32)?;
        let versions = numbers::<UInt64Type>(batch, "version", &DataType::UInt64)?;
        // Files written before compaction existed have no such column.
        let squashed = match batch.column_by_name("squashed") {
            Some(_) => Some(bools(batch, "squashed")?),
            None => None,
        };
        for at in 0..batch.num_rows() {
            let state = match (merged_into.is_valid(at), has_profile.value(at)) {
                (true, _) => PersonState::Merged {
                    into: merged_into.value(at),
                    squashed: squashed.as_ref().is_some_and(|column| column.value(at)),
                },
                (false, true) => PersonState::Real,
                (false, false) => PersonState::Personless,
            };
            let place = (refs.value(at) as usize)
                .checked_sub(1)
                .ok_or("a person has the ref 0")?;
            if self.0.len() <= place {
                self.0.resize(place + 1, None);
            }
            self.0[place] = Some(Person {
                id: Uuid::try_parse(ids.value(at)).map_err(|e| format!("a person's id: {e}"))?,
                properties: properties.value(at).to_owned(),
                created_at: created_at.value(at),
                is_identified: is_identified.value(at),
                state,
                version: versions.value(at),
            });
        }
        Ok(())
    }

    pub(super) fn complete(self) -> Result<Vec<Person>, Reason> {
        let people: Option<Vec<Person>> = self.0.into_iter().collect();
        let people = people.ok_or("a person is missing")?;
        let impossible = |person: &Person| match person.state {
            PersonState::Merged { into, .. } => into == 0 || into as usize > people.len(),
            PersonState::Real | PersonState::Personless => false,
        };
        if people.iter().any(impossible) {
            return Err("a person was merged into one that does not exist".into());
        }
        Ok(people)
    }
}

/// The last row of each distinct id, in the order of first sight.
#[derive(Default)]
pub(super) struct DistinctIdRows {
    rows: Vec<(String, u32)>,
    places: HashMap<String, usize>,
}

impl DistinctIdRows {
    pub(super) fn take(&mut self, batch: &RecordBatch) -> Result<(), Reason> {
        let distinct_ids = texts(batch, "distinct_id")?;
        let refs = numbers::<UInt32Type>(batch, "person_ref", &DataType::UInt32)?;
        for (distinct_id, r) in distinct_ids.iter().flatten().zip(refs.values()) {
            match self.places.get(distinct_id) {
                Some(place) => self.rows[*place].1 = *r,
                None => {
                    self.places.insert(distinct_id.to_owned(), self.rows.len());
                    self.rows.push((distinct_id.to_owned(), *r));
                }
            }
        }
        Ok(())
    }

    pub(super) fn complete(self, persons: usize) -> Result<Vec<(String, u32)>, Reason> {
        if self
            .rows
            .iter()
            .any(|(_, r)| *r == 0 || *r as usize > persons)
        {
            return Err("a distinct id belongs to a person that does not exist".into());
        }
        Ok(self.rows)
    }
}
