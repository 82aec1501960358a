//! Sequence aggregates over actors that are dense numbers: an actor's place is its number, so that nothing is hashed and no row
//! travels between partitions.
//!
//! ```text
//! input 0 ─► part 0: │ actors 0.. │ 4096.. │ 8192.. │ …     rows are appended to the range of their actor, 16 bytes each
//! input 1 ─► part 1: │ actors 0.. │ 4096.. │ 8192.. │ …
//!                          ╰────────╮
//! all inputs done: outputs take whole ranges, whoever is free ─► counting sort by actor ─► reading ─► rows (actor, outcome)
//! ```
//! A range is small enough that the counters of its actors and the ends of their slices stay in the nearest caches, and there are
//! enough of them to keep every core busy. [`part`] holds what an input appends, [`collected`] what all inputs appended together,
//! [`reader`] reads ranges; [`rule`] puts the operator where it fits; [`once`] spares it what is the same in many rows.
//!
//! Everything stays in memory, and a refused reservation ends the query with `ResourcesExhausted`. DataFusion's own aggregation
//! spills instead. Therefore a session with a memory limit must not have the rule, nor one whose plans are to travel as bytes.

mod collected;
mod once;
mod part;
mod reader;
mod rule;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{exec_err, internal_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
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
use futures::future::{BoxFuture, Shared, try_join_all};
use futures::{FutureExt, StreamExt, TryFutureExt, stream};

use super::Reading;
use super::function::sequence_function;
use collected::Collected;
use once::once_per_run;
use part::{Arguments, Part};
use reader::Reader;
pub use rule::DenseSequences;

/// Reads the events of every actor; see the module.
pub struct DenseSequencesExec {
    input: Arc<dyn ExecutionPlan>,
    actor: Arc<dyn PhysicalExpr>,
    sequence: Sequence,
    reading: Arc<dyn Reading>,
    arguments: Arc<Arguments>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
    run: Mutex<Option<Run>>,
}

/// A sequence aggregate and its arguments, the definition first, as expressions of the operator's own input.
#[derive(Debug, Clone)]
pub struct Sequence {
    /// The aggregate.
    pub function: Arc<AggregateFunctionExpr>,
    /// What it takes.
    pub arguments: Vec<Arc<dyn PhysicalExpr>>,
}

/// What all inputs appended, once they are done. Driven by whichever output is polled; the inputs end with the last of its clones.
type Collecting = Shared<BoxFuture<'static, Result<Arc<Collected>, Arc<DataFusionError>>>>;

/// One execution of all outputs. The operator forgets it as soon as every output was asked for, so that outputs alone hold it.
struct Run {
    collecting: Collecting,
    is_asked: Vec<bool>,
}

impl DenseSequencesExec {
    /// The sequence of every `actor`, a column of `UInt32` without nulls, in so many `partitions`. The `schema` is that of the
    /// aggregation which this stands for: the actor and the outcome.
    ///
    /// # Errors
    /// A plan error where the function is none of this crate, or its definition cannot be read.
    pub fn try_new(
        input: Arc<dyn ExecutionPlan>,
        actor: Arc<dyn PhysicalExpr>,
        sequence: Sequence,
        schema: SchemaRef,
        partitions: usize,
    ) -> Result<Self> {
        let Some(function) = sequence_function(sequence.function.fun()) else {
            return internal_err!("{} is no sequence aggregate", sequence.function.name());
        };
        let reading = function.reading(&sequence.arguments)?;
        let rows = input.schema();
        let after_definition = sequence.arguments.iter().skip(1).cloned();
        let after_definition = after_definition.map(|argument| once_per_run(argument, &rows));
        let arguments = Arguments {
            actor: Arc::clone(&actor),
            columns: function.columns(),
            after_definition: after_definition.collect::<Result<_>>()?,
        };
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions.max(1)),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Self {
            input,
            actor,
            sequence,
            reading,
            arguments: Arc::new(arguments),
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
            run: Mutex::default(),
        })
    }

    fn partitions(&self) -> usize {
        self.properties.output_partitioning().partition_count()
    }

    /// What the inputs append, begun by the first output that is asked for.
    fn collecting(&self, partition: usize, context: &Arc<TaskContext>) -> Result<Collecting> {
        let mut slot = self.run.lock().unwrap_or_else(PoisonError::into_inner);
        let mut run = match slot.take() {
            Some(run) => run,
            None => Run {
                collecting: self.collect(context)?,
                is_asked: vec![false; self.partitions()],
            },
        };
        let collecting = run.collecting.clone();
        let was_asked = run
            .is_asked
            .get_mut(partition)
            .is_none_or(|asked| std::mem::replace(asked, true));
        if run.is_asked.contains(&false) {
            *slot = Some(run);
        }
        if was_asked {
            return exec_err!("there is no partition {partition}, or it was asked for already");
        }
        Ok(collecting)
    }

    fn collect(&self, context: &Arc<TaskContext>) -> Result<Collecting> {
        let inputs = self.input.output_partitioning().partition_count();
        let inputs = (0..inputs)
            .map(|input| {
                let rows = self.input.execute(input, Arc::clone(context))?;
                let part = Part::new(input, context.memory_pool());
                Ok((rows, part))
            })
            .collect::<Result<Vec<_>>>()?;
        let arguments = Arc::clone(&self.arguments);
        let all = async move {
            let parts = inputs.into_iter().map(|(rows, part)| {
                let filling = fill(part, rows, Arc::clone(&arguments));
                SpawnedTask::spawn(filling).join_unwind()
            });
            let parts = try_join_all(parts).await;
            let parts = parts.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)));
            let parts: Vec<Part> = parts?.into_iter().collect::<Result<_>>()?;
            Collected::of(parts).map(Arc::new)
        };
        Ok(all.map(|done| done.map_err(Arc::new)).boxed().shared())
    }
}

/// Appends all rows of an input.
async fn fill(
    mut part: Part,
    mut rows: SendableRecordBatchStream,
    arguments: Arc<Arguments>,
) -> Result<Part> {
    while let Some(batch) = rows.next().await {
        part.add(&batch?, &arguments)?;
    }
    Ok(part)
}

impl fmt::Debug for DenseSequencesExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DenseSequencesExec")
            .field("actor", &self.actor)
            .field("reading", &self.reading)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

impl DisplayAs for DenseSequencesExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (actor, sequence) = (&self.actor, self.sequence.function.name());
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(
                    f,
                    "DenseSequencesExec: actor={actor}, sequence={sequence}, partitions={}",
                    self.partitions()
                )
            }
            DisplayFormatType::TreeRender => write!(f, "actor={actor}\nsequence={sequence}"),
        }
    }
}

impl ExecutionPlan for DenseSequencesExec {
    fn name(&self) -> &'static str {
        "DenseSequencesExec"
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
        let arguments = self.arguments.after_definition.iter();
        apply_expression_roots(std::iter::once(&self.actor).chain(arguments), f)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Ok([input]) = <[_; 1]>::try_from(children) else {
            return internal_err!("DenseSequencesExec has one input");
        };
        let (actor, sequence) = (Arc::clone(&self.actor), self.sequence.clone());
        let partitions = self.partitions();
        let replaced = Self::try_new(input, actor, sequence, self.schema(), partitions)?;
        Ok(Arc::new(replaced))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let collecting = self.collecting(partition, &context)?;
        let reader = Reader::new(
            partition,
            Arc::clone(&self.reading),
            self.schema(),
            &context,
        );
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let batches = collecting
            .map(|collected| collected.map_err(DataFusionError::Shared))
            .map_ok(move |collected| {
                let mut batches = reader.batches(collected);
                let next = move || {
                    let _timer = metrics.elapsed_compute().timer();
                    batches.next().map(|batch| batch.record_output(&metrics))
                };
                stream::iter(std::iter::from_fn(next))
            })
            .try_flatten_stream();
        let batches = RecordBatchStreamAdapter::new(self.schema(), batches);
        Ok(Box::pin(cooperative(batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
