//! Expressions of one text, computed once for every value of a dictionary.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, RecordBatch, StringViewArray, StringViewBuilder, UInt32Array,
};
use datafusion::arrow::buffer::ScalarBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int32Type, Schema};
use datafusion::common::exec_datafusion_err;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;

/// An expression of nothing but the text in one column.
#[derive(Debug, Clone)]
pub(super) struct OfText {
    /// The column of the input, whose type is a dictionary.
    column: usize,
    /// Over batches whose only column is the text, as `Utf8View`.
    expr: Arc<dyn PhysicalExpr>,
}

/// An expression with what it came to for the dictionary met last.
pub(super) struct Computed<T> {
    of: OfText,
    last: Option<(ArrayRef, T)>,
}

/// Where in a computed column each row finds its value.
pub(super) struct Rows<'a, T> {
    pub(super) computed: &'a T,
    /// Positions in the dictionary; that of a null is one past the end.
    pub(super) positions: UInt32Array,
}

impl OfText {
    /// `expr` depends on this column alone.
    pub(super) fn new(column: usize, expr: Arc<dyn PhysicalExpr>) -> Result<Self> {
        let only = |part: Arc<dyn PhysicalExpr>| {
            Ok(match part.downcast_ref::<Column>() {
                Some(column) => {
                    let text: Arc<dyn PhysicalExpr> = Arc::new(Column::new(column.name(), 0));
                    Transformed::yes(text)
                }
                None => Transformed::no(part),
            })
        };
        let expr = expr.transform_up(only).data()?;
        Ok(Self { column, expr })
    }

    /// What the expression comes to for each of these texts, and for none.
    fn compute(&self, texts: &ArrayRef) -> Result<ArrayRef> {
        let texts = cast(texts, &DataType::Utf8View)?;
        let texts = texts.as_string_view();
        let mut all = StringViewBuilder::with_capacity(texts.len() + 1);
        texts.iter().for_each(|text| all.append_option(text));
        all.append_null();
        let schema = Schema::new(vec![Field::new("text", DataType::Utf8View, true)]);
        let batch = RecordBatch::try_new(Arc::new(schema), vec![Arc::new(all.finish())])?;
        self.expr.evaluate(&batch)?.into_array(batch.num_rows())
    }
}

impl fmt::Display for OfText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expr.fmt(f)
    }
}

impl<T> Computed<T> {
    pub(super) fn new(of: &OfText) -> Self {
        Self {
            of: of.clone(),
            last: None,
        }
    }

    /// What became of the text of every row; `make` makes it of the column that was computed for a dictionary.
    fn rows(
        &mut self,
        batch: &RecordBatch,
        make: impl FnOnce(ArrayRef) -> Result<T>,
    ) -> Result<Rows<'_, T>> {
        let texts = batch
            .columns()
            .get(self.of.column)
            .and_then(|column| column.as_any_dictionary_opt())
            .ok_or_else(|| exec_datafusion_err!("column {} has no codes", self.of.column))?;
        let dictionary = texts.values();
        // Readers make an array anew for every batch, of the same bytes.
        let is_same = |(last, _): &(ArrayRef, T)| {
            Arc::ptr_eq(last, dictionary) || last.to_data().ptr_eq(&dictionary.to_data())
        };
        if !self.last.as_ref().is_some_and(is_same) {
            let made = make(self.of.compute(dictionary)?)?;
            self.last = Some((Arc::clone(dictionary), made));
        }
        let positions: UInt32Array = match texts.keys().as_primitive_opt::<Int32Type>() {
            // No code is negative: nothing is to be converted.
            Some(keys) => {
                let positions = ScalarBuffer::from(keys.values().inner().clone());
                UInt32Array::new(positions, keys.nulls().cloned())
            }
            None => cast(texts.keys(), &DataType::UInt32)?
                .as_primitive()
                .clone(),
        };
        let positions = match positions.nulls() {
            None => positions,
            Some(known) => {
                let past_the_end = dictionary.len() as u32;
                let positions = positions.values().iter().zip(known);
                let position =
                    |(at, is_known): (&u32, _)| if is_known { *at } else { past_the_end };
                UInt32Array::from_iter_values(positions.map(position))
            }
        };
        let (_, computed) = self
            .last
            .as_ref()
            .ok_or_else(|| exec_datafusion_err!("nothing was computed"))?;
        Ok(Rows {
            computed,
            positions,
        })
    }
}

impl Computed<Vec<bool>> {
    /// Keeps of these rows the ones that satisfy the condition.
    pub(super) fn retain(&mut self, batch: &RecordBatch, rows: &mut Vec<u32>) -> Result<()> {
        let of_dictionary = |holds: ArrayRef| {
            let holds = holds.as_boolean().iter();
            Ok(holds.map(|holds| holds == Some(true)).collect())
        };
        let found = self.rows(batch, of_dictionary)?;
        let positions = found.positions.values();
        let mut kept = 0;
        // Without a branch: which rows stay is anybody's guess.
        for at in 0..rows.len() {
            let Some(&row) = rows.get(at) else { break };
            let position = positions.get(row as usize).copied().unwrap_or_default();
            let holds = found.computed.get(position as usize);
            if let Some(slot) = rows.get_mut(kept) {
                *slot = row;
            }
            kept += usize::from(holds.copied().unwrap_or_default());
        }
        rows.truncate(kept);
        Ok(())
    }
}

impl Computed<Vec<u32>> {
    /// The codes of the values of the chosen rows, or of all.
    pub(super) fn codes(
        &mut self,
        batch: &RecordBatch,
        chosen: Option<&[u32]>,
        mut code: impl FnMut(Option<&str>) -> Result<u32>,
        codes: &mut Vec<u32>,
    ) -> Result<()> {
        let of_dictionary = |values: ArrayRef| {
            let values: &StringViewArray = values.as_string_view();
            values.iter().map(&mut code).collect()
        };
        let found = self.rows(batch, of_dictionary)?;
        let positions = found.positions.values();
        let code = |at: &u32| {
            found
                .computed
                .get(*at as usize)
                .copied()
                .unwrap_or_default()
        };
        codes.clear();
        match chosen {
            None => codes.extend(positions.iter().map(code)),
            Some(chosen) => {
                let position = |row: &u32| positions.get(*row as usize);
                codes.extend(chosen.iter().filter_map(position).map(code));
            }
        }
        Ok(())
    }
}
