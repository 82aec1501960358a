//! Where the operator stands.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_expr_common::physical_expr::is_volatile;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::udaf::AggregateFunctionExpr;

use super::texts::OfText;
use super::{Asked, CodedAggregateExec, Condition, Key};
use crate::below::{Below, of_rows};

/// A plan that reads rows.
type Scan = Arc<dyn ExecutionPlan>;

/// Plans aggregates by texts and by a bucket of time over codes: [`CodedAggregateExec`].
///
/// Keys are expressions of one column of texts each, and at most one of the time; columns of texts that are needed for anything
/// else than such keys and conditions stay as they are, and if a key needs one, so does the plan. To stand in front of the stock
/// rules, and only in sessions whose plans run where they are made and whose memory has no limit: the operator cannot be written as
/// bytes and does not spill.
#[derive(Debug)]
pub struct CodedAggregates {
    /// The columns of texts that a scan can hand over as codes.
    pub columns: fn(&Scan) -> BTreeSet<usize>,
    /// The same scan with some of them as codes.
    pub scan: fn(&Scan, &BTreeSet<usize>) -> Scan,
}

impl PhysicalOptimizerRule for CodedAggregates {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|node| match self.coded(&node)? {
            Some(coded) => Ok(Transformed::yes(coded)),
            None => Ok(Transformed::no(node)),
        })
        .data()
    }

    fn name(&self) -> &str {
        "coded_aggregates"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl CodedAggregates {
    /// The operator in place of an aggregation, where it fits.
    fn coded(&self, node: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let rows = node.downcast_ref::<AggregateExec>().and_then(of_rows);
        let Some(rows) = rows.filter(|rows| is_plain(rows)) else {
            return Ok(None);
        };
        let keys = rows.group_expr().expr().iter();
        let mut exprs: Vec<_> = keys.map(|(key, _)| Arc::clone(key)).collect();
        let keys = exprs.len();
        for aggregate in rows.aggr_expr() {
            exprs.extend(arguments(aggregate));
        }
        let below = Below::of(rows.input(), exprs).filters()?;
        if below.exprs.iter().chain(&below.conditions).any(is_volatile) {
            return Ok(None);
        }
        let (keys, of_aggregates) = below.exprs.split_at(keys.min(below.exprs.len()));
        let scanned = Scanned {
            schema: below.input.schema(),
            codable: (self.columns)(&below.input),
        };
        let Some(columns) = scanned.as_codes(keys, of_aggregates, &below.conditions) else {
            return Ok(None);
        };
        let input = (self.scan)(&below.input, &columns);
        let is_coded = |column: &usize| columns.contains(column);
        let keys = keys.iter().map(|key| {
            Ok(match only_column(key).filter(is_coded) {
                Some(column) => Key::Text(OfText::new(column, Arc::clone(key))?),
                None => Key::Bucket(Arc::clone(key)),
            })
        });
        let conditions = below.conditions.iter().map(|condition| {
            let expr = Arc::clone(condition);
            Ok(match only_column(condition).filter(is_coded) {
                Some(column) => Condition::OfText(OfText::new(column, expr)?),
                None => Condition::OfRow(expr),
            })
        });
        let mut of_aggregates = of_aggregates.iter().cloned();
        let aggregates = rows.aggr_expr().iter();
        let asked = Asked {
            conditions: conditions.collect::<Result<_>>()?,
            keys: keys.collect::<Result<_>>()?,
            arguments: aggregates
                .map(|one| of_aggregates.by_ref().take(arguments(one).len()).collect())
                .collect(),
            aggregates: rows.aggr_expr().to_vec(),
        };
        let coded = CodedAggregateExec::new(input, Arc::new(asked), node.schema());
        Ok(Some(Arc::new(coded)))
    }
}

/// Is it an aggregation that the operator could do, keys aside?
fn is_plain(rows: &AggregateExec) -> bool {
    let can = |aggregate: &Arc<AggregateFunctionExpr>| {
        // The order of an ordered-set aggregate is part of what it computes, and asks nothing of the rows.
        let is_any_order = aggregate.order_bys().is_empty()
            || aggregate.fun().inner().supports_within_group_clause();
        is_any_order && aggregate.groups_accumulator_supported()
    };
    let group = rows.group_expr();
    !group.expr().is_empty()
        && !group.has_grouping_set()
        && rows.filter_expr().iter().all(Option::is_none)
        && rows.limit_options().is_none()
        && rows.aggr_expr().iter().all(can)
}

/// What an aggregate takes, as DataFusion's own operator hands it over.
fn arguments(aggregate: &AggregateFunctionExpr) -> Vec<Arc<dyn PhysicalExpr>> {
    let mut arguments = aggregate.expressions();
    let orders = aggregate.order_bys().iter();
    arguments.extend(orders.map(|order| Arc::clone(&order.expr)));
    arguments
}

/// The columns of a scan.
struct Scanned {
    schema: SchemaRef,
    /// Those of texts that can be codes.
    codable: BTreeSet<usize>,
}

impl Scanned {
    /// The columns to be read as codes; none where the keys do not fit.
    fn as_codes(
        &self,
        keys: &[Arc<dyn PhysicalExpr>],
        of_aggregates: &[Arc<dyn PhysicalExpr>],
        conditions: &[Arc<dyn PhysicalExpr>],
    ) -> Option<BTreeSet<usize>> {
        let text = |expr| only_column(expr).filter(|column| self.codable.contains(column));
        let (texts, others): (Vec<_>, Vec<_>) = keys.iter().partition(|key| text(key).is_some());
        let of_texts = texts.iter().all(|key| self.gives(key, &DataType::Utf8View));
        if !of_texts || others.len() > 1 || !others.iter().all(|key| self.is_bucket(key)) {
            return None;
        }
        let (of_text, of_rows): (Vec<_>, Vec<_>) =
            conditions.iter().partition(|one| text(one).is_some());
        let elsewhere = of_aggregates.iter().chain(of_rows);
        let elsewhere: BTreeSet<usize> = elsewhere
            .flat_map(|expr| {
                collect_columns(expr)
                    .into_iter()
                    .map(|column| column.index())
            })
            .collect();
        let of_keys: BTreeSet<usize> = texts.into_iter().filter_map(&text).collect();
        let mut columns: BTreeSet<usize> = of_text.into_iter().filter_map(&text).collect();
        columns.retain(|column| !elsewhere.contains(column));
        of_keys.is_disjoint(&elsewhere).then(|| &columns | &of_keys)
    }

    /// A number made of a time: it changes seldom from row to row.
    fn is_bucket(&self, key: &Arc<dyn PhysicalExpr>) -> bool {
        let fields = self.schema.fields();
        let field = only_column(key).and_then(|column| fields.get(column));
        let is_of_time =
            field.is_some_and(|one| matches!(one.data_type(), DataType::Timestamp(..)));
        is_of_time && self.gives(key, &DataType::UInt32)
    }

    fn gives(&self, expr: &Arc<dyn PhysicalExpr>, kind: &DataType) -> bool {
        expr.data_type(&self.schema)
            .is_ok_and(|found| found == *kind)
    }
}

/// The column that an expression depends on, if on nothing else.
fn only_column(expr: &Arc<dyn PhysicalExpr>) -> Option<usize> {
    let columns = collect_columns(expr);
    let mut columns = columns.iter();
    match (columns.next(), columns.next()) {
        (Some(column), None) => Some(column.index()),
        _ => None,
    }
}
