//! The aggregates of one input.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::{take, take_record_batch};
use datafusion::arrow::datatypes::{SchemaRef, UInt32Type};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::utils::collect_columns;

use super::cells::{Cells, Rows};
use super::texts::Computed;
use super::{Asked, Condition, Key};

/// Cells, and what was aggregated in each.
pub(super) struct Part {
    asked: Arc<Asked>,
    /// Of the conditions that are of a text, and of the keys that are, in their order.
    conditions: Vec<Computed<Vec<bool>>>,
    values: Vec<Computed<Vec<u32>>>,
    cells: Cells,
    accumulators: Vec<Box<dyn GroupsAccumulator>>,
    /// Does any aggregate take a column?
    takes_columns: bool,
    reservation: MemoryReservation,
    /// Codes by key and chosen row, and cells by chosen row, of the batch at hand.
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
        let mut arguments = asked.arguments.iter().flatten();
        Ok(Self {
            takes_columns: arguments.any(|argument| !collect_columns(argument).is_empty()),
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
        let chosen = self.chosen(&batch)?;
        let rows = chosen.as_ref().map_or(batch.num_rows(), Vec::len);
        if rows == 0 {
            return Ok(());
        }
        self.find(&batch, chosen.as_deref())?;
        // Constants need no rows to be taken: the most frequent question counts.
        let taken = match chosen {
            Some(chosen) if self.takes_columns && rows < batch.num_rows() => {
                take_record_batch(&batch, &UInt32Array::from(chosen))?
            }
            _ => batch,
        };
        let cells = self.cells.len();
        for (accumulator, arguments) in self.accumulators.iter_mut().zip(&self.asked.arguments) {
            let of_rows = |argument: &Arc<dyn PhysicalExpr>| {
                let values = argument.evaluate(&taken)?;
                values.into_array(rows)
            };
            let arguments = arguments.iter().map(of_rows).collect::<Result<Vec<_>>>()?;
            accumulator.update_batch(&arguments, &self.found, None, cells)?;
        }
        self.reservation.try_resize(self.size())
    }

    /// The rows that satisfy all conditions; `None`: there are none to satisfy.
    fn chosen(&mut self, batch: &RecordBatch) -> Result<Option<Vec<u32>>> {
        let mut of_text = self.conditions.iter_mut();
        let mut chosen: Option<Vec<u32>> = None;
        for condition in &self.asked.conditions {
            let of_all = chosen.get_or_insert_with(|| (0..batch.num_rows() as u32).collect());
            match condition {
                Condition::OfText(_) => match of_text.next() {
                    Some(computed) => computed.retain(batch, of_all)?,
                    None => continue,
                },
                Condition::OfRow(expr) => {
                    let holds = column(expr, batch)?;
                    let holds = holds.as_boolean();
                    of_all
                        .retain(|row| holds.is_valid(*row as usize) && holds.value(*row as usize));
                }
            }
        }
        Ok(chosen)
    }

    /// The cells of the chosen rows, or of all.
    fn find(&mut self, batch: &RecordBatch, chosen: Option<&[u32]>) -> Result<()> {
        let keys = self.values.iter_mut().zip(&mut self.codes);
        for ((computed, codes), texts) in keys.zip(&mut self.cells.texts) {
            computed.codes(batch, chosen, |value| texts.code(value), codes)?;
        }
        let buckets = self.asked.keys.iter().find_map(|key| match key {
            Key::Bucket(expr) => Some(column(expr, batch)),
            Key::Text(_) => None,
        });
        let buckets = buckets.transpose()?;
        let buckets = buckets.as_ref().map(|one| one.as_primitive::<UInt32Type>());
        let rows = match chosen {
            Some(chosen) => Rows::These(chosen),
            None => Rows::All(batch.num_rows()),
        };
        let found = &mut self.found;
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
