//! Numbers as results show them: scaled back from a sample, and as JSON.

use serde_json::Value;

/// A figure of a sample as one of everything. Halves go to the even neighbour, as in Python.
pub(crate) fn scaled_back(figure: f64, factor: f64) -> f64 {
    (figure / factor).round_ties_even()
}

/// Whole numbers print without a point; what is no number is null.
pub(crate) fn json_number(figure: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if figure.fract() == 0.0 && figure.abs() <= EXACT {
        Value::from(figure as i64)
    } else {
        Value::from(figure)
    }
}

pub(crate) fn json_numbers(data: &[f64]) -> Value {
    data.iter().copied().map(json_number).collect()
}
