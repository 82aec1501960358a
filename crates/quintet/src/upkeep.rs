//! What keeps a store in good shape: compaction, vacuum, verification, and taking a group out for good.

use std::time::Duration;

use quintet_store::{CompactReport, Compaction, PurgeReport, VacuumReport, Verification};

use crate::{Engine, Result};

impl Engine {
    /// Writes small files together, moves the events of merged persons to the person that remains, and gives columns to
    /// the properties that are asked for. Answers stay the same.
    ///
    /// # Errors
    /// `Invalid` for a property that cannot have a column, `Corrupt` naming a damaged file, `Conflict` if other writers kept
    /// replacing the same files, `Unsupported` where the engine reads a plain folder.
    pub async fn compact(&self, wanted: Compaction) -> Result<CompactReport> {
        Ok(self.store("compaction")?.compact(wanted).await?)
    }

    /// Deletes files that no version of the last `older_than` needs. Files of a load in progress stay.
    ///
    /// # Errors
    /// What the file system says; `Unsupported` where the engine reads a plain folder.
    pub async fn vacuum(&self, older_than: Duration) -> Result<VacuumReport> {
        Ok(self.store("vacuum")?.vacuum(older_than).await?)
    }

    /// Reads every file of the store to its end and holds it against the log. Damage is in the report.
    ///
    /// # Errors
    /// What keeps it from looking; `Unsupported` where the engine reads a plain folder.
    pub async fn verify(&self) -> Result<Verification> {
        Ok(self.store("verification")?.verify().await?)
    }

    /// Takes a group out of the store for good, the group type given by its index: no file holds its key or its properties
    /// where they speak of the group. Its events stay and belong to no group of that type.
    ///
    /// # Errors
    /// `NotFound` if nothing stored names the group, `Invalid` for an index beyond 4 or an empty key, `Unsupported` where the
    /// engine reads a plain folder.
    pub async fn purge_group(&self, index: u8, key: &str) -> Result<PurgeReport> {
        Ok(self.store("a purge")?.purge_group(index, key).await?)
    }
}
