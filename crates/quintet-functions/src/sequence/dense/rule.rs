//! Where the operator stands.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::update_expr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::udaf::AggregateFunctionExpr;

use super::DenseSequencesExec;
use crate::sequence::function::sequence_function;

/// Plans a sequence aggregate of actors that are dense numbers without a hash table: [`DenseSequencesExec`].
///
/// That is any aggregation by one column of `UInt32` without nulls whose only aggregate is of this crate. Sparse numbers are
/// answered as well, only slower. To stand before [`SequencesAtOnce`](crate::SequencesAtOnce), which plans all others, and only
/// in sessions whose plans run where they are made and whose memory has no limit: the operator cannot be written as bytes and
/// does not spill.
#[derive(Debug)]
pub struct DenseSequences;

impl PhysicalOptimizerRule for DenseSequences {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partitions = config.execution.target_partitions;
        plan.transform_up(|node| match dense(&node, partitions)? {
            Some(dense) => Ok(Transformed::yes(dense)),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "dense_sequences"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The operator in place of an aggregation, where it fits.
fn dense(
    node: &Arc<dyn ExecutionPlan>,
    partitions: usize,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(rows) = node.downcast_ref().and_then(of_rows) else {
        return Ok(None);
    };
    let ([(actor, _)], false) = (
        rows.group_expr().expr(),
        rows.group_expr().has_grouping_set(),
    ) else {
        return Ok(None);
    };
    let input = rows.input_schema();
    let is_number = actor.data_type(&input)? == DataType::UInt32 && !actor.nullable(&input)?;
    let ([sequence], [None]) = (rows.aggr_expr(), rows.filter_expr()) else {
        return Ok(None);
    };
    let is_plain = !sequence.is_distinct() && sequence.order_bys().is_empty();
    if !is_number || !is_plain || sequence_function(sequence.fun()).is_none() {
        return Ok(None);
    }
    let below = Below {
        input: Arc::clone(rows.input()),
        actor: Arc::clone(actor),
        sequence: Arc::clone(sequence),
    };
    let below = below.projection()?;
    Ok(Some(Arc::new(DenseSequencesExec::try_new(
        below.input,
        below.actor,
        below.sequence,
        node.schema(),
        partitions,
    )?)))
}

/// What the operator reads, and what of it.
struct Below {
    input: Arc<dyn ExecutionPlan>,
    actor: Arc<dyn PhysicalExpr>,
    sequence: Arc<AggregateFunctionExpr>,
}

impl Below {
    /// Without projections in between: what they compute is computed by the operator, which spares what is the same in many rows.
    fn projection(self) -> Result<Self> {
        let Some(projection) = self.input.downcast_ref::<ProjectionExec>() else {
            return Ok(self);
        };
        let computed = |expr: &Arc<dyn PhysicalExpr>| update_expr(expr, projection.expr(), true);
        let arguments = self.sequence.expressions();
        let arguments: Option<Vec<_>> = arguments.iter().map(computed).collect::<Result<_>>()?;
        let sequence = arguments.and_then(|args| self.sequence.with_new_expressions(args, vec![]));
        match (computed(&self.actor)?, sequence) {
            (Some(actor), Some(sequence)) => {
                let below = Self {
                    input: Arc::clone(projection.input()),
                    actor,
                    sequence: Arc::new(sequence),
                };
                below.projection()
            }
            _ => Ok(self),
        }
    }
}

/// The phase of an aggregation that reads rows, if this is the phase that ends it.
fn of_rows(last: &AggregateExec) -> Option<&AggregateExec> {
    match last.mode() {
        AggregateMode::Single | AggregateMode::SinglePartitioned => Some(last),
        AggregateMode::Final | AggregateMode::FinalPartitioned => {
            let first = last.input().downcast_ref::<AggregateExec>()?;
            (*first.mode() == AggregateMode::Partial).then_some(first)
        }
        _ => None,
    }
}
