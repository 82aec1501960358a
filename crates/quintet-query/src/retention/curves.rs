//! How retention falls from column to column: percentages of each row, and their means over rows.
//!
//! Rules: `spec/retention.md` section 10. Only what is known counts: a cell that may still grow has no percentage.

use serde_json::{Value, json};

use super::shape::Block;
use super::{Reference, Retention};

/// The percentages of a row that has actors.
struct Curve {
    /// How many actors the cohort has.
    size: f64,
    /// One per column.
    percentages: Vec<Option<f64>>,
}

/// What is said beside the rows of one breakdown value.
pub(super) fn curves(retention: &Retention, block: &Block) -> Value {
    let rows: Vec<Curve> = (0..retention.window.rows())
        .map(|row| Curve::of(retention, block, row))
        .collect();
    let means = |weight: fn(&Curve) -> f64| -> Vec<Option<f64>> {
        let columns = 0..retention.columns.labels.len();
        columns.map(|column| mean(&rows, column, weight)).collect()
    };
    let percentages: Vec<&Vec<Option<f64>>> = rows.iter().map(|row| &row.percentages).collect();
    json!({
        "breakdown_value": block.value,
        "percentages": percentages,
        "simple": means(|_| 1.0),
        "weighted": means(|row| row.size),
    })
}

impl Curve {
    fn of(retention: &Retention, block: &Block, row: usize) -> Self {
        let count = |column| block.cells.get(row, column).actors as f64;
        let size = count(0);
        let percentage = |column: usize| {
            let reference = match retention.reference {
                Reference::Total => size,
                Reference::Previous => count(column.saturating_sub(1)),
            };
            let is_known = size > 0.0 && retention.is_complete(row, column);
            is_known.then(|| match reference {
                0.0 => 0.0,
                reference => 100.0 * count(column) / reference,
            })
        };
        Self {
            size,
            percentages: (0..retention.columns.labels.len())
                .map(percentage)
                .collect(),
        }
    }
}

/// The mean of what is known of a column.
fn mean(rows: &[Curve], column: usize, weight: fn(&Curve) -> f64) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for row in rows {
        if let Some(Some(percentage)) = row.percentages.get(column) {
            sum += percentage * weight(row);
            weights += weight(row);
        }
    }
    (weights > 0.0).then(|| sum / weights)
}

#[cfg(test)]
mod tests;
