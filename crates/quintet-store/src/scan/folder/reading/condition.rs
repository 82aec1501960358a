//! Conditions on single columns, which choose the rows of a row group before any other column is decoded.
//!
//! On a column that the file keeps in a dictionary a condition is evaluated once per value of the dictionary.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array,
};
use datafusion::arrow::buffer::{BooleanBuffer, NullBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int32Type, Schema, SchemaRef};
use datafusion::common::DFSchema;
use datafusion::common::pruning::PruningStatistics;
use datafusion::error::Result;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{BinaryExpr, Expr, Volatility};
use datafusion::physical_expr::{PhysicalExpr, create_physical_expr};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use super::bounds::Bounds;
use crate::schema;

/// Columns of long texts, which are read of no more rows than must be.
const LONG: [&str; 2] = [schema::PROPERTIES, super::super::PERSON_PROPERTIES];

/// What must hold of one column.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    pub(super) column: FieldRef,
    alone: SchemaRef,
    holds: Vec<Arc<dyn PhysicalExpr>>,
    /// The opposite of each, where statistics can tell of it.
    fails: Option<Vec<Arc<dyn PhysicalExpr>>>,
}

/// The name of the column that a filter is about, if it is one that rows are chosen by.
pub(super) fn is_on(filter: &Expr, table: &Schema) -> Option<FieldRef> {
    let columns = filter.column_refs();
    let (1, Some(column)) = (columns.len(), columns.iter().next()) else {
        return None;
    };
    let (_, field) = table.fields().find(&column.name)?;
    let is_ref = super::actor_of(field.name()).is_some();
    let is_short = field.data_type() == &DataType::Utf8View || field.data_type().is_primitive();
    let is_fit = is_short && !is_ref && !LONG.contains(&field.name().as_str());
    (is_fit && !may_change(filter)).then(|| Arc::clone(field))
}

/// What holds of a value for which a plain comparison does not.
fn opposite(filter: &Expr) -> Option<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else {
        return None;
    };
    let opposite = BinaryExpr::new(left.clone(), op.negate()?, right.clone());
    Some(Expr::BinaryExpr(opposite))
}

fn may_change(filter: &Expr) -> bool {
    use datafusion::common::tree_node::TreeNode;
    let changes = filter.exists(|expr| {
        Ok(match expr {
            Expr::ScalarFunction(call) => call.func.signature().volatility == Volatility::Volatile,
            Expr::ScalarSubquery(_)
            | Expr::InSubquery(_)
            | Expr::Exists(_)
            | Expr::Placeholder(_) => true,
            _ => false,
        })
    });
    changes.unwrap_or(true)
}

impl Condition {
    /// Filters on this column alone.
    pub(super) fn new(filters: &[&Expr], column: FieldRef) -> Result<Self> {
        let column = Arc::new(column.as_ref().clone().with_nullable(true));
        let alone = Arc::new(Schema::new(vec![Arc::clone(&column)]));
        let named = DFSchema::try_from(Arc::clone(&alone))?;
        let physical = |filter: &Expr| {
            let context = PhysicalPlanningContext::default();
            create_physical_expr(filter, &named, &ExecutionProps::new(), &context)
        };
        let holds = filters.iter().map(|filter| physical(filter));
        let opposites: Option<Vec<Expr>> = filters.iter().map(|filter| opposite(filter)).collect();
        let fails = opposites.map(|fails| fails.iter().map(physical).collect());
        Ok(Self {
            holds: holds.collect::<Result<_>>()?,
            fails: fails.transpose()?,
            column,
            alone,
        })
    }

    /// May it hold in row groups with these bounds of its column?
    pub(super) fn may_hold(&self, bounds: &Bounds) -> Vec<bool> {
        let mut may = vec![true; bounds.num_containers()];
        for filter in &self.holds {
            let matches = self.may_match(filter, bounds);
            may.iter_mut()
                .zip(matches)
                .for_each(|(may, matches)| *may &= matches);
        }
        may
    }

    /// Does it hold for every value of row groups with these bounds? Of null nothing is said.
    pub(super) fn must_hold(&self, bounds: &Bounds) -> Vec<bool> {
        let Some(fails) = &self.fails else {
            return vec![false; bounds.num_containers()];
        };
        let mut must = vec![true; bounds.num_containers()];
        for filter in fails {
            let fails = self.may_match(filter, bounds);
            must.iter_mut()
                .zip(fails)
                .for_each(|(must, fails)| *must &= !fails);
        }
        must
    }

    fn may_match(&self, filter: &Arc<dyn PhysicalExpr>, bounds: &Bounds) -> Vec<bool> {
        let pruning = PruningPredicateBuilder::new()
            .with_file_schema(Arc::clone(&self.alone))
            .try_build(Arc::clone(filter));
        let kept = pruning.and_then(|pruning| pruning.prune(bounds));
        kept.unwrap_or_else(|_| vec![true; bounds.num_containers()])
    }

    fn evaluate(&self, values: &ArrayRef) -> Result<BooleanBuffer> {
        let values = cast(values, self.column.data_type())?;
        let rows = values.len();
        let batch = RecordBatch::try_new(Arc::clone(&self.alone), vec![values])?;
        let mut all = BooleanBuffer::new_set(rows);
        for filter in &self.holds {
            let holds = filter.evaluate(&batch)?.into_array(rows)?;
            all = &all & &certain(holds.as_boolean());
        }
        Ok(all)
    }

    /// Where it holds; `memo` keeps what it says of the dictionary at hand.
    pub(super) fn holds(&self, rows: &ArrayRef, memo: &mut Memo) -> Result<BooleanBuffer> {
        let Some(coded) = rows.as_dictionary_opt::<Int32Type>() else {
            return self.evaluate(rows);
        };
        let is_known =
            |(known, _, _): &(ArrayRef, _, _)| known.to_data().ptr_eq(&coded.values().to_data());
        if !memo.0.as_ref().is_some_and(is_known) {
            let of_values = self.evaluate(coded.values())?;
            let of_null = self.evaluate(&new_null_array(self.column.data_type(), 1))?;
            let of_values: Vec<bool> = of_values.iter().collect();
            memo.0 = Some((
                Arc::clone(coded.values()),
                of_values,
                of_null.iter().any(|holds| holds),
            ));
        }
        let (of_values, of_null): (&[bool], bool) = match &memo.0 {
            Some((_, of_values, of_null)) => (of_values, *of_null),
            None => (&[], false),
        };
        let codes = coded.keys();
        let values = codes.values();
        // What stands where a value is null is some code or other, and is put right below.
        let of_codes = BooleanBuffer::collect_bool(codes.len(), |row| {
            let of_code = |code: &i32| of_values.get(*code as usize).copied();
            values.get(row).and_then(of_code).unwrap_or(false)
        });
        let nulls = codes.nulls().filter(|nulls| nulls.null_count() > 0);
        Ok(match nulls.map(NullBuffer::inner) {
            None => of_codes,
            Some(known) if of_null => &of_codes | &!known,
            Some(known) => &of_codes & known,
        })
    }

    /// Does it never hold for null? To be asked after [`holds`](Self::holds) of the same rows.
    pub(super) fn excludes_null(memo: &Memo) -> bool {
        memo.0.as_ref().is_some_and(|(_, _, of_null)| !of_null)
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (at, filter) in self.holds.iter().enumerate() {
            let and = if at > 0 { " AND " } else { "" };
            write!(f, "{and}{filter}")?;
        }
        Ok(())
    }
}

/// What a condition says of each value of a dictionary, and of null.
#[derive(Default)]
pub(super) struct Memo(Option<(ArrayRef, Vec<bool>, bool)>);

fn certain(holds: &BooleanArray) -> BooleanBuffer {
    match holds.nulls() {
        Some(known) => holds.values() & known.inner(),
        None => holds.values().clone(),
    }
}
