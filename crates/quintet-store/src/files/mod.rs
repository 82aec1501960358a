//! Files of events: which rows go where, how they are encoded, and which of them are duplicates.
//! What a commit is made of is decided elsewhere (`store`).

pub(crate) mod dedupe;
mod encode;
pub(crate) mod layout;
pub(crate) mod parallel;
pub(crate) mod parquet;
pub(crate) mod promote;
pub(crate) mod reader;
mod rewrite;
pub(crate) mod seen;
#[cfg(test)]
pub(crate) mod testing;
mod writer;

pub(crate) use encode::encode;
pub(crate) use rewrite::rewrite;
pub(crate) use writer::EventsWriter;

use bytes::Bytes;

use crate::log::Add;

/// A file that is encoded and not yet written, with the action that will make it live.
#[derive(Debug)]
pub(crate) struct Encoded {
    pub(crate) add: Add,
    pub(crate) bytes: Bytes,
}
