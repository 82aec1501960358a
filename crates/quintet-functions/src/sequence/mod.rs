//! Aggregates over one actor's events in order of time: what funnels and their like have in common.
//!
//! ```text
//! columns ─► log (16 bytes an event, any order) ─group by group, sorted by time─► reading ─► behavior ─► one value per actor
//! ```
//! Rows may come in any order and through any number of partial aggregates: the log is the state, and only what is read from
//! it at the end has an order. [`log`] keeps the events, [`accumulator`] is DataFusion's side of it, [`function`] the aggregate
//! function, [`rule`] how it is planned; a *reading* such as [`funnel`](crate::funnel) says what an actor's events mean.
//!
//! Where actors are dense numbers, [`dense`] does the same without a hash table.

mod accumulator;
mod dense;
mod function;
mod kinds;
mod list;
mod log;
mod rows;
mod rule;

use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::DataType;
use datafusion::error::Result;

pub use dense::{DenseSequences, DenseSequencesExec, Sequence};
pub(crate) use function::SequenceFunction;
pub(crate) use list::{list, list_of};
pub use rule::SequencesAtOnce;

/// One event as readings see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Event {
    /// Microseconds.
    pub(crate) time: i64,
    /// Two sets of bits; what they mean is the reading's.
    pub(crate) marks: [u64; 2],
    /// Rank of its value among the [`Values`].
    pub(crate) value: u32,
}

/// The values that events carry, ascending and each once: the rank of one is its position.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    texts: &'a [Arc<str>],
}

impl Values<'_> {
    /// The value of this rank.
    pub(crate) fn text(&self, rank: u32) -> &str {
        self.texts.get(rank as usize).map_or("", AsRef::as_ref)
    }

    /// The rank of a value that some event carries.
    pub(crate) fn rank(&self, text: &str) -> Option<u32> {
        let position = self.texts.binary_search_by(|one| one.as_ref().cmp(text));
        let position = position.ok()?;
        u32::try_from(position).ok()
    }
}

/// What an aggregate makes of an actor's events. Made anew from the function's literal definition wherever a plan runs.
pub(crate) trait Reading: Debug + Send + Sync {
    /// A column to which one value per actor is added. `actors` is how many to expect.
    fn outcomes(&self, actors: usize) -> Box<dyn Outcomes + '_>;
}

/// A column of outcomes being built.
pub(crate) trait Outcomes {
    /// Adds the outcome of an actor. Its events come in no order that means anything, and may be sorted in place.
    fn add(&mut self, events: &mut [Event], values: &Values<'_>) -> Result<()>;

    /// The column.
    fn finish(self: Box<Self>) -> Result<ArrayRef>;
}

/// How the arguments of a function after its definition become events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Columns {
    /// Time, then up to 64 conditions: condition `i` is bit `i` of the first marks.
    Conditions,
    /// Time, both marks, value. The second marks may be a number, which then stands there bit by bit.
    Marked,
}

/// What tells one sequence function from another.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) columns: Columns,
    pub(crate) returns: fn() -> DataType,
    /// Reads the definition. `conditions` is how many conditions follow the time.
    pub(crate) reading: fn(definition: &str, conditions: usize) -> Result<Arc<dyn Reading>>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
