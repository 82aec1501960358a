//! From bytes to staged events, persons and groups. Writing what is staged is the business of `files`.
//!
//! ```text
//! Source ─bytes─► input ─► lines (blocks of whole lines) ─► pipeline: capture, normalise (on all cores, stateless)
//!                    └───► parquet (record batches) ──────►     │ Parsed, in order of receipt
//!                                                               ▼
//!                                        stage: persons, groups, StagedEvents (one thread)
//! ```

mod beside;
mod capture;
mod input;
pub(crate) mod json;
mod lines;
mod message;
mod normalise;
mod parquet;
mod pipeline;
mod reader;
mod report;
mod segment;
mod source;
mod stage;
mod staged;
mod strings;
mod timestamp;
mod walk;

pub(crate) use beside::{read_groups, read_persons};
pub(crate) use reader::{ReadOptions, read_source};
pub use report::{EventCounts, GroupCounts, LoadReport, PersonCounts, Rejection, Warning};
pub use source::{Format, Load, Source};
pub(crate) use source::{content_hash, expand};
pub(crate) use staged::{GROUP_TYPES, StagedEvents};
pub(crate) use strings::StringTable;

#[cfg(test)]
mod tests;
