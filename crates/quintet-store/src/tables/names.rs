//! What dense refs stand for: the ids of persons and the keys of groups, from the columns that say no more than that.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, UInt8Array};
use datafusion::arrow::compute::interleave;
use datafusion::arrow::datatypes::{DataType, UInt8Type};
use datafusion::arrow::record_batch::RecordBatch;
use futures::TryStreamExt;
use tokio::sync::OnceCell;

use super::columns::{Reason, numbers};
use crate::error::{Error, Result};
use crate::files::batch::{refs, texts};
use crate::files::reader::columns;
use crate::log::Table;
use crate::schema::GROUP_TYPES;
use crate::snapshot::Snapshot;

/// Names by ref, each read when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct ActorNames {
    persons: OnceCell<StringViewArray>,
    groups: OnceCell<Vec<StringViewArray>>,
}

impl Snapshot {
    /// The ids of persons by ref, as events were given them at ingestion; null at 0 and where a ref was never given.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming a damaged file, or what the file system says.
    pub(crate) async fn person_ids(&self) -> Result<&StringViewArray> {
        let load = async || {
            let mut found: [Names; 1] = Default::default();
            self.each_batch(Table::Persons, ["ref", "id"], |batch| {
                found[0].take(texts(batch, "id")?, refs(batch, "ref")?.values(), |_| true);
                Ok(())
            })
            .await?;
            let [persons] = found;
            persons.finish()
        };
        self.names().persons.get_or_try_init(load).await
    }

    /// The keys of the groups of a type by ref, those of deleted types included; null at 0, '' where a group was purged.
    ///
    /// # Errors
    /// As [`person_ids`](Self::person_ids).
    pub(crate) async fn group_keys(&self, index: usize) -> Result<&StringViewArray> {
        let load = async || {
            let mut found: [Names; GROUP_TYPES] = Default::default();
            self.each_batch(Table::Groups, ["index", "ref", "key"], |batch| {
                let indexes: UInt8Array = numbers::<UInt8Type>(batch, "index", &DataType::UInt8)?;
                let (keys, refs) = (texts(batch, "key")?, refs(batch, "ref")?.values());
                for (index, names) in (0u8..).zip(&mut found) {
                    names.take(keys, refs, |row| indexes.values().get(row) == Some(&index));
                }
                Ok(())
            })
            .await?;
            found.into_iter().map(Names::finish).collect()
        };
        let all = self.names().groups.get_or_try_init(load).await?;
        all.get(index)
            .ok_or_else(|| Error::internal("there are five group types"))
    }

    async fn each_batch<'a>(
        &self,
        table: Table,
        names: impl IntoIterator<Item = &'a str> + Clone,
        mut take: impl FnMut(&RecordBatch) -> Result<(), Reason>,
    ) -> Result<()> {
        for file in self.log().files(table) {
            let mut batches = columns(self.location(), file, names.clone()).await?;
            while let Some(batch) = batches.try_next().await? {
                take(&batch)
                    .map_err(|reason| Error::corrupt(self.location().show(&file.path), reason))?;
            }
        }
        Ok(())
    }
}

/// Where the name of each ref is; a later row replaces an earlier one.
struct Names {
    columns: Vec<ArrayRef>,
    /// Column and row, by ref.
    places: Vec<(usize, usize)>,
}

/// The first column has just a null.
const NOTHING: (usize, usize) = (0, 0);

impl Default for Names {
    fn default() -> Self {
        let nothing: ArrayRef = Arc::new(StringViewArray::new_null(1));
        Self {
            columns: vec![nothing],
            places: vec![NOTHING],
        }
    }
}

impl Names {
    fn take(&mut self, names: &StringViewArray, refs: &[u32], is_ours: impl Fn(usize) -> bool) {
        let column = self.columns.len();
        for (row, reference) in refs.iter().enumerate() {
            let at = *reference as usize;
            if !is_ours(row) {
                continue;
            }
            if self.places.len() <= at {
                self.places.resize(at + 1, NOTHING);
            }
            if let Some(place) = self.places.get_mut(at) {
                *place = (column, row);
            }
        }
        self.columns.push(Arc::new(names.clone()));
    }

    fn finish(self) -> Result<StringViewArray> {
        let columns: Vec<&dyn Array> = self.columns.iter().map(AsRef::as_ref).collect();
        let names = interleave(&columns, &self.places).map_err(Error::internal)?;
        Ok(names.as_string_view().clone())
    }
}
