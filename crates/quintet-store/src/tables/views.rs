//! Persons and groups as the engine and SQL see them, made once for each snapshot that needs them.

use std::sync::{Arc, OnceLock};

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, StringViewArray, StringViewBuilder,
    TimestampMicrosecondArray, UInt32Array,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;

use crate::entities::{EntityState, Group, Person, PersonState};
use crate::error::{Error, Result};
use crate::schema::{self, GROUP_TYPES};

/// All persons and groups of a snapshot; each table is built when first asked for.
#[derive(Debug, Default)]
pub struct Entities {
    state: EntityState,
    persons: OnceLock<RecordBatch>,
    person_distinct_ids: OnceLock<RecordBatch>,
    person_overrides: OnceLock<RecordBatch>,
    final_refs: OnceLock<Vec<u32>>,
    person_ids: OnceLock<StringViewArray>,
    groups: OnceLock<RecordBatch>,
    group_types: OnceLock<RecordBatch>,
    group_keys: [OnceLock<StringViewArray>; GROUP_TYPES],
}

impl Entities {
    pub(crate) fn new(state: EntityState) -> Self {
        Self {
            state,
            ..Self::default()
        }
    }

    pub(crate) fn state(&self) -> &EntityState {
        &self.state
    }

    fn person(&self, r: u32) -> Option<&Person> {
        self.state.persons.get(r)
    }

    fn real_persons(&self) -> impl Iterator<Item = (u32, &Person)> {
        self.state
            .persons
            .iter()
            .filter(|(_, person)| person.state == PersonState::Real)
    }

    /// Live persons with a profile, in the columns of [`schema::persons`].
    ///
    /// # Errors
    /// [`Error::Internal`] only.
    pub fn persons(&self) -> Result<&RecordBatch> {
        cached(&self.persons, || {
            let people = || self.real_persons().map(|(_, person)| person);
            batch(
                schema::persons(),
                vec![
                    Arc::new(UInt32Array::from_iter_values(
                        self.real_persons().map(|(r, _)| r),
                    )),
                    Arc::new(texts(people().map(|person| person.id.to_string()))),
                    Arc::new(texts(people().map(|person| &person.properties))),
                    Arc::new(
                        people()
                            .map(|person| Some(person.is_identified))
                            .collect::<BooleanArray>(),
                    ),
                    Arc::new(timestamps(people().map(|person| Some(person.created_at)))),
                ],
            )
        })
    }

    /// Distinct ids of live persons with a profile, in the columns of [`schema::person_distinct_ids`].
    ///
    /// # Errors
    /// [`Error::Internal`] only.
    pub fn person_distinct_ids(&self) -> Result<&RecordBatch> {
        cached(&self.person_distinct_ids, || {
            let rows = || {
                let all = self.state.persons.distinct_ids();
                let known =
                    all.filter_map(|(distinct_id, r)| Some((distinct_id, r, self.person(r)?)));
                known.filter(|(_, _, person)| person.state == PersonState::Real)
            };
            batch(
                schema::person_distinct_ids(),
                vec![
                    Arc::new(texts(rows().map(|(distinct_id, _, _)| distinct_id))),
                    Arc::new(texts(rows().map(|(_, _, person)| person.id.to_string()))),
                    Arc::new(UInt32Array::from_iter_values(rows().map(|(_, r, _)| r))),
                ],
            )
        })
    }

    /// Merges to apply to the persons of events, in the columns of [`schema::person_overrides`]:
    /// one row for each person that became part of another, with the last one of the chain. Without those that
    /// compaction has applied for good.
    ///
    /// # Errors
    /// [`Error::Internal`] only.
    pub fn person_overrides(&self) -> Result<&RecordBatch> {
        cached(&self.person_overrides, || {
            let unsquashed = self.state.persons.unsquashed();
            let rows = || {
                unsquashed.iter().filter_map(|old_ref| {
                    let last = self.state.persons.resolve(*old_ref);
                    Some((*old_ref, self.person(*old_ref)?, last, self.person(last)?))
                })
            };
            batch(
                schema::person_overrides(),
                vec![
                    Arc::new(UInt32Array::from_iter_values(
                        rows().map(|(old_ref, ..)| old_ref),
                    )),
                    Arc::new(UInt32Array::from_iter_values(
                        rows().map(|(_, _, last, _)| last),
                    )),
                    Arc::new(texts(rows().map(|(_, old, _, _)| old.id.to_string()))),
                    Arc::new(texts(rows().map(|(_, _, _, person)| person.id.to_string()))),
                ],
            )
        })
    }

    /// For each person ref (0 included) the ref after all merges: the override array of the by-id strategy.
    pub fn final_person_refs(&self) -> &[u32] {
        self.final_refs.get_or_init(|| {
            let known = self.state.persons.len() as u32;
            (0..=known).map(|r| self.state.persons.resolve(r)).collect()
        })
    }

    /// Public ids of persons by ref − 1, each as it is after all merges.
    pub fn person_ids(&self) -> &StringViewArray {
        self.person_ids.get_or_init(|| {
            let last = self
                .final_person_refs()
                .iter()
                .skip(1)
                .filter_map(|r| self.person(*r));
            texts(last.map(|person| person.id.to_string()))
        })
    }

    /// Declared groups of all types, in the columns of [`schema::groups`].
    ///
    /// # Errors
    /// [`Error::Internal`] only.
    pub fn groups(&self) -> Result<&RecordBatch> {
        cached(&self.groups, || {
            let rows: Vec<(i64, u32, &Group, &str)> = (0..GROUP_TYPES)
                .flat_map(|index| {
                    let declared = self.state.groups.iter(index);
                    declared.filter_map(move |(r, group)| {
                        Some((index as i64, r, group, group.properties.as_deref()?))
                    })
                })
                .collect();
            batch(
                schema::groups(),
                vec![
                    Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))),
                    Arc::new(UInt32Array::from_iter_values(rows.iter().map(|row| row.1))),
                    Arc::new(texts(rows.iter().map(|row| &row.2.key))),
                    Arc::new(texts(rows.iter().map(|row| row.3))),
                    Arc::new(timestamps(rows.iter().map(|row| Some(row.2.created_at)))),
                ],
            )
        })
    }

    /// The properties of a declared group as JSON text; none if nobody has declared it.
    pub fn group_properties(&self, index: usize, key: &str) -> Option<&str> {
        self.state.groups.find(index, key)?.properties.as_deref()
    }

    /// Keys of all groups of a type by ref − 1, declared or only named by events; empty for an index beyond 4.
    pub fn group_keys(&self, index: usize) -> &StringViewArray {
        static NONE: OnceLock<StringViewArray> = OnceLock::new();
        let keys = || texts(self.state.groups.iter(index).map(|(_, group)| &group.key));
        self.group_keys
            .get(index)
            .unwrap_or(&NONE)
            .get_or_init(keys)
    }

    /// The group types, in the columns of [`schema::group_types`].
    ///
    /// # Errors
    /// [`Error::Internal`] only.
    pub fn group_types(&self) -> Result<&RecordBatch> {
        cached(&self.group_types, || {
            let known = || {
                (0_i64..)
                    .zip(self.state.groups.types())
                    .filter_map(|(index, t)| Some((index, t.as_ref()?)))
            };
            batch(
                schema::group_types(),
                vec![
                    Arc::new(texts(known().map(|(_, t)| &t.name))),
                    Arc::new(Int64Array::from_iter_values(
                        known().map(|(index, _)| index),
                    )),
                    Arc::new(optional_texts(known().map(|(_, t)| t.singular.as_deref()))),
                    Arc::new(optional_texts(known().map(|(_, t)| t.plural.as_deref()))),
                    Arc::new(timestamps(known().map(|(_, t)| t.created_at))),
                ],
            )
        })
    }
}

fn cached(
    cell: &OnceLock<RecordBatch>,
    make: impl FnOnce() -> Result<RecordBatch>,
) -> Result<&RecordBatch> {
    match cell.get() {
        Some(made) => Ok(made),
        None => {
            let made = make()?;
            Ok(cell.get_or_init(|| made))
        }
    }
}

fn batch(schema: SchemaRef, columns: Vec<ArrayRef>) -> Result<RecordBatch> {
    RecordBatch::try_new(schema, columns).map_err(Error::internal)
}

fn texts(values: impl Iterator<Item = impl AsRef<str>>) -> StringViewArray {
    optional_texts(values.map(Some))
}

fn optional_texts(values: impl Iterator<Item = Option<impl AsRef<str>>>) -> StringViewArray {
    let mut column = StringViewBuilder::new();
    for value in values {
        column.append_option(value);
    }
    column.finish()
}

fn timestamps(values: impl Iterator<Item = Option<i64>>) -> TimestampMicrosecondArray {
    values
        .collect::<TimestampMicrosecondArray>()
        .with_timezone("UTC")
}
