//! Events as DataFusion reads them: stock Parquet scans over the files of a snapshot or of a plain folder.
//! Nothing of ours travels in the plan but the names of [`scalar_functions`], so that it can be sent to other processes as bytes. [`runs`] is the fast path of a
//! store, for plans that stay where they are.

mod codes;
mod files;
mod first;
mod folder;
mod functions;
mod groups;
mod provider;
mod runs;
mod stored;

pub use codes::{columns_with_codes, scan_as_codes};
pub(crate) use files::{ScanFile, from_log};
pub use first::FirstRows;
pub use folder::{Folder, FolderEvents, PropertyColumn, Told, Unloaded};
pub use functions::scalar_functions;
pub(crate) use groups::EventsByGroup;
pub use groups::GroupsByRef;
pub(crate) use provider::EventsTable;
pub use provider::ScanOptions;
pub(crate) use runs::RunsTable;
pub(crate) use stored::{StoredEvents, StoredFile};
