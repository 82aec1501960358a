//! Which bucket of time, or which numeric bin, a value lies in.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, PrimitiveArray, StringViewBuilder, UInt32Array,
};
use datafusion::arrow::buffer::NullBuffer;
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
            Ok(Arc::new(buckets.find_all(times)) as ArrayRef)
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

    /// The bucket of every time. Events come mostly in order of time, so the bucket found last is tried first, for many at once.
    fn find_all(&self, times: &PrimitiveArray<TimestampMicrosecondType>) -> UInt32Array {
        let mut last = Span::default();
        let mut is_outside = false;
        let mut found = Vec::with_capacity(times.len());
        for times in times.values().chunks(AT_ONCE) {
            // Not `all`: without a way out in between it is a handful of vector instructions.
            if times.iter().fold(true, |all, at| all & last.holds(*at)) {
                found.resize(found.len() + times.len(), last.bucket);
                continue;
            }
            self.find_each(times, &mut last, &mut found, &mut is_outside);
        }
        let inside = is_outside.then(|| found.iter().map(|one| *one != OUTSIDE).collect());
        let known = NullBuffer::union(times.nulls(), inside.as_ref());
        UInt32Array::new(found.into(), known)
    }

    fn find_each(
        &self,
        times: &[i64],
        last: &mut Span,
        found: &mut Vec<u32>,
        is_outside: &mut bool,
    ) {
        for &at in times {
            if !last.holds(at) {
                match self.span(at) {
                    Some(span) => *last = span,
                    None => {
                        *is_outside = true;
                        found.push(OUTSIDE);
                        continue;
                    }
                }
            }
            found.push(last.bucket);
        }
    }

    /// The bucket of a time.
    fn span(&self, at: i64) -> Option<Span> {
        let after = self.edges.partition_point(|&edge| edge <= at);
        let bucket = after.checked_sub(1)?;
        Some(Span {
            bucket: u32::try_from(bucket).ok()?,
            from: *self.edges.get(bucket)?,
            to: *self.edges.get(after)?,
        })
    }
}

/// Times that are looked at together.
const AT_ONCE: usize = 64;

/// The bucket of a time that lies in none.
const OUTSIDE: u32 = u32::MAX;

/// A bucket, from a time to before another.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    bucket: u32,
    from: i64,
    to: i64,
}

impl Span {
    fn holds(&self, at: i64) -> bool {
        self.from <= at && at < self.to
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
        let times = [
            Some(9),
            Some(10),
            Some(19),
            None,
            Some(20),
            Some(34),
            Some(35),
            Some(12),
        ];
        let found: Vec<_> = buckets
            .find_all(&times.into_iter().collect())
            .iter()
            .collect();
        let expected = [
            None,
            Some(0),
            Some(0),
            None,
            Some(1),
            Some(1),
            None,
            Some(0),
        ];
        assert_eq!(found, expected);
        let nowhere = Buckets::new(&[]).find_all(&[Some(5)].into_iter().collect());
        assert_eq!(nowhere.iter().collect::<Vec<_>>(), [None]);
    }
}
