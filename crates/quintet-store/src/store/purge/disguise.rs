//! Distinct ids that hold the key of a group: SDKs send what declares a group in the name of `$<type>_<key>` when nobody acts.
//! Whoever has such an id keeps its events and gets an id that says nothing.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewBuilder};
use datafusion::arrow::record_batch::RecordBatch;

use super::scrub::Target;
use crate::entities::{Persons, Renamed};
use crate::files::batch::{refs, texts};
use crate::schema;

/// The distinct ids of a group, and what stands for them.
#[derive(Debug, Default)]
pub(super) struct Disguise(Vec<(String, Renamed)>);

/// The columns of a batch that name people, without the group.
pub(super) struct Disguised {
    pub(super) columns: [(&'static str, ArrayRef); 2],
    /// Which rows are not what they were.
    pub(super) changed: Vec<bool>,
}

impl Disguise {
    /// Renames the distinct ids of a group.
    pub(super) fn of(target: &Target<'_>, persons: &mut Persons) -> Self {
        let ids = persons.distinct_ids().map(|(id, _)| id);
        let ids: Vec<String> = ids
            .filter(|id| target.is_static_id(id))
            .map(str::to_owned)
            .collect();
        let renamed = ids.into_iter().filter_map(|id| {
            let renamed = persons.rename(&id)?;
            Some((id, renamed))
        });
        Self(renamed.collect())
    }

    /// How many distinct ids there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// A batch of events under the new ids.
    pub(super) fn apply(&self, batch: &RecordBatch) -> Result<Disguised, String> {
        let rows = batch.num_rows();
        let (mut ids, mut people) = (
            StringViewBuilder::with_capacity(rows),
            StringViewBuilder::with_capacity(rows),
        );
        let mut changed = Vec::with_capacity(rows);
        let old = texts(batch, schema::DISTINCT_ID)?.iter();
        let old_people = texts(batch, schema::PERSON_ID)?;
        let refs = refs(batch, schema::PERSON_REF)?.values();
        for ((id, person), r) in old.zip(old_people).zip(refs) {
            let new_id = self.find(|(old, _)| Some(old.as_str()) == id);
            let new_person = self.find(|(_, renamed)| renamed.person == Some(*r));
            changed.push(new_id.is_some() || new_person.is_some());
            ids.append_option(new_id.or(id));
            people.append_option(new_person.or(person));
        }
        Ok(Disguised {
            columns: [
                (schema::DISTINCT_ID, Arc::new(ids.finish())),
                (schema::PERSON_ID, Arc::new(people.finish())),
            ],
            changed,
        })
    }

    fn find(&self, is: impl Fn(&(String, Renamed)) -> bool) -> Option<&str> {
        let found = self.0.iter().find(|entry| is(entry));
        found.map(|(_, renamed)| renamed.id.as_str())
    }
}
