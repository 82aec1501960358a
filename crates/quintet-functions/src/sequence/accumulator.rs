//! DataFusion's side of sequence aggregates: rows in, states out and in again, outcomes at the end.

use std::fmt::{self, Debug};
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Builder, ListArray, ListBuilder,
    StringViewBuilder, UInt64Builder,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type, UInt64Type};
use datafusion::common::internal_err;
use datafusion::error::Result;
use datafusion::logical_expr::function::StateFieldsArgs;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{Accumulator, ColumnarValue, EmitTo, GroupsAccumulator};
use datafusion::scalar::ScalarValue;

use super::log::Log;
use super::rows::rows;
use super::{Columns, Reading};

/// Keeps the events of every group and reads them when asked.
pub(super) struct Sequences {
    reading: Arc<dyn Reading>,
    columns: Columns,
    log: Log,
    actors: usize,
}

/// The fields of a state: one list per actor of everything that an event is.
pub(super) fn state_fields(args: &StateFieldsArgs<'_>) -> Vec<FieldRef> {
    let field = |part: &str, kind: DataType| {
        let list = DataType::List(Arc::new(Field::new_list_field(kind, true)));
        Arc::new(Field::new(format_state_name(args.name, part), list, true))
    };
    vec![
        field("times", DataType::Int64),
        field("marks", DataType::UInt64),
        field("more marks", DataType::UInt64),
        field("values", DataType::Utf8View),
    ]
}

impl Debug for Sequences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sequences")
            .field("reading", &self.reading)
            .field("actors", &self.actors)
            .finish_non_exhaustive()
    }
}

impl Sequences {
    pub(super) fn new(reading: Arc<dyn Reading>, columns: Columns) -> Self {
        Self {
            reading,
            columns,
            log: Log::default(),
            actors: 0,
        }
    }

    fn add(
        &mut self,
        values: &[ArrayRef],
        actor: impl Fn(usize) -> usize,
        filter: Option<&BooleanArray>,
    ) -> Result<()> {
        let log = &mut self.log;
        rows(self.columns, &after_definition(values), filter, |row| {
            let actor = actor(row.number);
            log.push(actor, row.time, row.marks, row.value, row.is_alike)
        })
    }

    fn merge(&mut self, states: &[ArrayRef], actor: impl Fn(usize) -> usize) -> Result<()> {
        let [times, marks, more, values] = states else {
            return internal_err!("a state has {} columns", states.len());
        };
        let (times, marks, more, values) = (
            times.as_list::<i32>(),
            marks.as_list::<i32>(),
            more.as_list::<i32>(),
            values.as_list::<i32>(),
        );
        for row in 0..times.len() {
            let (times, marks, more, values) = (
                times.value(row),
                marks.value(row),
                more.value(row),
                values.value(row),
            );
            let times = times.as_primitive::<Int64Type>().values();
            let marks = marks.as_primitive::<UInt64Type>().values();
            let more = more.as_primitive::<UInt64Type>().values();
            let values = values.as_string_view().iter();
            let all = times.iter().zip(marks).zip(more).zip(values);
            for (((&time, &marks), &more), value) in all {
                let value = value.unwrap_or_default();
                self.log
                    .push(actor(row), time, [marks, more], value, false)?;
            }
        }
        Ok(())
    }

    fn outcomes(&self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut outcomes = self.reading.outcomes(self.actors);
        self.log.read(emit_to, self.actors, |events, values| {
            outcomes.add(events, values)
        })?;
        outcomes.finish()
    }

    fn states(&self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let mut states = States::default();
        self.log.read(emit_to, self.actors, |events, values| {
            for event in events.iter() {
                states.push(event.time, event.marks, values.text(event.value));
            }
            states.end_of_actor();
            Ok(())
        })?;
        Ok(states.finish())
    }

    fn forget(&mut self, emit_to: EmitTo) {
        self.log.forget(emit_to);
        self.actors = match emit_to {
            EmitTo::All => 0,
            EmitTo::First(first) => self.actors.saturating_sub(first),
        };
    }
}

impl GroupsAccumulator for Sequences {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        opt_filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.actors = total_num_groups;
        let group = |row: usize| group_indices.get(row).copied().unwrap_or(0);
        self.add(values, group, opt_filter)
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let outcomes = self.outcomes(emit_to)?;
        self.forget(emit_to);
        Ok(outcomes)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let states = self.states(emit_to)?;
        self.forget(emit_to);
        Ok(states)
    }

    fn merge_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        total_num_groups: usize,
    ) -> Result<()> {
        self.actors = total_num_groups;
        self.merge(values, |row| group_indices.get(row).copied().unwrap_or(0))
    }

    fn convert_to_state(
        &self,
        values: &[ArrayRef],
        opt_filter: Option<&BooleanArray>,
    ) -> Result<Vec<ArrayRef>> {
        let mut states = States::default();
        let mut done = 0;
        rows(self.columns, &after_definition(values), opt_filter, |row| {
            (done..row.number).for_each(|_| states.end_of_actor());
            states.push(row.time, row.marks, row.value);
            states.end_of_actor();
            done = row.number + 1;
            Ok(())
        })?;
        let all = values.first().map_or(0, |column| column.len());
        (done..all).for_each(|_| states.end_of_actor());
        Ok(states.finish())
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.log.size()
    }
}

/// Without GROUP BY everything is one actor.
impl Accumulator for Sequences {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.actors = 1;
        self.add(values, |_| 0, None)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        self.actors = 1;
        ScalarValue::try_from_array(&self.outcomes(EmitTo::All)?, 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.log.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.actors = 1;
        let states = self.states(EmitTo::All)?;
        states
            .iter()
            .map(|state| ScalarValue::try_from_array(state, 0))
            .collect()
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.actors = 1;
        self.merge(states, |_| 0)
    }
}

/// States being written.
#[derive(Default)]
struct States {
    times: ListBuilder<Int64Builder>,
    marks: ListBuilder<UInt64Builder>,
    more: ListBuilder<UInt64Builder>,
    values: ListBuilder<StringViewBuilder>,
}

impl States {
    fn push(&mut self, time: i64, [marks, more]: [u64; 2], value: &str) {
        self.times.values().append_value(time);
        self.marks.values().append_value(marks);
        self.more.values().append_value(more);
        self.values.values().append_value(value);
    }

    fn end_of_actor(&mut self) {
        self.times.append(true);
        self.marks.append(true);
        self.more.append(true);
        self.values.append(true);
    }

    fn finish(mut self) -> Vec<ArrayRef> {
        let states: [ListArray; 4] = [
            self.times.finish(),
            self.marks.finish(),
            self.more.finish(),
            self.values.finish(),
        ];
        states
            .into_iter()
            .map(|state| Arc::new(state) as ArrayRef)
            .collect()
    }
}

/// The columns of the arguments; the definition was read when the aggregate was made.
fn after_definition(arguments: &[ArrayRef]) -> Vec<ColumnarValue> {
    let arguments = arguments.iter().skip(1);
    arguments.cloned().map(ColumnarValue::Array).collect()
}
