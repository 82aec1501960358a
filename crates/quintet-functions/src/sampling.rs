//! A fixed share of all ids.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;
use xxhash_rust::xxh3::xxh3_64;

use crate::function::{column_function, number, texts};

pub(crate) fn in_sample() -> Arc<ScalarUDF> {
    column_function(
        "in_sample",
        vec![DataType::Utf8View, DataType::Float64],
        DataType::Boolean,
        |column, literals| {
            let share = number(literals, 0, "the share")?;
            let inside: BooleanArray = texts(column)?
                .iter()
                .map(|id| Some(is_sampled(id?, share)))
                .collect();
            Ok(Arc::new(inside) as ArrayRef)
        },
    )
}

/// The hash is fixed, so that a sample is the same on every machine and in every version.
fn is_sampled(id: &str, share: f64) -> bool {
    (xxh3_64(id.as_bytes()) as f64) < share * (u64::MAX as f64)
}

#[cfg(test)]
mod tests {
    use super::is_sampled;

    #[test]
    fn a_share_of_the_ids_is_inside_and_smaller_samples_are_part_of_larger_ones() {
        let ids: Vec<String> = (0..10_000).map(|i| format!("user-{i}")).collect();
        let inside = |share| ids.iter().filter(|id| is_sampled(id, share)).count();
        assert!((900..1100).contains(&inside(0.1)));
        assert!(
            ids.iter()
                .all(|id| !is_sampled(id, 0.1) || is_sampled(id, 0.5))
        );
        assert_eq!(inside(1.0), 10_000);
        assert_eq!(inside(0.0), 0);
    }
}
