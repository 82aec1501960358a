//! Expressions over a text that is the same in a whole batch, evaluated once.
//!
//! A store's files are in order of events, so that the name of the event, which every step of a funnel asks for, is mostly the same
//! from the first row of a batch to the last. Then one row is evaluated and stands for all.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::internal_err;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::scalar::ScalarValue;

/// An expression of one column of texts.
#[derive(Debug)]
struct OncePerRun {
    inner: Arc<dyn PhysicalExpr>,
    column: usize,
}

/// The expression with those of its parts that depend on one column of texts alone evaluated once per run.
pub(super) fn once_per_run(
    expr: Arc<dyn PhysicalExpr>,
    schema: &Schema,
) -> Result<Arc<dyn PhysicalExpr>> {
    let once = |part: Arc<dyn PhysicalExpr>| match only_text(&part, schema) {
        Some(column) => {
            let inner = part;
            let once: Arc<dyn PhysicalExpr> = Arc::new(OncePerRun { inner, column });
            Ok(Transformed::new(once, true, TreeNodeRecursion::Jump))
        }
        None => Ok(Transformed::no(part)),
    };
    expr.transform_down(once).data()
}

/// The column of texts that an expression depends on, if on nothing else.
fn only_text(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Option<usize> {
    let is_computed = !expr.is::<Column>() && !expr.is::<Literal>() && !is_volatile(expr);
    let columns = collect_columns(expr);
    let mut columns = columns.iter();
    let (Some(column), None, true) = (columns.next(), columns.next(), is_computed) else {
        return None;
    };
    let field = schema.fields().get(column.index())?;
    (field.data_type() == &DataType::Utf8View).then(|| column.index())
}

fn is_volatile(expr: &Arc<dyn PhysicalExpr>) -> bool {
    datafusion::physical_expr_common::physical_expr::is_volatile(expr)
}

impl OncePerRun {
    /// Are all rows of the column the same? Equal views of one column are equal texts; others may be, which is not looked into.
    fn is_one_run(&self, batch: &RecordBatch) -> bool {
        let Some(texts) = batch.columns().get(self.column) else {
            return false;
        };
        let Some(texts) = texts.as_string_view_opt() else {
            return false;
        };
        let views = texts.views();
        let first = views.first();
        texts.nulls().is_none() && views.iter().all(|view| Some(view) == first)
    }
}

impl PhysicalExpr for OncePerRun {
    fn data_type(&self, schema: &Schema) -> Result<DataType> {
        self.inner.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> Result<bool> {
        self.inner.nullable(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if batch.num_rows() < 2 || !self.is_one_run(batch) {
            return self.inner.evaluate(batch);
        }
        match self.inner.evaluate(&batch.slice(0, 1))? {
            ColumnarValue::Array(one) => {
                let one = ScalarValue::try_from_array(&one, 0)?;
                Ok(ColumnarValue::Scalar(one))
            }
            one @ ColumnarValue::Scalar(_) => Ok(one),
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> Result<Arc<dyn PhysicalExpr>> {
        let Ok([inner]) = <[_; 1]>::try_from(children) else {
            return internal_err!("it has one part");
        };
        let column = self.column;
        Ok(Arc::new(Self { inner, column }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}

impl fmt::Display for OncePerRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.inner, f)
    }
}

impl PartialEq for OncePerRun {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for OncePerRun {}

impl Hash for OncePerRun {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}
