//! What lies below an aggregation: the rows that it reads, once projections and filters in between are taken apart.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::update_expr;
use datafusion::physical_expr::utils::split_conjunction;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;

/// The phase of an aggregation that reads rows, if this is the phase that ends it.
pub(crate) fn of_rows(last: &AggregateExec) -> Option<&AggregateExec> {
    match last.mode() {
        AggregateMode::Single | AggregateMode::SinglePartitioned => Some(last),
        AggregateMode::Final | AggregateMode::FinalPartitioned => {
            let first = last.input().downcast_ref::<AggregateExec>()?;
            (*first.mode() == AggregateMode::Partial).then_some(first)
        }
        _ => None,
    }
}

/// An input, and expressions of its columns.
pub(crate) struct Below {
    pub(crate) input: Arc<dyn ExecutionPlan>,
    pub(crate) exprs: Vec<Arc<dyn PhysicalExpr>>,
    /// What all rows of the input must satisfy to be looked at.
    pub(crate) conditions: Vec<Arc<dyn PhysicalExpr>>,
}

impl Below {
    pub(crate) fn of(input: &Arc<dyn ExecutionPlan>, exprs: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Self {
            input: Arc::clone(input),
            exprs,
            conditions: Vec::new(),
        }
    }

    /// Below all projections: what they compute is put in the place of their columns.
    pub(crate) fn projections(mut self) -> Result<Self> {
        while let Some(projection) = self.input.downcast_ref::<ProjectionExec>() {
            let computed = |exprs: &[Arc<dyn PhysicalExpr>]| -> Result<Option<Vec<_>>> {
                let exprs = exprs.iter();
                exprs
                    .map(|expr| update_expr(expr, projection.expr(), true))
                    .collect()
            };
            let computed = computed(&self.exprs)?.zip(computed(&self.conditions)?);
            let Some((exprs, conditions)) = computed else {
                break;
            };
            self = Self {
                input: Arc::clone(projection.input()),
                exprs,
                conditions,
            };
        }
        Ok(self)
    }

    /// Below all projections and filters.
    pub(crate) fn filters(mut self) -> Result<Self> {
        loop {
            self = self.projections()?;
            let filter = self.input.downcast_ref::<FilterExec>();
            let Some(filter) = filter.filter(|filter| filter.projection().is_none()) else {
                return Ok(self);
            };
            let conditions = split_conjunction(filter.predicate());
            self.conditions.extend(conditions.into_iter().cloned());
            self.input = Arc::clone(filter.input());
        }
    }
}
