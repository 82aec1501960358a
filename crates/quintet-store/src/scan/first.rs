//! Tells the scans of our own that only the first rows by time are wanted: [`RowsExec`] reads times before all else then,
//! [`FolderExec`] reads first where the first rows must be.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coalesce_partitions::CoalescePartitionsExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::execution_plan::replace_children_if_necessary;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;

use super::folder::FolderExec;
use super::groups::RowsExec;
use crate::schema;

/// The first so many rows by time, of which no other ones are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct First {
    pub(super) rows: usize,
    pub(super) latest: bool,
}

impl First {
    /// The greater, the earlier a row of this time comes.
    pub(super) fn rank(self, time: i64) -> i64 {
        match self.latest {
            true => time,
            // Not a negation: the least number has none.
            false => !time,
        }
    }
}

impl fmt::Display for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = if self.latest { "latest" } else { "earliest" };
        write!(f, "{told}={}", self.rows)
    }
}

/// Tells the scan below an `ORDER BY timestamp … LIMIT n` that others than the first n of a partition are not wanted; ties
/// are. The sort stays where it is.
///
/// Between the two may be what drops no row and keeps the times as they are or as the same number (`arrow_cast(timestamp, 'Int64')`).
#[derive(Debug)]
pub struct FirstRows;

impl PhysicalOptimizerRule for FirstRows {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_down(|node| match below(&node)? {
            Some(input) => Ok(Transformed::yes(replace_children_if_necessary(
                node,
                vec![input],
            )?)),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &'static str {
        "first_rows"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// What a sort should stand on instead.
fn below(node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(sort) = node.downcast_ref::<SortExec>() else {
        return Ok(None);
    };
    let Some(rows) = sort.fetch() else {
        return Ok(None);
    };
    let order = sort.expr().first();
    let latest = order.options.descending;
    narrowed(sort.input(), &order.expr, First { rows, latest })
}

fn narrowed(
    node: &Arc<dyn ExecutionPlan>,
    time: &Arc<dyn PhysicalExpr>,
    first: First,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let Some(column) = column(time, node)? else {
        return Ok(None);
    };
    if let Some(rows) = node.downcast_ref::<RowsExec>() {
        let schema = rows.schema();
        let field = schema.fields().get(column.index());
        let is_time =
            field.is_some_and(|field| field.name() == schema::TIMESTAMP) && rows.first().is_none();
        return Ok(is_time.then(|| Arc::new(rows.with_first(first)) as Arc<dyn ExecutionPlan>));
    }
    if let Some(folder) = node.downcast_ref::<FolderExec>() {
        let narrowed = folder.with_first(first, column.index());
        return Ok(narrowed.map(|folder| Arc::new(folder) as Arc<dyn ExecutionPlan>));
    }
    let time = if let Some(projection) = node.downcast_ref::<ProjectionExec>() {
        projection.expr().get(column.index()).map(|from| &from.expr)
    } else {
        keeps_columns(node.as_ref()).then_some(time)
    };
    let children = node.children();
    let (Some(time), [input]) = (time, children.as_slice()) else {
        return Ok(None);
    };
    let input = narrowed(input, time, first)?;
    let rebuilt = input.map(|input| replace_children_if_necessary(Arc::clone(node), vec![input]));
    rebuilt.transpose()
}

fn keeps_columns(node: &dyn ExecutionPlan) -> bool {
    node.is::<RepartitionExec>()
        || node.is::<CoalescePartitionsExec>()
        || node.is::<CooperativeExec>()
}

/// The column of a node that an expression orders by: itself, or the number that a time is.
fn column<'a>(
    expr: &'a Arc<dyn PhysicalExpr>,
    node: &Arc<dyn ExecutionPlan>,
) -> Result<Option<&'a Column>> {
    if let Some(column) = expr.downcast_ref::<Column>() {
        return Ok(Some(column));
    }
    let Some(cast) = expr.downcast_ref::<CastExpr>() else {
        return Ok(None);
    };
    let is_number = *cast.cast_type() == DataType::Int64
        && cast.expr().data_type(&node.schema())? == schema::timestamp_type();
    Ok(cast.expr().downcast_ref::<Column>().filter(|_| is_number))
}
