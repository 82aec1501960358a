//! Where the operator stands.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;

use super::{DenseSequencesExec, Sequence};
use crate::below::{Below, of_rows};
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
    let Some(rows) = node.downcast_ref::<AggregateExec>().and_then(of_rows) else {
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
    let mut exprs = vec![Arc::clone(actor)];
    exprs.extend(sequence.expressions());
    let below = Below::of(rows.input(), exprs).projections()?;
    let mut exprs = below.exprs.into_iter();
    let Some(actor) = exprs.next() else {
        return internal_err!("an expression was lost");
    };
    Ok(Some(Arc::new(DenseSequencesExec::try_new(
        below.input,
        actor,
        Sequence {
            function: Arc::clone(sequence),
            arguments: exprs.collect(),
        },
        node.schema(),
        partitions,
    )?)))
}
