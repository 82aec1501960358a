//! Which files are written anew, and which of them together.

use crate::files::layout::{MAX_FILE_ROWS, MIN_FILE_ROWS, Month};

/// Files with as many rows are left as they are, unless they are stale. Larger than half of what a file may have, so that
/// what is cut in two is left alone too.
const GOOD_FILE_ROWS: u64 = MAX_FILE_ROWS as u64 / 2;

/// A live file of events, as far as the plan is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Its place among the live files.
    pub(super) place: usize,
    pub(super) first: Month,
    pub(super) last: Month,
    pub(super) rows: u64,
    /// It is written anew in any case.
    pub(super) stale: bool,
}

impl Candidate {
    fn is_settled(&self) -> bool {
        !self.stale && self.rows >= GOOD_FILE_ROWS
    }
}

/// Sets of files to be written anew, each as a whole. Small files that share months go together, and thin neighbours
/// with the months after them, as the layout of a load has it; large files stay out of it.
pub(super) fn sets(mut files: Vec<Candidate>) -> Vec<Vec<Candidate>> {
    files.sort_unstable_by_key(|file| (file.first, file.last, file.place));
    let mut sets = Vec::new();
    let mut set: Vec<Candidate> = Vec::new();
    // A settled file after the last one of the set keeps thin months on its sides apart.
    let mut is_parted = false;
    for file in files {
        if file.is_settled() {
            is_parted = true;
            continue;
        }
        let shares_months = set.iter().any(|other| file.first <= other.last);
        let is_thin = set.iter().map(|file| file.rows).sum::<u64>() < MIN_FILE_ROWS as u64;
        if !shares_months && (is_parted || !is_thin) {
            sets.push(std::mem::take(&mut set));
        }
        is_parted = false;
        set.push(file);
    }
    sets.push(set);
    sets.retain(|set| set.len() > 1 || set.iter().any(|file| file.stale));
    sets
}

/// The first and last months that share files, given the rows of each month in order. Thin months at the end stay with those
/// before them, or the next run would gather them again.
pub(super) fn spans(months: impl IntoIterator<Item = (Month, u64)>) -> Vec<(Month, Month)> {
    let mut spans: Vec<(Month, Month)> = Vec::new();
    let mut open: Option<(Month, Month, u64)> = None;
    for (month, rows) in months {
        let (first, _, before) = open.unwrap_or((month, month, 0));
        open = Some((first, month, before + rows));
        if before + rows >= MIN_FILE_ROWS as u64 {
            spans.push((first, month));
            open = None;
        }
    }
    match (open, spans.last_mut()) {
        (Some((_, last, _)), Some((_, end))) => *end = last,
        (Some((first, last, _)), None) => spans.push((first, last)),
        (None, _) => {}
    }
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;
    const FULL: u64 = MIN_FILE_ROWS as u64;

    fn month(number: i64) -> Month {
        Month::of(number * 31 * DAY)
    }

    fn file(place: usize, months: (i64, i64), rows: u64) -> Candidate {
        Candidate {
            place,
            first: month(months.0),
            last: month(months.1),
            rows,
            stale: false,
        }
    }

    fn places(files: &[Candidate]) -> Vec<Vec<usize>> {
        let places = |set: Vec<Candidate>| set.iter().map(|file| file.place).collect();
        sets(files.to_vec()).into_iter().map(places).collect()
    }

    #[test]
    fn small_files_of_a_month_go_together_and_lone_ones_stay() {
        let files = [
            file(0, (1, 1), FULL),
            file(1, (0, 0), FULL),
            file(2, (1, 1), 5),
            file(3, (2, 2), FULL),
        ];
        assert_eq!(places(&files), [[0, 2]]);
    }

    #[test]
    fn thin_neighbours_go_with_the_months_after_them() {
        let files = [
            file(0, (0, 0), 5),
            file(1, (1, 1), 6),
            file(2, (2, 2), FULL),
            file(3, (3, 3), 7),
        ];
        assert_eq!(places(&files), [[0, 1, 2]]);
    }

    #[test]
    fn large_files_are_left_alone_unless_they_are_stale() {
        let large = file(0, (0, 0), GOOD_FILE_ROWS);
        let small = [file(1, (0, 0), 5), file(2, (0, 0), 5)];
        assert_eq!(places(&[large, small[0]]), Vec::<Vec<usize>>::new());
        assert_eq!(places(&[large, small[0], small[1]]), [[1, 2]]);
        let stale = Candidate {
            stale: true,
            ..large
        };
        assert_eq!(places(&[stale]), [[0]]);
        assert_eq!(places(&[stale, small[0]]), [[0, 1]]);
    }

    #[test]
    fn a_file_of_many_months_draws_in_all_that_it_overlaps() {
        let files = [
            file(0, (0, 5), 5),
            file(1, (1, 1), FULL),
            file(2, (5, 5), FULL),
            file(3, (6, 6), FULL),
        ];
        assert_eq!(places(&files), [[0, 1, 2]]);
    }

    #[test]
    fn spans_are_full_and_a_thin_end_joins_the_one_before() {
        let rows = |rows: &[u64]| (0..).map(month).zip(rows.to_vec()).collect::<Vec<_>>();
        let span = |from, to| (month(from), month(to));
        assert_eq!(
            spans(rows(&[1, FULL, FULL, 2, 3])),
            [span(0, 1), span(2, 4)]
        );
        assert_eq!(spans(rows(&[1, 2])), [span(0, 1)]);
        assert_eq!(spans(rows(&[])), []);
    }
}
