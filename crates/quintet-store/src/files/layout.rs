//! Which rows share a file, and in which order: months apart, within a file by (event, timestamp).

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, Datelike};

use super::parallel;
use crate::error::Result;
use crate::ingest::StagedEvents;

/// Neighbouring months with fewer rows than this together share a file. A file costs two syncs and a footer to
/// read: 150 files of a thin history took 1.15 s to sync, six of the same bytes 0.04 s (`docs/LESSONS.md`).
pub(crate) const MIN_FILE_ROWS: usize = 32_768;
/// A month with more rows is cut into several files, so that cores can share it.
pub(crate) const MAX_FILE_ROWS: usize = 524_288;

/// Microseconds of a day.
const DAY: i64 = 86_400_000_000;

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
pub(crate) fn plan(staged: &StagedEvents, rows: Vec<u32>) -> Result<Vec<Vec<u32>>> {
    let mut gathered: Vec<Vec<u32>> = Vec::new();
    let mut thin: Vec<u32> = Vec::new();
    for rows in by_month(staged, &rows).into_values() {
        thin.extend(rows);
        if thin.len() >= MIN_FILE_ROWS {
            gathered.push(std::mem::take(&mut thin));
        }
    }
    gathered.push(thin);
    let ranks = ranks(staged);
    let sorted = parallel::map(&gathered, |rows| Ok(sorted(staged, &ranks, rows)))?;
    Ok(sorted.iter().flat_map(|rows| cut(rows)).collect())
}

fn by_month(staged: &StagedEvents, rows: &[u32]) -> BTreeMap<Month, Vec<u32>> {
    let mut months: BTreeMap<Month, Vec<u32>> = BTreeMap::new();
    // Most rows are of the day of the row before, and days are told apart more quickly than months.
    let day = |row: u32| staged.timestamps[row as usize].div_euclid(DAY);
    for rows in rows.chunk_by(|a, b| day(*a) == day(*b)) {
        if let Some(first) = rows.first() {
            let month = Month::of(staged.timestamps[*first as usize]);
            months.entry(month).or_default().extend(rows);
        }
    }
    months
}

/// Rows in the order of a file. What orders them is one number where it fits into one, which nearly always it does.
fn sorted(staged: &StagedEvents, ranks: &[u32], rows: &[u32]) -> Vec<u32> {
    let rank = |row: u32| ranks[staged.events[row as usize] as usize];
    let time = |row: u32| staged.timestamps[row as usize];
    let times = || rows.iter().map(|row| time(*row));
    let (Some(first), Some(last)) = (times().min(), times().max()) else {
        return Vec::new();
    };
    let time_bits = u64::BITS - last.abs_diff(first).leading_zeros();
    let rank_bits = u32::BITS - (ranks.len() as u32).leading_zeros();
    if time_bits + rank_bits > u64::BITS {
        let mut sorted = rows.to_vec();
        sorted.sort_by_key(|row| (rank(*row), time(*row)));
        return sorted;
    }
    let key = |row: u32| u64::from(rank(row)).unbounded_shl(time_bits) | time(row).abs_diff(first);
    let keyed = rows.iter().map(|row| (key(*row), *row)).collect();
    by_digits(keyed, time_bits + rank_bits)
}

/// Rows in the order of their keys, of which the lower `bits` are used; rows of one key stay as they are. One digit after the
/// other, the lowest first.
fn by_digits(mut rows: Vec<(u64, u32)>, bits: u32) -> Vec<u32> {
    const DIGIT: u32 = 11;
    let mut target = rows.clone();
    for shift in (0..bits).step_by(DIGIT as usize) {
        let digit = |key: u64| (key >> shift) as usize % (1 << DIGIT);
        let mut places = [0u32; 1 << DIGIT];
        rows.iter().for_each(|(key, _)| places[digit(*key)] += 1);
        let mut start = 0;
        for place in &mut places {
            start += std::mem::replace(place, start);
        }
        for row in &rows {
            let place = &mut places[digit(row.0)];
            target[*place as usize] = *row;
            *place += 1;
        }
        std::mem::swap(&mut rows, &mut target);
    }
    rows.into_iter().map(|(_, row)| row).collect()
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
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::files::testing::staged;

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
        assert_eq!(plan(&staged, (0..5).collect()).unwrap(), [[4, 1, 3, 2, 0]]);
    }

    #[test]
    fn rows_are_sorted_the_same_way_whether_their_keys_fit_into_one_number_or_not() {
        let names = ["b", "a", "d", "c"];
        let event = |n: i64| (names[n as usize % 4], (n * 7_919_123_457_811) % (400 * DAY));
        let near: Vec<_> = (0..5000).map(event).collect();
        let mut far = near.clone();
        far.extend([("a", i64::MIN), ("b", i64::MAX)]);
        for rows in [near, far] {
            let events = staged(&rows);
            let all: Vec<u32> = (0..rows.len() as u32).collect();
            let mut expected = all.clone();
            expected.sort_by_key(|row| rows[*row as usize]);
            assert_eq!(sorted(&events, &ranks(&events), &all), expected);
        }
    }

    #[test]
    fn full_months_have_files_of_their_own_and_thin_ones_share() {
        let rows: Vec<(&str, i64)> = (0..MIN_FILE_ROWS as i64)
            .map(|n| ("e", n))
            .chain([("e", 40 * DAY), ("e", 70 * DAY)])
            .collect();
        let files = plan(&staged(&rows), (0..rows.len() as u32).collect()).unwrap();
        assert_eq!(
            files.iter().map(Vec::len).collect::<Vec<_>>(),
            [MIN_FILE_ROWS, 2]
        );
    }

    #[test]
    fn nothing_makes_no_file() {
        assert!(plan(&staged(&[]), Vec::new()).unwrap().is_empty());
    }
}
