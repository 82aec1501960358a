//! Retention as an aggregate: the events of an actor in, the cohorts that it belongs to out.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, Float64Builder, ListBuilder, StringViewBuilder, UInt32Builder,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::plan_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;
use quintet_behavior::retention::{Event, Retention};

use crate::sequence::{
    self, Columns, Kind, Outcomes, Reading, SequenceFunction, Values, list, list_of,
};

/// `retention(definition, time, kinds, amount, value)`: the cohorts of the actor, with the columns in which it counts.
pub(crate) fn retention() -> Arc<AggregateUDF> {
    static KIND: Kind = Kind {
        name: "retention",
        columns: Columns::Marked,
        returns: || list_of(fields()),
        reading: |definition, _| {
            let retention: Retention = serde_json::from_str(definition).map_err(|error| {
                plan_datafusion_err!("this is no definition of retention: {error}")
            })?;
            Ok(Arc::new(Cohorts(retention)))
        },
    };
    SequenceFunction::udaf(&KIND)
}

fn fields() -> Fields {
    let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
    Fields::from(vec![
        Field::new("value", DataType::Utf8View, false),
        Field::new("row", DataType::UInt32, false),
        Field::new("columns", list(DataType::UInt32), false),
        Field::new("amounts", list(DataType::Float64), false),
    ])
}

#[derive(Debug)]
struct Cohorts(Retention);

impl Reading for Cohorts {
    fn outcomes(&self, actors: usize) -> Box<dyn Outcomes + '_> {
        Box::new(CohortsColumn {
            retention: &self.0,
            prepared: Vec::new(),
            lengths: Vec::with_capacity(actors),
            values: StringViewBuilder::new(),
            rows: UInt32Builder::with_capacity(actors),
            columns: ListBuilder::new(UInt32Builder::with_capacity(actors)),
            amounts: ListBuilder::new(Float64Builder::new()),
        })
    }
}

struct CohortsColumn<'a> {
    retention: &'a Retention,
    prepared: Vec<Event>,
    lengths: Vec<usize>,
    values: StringViewBuilder,
    rows: UInt32Builder,
    columns: ListBuilder<UInt32Builder>,
    amounts: ListBuilder<Float64Builder>,
}

impl Outcomes for CohortsColumn<'_> {
    fn add(&mut self, events: &mut [sequence::Event], values: &Values<'_>) -> Result<()> {
        let before = self.rows.len();
        let prepared = &mut self.prepared;
        prepared.clear();
        prepared.extend(events.iter().map(|event| Event {
            time: event.time,
            kinds: (event.marks[0] & u64::from(u8::MAX)) as u8,
            value: event.value,
            amount: f64::from_bits(event.marks[1]),
        }));
        if !prepared.is_sorted_by(|one, next| one.order(next).is_le()) {
            prepared.sort_unstable_by(Event::order);
        }
        self.retention.cohorts(prepared, |cohort| {
            let number = |position: usize| u32::try_from(position).unwrap_or(u32::MAX);
            self.values.append_value(values.text(cohort.value));
            self.rows.append_value(number(cohort.row));
            for &column in cohort.columns {
                self.columns.values().append_value(number(column));
            }
            self.columns.append(true);
            self.amounts.values().append_slice(cohort.amounts);
            self.amounts.append(true);
        });
        self.lengths.push(self.rows.len() - before);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.values.finish()),
            Arc::new(self.rows.finish()),
            Arc::new(self.columns.finish()),
            Arc::new(self.amounts.finish()),
        ];
        list(fields(), columns, self.lengths)
    }
}
