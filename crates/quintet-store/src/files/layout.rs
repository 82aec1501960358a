//! Which rows share a file, and in which order: months apart, within a file by (event, timestamp).

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Datelike};

use crate::ingest::StagedEvents;

/// Neighbouring months with fewer rows than this together share a file. A file costs two syncs and a footer to
/// read: 150 files of a thin history took 1.15 s to sync, six of the same bytes 0.04 s (`docs/LESSONS.md`).
pub(crate) const MIN_FILE_ROWS: usize = 32_768;
/// A month with more rows is cut into several files, so that cores can share it.
pub(crate) const MAX_FILE_ROWS: usize = 524_288;

/// A calendar month (UTC), counted from the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month(i32);

impl Month {
    pub(crate) fn of(timestamp: i64) -> Self {
        let date = DateTime::from_timestamp_micros(timestamp).unwrap_or_default();
        Self(date.year() * 12 + date.month0() as i32)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:04}-{:02}",
            self.0.div_euclid(12),
            self.0.rem_euclid(12) + 1
        )
    }
}

/// How the log names the months from `first` to `last`.
pub(crate) fn partition(first: Month, last: Month) -> String {
    if first == last {
        first.to_string()
    } else {
        format!("{first}..{last}")
    }
}

/// The rows of each file to write, in the order of the file: by event name, timestamp, then order of receipt.
pub(crate) fn plan(staged: &StagedEvents, rows: Vec<u32>) -> Vec<Vec<u32>> {
    let mut months: BTreeMap<Month, Vec<u32>> = BTreeMap::new();
    for row in rows {
        months
            .entry(Month::of(staged.timestamps[row as usize]))
            .or_default()
            .push(row);
    }
    let ranks = ranks(staged);
    let sorted = |mut rows: Vec<u32>| {
        rows.sort_unstable_by_key(|row| {
            let at = *row as usize;
            (
                ranks[staged.events[at] as usize],
                staged.timestamps[at],
                *row,
            )
        });
        rows
    };
    let mut files = Vec::new();
    let mut gathered: Vec<u32> = Vec::new();
    for rows in months.into_values() {
        gathered.extend(rows);
        if gathered.len() >= MIN_FILE_ROWS {
            files.extend(cut(&sorted(std::mem::take(&mut gathered))));
        }
    }
    files.extend(cut(&sorted(gathered)));
    files
}

/// Even pieces of at most [`MAX_FILE_ROWS`]; none for no rows.
fn cut(rows: &[u32]) -> impl Iterator<Item = Vec<u32>> {
    let pieces = rows.len().div_ceil(MAX_FILE_ROWS).max(1);
    rows.chunks(rows.len().div_ceil(pieces).max(1))
        .map(<[u32]>::to_vec)
}

/// For each number of an event name, its place among the names in byte order.
fn ranks(staged: &StagedEvents) -> Vec<u32> {
    let mut by_name: Vec<u32> = (0..staged.names.len() as u32).collect();
    by_name.sort_unstable_by_key(|number| staged.names.get(*number));
    let mut ranks = vec![0; by_name.len()];
    for (rank, number) in by_name.into_iter().enumerate() {
        ranks[number as usize] = rank as u32;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::testing::staged;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn a_month_is_named_by_year_and_month_in_utc() {
        assert_eq!(Month::of(0).to_string(), "1970-01");
        assert_eq!(Month::of(-1).to_string(), "1969-12");
        assert_eq!(
            partition(Month::of(0), Month::of(31 * DAY)),
            "1970-01..1970-02"
        );
    }

    #[test]
    fn rows_of_a_file_are_sorted_by_event_then_time_then_receipt() {
        let staged = staged(&[("b", 5), ("a", 9), ("b", 3), ("a", 9), ("a", 1)]);
        assert_eq!(plan(&staged, (0..5).collect()), [[4, 1, 3, 2, 0]]);
    }

    #[test]
    fn full_months_have_files_of_their_own_and_thin_ones_share() {
        let rows: Vec<(&str, i64)> = (0..MIN_FILE_ROWS as i64)
            .map(|n| ("e", n))
            .chain([("e", 40 * DAY), ("e", 70 * DAY)])
            .collect();
        let files = plan(&staged(&rows), (0..rows.len() as u32).collect());
        assert_eq!(
            files.iter().map(Vec::len).collect::<Vec<_>>(),
            [MIN_FILE_ROWS, 2]
        );
    }

    #[test]
    fn nothing_makes_no_file() {
        assert!(plan(&staged(&[]), Vec::new()).is_empty());
    }
}
