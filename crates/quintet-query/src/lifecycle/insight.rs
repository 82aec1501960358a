//! A lifecycle after validation: what the engine plans and [`super::shape`] turns into rows.
//!
//! The engine needs of each person the buckets that hold one of its events and the bucket that holds its `created_at`, and
//! counts the persons by bucket and status. What a status is, `quintet-behavior` says.

use std::ops::Range;

use crate::Interval;
use crate::filter::Filter;
use crate::series::SeriesEcho;

/// A validated `LifecycleQuery`.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifecycle {
    /// Everything that an event must satisfy: that of all series, and that it is not one without a person profile.
    pub filter: Filter,
    /// Size of a bucket.
    pub interval: Interval,
    /// Starts of the buckets, ascending, then the exclusive end of the last one, in microseconds since 1970 in UTC.
    /// Events from the first to before the last of them count. The first bucket is the look-back, the interval before the range.
    pub edges: Vec<i64>,
    /// Buckets that the result shows; never the look-back.
    pub shown: Range<usize>,
    /// `days` of the result, one per shown bucket.
    pub days: Vec<String>,
    /// `labels` of the result, one per shown bucket.
    pub labels: Vec<String>,
    /// `resolved_date_range` of the result: both ends in the project's zone, `2024-01-31T00:00:00+01:00`.
    pub range: (String, String),
    /// Share of distinct ids to read, in [0, 1); `None` reads all.
    pub sampling: Option<f64>,
    /// What rows echo about the first series.
    pub echo: SeriesEcho,
}

impl Lifecycle {
    /// How many buckets there are, with the look-back.
    pub fn buckets(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }
}
