//! Arithmetic on the points of one line: running sums, trailing means, scaling back from a sample, and numbers as JSON.

use serde_json::Value;

use crate::trends::{Aggregate, Measure};

pub(super) fn running_sums(data: &mut [f64]) {
    let mut sum = 0.0;
    for point in data {
        sum += *point;
        *point = sum;
    }
}

/// The mean of each point and those before it, `width` in all or as many as there are, rounded down.
pub(super) fn trailing_means(data: &[f64], width: usize) -> Vec<f64> {
    (1..=data.len())
        .map(|end| {
            let window = &data[end.saturating_sub(width)..end];
            (window.iter().sum::<f64>() / window.len() as f64).floor()
        })
        .collect()
}

/// A figure of a sample as one of everything. Halves go to the even neighbour, as in Python.
pub(super) fn scaled_back(figure: f64, factor: f64) -> f64 {
    (figure / factor).round_ties_even()
}

/// True for counts and sums; means, extremes and quantiles of a sample are already those of everything.
pub(super) fn grows_with_sample(measure: &Measure) -> bool {
    match measure {
        Measure::Property { aggregate, .. } | Measure::SessionDuration(aggregate) => {
            *aggregate == Aggregate::Sum
        }
        Measure::CountPerActor { .. } => false,
        Measure::Total
        | Measure::Unique(_)
        | Measure::Active { .. }
        | Measure::UniqueSessions
        | Measure::FirstTime { .. } => true,
    }
}

/// Whole numbers print without a point; what is no number is null.
pub(super) fn json_number(figure: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if figure.fract() == 0.0 && figure.abs() <= EXACT {
        Value::from(figure as i64)
    } else {
        Value::from(figure)
    }
}

pub(super) fn json_numbers(data: &[f64]) -> Value {
    data.iter().copied().map(json_number).collect()
}
