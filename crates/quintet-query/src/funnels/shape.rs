//! From the figures of a funnel to its result. Pure: nothing is counted here.
//!
//! `value` writes what a row is about, `steps`, `trends` and `time_to_convert` write the rows.
//! Rules: `spec/funnels.md` sections 6 and 9 to 11, `spec/funnels-more.md` sections 3.3, 4.4 to 5.4 and 11.

mod steps;
mod time_to_convert;
mod trends;
mod value;

use serde_json::Value;

use crate::numbers::{json_number, scaled_back};

use super::{Figures, Funnels, Viz};

/// What comes of a funnel.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelsResult {
    /// Steps and trends: a list of rows. Time to convert: an object, or a list of two where ranges are compared.
    pub results: Value,
    /// What stands beside `results`, by name: `total_median_conversion_time` in seconds of steps that are not compared, and
    /// `summary` of trends, the entrances and conversions behind the rates.
    pub extra: Vec<(&'static str, Value)>,
}

/// The result of a funnel from the figures of the range asked for and of the one compared with.
pub fn shape(funnels: &Funnels, current: Figures, previous: Option<Figures>) -> FunnelsResult {
    let previous = funnels.previous.as_ref().zip(previous);
    match funnels.viz {
        Viz::Steps | Viz::Flow => {
            let previous = previous.map(|(_, figures)| figures.steps);
            steps::result(funnels, current.steps, previous)
        }
        Viz::Trends { .. } => {
            let previous = previous.map(|(span, figures)| (span, figures.entrances));
            trends::result(funnels, current.entrances, previous)
        }
        Viz::TimeToConvert { bins, .. } => {
            let previous = previous.map(|(_, figures)| figures.conversions);
            time_to_convert::result(funnels, bins, current.conversions, previous)
        }
    }
}

/// The rows of two ranges one after the other, each saying which it is about.
fn compared(mut current: Vec<Value>, mut previous: Vec<Value>) -> Vec<Value> {
    label(&mut current, "current");
    label(&mut previous, "previous");
    current.append(&mut previous);
    current
}

fn label(rows: &mut [Value], text: &str) {
    for row in rows {
        match row {
            Value::Array(steps) => label(steps, text),
            Value::Object(row) => {
                row.insert("compare_label".to_owned(), text.into());
            }
            _ => {}
        }
    }
}

/// A count of actors, scaled back from a sample.
fn actors(funnels: &Funnels, count: u64) -> Value {
    match funnels.sampling {
        None => count.into(),
        Some(factor) => json_number(scaled_back(count as f64, factor)),
    }
}

/// A time in seconds, null where there is none.
fn time(seconds: Option<f64>) -> Value {
    seconds.map_or(Value::Null, json_number)
}

#[cfg(test)]
mod tests;
