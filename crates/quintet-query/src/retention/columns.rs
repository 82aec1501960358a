//! The columns of retention: how far after the cohort each lies, and what it is called. Rules: `spec/retention.md` sections 5 and 10.

use crate::Interval;
use crate::error::{Error, Result};
use crate::reader::Path;

use super::RetentionQuery;

/// More columns, or periods in one, are a mistake rather than a question.
pub(super) const MOST: usize = 10_000;

const DEFAULT: usize = 7;

/// The columns, column 0 first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Columns {
    /// Of each column after column 0, how many periods after the cohort its last period is; ascending.
    pub reach: Vec<usize>,
    /// What each column is called, column 0 too: `Day 0`, `Day 1-4`.
    pub labels: Vec<String>,
}

impl Columns {
    /// The columns that are asked for. Rolling windows know no brackets.
    pub(super) fn of(query: &RetentionQuery) -> Result<Self> {
        let path = Path::root().field("retentionFilter");
        let sizes = if query.brackets.is_empty() || query.rolling {
            vec![1; total_intervals(query, &path)? - 1]
        } else {
            query.brackets.clone()
        };
        let path = path.field("retentionCustomBrackets");
        if sizes.len() >= MOST {
            return Err(too_many(&path));
        }
        let unit = title(query.interval);
        let mut columns = Self {
            reach: Vec::with_capacity(sizes.len()),
            labels: vec![format!("{unit} 0")],
        };
        let mut last = 0;
        for (index, size) in sizes.into_iter().enumerate() {
            if size == 0 || size > MOST {
                return Err(wrong_bracket(&path.index(index)));
            }
            let first = last + 1;
            last += size;
            columns.reach.push(last);
            columns.labels.push(match size {
                1 => format!("{unit} {first}"),
                _ => format!("{unit} {first}-{last}"),
            });
        }
        Ok(columns)
    }
}

/// How many columns there are without brackets, and how many rows without a start of the range; at least one.
pub(super) fn total_intervals(query: &RetentionQuery, path: &Path) -> Result<usize> {
    match query.total_intervals {
        None | Some(0) => Ok(DEFAULT),
        Some(intervals) if intervals > MOST => Err(too_many(&path.field("totalIntervals"))),
        Some(intervals) => Ok(intervals),
    }
}

/// The unit as rows and columns name it.
pub(super) const fn title(interval: Interval) -> &'static str {
    match interval {
        Interval::Minute => "Minute",
        Interval::Hour => "Hour",
        Interval::Day => "Day",
        Interval::Week => "Week",
        Interval::Month => "Month",
        Interval::Quarter => "Quarter",
    }
}

pub(super) fn wrong_bracket(path: &Path) -> Error {
    Error::invalid(path, format!("must be a number of periods, 1 to {MOST}"))
}

fn too_many(path: &Path) -> Error {
    Error::invalid(
        path,
        format!("asks for more than {MOST} columns; take fewer, or a larger period"),
    )
}
