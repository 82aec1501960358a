//! Arithmetic on the points of one line: running sums, trailing means, and which figures of a sample grow with it.

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
