//! The small buckets in which weekly and monthly active actors are counted.
//!
//! Rule: `spec/trends.md` section 3. A label covers the days (hours, minutes) of a window that ends with its own.

use chrono::{DateTime, Days};
use chrono_tz::Tz;

use crate::calendar::Calendar;
use crate::{Context, Interval};

/// The longest window there is, so that the first label finds all of it.
const LONGEST_WINDOW: Days = Days::new(30);

/// Buckets of one day, or of the interval where that is shorter, reaching back before the range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlidingBuckets {
    /// Starts in microseconds since 1970 in UTC, ascending, then the exclusive end of the last one.
    pub edges: Vec<i64>,
    /// For each bucket of the result, the position of the small bucket that its label stands on.
    pub labels: Vec<usize>,
    /// How many small buckets make a day.
    pub per_day: u32,
}

impl SlidingBuckets {
    /// The small buckets for results with buckets at `edges`.
    pub(crate) fn of(edges: &[i64], interval: Interval, context: &Context) -> Self {
        let (small, per_day) = match interval {
            Interval::Minute => (Interval::Minute, 24 * 60),
            Interval::Hour => (Interval::Hour, 24),
            Interval::Day | Interval::Week | Interval::Month | Interval::Quarter => {
                (Interval::Day, 1)
            }
        };
        let edges_of_small = small_edges(edges, small, &Calendar::of(context)).unwrap_or_default();
        let labels = edges.iter().take(edges.len().saturating_sub(1));
        Self {
            labels: labels
                .map(|label| edges_of_small.partition_point(|edge| edge < label))
                .collect(),
            edges: edges_of_small,
            per_day,
        }
    }
}

/// From the longest window before the first label to the end of the range; `None` at the ends of the calendar.
fn small_edges(edges: &[i64], small: Interval, calendar: &Calendar) -> Option<Vec<i64>> {
    let (first, end) = (edges.first()?, *edges.last()?);
    let first: DateTime<Tz> =
        DateTime::from_timestamp_micros(*first)?.with_timezone(&calendar.zone);
    let mut local = calendar
        .start_of(small, first.naive_local())
        .checked_sub_days(LONGEST_WINDOW)?;
    let mut all: Vec<i64> = Vec::new();
    loop {
        let edge = calendar.first_instant(local).timestamp_micros();
        // A bucket that the clock skips has no length.
        if all.last().is_none_or(|last| *last < edge) {
            all.push(edge);
        }
        if edge >= end {
            return Some(all);
        }
        local = calendar.next(small, local)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::at_in;

    const DAY: i64 = 86_400_000_000;
    const NOW: &str = "1970-01-01T00:00:00Z";

    #[test]
    fn days_reach_back_thirty_days_before_the_first_label() {
        let edges = [100 * DAY, 107 * DAY, 114 * DAY];
        let buckets = SlidingBuckets::of(&edges, Interval::Week, &at_in(NOW, "UTC"));
        assert_eq!(buckets.edges.first(), Some(&(70 * DAY)));
        assert_eq!(buckets.edges.last(), Some(&(114 * DAY)));
        assert_eq!(buckets.labels, [30, 37]);
        assert_eq!(buckets.per_day, 1);
    }

    #[test]
    fn hours_of_a_day_with_a_clock_change_are_its_own() {
        // 31 March 2024 in Berlin has 23 hours.
        let midnight = 1_711_839_600_000_000;
        let edges: Vec<i64> = (0..=23).map(|h| midnight + h * DAY / 24).collect();
        let buckets = SlidingBuckets::of(&edges, Interval::Hour, &at_in(NOW, "Europe/Berlin"));
        assert_eq!(buckets.labels.len(), 23);
        assert!(buckets.labels.windows(2).all(|pair| pair[1] == pair[0] + 1));
        assert_eq!(buckets.edges.len() - 1 - buckets.labels[0], 23);
    }
}
