//! Aggregates by texts that are read as codes: a row costs an array access, and texts are looked at once per value, not per row.
//!
//! ```text
//! rows: code of the text, time ─► code of the value ─┐
//!                             └─► bucket            ─┴► cell (value, bucket) ─► DataFusion's own accumulators, by cell
//! ```
//! Files keep texts as dictionaries, one per row group, and the scan hands them over as they are. Whatever a key or a condition makes
//! of a text is computed for the dictionary ([`texts`]); values and buckets are given cells ([`cells`]), which for rows in order of
//! time is an array by value that is begun anew with each bucket. Every input has its own cells; at the end they become one.
//! [`rule`] puts the operator where it fits.
//!
//! Everything stays in memory, and a refused reservation ends the query with `ResourcesExhausted`, as with
//! [`DenseSequencesExec`](crate::DenseSequencesExec).

mod cells;
mod part;
mod rule;
mod texts;
mod values;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::internal_err;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, apply_expression_roots,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::udaf::AggregateFunctionExpr;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use futures::future::try_join_all;
use futures::{StreamExt, TryFutureExt, stream};

use part::Part;
pub use rule::CodedAggregates;
use texts::OfText;

/// What is aggregated by what; expressions are of the input's columns, but see [`OfText`].
#[derive(Debug, Clone)]
struct Asked {
    conditions: Vec<Condition>,
    keys: Vec<Key>,
    aggregates: Vec<Arc<AggregateFunctionExpr>>,
    /// Of each aggregate.
    arguments: Vec<Vec<Arc<dyn PhysicalExpr>>>,
}

/// What a row must satisfy.
#[derive(Debug, Clone)]
enum Condition {
    OfText(OfText),
    OfRow(Arc<dyn PhysicalExpr>),
}

/// What rows are kept apart by.
#[derive(Debug, Clone)]
enum Key {
    Text(OfText),
    /// A `UInt32` that changes seldom from row to row; of all keys one at most.
    Bucket(Arc<dyn PhysicalExpr>),
}

/// See the module.
pub struct CodedAggregateExec {
    input: Arc<dyn ExecutionPlan>,
    asked: Arc<Asked>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl CodedAggregateExec {
    fn new(input: Arc<dyn ExecutionPlan>, asked: Arc<Asked>, schema: SchemaRef) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Self {
            input,
            asked,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }
}

/// Aggregates the rows of one input.
async fn fill(mut part: Part, mut rows: SendableRecordBatchStream) -> Result<Part> {
    while let Some(batch) = rows.next().await {
        part.add(batch?)?;
    }
    Ok(part)
}

/// Aggregates the rows of all inputs.
async fn aggregate(
    inputs: Vec<(Part, SendableRecordBatchStream)>,
    schema: SchemaRef,
) -> Result<RecordBatch> {
    let parts = inputs
        .into_iter()
        .map(|(part, rows)| SpawnedTask::spawn(fill(part, rows)).join_unwind());
    let parts = try_join_all(parts).await;
    let parts = parts.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)));
    let parts = parts?.into_iter().collect::<Result<Vec<_>>>()?;
    let mut parts = parts.into_iter();
    let Some(mut all) = parts.next() else {
        return Ok(RecordBatch::new_empty(schema));
    };
    for part in parts {
        all.merge(part)?;
    }
    all.finish(schema)
}

impl fmt::Debug for CodedAggregateExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodedAggregateExec")
            .field("asked", &self.asked)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for CodedAggregateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Asked {
            conditions,
            keys,
            aggregates,
            ..
        } = &*self.asked;
        let text = |of: &OfText| of.to_string();
        let keys = keys.iter().map(|key| match key {
            Key::Text(of) => text(of),
            Key::Bucket(_) => "bucket".to_owned(),
        });
        let conditions = conditions.iter().map(|condition| match condition {
            Condition::OfText(of) => text(of),
            Condition::OfRow(expr) => expr.to_string(),
        });
        let aggregates = aggregates.iter().map(|one| one.name().to_owned());
        write!(
            f,
            "CodedAggregateExec: keys=[{}], aggregates=[{}], conditions=[{}]",
            keys.collect::<Vec<_>>().join(", "),
            aggregates.collect::<Vec<_>>().join(", "),
            conditions.collect::<Vec<_>>().join(", "),
        )
    }
}

impl ExecutionPlan for CodedAggregateExec {
    fn name(&self) -> &'static str {
        "CodedAggregateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        f: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        apply_expression_roots(self.asked.arguments.iter().flatten(), f)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([input]) = <[_; 1]>::try_from(children) else {
            return internal_err!("CodedAggregateExec has one input");
        };
        let replaced = Self::new(input, Arc::clone(&self.asked), self.schema());
        Ok(Arc::new(replaced))
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let inputs = self.input.output_partitioning().partition_count();
        let inputs = (0..inputs)
            .map(|input| {
                let rows = self.input.execute(input, Arc::clone(&context))?;
                let part = Part::new(input, &self.asked, context.memory_pool())?;
                Ok((part, rows))
            })
            .collect::<Result<Vec<_>>>()?;
        let metrics = BaselineMetrics::new(&self.metrics, 0);
        let batch = aggregate(inputs, self.schema()).map_ok(move |all| all.record_output(&metrics));
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            stream::once(batch),
        )))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
