//! Events as DataFusion reads them: stock Parquet scans over the files of a snapshot or of a plain folder.
//! Nothing of ours travels in the plan, so that it can be sent to other processes as bytes. [`runs`] is the fast path of a
//! store, for plans that stay where they are.

mod files;
mod folder;
mod provider;
mod runs;

pub(crate) use files::{ScanFile, from_log};
pub use folder::{Folder, FolderCounts, FolderEvents, PropertyColumn, Told, Unloaded};
pub(crate) use provider::EventsTable;
pub use provider::ScanOptions;
pub(crate) use runs::RunsTable;
