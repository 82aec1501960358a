//! One output: takes ranges as long as there are any, and gives a row per actor.

use std::sync::Arc;

use datafusion::arrow::array::{RecordBatch, UInt32Array};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};

use super::collected::{ByActor, Collected};
use crate::sequence::Reading;

/// Reads ranges of actors.
pub(super) struct Reader {
    reading: Arc<dyn Reading>,
    schema: SchemaRef,
    /// A batch takes whole ranges until it has so many rows.
    batch_size: usize,
    by_actor: ByActor,
    reservation: MemoryReservation,
}

impl Reader {
    pub(super) fn new(
        output: usize,
        reading: Arc<dyn Reading>,
        schema: SchemaRef,
        context: &TaskContext,
    ) -> Self {
        let consumer = MemoryConsumer::new(format!("DenseSequences[read {output}]"));
        Self {
            reading,
            schema,
            batch_size: context.session_config().batch_size(),
            by_actor: ByActor::default(),
            reservation: consumer.register(context.memory_pool()),
        }
    }

    /// The rows of the ranges that this output takes.
    pub(super) fn batches(
        mut self,
        collected: Arc<Collected>,
    ) -> impl Iterator<Item = Result<RecordBatch>> + Send {
        std::iter::from_fn(move || self.batch(&collected).transpose())
    }

    fn batch(&mut self, collected: &Collected) -> Result<Option<RecordBatch>> {
        let mut actors = Vec::with_capacity(self.batch_size);
        let mut outcomes = self.reading.outcomes(self.batch_size);
        let values = collected.values();
        while actors.len() < self.batch_size
            && let Some(range) = collected.take()
        {
            let held = self.reservation.size();
            self.reservation
                .try_resize(held.max(range.bytes_to_sort()))?;
            self.by_actor.sort(&range);
            self.by_actor.each(&range, collected, |actor, events| {
                actors.push(actor);
                outcomes.add(events, &values)
            })?;
        }
        if actors.is_empty() {
            return Ok(None);
        }
        let columns = vec![Arc::new(UInt32Array::from(actors)) as _, outcomes.finish()?];
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        Ok(Some(batch))
    }
}
