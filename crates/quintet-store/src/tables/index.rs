//! What the by-id strategy must know of persons: arrays by their dense ids, read from three narrow columns.

use std::sync::Arc;

use datafusion::arrow::array::Array;
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType, UInt32Type};
use datafusion::arrow::record_batch::RecordBatch;
use futures::TryStreamExt;

use super::columns::{Reason, bools, numbers};
use crate::error::{Error, Result};
use crate::files::reader::columns;
use crate::location::Location;
use crate::log::{LogState, Table};
use crate::schema::timestamp_type;
use crate::snapshot::Snapshot;

const COLUMNS: [&str; 4] = ["ref", "created_at", "has_profile", "merged_into"];

/// Persons by their dense id; 0 is none.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct PersonIndex {
    /// When each person with a profile began, microseconds UTC; none for all others.
    pub created_at: Vec<Option<i64>>,
    /// Whom each person is part of after all merges: itself, if it was never merged.
    pub last: Vec<u32>,
}

impl Snapshot {
    /// Persons by their dense ids; read when first asked for.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming a damaged file, or what the file system says.
    pub async fn person_index(&self) -> Result<Arc<PersonIndex>> {
        let load = async || {
            let index = load(self.location(), self.log()).await?;
            Ok(Arc::new(index))
        };
        self.persons_cell().get_or_try_init(load).await.cloned()
    }
}

async fn load(location: &Location, log: &LogState) -> Result<PersonIndex> {
    let mut index = PersonIndex::default();
    for file in log.files(Table::Persons) {
        let mut batches = columns(location, file, COLUMNS).await?;
        while let Some(batch) = batches.try_next().await? {
            index
                .take(&batch)
                .map_err(|reason| Error::corrupt(location.show(&file.path), reason))?;
        }
    }
    index.follow_chains();
    Ok(index)
}

impl PersonIndex {
    /// Takes rows in; a later row replaces an earlier one.
    fn take(&mut self, batch: &RecordBatch) -> Result<(), Reason> {
        let refs = numbers::<UInt32Type>(batch, "ref", &DataType::UInt32)?;
        let created_at =
            numbers::<TimestampMicrosecondType>(batch, "created_at", &timestamp_type())?;
        let has_profile = bools(batch, "has_profile")?;
        let merged_into = numbers::<UInt32Type>(batch, "merged_into", &DataType::UInt32)?;
        for (row, person) in refs.values().iter().enumerate() {
            let at = *person as usize;
            if self.last.len() <= at {
                self.last.extend(self.last.len() as u32..=*person);
                self.created_at.resize(at + 1, None);
            }
            let merged = merged_into.is_valid(row).then(|| merged_into.value(row));
            self.last[at] = merged.unwrap_or(*person);
            self.created_at[at] =
                (merged.is_none() && has_profile.value(row)).then(|| created_at.value(row));
        }
        Ok(())
    }

    /// Merges may follow one another.
    fn follow_chains(&mut self) {
        for at in 0..self.last.len() {
            let mut last = self.last[at];
            // A chain is no longer than there are persons, whatever the file says.
            for _ in 0..self.last.len() {
                match self.last.get(last as usize) {
                    Some(next) if *next != last => last = *next,
                    _ => break,
                }
            }
            self.last[at] = last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merges_are_followed_to_the_end_and_circles_end() {
        let mut index = PersonIndex {
            last: vec![0, 2, 3, 3, 4, 6, 5],
            ..PersonIndex::default()
        };
        index.follow_chains();
        assert_eq!(index.last[..5], [0, 3, 3, 3, 4]);
    }
}
