//! Paths: how often one step led to another.

use serde_json::Value;

use super::json::{Object, have, number, readable_value};

/// One link between neighbouring steps.
#[derive(Debug, PartialEq)]
pub(crate) struct Link {
    /// The number of the step that it leaves, from 1.
    pub(crate) step: usize,
    pub(crate) source: String,
    pub(crate) target: String,
    /// The paths along it.
    pub(crate) count: f64,
    /// Seconds between the two, on average.
    pub(crate) average: f64,
}

impl Link {
    /// The links in the answer's order; nothing where the results are something else.
    pub(super) fn all_of(rows: &[&Object]) -> Option<Vec<Self>> {
        if !have(rows, &["source", "target", "value"]) {
            return None;
        }
        rows.iter().map(|row| Self::of(row)).collect()
    }

    fn of(row: &Object) -> Option<Self> {
        let (step, source) = numbered(row.get("source")?)?;
        let (_, target) = numbered(row.get("target")?)?;
        let milliseconds = number(row.get("average_conversion_time"));
        Some(Self {
            step,
            source,
            target,
            count: number(row.get("value")),
            average: milliseconds / 1000.0,
        })
    }
}

/// The number and the item of a step such as `1_/home`.
fn numbered(key: &Value) -> Option<(usize, String)> {
    let (number, item) = key.as_str()?.split_once('_')?;
    Some((number.parse().ok()?, readable_value(item)))
}
