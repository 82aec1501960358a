//! Which bucket of time, or which numeric bin, a value lies in.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder, UInt32Array};
use datafusion::arrow::datatypes::{
    DataType, Field, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType,
};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::ScalarUDF;
use quintet_behavior::property::number_text;

use crate::function::{column_function, list};

/// The type of an argument that lists values.
fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

pub(crate) fn bucket() -> Arc<ScalarUDF> {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    column_function(
        "bucket",
        vec![time, list_of(DataType::Int64)],
        DataType::UInt32,
        |column, literals| {
            let edges = list(literals, 0, "the edges")?;
            let edges = edges.as_primitive::<Int64Type>().values();
            let buckets = Buckets::new(edges);
            let times = column.as_primitive::<TimestampMicrosecondType>();
            let mut last = 0;
            let found: UInt32Array = times
                .iter()
                .map(|at| buckets.find(at?, &mut last))
                .collect();
            Ok(Arc::new(found) as ArrayRef)
        },
    )
}

/// Buckets of time between ascending edges.
struct Buckets<'a> {
    edges: &'a [i64],
}

impl<'a> Buckets<'a> {
    fn new(edges: &'a [i64]) -> Self {
        Self { edges }
    }

    /// The bucket of a time. Events come mostly in order of time, so the bucket found last is tried first.
    fn find(&self, at: i64, last: &mut usize) -> Option<u32> {
        let is_in = |bucket: usize| matches!(self.edges.get(bucket..bucket + 2), Some(&[from, to]) if from <= at && at < to);
        if !is_in(*last) {
            *last = self
                .edges
                .partition_point(|&edge| edge <= at)
                .checked_sub(1)?;
        }
        if is_in(*last) {
            u32::try_from(*last).ok()
        } else {
            None
        }
    }
}

pub(crate) fn bin_label() -> Arc<ScalarUDF> {
    column_function(
        "bin_label",
        vec![DataType::Float64, list_of(DataType::Float64)],
        DataType::Utf8View,
        |column, literals| {
            let edges = list(literals, 0, "the edges")?;
            let bins = bins(edges.as_primitive::<Float64Type>().values())?;
            let mut labels = StringViewBuilder::with_capacity(column.len());
            for number in column.as_primitive::<Float64Type>() {
                let bin = number.and_then(|n| bins.iter().find(|bin| bin.from <= n && n < bin.to));
                labels.append_option(bin.map(|bin| bin.label.as_str()));
            }
            Ok(Arc::new(labels.finish()) as ArrayRef)
        },
    )
}

/// A numeric bin, its upper bound exclusive.
struct Bin {
    from: f64,
    to: f64,
    label: String,
}

fn bins(edges: &[f64]) -> Result<Vec<Bin>> {
    edges
        .windows(2)
        .map(|pair| match *pair {
            [from, to] => Ok(Bin {
                from,
                to,
                label: format!("[{},{}]", number_text(from), number_text(to)),
            }),
            _ => Err(exec_datafusion_err!("a bin has two edges")),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Buckets;

    #[test]
    fn a_time_lies_in_the_bucket_that_starts_last_before_it() {
        let buckets = Buckets::new(&[10, 20, 35]);
        let mut last = 0;
        for (at, expected) in [
            (9, None),
            (10, Some(0)),
            (19, Some(0)),
            (20, Some(1)),
            (34, Some(1)),
            (35, None),
            (12, Some(0)),
        ] {
            assert_eq!(buckets.find(at, &mut last), expected, "{at}");
        }
        assert_eq!(Buckets::new(&[]).find(5, &mut 0), None);
    }
}
