//! Sequence aggregates see all rows of an actor at once.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};

use super::function::sequence_function;

/// Plans a sequence aggregate in one phase: rows go to their actor's partition first and are aggregated there.
///
/// DataFusion's two phases would collect the events of every actor in each partition and then ship them as lists, which is slower
/// and holds everything twice. Answers are the same either way. To stand before the rules that distribute a plan: these then add
/// the one repartitioning by actor, unless the rows lie that way already.
#[derive(Debug)]
pub struct SequencesAtOnce;

impl PhysicalOptimizerRule for SequencesAtOnce {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match at_once(&node)? {
            Some(aggregate) => Ok(Transformed::yes(aggregate)),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "sequences_at_once"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// The aggregate in one phase, if it is a sequence aggregate of actors in two.
fn at_once(last: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(last) = last.downcast_ref::<AggregateExec>() else {
        return Ok(None);
    };
    let mode = match last.mode() {
        AggregateMode::FinalPartitioned => AggregateMode::SinglePartitioned,
        AggregateMode::Final => AggregateMode::Single,
        _ => return Ok(None),
    };
    let Some(first) = last.input.downcast_ref::<AggregateExec>() else {
        return Ok(None);
    };
    let mut functions = first.aggr_expr().iter().map(|expr| expr.fun());
    let has_sequence = functions.any(|function| sequence_function(function).is_some());
    if !has_sequence || first.group_expr().is_empty() {
        return Ok(None);
    }
    let aggregate = AggregateExec::try_new(
        mode,
        first.group_expr().clone(),
        first.aggr_expr().to_vec(),
        first.filter_expr().to_vec(),
        Arc::clone(&first.input),
        first.input_schema(),
    )?;
    Ok(Some(Arc::new(aggregate)))
}
