//! From bytes to staged events, persons and groups. Writing what is staged is the business of `files`.
//!
//! ```text
//! Sources ─survey: what each holds; persons first; types of groups that are only ids
//! Source ─bytes─► input ─► lines (blocks of whole lines) ─► pipeline: capture, normalise (on all cores, stateless)
//!                    └───► parquet (record batches) ──────►     │ Parsed, in order of receipt
//!                                                               ▼
//!                                        stage: persons, groups, StagedEvents (one thread)
//! ```

mod beside;
mod capture;
mod columns;
mod further;
mod glance;
mod group_ids;
mod indexes;
mod input;
pub(crate) mod json;
mod learned;
mod lines;
mod message;
mod normalise;
mod openpanel;
mod parquet;
mod persons_export;
mod pipeline;
mod reader;
mod replay;
mod report;
mod segment;
mod source;
mod stage;
mod staged;
mod strings;
mod survey;
mod timestamp;
mod typed;
mod walk;

pub(crate) use beside::{read_groups, read_persons};
pub use columns::Columns;
pub(crate) use glance::{Glance, GroupPlace, is_telling, telling_columns};
pub(crate) use group_ids::GroupIds;
pub(crate) use input::{Parquet as ParquetData, is_text};
pub(crate) use learned::Learned;
pub(crate) use parquet::{missing, property, receipt};
pub(crate) use persons_export::PersonsExport;
pub(crate) use reader::{ReadOptions, learn_groups, read_source};
pub use report::{EventCounts, GroupCounts, LoadReport, PersonCounts, Rejection, Warning};
pub use source::{Format, Load, Source};
pub(crate) use source::{content_hash, expand, skip};
pub(crate) use staged::{GROUP_TYPES, StagedEvents};
pub(crate) use strings::{StringTable, TextColumn};
pub(crate) use survey::{Contents, contents, of_columns};
pub(crate) use typed::{Further, MAX_EXACT_INTEGER};

#[cfg(test)]
mod tests;
