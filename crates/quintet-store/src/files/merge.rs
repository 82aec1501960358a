//! Sorted runs of events into one, in the order of a file: (event, timestamp), then the order of the runs.

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, UnboundedMemoryPool};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::SendableRecordBatchStream;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet};
use datafusion::physical_plan::sorts::streaming_merge::StreamingMergeBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::schema;

/// Rows of a batch that comes out.
const BATCH_ROWS: usize = 8192;

/// One sorted run, batch by batch.
pub(crate) type Run = Box<dyn Iterator<Item = Result<RecordBatch>> + Send>;

/// All rows of the runs, whose batches have the columns of `schema`.
pub(crate) fn merge(
    schema: &SchemaRef,
    runs: Vec<Run>,
) -> Result<BoxStream<'static, Result<RecordBatch>>> {
    let streams = runs.into_iter().map(|run| {
        let run = stream::iter(run).map_err(|error| DataFusionError::External(Box::new(error)));
        let run = RecordBatchStreamAdapter::new(Arc::clone(schema), run);
        Box::pin(run) as SendableRecordBatchStream
    });
    let keys = [schema::EVENT, schema::TIMESTAMP].map(|name| {
        let column = col(name, schema).map_err(Error::internal)?;
        Ok(PhysicalSortExpr::new(column, schema::FILE_ORDER))
    });
    let keys = keys.into_iter().collect::<Result<Vec<_>>>()?;
    let order = LexOrdering::new(keys).ok_or_else(|| Error::internal("files have no order"))?;
    let memory: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    let merged = StreamingMergeBuilder::new()
        .with_streams(streams.collect())
        .with_schema(Arc::clone(schema))
        .with_expressions(&order)
        .with_metrics(BaselineMetrics::new(&ExecutionPlanMetricsSet::new(), 0))
        .with_batch_size(BATCH_ROWS)
        .with_reservation(MemoryConsumer::new("compaction").register(&memory))
        .with_round_robin_tie_breaker(false)
        .build()
        .map_err(Error::internal)?;
    Ok(merged.map_err(ours).boxed())
}

/// An error of a run, as it was before it went through DataFusion.
fn ours(error: DataFusionError) -> Error {
    match error {
        DataFusionError::External(cause) => match cause.downcast() {
            Ok(ours) => *ours,
            Err(other) => Error::internal(other),
        },
        other => Error::internal(other),
    }
}
