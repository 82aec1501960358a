//! What became of actors, read back from a column.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, AsArray, ListArray, RecordBatch, StructArray};
use datafusion::arrow::datatypes::{Int64Type, UInt32Type, UInt64Type};

use super::OUTCOMES;
use super::slice::Slice;
use crate::{Error, Result};

/// What became of an actor under one breakdown value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome<'a> {
    /// How far it came.
    Run {
        value: &'a [String],
        steps: u64,
        times: &'a [i64],
    },
    /// Whether it converted, having entered in this period.
    Entrance {
        value: &'a [String],
        period: usize,
        converted: bool,
    },
}

/// Reads outcomes of one slice.
pub(super) struct Outcomes<'a> {
    slice: &'a Slice<'a>,
    /// Values by the texts that stand for them: there are few, and every actor has one.
    values: Vec<(String, Option<Vec<String>>)>,
    places: HashMap<String, usize>,
    /// The place of the value met last: without a breakdown there is one only.
    last: usize,
}

impl<'a> Outcomes<'a> {
    pub(super) fn of(slice: &'a Slice<'a>) -> Self {
        Self {
            slice,
            values: Vec::new(),
            places: HashMap::new(),
            last: 0,
        }
    }

    /// Hands over the outcomes of every row. An actor may have none or several.
    pub(super) fn read(
        &mut self,
        batch: &RecordBatch,
        mut found: impl FnMut(usize, Outcome<'_>),
    ) -> Result<()> {
        let lists = batch
            .column_by_name(OUTCOMES)
            .and_then(|column| column.as_list_opt::<i32>());
        let lists = lists.ok_or_else(|| lost(OUTCOMES))?;
        let outcomes = lists
            .values()
            .as_struct_opt()
            .ok_or_else(|| lost(OUTCOMES))?;
        let texts = child(outcomes, "value")?.as_string_view();
        let offsets = lists.value_offsets();
        let rows = |row: usize| match offsets.get(row..row + 2) {
            Some(&[from, to]) => from as usize..to as usize,
            _ => 0..0,
        };
        if let Ok(steps) = child(outcomes, "steps") {
            let steps = steps.as_primitive::<UInt64Type>();
            let times: &ListArray = child(outcomes, "times")?.as_list();
            let all_times = times.values().as_primitive::<Int64Type>().values();
            let bounds = times.value_offsets();
            for row in 0..lists.len() {
                for at in rows(row) {
                    let times = match bounds.get(at..at + 2) {
                        Some(&[from, to]) => all_times.get(from as usize..to as usize),
                        _ => None,
                    };
                    if let Some(value) = self.value(texts.value(at)) {
                        let (steps, times) = (steps.value(at), times.unwrap_or_default());
                        found(
                            row,
                            Outcome::Run {
                                value,
                                steps,
                                times,
                            },
                        );
                    }
                }
            }
        } else {
            let periods = child(outcomes, "period")?.as_primitive::<UInt32Type>();
            let converted = child(outcomes, "converted")?.as_boolean();
            for row in 0..lists.len() {
                for at in rows(row) {
                    if let Some(value) = self.value(texts.value(at)) {
                        let (period, converted) = (periods.value(at) as usize, converted.value(at));
                        found(
                            row,
                            Outcome::Entrance {
                                value,
                                period,
                                converted,
                            },
                        );
                    }
                }
            }
        }
        Ok(())
    }

    fn value(&mut self, text: &str) -> Option<&[String]> {
        let is_last = |(last, _): &(String, _)| last == text;
        if !self.values.get(self.last).is_some_and(is_last) {
            self.last = match self.places.get(text) {
                Some(place) => *place,
                None => {
                    self.places.insert(text.to_owned(), self.values.len());
                    let value = self.slice.value(text);
                    self.values.push((text.to_owned(), value));
                    self.values.len() - 1
                }
            };
        }
        let (_, value) = self.values.get(self.last)?;
        value.as_deref()
    }
}

fn child<'a>(outcomes: &'a StructArray, name: &str) -> Result<&'a dyn Array> {
    let column = outcomes.column_by_name(name).ok_or_else(|| lost(name))?;
    Ok(column.as_ref())
}

fn lost(name: &str) -> Error {
    Error::internal(format!("a plan lost its column {name}"))
}
