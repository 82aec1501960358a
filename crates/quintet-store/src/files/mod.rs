//! Files of events: which rows go where, how they are encoded, and which of them are duplicates.
//! What a commit is made of is decided elsewhere (`store`).

pub(crate) mod actors;
pub(crate) mod batch;
mod blocks;
pub(crate) mod dedupe;
mod encode;
pub(crate) mod layout;
pub(crate) mod merge;
pub(crate) mod parallel;
pub(crate) mod parquet;
pub(crate) mod promote;
pub(crate) mod reader;
mod rewrite;
pub(crate) mod seen;
pub(crate) mod statistics;
pub(crate) mod stored;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod told;
mod writer;

pub(crate) use blocks::Blocks;
pub(crate) use encode::encode;
pub(crate) use rewrite::{edit, rewrite, statistics_of};
pub(crate) use writer::EventsWriter;

use bytes::Bytes;

use crate::log::{Add, EventsFile};
use crate::schema::Promoted;

/// A file that is encoded and not yet written, with the action that will make it live.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) add: Add,
    pub(crate) bytes: Bytes,
}

/// Which promoted properties have a column in a file of events.
#[derive(Debug, Clone, Default)]
pub(crate) struct PromotedColumns {
    /// These have one.
    pub(crate) fit: Vec<Promoted>,
    /// These cannot have one: some row has a value of another type.
    pub(crate) unfit: Vec<Promoted>,
}

impl PromotedColumns {
    /// Those of a file that exists.
    pub(crate) fn of(file: &EventsFile) -> Self {
        Self {
            fit: file.columns.clone(),
            unfit: file.unfit.clone(),
        }
    }
}
