//! What one input appends: its events, each in the range of its actor.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::UInt32Type;
use datafusion::common::{exec_datafusion_err, internal_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;

use crate::sequence::Columns;
use crate::sequence::kinds::{Kinds, Packed};
use crate::sequence::rows::rows;

/// Bits of an actor's number that tell it from the others of its range.
const BITS: u32 = 12;

/// Actors of a range.
pub(super) const ACTORS: usize = 1 << BITS;

/// The kind of what is no event: the actor has a row without a time.
pub(super) const NO_EVENT: u32 = u32::MAX;

/// What is read of a row.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) actor: Arc<dyn PhysicalExpr>,
    pub(super) columns: Columns,
    /// Those of the function; its definition was read when the plan was made.
    pub(super) after_definition: Vec<Arc<dyn PhysicalExpr>>,
}

/// Most events of a block.
const BLOCK: usize = 1 << 10;

/// The events of a range in order of their arrival, in blocks, so that none is ever moved.
#[derive(Default)]
pub(super) struct Events {
    full: Vec<Vec<Packed>>,
    open: Vec<Packed>,
}

/// The events of one input so far.
pub(super) struct Part {
    pub(super) ranges: Vec<Events>,
    pub(super) kinds: Kinds,
    /// What everything here was reserved with.
    pub(super) reservation: MemoryReservation,
    /// Bytes that events hold.
    held: usize,
}

/// The position of an actor in its range.
pub(super) fn place(actor: u32) -> usize {
    actor as usize & (ACTORS - 1)
}

/// The first actor of a range.
pub(super) fn first_actor(range: usize) -> Result<u32> {
    let first = u32::try_from(range << BITS);
    first.map_err(|_| exec_datafusion_err!("there is no range {range} of actors"))
}

impl Part {
    pub(super) fn new(input: usize, pool: &Arc<dyn MemoryPool>) -> Self {
        Self {
            ranges: Vec::new(),
            kinds: Kinds::default(),
            reservation: MemoryConsumer::new(format!("DenseSequences[{input}]")).register(pool),
            held: 0,
        }
    }

    /// Appends the rows of a batch.
    pub(super) fn add(&mut self, batch: &RecordBatch, arguments: &Arguments) -> Result<()> {
        let rows_of_batch = batch.num_rows();
        let actors = arguments.actor.evaluate(batch)?.into_array(rows_of_batch)?;
        let actors = actors.as_primitive::<UInt32Type>().values();
        let actor = |row: usize| actors.get(row).copied().unwrap_or_default();
        let columns = arguments.after_definition.iter();
        let columns = columns.map(|column| column.evaluate(batch));
        let mut columns = columns.collect::<Result<Vec<_>>>()?;
        let Some(times) = columns.first_mut() else {
            return internal_err!("a sequence needs a time");
        };
        let time = times.to_array(rows_of_batch)?;
        *times = ColumnarValue::Array(Arc::clone(&time));
        let mut kind = 0;
        rows(arguments.columns, &columns, None, |row| {
            if !row.is_alike {
                kind = self.kinds.position(row.marks, row.value)?;
            }
            self.push(Packed {
                time: row.time,
                actor: actor(row.number),
                kind,
            });
            Ok(())
        })?;
        for row in time
            .nulls()
            .into_iter()
            .flat_map(|known| (!known.inner()).set_indices().collect::<Vec<_>>())
        {
            self.push(Packed {
                time: 0,
                actor: actor(row),
                kind: NO_EVENT,
            });
        }
        self.reservation.try_resize(self.size())
    }

    fn push(&mut self, event: Packed) {
        let range = event.actor as usize >> BITS;
        if range >= self.ranges.len() {
            self.ranges.resize_with(range + 1, Events::default);
        }
        if let Some(events) = self.ranges.get_mut(range) {
            self.held += events.push(event);
        }
    }

    fn size(&self) -> usize {
        self.held + self.ranges.capacity() * size_of::<Events>() + self.kinds.size()
    }
}

impl Events {
    /// Appends an event, and says how many bytes that took.
    fn push(&mut self, event: Packed) -> usize {
        let mut taken = 0;
        if self.open.len() == self.open.capacity() {
            let capacity = (2 * self.open.capacity()).clamp(8, BLOCK);
            let open = std::mem::replace(&mut self.open, Vec::with_capacity(capacity));
            if !open.is_empty() {
                self.full.push(open);
            }
            taken = capacity * size_of::<Packed>() + size_of::<Vec<Packed>>();
        }
        self.open.push(event);
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Packed> {
        self.full.iter().flatten().chain(&self.open)
    }

    pub(super) fn len(&self) -> usize {
        self.full.iter().map(Vec::len).sum::<usize>() + self.open.len()
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        let blocks = self.full.iter().map(Vec::capacity).sum::<usize>() + self.open.capacity();
        blocks * size_of::<Packed>() + self.full.len() * size_of::<Vec<Packed>>()
    }
}
