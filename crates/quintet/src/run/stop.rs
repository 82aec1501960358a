//! Ends the work of a question that nobody waits for any longer.
//!
//! Dropping a future ends its tasks where they yield. A nested-loop join compares a batch with every row of its other side before it
//! does, which can take hours: its condition asks here whether anybody still waits.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::joins::utils::JoinFilter;

/// Whether a question was given up.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends what still runs.
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn was_called(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Calls for a stop when it is dropped.
#[derive(Debug, Default)]
pub(super) struct StopsAtTheEnd(pub(super) Stop);

impl Drop for StopsAtTheEnd {
    fn drop(&mut self) {
        self.0.now();
    }
}

/// The same plan, with joins that can be stopped.
pub(super) fn stoppable(
    plan: Arc<dyn ExecutionPlan>,
    stop: &Stop,
) -> Result<Arc<dyn ExecutionPlan>> {
    let watched = |node: Arc<dyn ExecutionPlan>| {
        let join = node.downcast_ref::<NestedLoopJoinExec>();
        let Some((join, filter)) = join.and_then(|join| Some((join, join.filter()?))) else {
            return Ok(Transformed::no(node));
        };
        let condition = Watched {
            condition: Arc::clone(filter.expression()),
            stop: stop.clone(),
        };
        let filter = JoinFilter::new(
            Arc::new(condition),
            filter.column_indices().to_vec(),
            Arc::clone(filter.schema()),
        );
        let projection = join.projection().as_ref().map(|columns| columns.to_vec());
        let watched = NestedLoopJoinExec::try_new(
            Arc::clone(join.left()),
            Arc::clone(join.right()),
            Some(filter),
            join.join_type(),
            projection,
        )?;
        Ok(Transformed::yes(Arc::new(watched) as Arc<dyn ExecutionPlan>))
    };
    plan.transform_up(watched).data()
}

/// A condition that fails once a stop was called for.
#[derive(Debug)]
struct Watched {
    condition: Arc<dyn PhysicalExpr>,
    stop: Stop,
}

impl PhysicalExpr for Watched {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.condition.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.condition.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if self.stop.was_called() {
            let reason = "nobody waits for the answer any longer";
            return Err(DataFusionError::Execution(reason.into()));
        }
        self.condition.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.condition]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let condition = children.into_iter().next();
        Ok(Arc::new(Self {
            condition: condition.unwrap_or_else(|| Arc::clone(&self.condition)),
            stop: self.stop.clone(),
        }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt_sql(f)
    }
}

impl fmt::Display for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

impl PartialEq for Watched {
    fn eq(&self, other: &Self) -> bool {
        self.condition.eq(&other.condition)
    }
}

impl Eq for Watched {}

impl Hash for Watched {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.condition.hash(state);
    }
}
