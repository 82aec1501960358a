//! Events, persons and groups as immutable Parquet files under a log of commits.
//!
//! ```text
//! Load ──ingest──► StagedEvents, EntityState ──files, tables──► *.parquet ──log──► commit N
//!                                                                                    │
//!                        TableProvider ◄──scan── Snapshot (version N, immutable) ◄───┘
//! ```
//!
//! The two entry points are [`Store`] (make, open, load) and [`Folder`] (a plain folder of Parquet,
//! read as it lies). This crate knows nothing of insights: it gives tables to DataFusion.
//!
//! ```no_run
//! # async fn example() -> quintet_store::Result<()> {
//! use std::sync::Arc;
//! use quintet_store::{Load, Location, Settings, Source, Store};
//!
//! let store = Store::open_or_create(Location::parse("./events")?, Settings::default()).await?;
//! let load = Load { sources: vec![Source::Path("capture.jsonl".into())], ..Load::default() };
//! let report = store.ingest(load, Arc::new(())).await?;
//! println!("{} events stored", report.events.stored);
//! let events = store.snapshot().await?.events();
//! # Ok(())
//! # }
//! ```

mod cache;
mod entities;
mod error;
mod files;
mod ingest;
mod local;
mod location;
mod log;
mod scan;
pub mod schema;
mod sets;
mod snapshot;
mod stats;
mod store;
mod tables;
mod verified;

pub use error::{Error, Result, SOME_FILE, classify};
pub use ingest::{
    Columns, EventCounts, Format, GroupCounts, Load, LoadReport, PersonCounts, Rejection, Source,
    Warning,
};
pub use location::Location;
pub use log::{GroupTypeEntry, Settings, WeekStart};
pub use scan::{
    FirstRows, Folder, FolderEvents, GroupsByRef, PropertyColumn, ScanOptions, Told, Unloaded,
    columns_with_codes, scalar_functions, scan_as_codes,
};
pub use sets::{ActorKind, DayOfActors, Events};
pub use snapshot::Snapshot;
pub use stats::{GroupTypeStats, Stats};
pub use store::{
    CompactReport, Compaction, Problem, Progress, PurgeReport, Store, VacuumReport, Verification,
};
pub use tables::{Entities, EntityTable, PersonIndex};
