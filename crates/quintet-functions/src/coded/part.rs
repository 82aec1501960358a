//! The aggregates of one input.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::{and, filter_record_batch, prep_null_mask_filter, take};
use datafusion::arrow::datatypes::{SchemaRef, UInt32Type};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;

use super::cells::Cells;
use super::texts::Computed;
use super::{Asked, Condition, Key};

/// Cells, and what was aggregated in each.
pub(super) struct Part {
    asked: Arc<Asked>,
    /// Of the conditions that are of a text, and of the keys that are, in their order.
    conditions: Vec<Computed<ArrayRef>>,
    values: Vec<Computed<Vec<u32>>>,
    cells: Cells,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    reservation: MemoryReservation,
    /// Codes by key and row, and cells by row, of the batch at hand.
    codes: Vec<Vec<u32>>,
    found: Vec<usize>,
}

impl Part {
    pub(super) fn new(
        input: usize,
        asked: &Arc<Asked>,
        pool: &Arc<dyn MemoryPool>,
    ) -> Result<Self> {
        let conditions = asked.conditions.iter().filter_map(|one| match one {
            Condition::OfText(of) => Some(Computed::new(of)),
            Condition::OfRow(_) => None,
        });
        let values = asked.keys.iter().filter_map(|key| match key {
            Key::Text(of) => Some(Computed::new(of)),
            Key::Bucket(_) => None,
        });
        let values: Vec<_> = values.collect();
        let accumulators = asked.aggregates.iter();
        Ok(Self {
            conditions: conditions.collect(),
            cells: Cells::new(values.len()),
            codes: vec![Vec::new(); values.len()],
            values,
            accumulators: accumulators
                .map(|aggregate| aggregate.create_groups_accumulator())
                .collect::<Result<_>>()?,
            reservation: MemoryConsumer::new(format!("CodedAggregate[{input}]")).register(pool),
            found: Vec::new(),
            asked: Arc::clone(asked),
        })
    }

    /// Aggregates the rows of a batch that satisfy all conditions.
    pub(super) fn add(&mut self, batch: RecordBatch) -> Result<()> {
        let batch = match self.holds(&batch)? {
            Some(holds) if holds.true_count() < batch.num_rows() => {
                filter_record_batch(&batch, &holds)?
            }
            _ => batch,
        };
        if batch.num_rows() == 0 {
            return Ok(());
        }
        self.find(&batch)?;
        let cells = self.cells.len();
        for (accumulator, arguments) in self.accumulators.iter_mut().zip(&self.asked.arguments) {
            let arguments = arguments.iter().map(|argument| column(argument, &batch));
            let arguments = arguments.collect::<Result<Vec<_>>>()?;
            accumulator.update_batch(&arguments, &self.found, None, cells)?;
        }
        self.reservation.try_resize(self.size())
    }

    /// Which rows satisfy all conditions; `None`: there are none to satisfy.
    fn holds(&mut self, batch: &RecordBatch) -> Result<Option<BooleanArray>> {
        let mut of_text = self.conditions.iter_mut();
        let mut all: Option<BooleanArray> = None;
        for condition in &self.asked.conditions {
            let holds = match condition {
                Condition::OfText(_) => match of_text.next() {
                    Some(computed) => computed.holds(batch)?,
                    None => continue,
                },
                Condition::OfRow(expr) => column(expr, batch)?.as_boolean().clone(),
            };
            let holds = match holds.null_count() {
                0 => holds,
                _ => prep_null_mask_filter(&holds),
            };
            all = Some(match all {
                Some(all) => and(&all, &holds)?,
                None => holds,
            });
        }
        Ok(all)
    }

    /// The cells of all rows.
    fn find(&mut self, batch: &RecordBatch) -> Result<()> {
        let keys = self.values.iter_mut().zip(&mut self.codes);
        for ((computed, codes), texts) in keys.zip(&mut self.cells.texts) {
            computed.codes(batch, |value| texts.code(value), codes)?;
        }
        let buckets = self.asked.keys.iter().find_map(|key| match key {
            Key::Bucket(expr) => Some(column(expr, batch)),
            Key::Text(_) => None,
        });
        let buckets = buckets.transpose()?;
        let buckets = buckets.as_ref().map(|one| one.as_primitive::<UInt32Type>());
        let (rows, found) = (batch.num_rows(), &mut self.found);
        self.cells.find(rows, &self.codes, buckets, found)
    }

    /// Takes over what was aggregated of another input.
    pub(super) fn merge(&mut self, mut other: Self) -> Result<()> {
        let cells = self.cells.merge(&other.cells)?;
        let own = self.accumulators.iter_mut().zip(&mut other.accumulators);
        for (own, other) in own {
            let states = other.state(EmitTo::All)?;
            own.merge_batch(&states, &cells, self.cells.len())?;
        }
        self.reservation.try_resize(self.size())
    }

    /// Keys and aggregates of all cells; those of the same values one after the other.
    pub(super) fn finish(mut self, schema: SchemaRef) -> Result<RecordBatch> {
        let order = self.cells.order();
        let mut texts = self.cells.columns(&order)?.into_iter();
        let mut columns = Vec::with_capacity(schema.fields().len());
        for key in &self.asked.keys {
            columns.extend(match key {
                Key::Text(_) => texts.next(),
                Key::Bucket(_) => Some(self.cells.buckets(&order)),
            });
        }
        for accumulator in &mut self.accumulators {
            let figures = accumulator.evaluate(EmitTo::All)?;
            columns.push(take(&figures, &order, None)?);
        }
        Ok(RecordBatch::try_new(schema, columns)?)
    }

    fn size(&self) -> usize {
        let accumulators = self
            .accumulators
            .iter()
            .map(|accumulator| accumulator.size());
        self.cells.size() + accumulators.sum::<usize>()
    }
}

fn column(expr: &Arc<dyn PhysicalExpr>, batch: &RecordBatch) -> Result<ArrayRef> {
    expr.evaluate(batch)?.into_array(batch.num_rows())
}
