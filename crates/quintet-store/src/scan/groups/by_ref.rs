//! Groups are counted by their refs and named last; where the store knows how many rows each has, not even counted.
//!
//! ```text
//! Aggregate: by $group_N, count(*)     ⇒  known rows by key                              nothing but $group_N <> '' is asked for
//!   events
//! Aggregate: by $group_N, …            ⇒  Projection: key AS $group_N, …                 $group_N is used for nothing else
//!   events                                  Left join: group_N_ref = ref
//!                                             Aggregate: by group_N_ref, …
//!                                               events
//!                                             known keys
//! ```
//! The key of a row is that of its ref, no two refs of a type have the same key, and ref 0 is none. So both say the same.

use std::sync::Arc;

use datafusion::common::tree_node::Transformed;
use datafusion::common::{Column, JoinType};
use datafusion::datasource::{provider_as_source, source_as_provider};
use datafusion::error::Result;
use datafusion::logical_expr::expr::AggregateFunction;
use datafusion::logical_expr::utils::{conjunction, split_conjunction};
use datafusion::logical_expr::{
    Aggregate, Expr, Filter, LogicalPlan, LogicalPlanBuilder, Projection, SubqueryAlias, TableScan,
};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::prelude::lit;

use super::EventsByGroup;
use super::counts::{KEY, Known, KnownGroups, REF, ROWS};
use super::filter;
use crate::schema::{GROUP_REFS, GROUPS};
use crate::snapshot::Snapshot;

const KNOWN: &str = "known_groups";

/// Rewrites aggregations by the key of a group; see the module above. For sessions whose plans run where they are made, after all
/// other rules.
#[derive(Debug)]
pub struct GroupsByRef;

impl OptimizerRule for GroupsByRef {
    fn name(&self) -> &'static str {
        "groups_by_ref"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(
        &self,
        plan: LogicalPlan,
        _: &dyn OptimizerConfig,
    ) -> Result<Transformed<LogicalPlan>> {
        let LogicalPlan::Aggregate(aggregate) = &plan else {
            return Ok(Transformed::no(plan));
        };
        let rewritten = match known(aggregate)? {
            Some(known) => Some(known),
            None => by_ref(aggregate)?,
        };
        Ok(match rewritten {
            Some(rewritten) => Transformed::yes(rewritten),
            None => Transformed::no(plan),
        })
    }
}

/// A column of keys of groups.
struct Key {
    /// 0 to 4.
    index: usize,
    snapshot: Arc<Snapshot>,
}

impl Key {
    /// What is known of these groups, as a relation.
    fn scan(&self, known: Known) -> Result<LogicalPlanBuilder> {
        let groups = KnownGroups {
            snapshot: Arc::clone(&self.snapshot),
            index: self.index,
            known,
        };
        LogicalPlanBuilder::scan(KNOWN, provider_as_source(Arc::new(groups)), None)
    }
}

/// The keys that a column of a plan has, if the plan does nothing but choose rows and columns of the events of a store.
fn key(plan: &LogicalPlan, column: &Column) -> Option<Key> {
    match plan {
        LogicalPlan::TableScan(scan) if scan.fetch.is_none() => {
            let provider = source_as_provider(&scan.source).ok()?;
            let events = provider.downcast_ref::<EventsByGroup>()?;
            events.has_lists.then_some(Key {
                index: GROUPS.iter().position(|key| *key == column.name)?,
                snapshot: Arc::clone(&events.snapshot),
            })
        }
        LogicalPlan::Filter(filter) => key(&filter.input, column),
        LogicalPlan::SubqueryAlias(alias) => key(&alias.input, &aliased(alias, column)?),
        LogicalPlan::Projection(projection) => {
            let at = projection.schema.maybe_index_of_column(column)?;
            key(&projection.input, plain(projection.expr.get(at)?)?)
        }
        _ => None,
    }
}

/// The column of what has an alias.
fn aliased(alias: &SubqueryAlias, column: &Column) -> Option<Column> {
    let at = alias.schema.maybe_index_of_column(column)?;
    Some(Column::from(alias.input.schema().qualified_field(at)))
}

fn plain(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Alias(alias) => plain(&alias.expr),
        _ => None,
    }
}

/// Is this the same column of a plan?
fn is_same(plan: &LogicalPlan, one: &Column, other: &Column) -> bool {
    let at = |column| plan.schema().maybe_index_of_column(column);
    at(one).is_some() && at(one) == at(other)
}

/// Whether rows must have a key; none if anything else is asked of them.
fn must_have(plan: &LogicalPlan, column: &Column) -> Option<bool> {
    match plan {
        LogicalPlan::TableScan(scan) => {
            let mut conditions = scan.filters.iter().map(filter::any);
            let is_any = |found: Option<&Column>| found.is_some_and(|any| any.name == column.name);
            conditions.all(is_any).then_some(!scan.filters.is_empty())
        }
        LogicalPlan::Filter(filter) => {
            let mut conditions = split_conjunction(&filter.predicate).into_iter();
            let is_any = |condition: &Expr| {
                filter::any(condition).is_some_and(|any| is_same(&filter.input, any, column))
            };
            conditions.all(is_any).then_some(())?;
            must_have(&filter.input, column).map(|_| true)
        }
        LogicalPlan::SubqueryAlias(alias) => must_have(&alias.input, &aliased(alias, column)?),
        LogicalPlan::Projection(projection) => {
            let at = projection.schema.maybe_index_of_column(column)?;
            must_have(&projection.input, plain(projection.expr.get(at)?)?)
        }
        _ => None,
    }
}

/// Rows by key, in place of an aggregation that asks for nothing else.
fn known(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let [Expr::Column(column)] = aggregate.group_expr.as_slice() else {
        return Ok(None);
    };
    if !aggregate.aggr_expr.iter().all(counts_rows) {
        return Ok(None);
    }
    let found = key(&aggregate.input, column).zip(must_have(&aggregate.input, column));
    let Some((key, must_have)) = found else {
        return Ok(None);
    };
    let with_none = !must_have;
    let figures = aggregate.schema.iter().enumerate();
    let figures = figures.map(|(at, (table, field))| {
        let name = if at == 0 { KEY } else { ROWS };
        let figure = Expr::Column(Column::new(Some(KNOWN), name));
        figure.alias_qualified(table.cloned(), field.name())
    });
    let rows = key.scan(Known::Rows { with_none })?;
    rows.project(figures)?.build().map(Some)
}

/// `count(*)`, or what is the same.
fn counts_rows(expr: &Expr) -> bool {
    match expr {
        Expr::Alias(alias) => counts_rows(&alias.expr),
        Expr::AggregateFunction(AggregateFunction { func, params }) => {
            func.name() == "count"
                && !params.distinct
                && params.filter.is_none()
                && params.order_by.is_empty()
                && params.null_treatment.is_none()
                && matches!(params.args.as_slice(), [Expr::Literal(one, _)] if !one.is_null())
        }
        _ => false,
    }
}

/// The same aggregation by ref instead of key, with the keys beside its figures.
fn by_ref(aggregate: &Aggregate) -> Result<Option<LogicalPlan>> {
    let groups = aggregate.group_expr.iter().enumerate();
    let keys = groups.filter_map(|(at, expr)| match expr {
        Expr::Column(column) => Some((at, column, key(&aggregate.input, column)?)),
        _ => None,
    });
    for (at, column, key) in keys {
        let input = &aggregate.input;
        let mut others = aggregate.group_expr.iter().enumerate();
        let is_used = others.any(|(other, expr)| other != at && uses(expr, input, column))
            || aggregate
                .aggr_expr
                .iter()
                .any(|expr| uses(expr, input, column));
        if is_used {
            continue;
        }
        let Some((input, reference)) = with_ref(input, column, key.index)? else {
            continue;
        };
        let mut group_expr = aggregate.group_expr.clone();
        if let Some(expr) = group_expr.get_mut(at) {
            *expr = Expr::Column(reference.clone());
        }
        let by_ref = Aggregate::try_new(Arc::new(input), group_expr, aggregate.aggr_expr.clone())?;
        let figures = aggregate.schema.iter().enumerate();
        let figures: Vec<Expr> = figures
            .map(|(position, (table, field))| match position == at {
                true => Expr::Column(Column::new(Some(KNOWN), KEY))
                    .alias_qualified(table.cloned(), field.name()),
                false => Expr::Column(Column::new(table.cloned(), field.name())),
            })
            .collect();
        let keys = key.scan(Known::Keys)?.build()?;
        let on = (vec![reference], vec![Column::new(Some(KNOWN), REF)]);
        return LogicalPlanBuilder::from(LogicalPlan::Aggregate(by_ref))
            .join(keys, JoinType::Left, on, None)?
            .project(figures)?
            .build()
            .map(Some);
    }
    Ok(None)
}

/// Does an expression over a plan use one of its columns?
fn uses(expr: &Expr, plan: &LogicalPlan, column: &Column) -> bool {
    let columns = expr.column_refs();
    columns
        .into_iter()
        .any(|other| is_same(plan, other, column))
}

/// A plan with the refs in place of the keys, and their column; none if it uses the keys in another way than to ask whether there
/// is one.
fn with_ref(
    plan: &LogicalPlan,
    column: &Column,
    index: usize,
) -> Result<Option<(LogicalPlan, Column)>> {
    let Some(name) = GROUP_REFS.get(index) else {
        return Ok(None);
    };
    match plan {
        LogicalPlan::TableScan(scan) => scan_with_ref(scan, column, name),
        LogicalPlan::SubqueryAlias(alias) => {
            let Some(column) = aliased(alias, column) else {
                return Ok(None);
            };
            let Some((input, _)) = with_ref(&alias.input, &column, index)? else {
                return Ok(None);
            };
            let alias = SubqueryAlias::try_new(Arc::new(input), alias.alias.clone())?;
            let reference = Column::new(Some(alias.alias.clone()), *name);
            Ok(Some((LogicalPlan::SubqueryAlias(alias), reference)))
        }
        LogicalPlan::Filter(filter) => {
            let Some((input, reference)) = with_ref(&filter.input, column, index)? else {
                return Ok(None);
            };
            let conditions = split_conjunction(&filter.predicate).into_iter();
            let is_key = |other: &Column| is_same(&filter.input, other, column);
            let Some(predicate) = of_refs(conditions, is_key, &reference) else {
                return Ok(None);
            };
            let filter = Filter::try_new(predicate, Arc::new(input))?;
            Ok(Some((LogicalPlan::Filter(filter), reference)))
        }
        LogicalPlan::Projection(projection) => {
            let at = projection.schema.maybe_index_of_column(column);
            let source = at.and_then(|at| plain(projection.expr.get(at)?));
            let Some(source) = source else {
                return Ok(None);
            };
            let others = projection.expr.iter().enumerate();
            let others = others.filter(|(other, _)| Some(*other) != at);
            let mut columns: Vec<Expr> = others.map(|(_, expr)| expr.clone()).collect();
            if columns
                .iter()
                .any(|expr| uses(expr, &projection.input, source))
            {
                return Ok(None);
            }
            let Some((input, reference)) = with_ref(&projection.input, source, index)? else {
                return Ok(None);
            };
            columns.push(Expr::Column(reference.clone()));
            let projection = Projection::try_new(columns, Arc::new(input))?;
            Ok(Some((LogicalPlan::Projection(projection), reference)))
        }
        _ => Ok(None),
    }
}

fn scan_with_ref(
    scan: &TableScan,
    column: &Column,
    name: &str,
) -> Result<Option<(LogicalPlan, Column)>> {
    // A few rows by their lists: nothing to be gained.
    if scan
        .filters
        .iter()
        .any(|filter| filter::keys(filter).is_some())
    {
        return Ok(None);
    }
    let schema = scan.source.schema();
    let (key, reference) = (schema.index_of(&column.name)?, schema.index_of(name)?);
    let is_key = |other: &Column| other.name == column.name;
    let to_ref = Column::new_unqualified(name);
    let mut filters = Vec::with_capacity(scan.filters.len());
    for filter in &scan.filters {
        let Some(filter) = of_refs([filter].into_iter(), is_key, &to_ref) else {
            return Ok(None);
        };
        filters.push(filter);
    }
    let all = || (0..schema.fields().len()).collect();
    let mut projection = scan.projection.clone().unwrap_or_else(all);
    projection.retain(|at| *at != key && *at != reference);
    projection.push(reference);
    let scan = LogicalPlanBuilder::scan_with_filters(
        scan.table_name.clone(),
        Arc::clone(&scan.source),
        Some(projection),
        filters,
    )?;
    let plan = scan.build()?;
    let reference = Column::from(plan.schema().qualified_field_with_unqualified_name(name)?);
    Ok(Some((plan, reference)))
}

/// Conditions that ask by ref whether there is a group; none if they ask more of the key.
fn of_refs<'a>(
    conditions: impl Iterator<Item = &'a Expr>,
    is_key: impl Fn(&Column) -> bool,
    reference: &Column,
) -> Option<Expr> {
    let conditions = conditions.map(|condition| match filter::any(condition) {
        Some(any) if is_key(any) => Some(Expr::Column(reference.clone()).not_eq(lit(0u32))),
        _ => {
            let is_free = !condition.column_refs().into_iter().any(&is_key);
            is_free.then(|| condition.clone())
        }
    });
    conjunction(conditions.collect::<Option<Vec<_>>>()?)
}
