//! The lines of one series in one period: which breakdown values have one, and in which order.

use std::cmp::Ordering;

use super::{Breakdown, NULL_LABEL, OTHER_LABEL};

/// One row to be, before it is written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub(crate) value: LineValue,
    /// One number per bucket, or one in all.
    pub(crate) data: Vec<f64>,
    /// What the row says as `count`.
    pub(crate) count: f64,
}

/// The breakdown value of a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum LineValue {
    /// There is no breakdown.
    Everything,
    /// Labels of the parts.
    Labels(Vec<String>),
    /// Position of the cohort.
    Cohort(usize),
}

/// Plain values go before those with a missing part, and the rest that was folded comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    Plain,
    Null,
    Other,
}

#[derive(Debug, Default)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<Line>,
    pub(crate) has_more: bool,
}

impl Line {
    pub(crate) fn total(&self) -> f64 {
        self.data.iter().sum()
    }
}

impl LineValue {
    /// The value with these texts, as the engine names it.
    pub(crate) fn of(breakdown: Option<&Breakdown>, texts: Vec<Option<String>>) -> Self {
        match breakdown {
            None => Self::Everything,
            Some(Breakdown::Properties { .. }) => Self::Labels(
                texts
                    .into_iter()
                    .map(|text| {
                        text.filter(|text| !text.is_empty())
                            .unwrap_or_else(|| NULL_LABEL.to_owned())
                    })
                    .collect(),
            ),
            Some(Breakdown::Cohorts(_)) => {
                let position = texts
                    .into_iter()
                    .flatten()
                    .next()
                    .and_then(|text| text.parse().ok());
                Self::Cohort(position.unwrap_or(0))
            }
        }
    }

    pub(crate) fn rank(&self) -> Rank {
        match self {
            Self::Labels(labels) if labels.iter().any(|label| label == OTHER_LABEL) => Rank::Other,
            Self::Labels(labels) if labels.iter().any(|label| label == NULL_LABEL) => Rank::Null,
            _ => Rank::Plain,
        }
    }

    /// The texts of the parts, as the engine names them.
    fn texts(self) -> Vec<Option<String>> {
        match self {
            Self::Labels(labels) => labels
                .into_iter()
                .map(|label| Some(label).filter(|label| label != NULL_LABEL))
                .collect(),
            Self::Everything | Self::Cohort(_) => Vec::new(),
        }
    }

    /// Ascending: texts as texts, part by part.
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Labels(one), Self::Labels(other)) => one.cmp(other),
            (Self::Cohort(one), Self::Cohort(other)) => one.cmp(other),
            _ => Ordering::Equal,
        }
    }
}

impl Breakdown {
    /// The lines with the rest folded, in the order of rows. Single numbers rank those with a missing part like any other.
    pub(crate) fn arrange(&self, mut lines: Vec<Line>, single_numbers: bool) -> Lines {
        let mut has_more = false;
        match self {
            Self::Properties {
                parts,
                limit,
                hide_other,
                true_other,
                ..
            } => {
                let is_counted =
                    *true_other && lines.iter().any(|line| line.value.rank() == Rank::Other);
                has_more = is_counted || fold(&mut lines, *limit, parts.len(), single_numbers);
                if *hide_other {
                    lines.retain(|line| line.value.rank() != Rank::Other);
                }
                lines.sort_by(row_order);
            }
            Self::Cohorts(cohorts) => {
                if cohorts.len() > 1 && cohorts.iter().all(Option::is_some) {
                    lines.sort_by(row_order);
                } else {
                    lines.sort_by(|one, other| one.value.compare(&other.value));
                }
            }
        }
        Lines { lines, has_more }
    }
}

impl Breakdown {
    /// The values that keep a line of their own, where there are more than that and the rest is to be counted by itself.
    pub(crate) fn kept(
        &self,
        mut lines: Vec<Line>,
        single_numbers: bool,
    ) -> Option<Vec<Vec<Option<String>>>> {
        let Self::Properties {
            limit,
            true_other: true,
            ..
        } = self
        else {
            return None;
        };
        if lines.len() <= *limit {
            return None;
        }
        by_size(&mut lines, single_numbers);
        lines.truncate(*limit);
        Some(lines.into_iter().map(|line| line.value.texts()).collect())
    }
}

/// Puts the values that keep a line of their own first.
///
/// Over time the values with a missing part are the first to go; of single numbers they rank like any other.
fn by_size(lines: &mut [Line], one_number: bool) {
    lines.sort_by(|one, other| {
        let missing = |line: &Line| !one_number && line.value.rank() == Rank::Null;
        missing(one)
            .cmp(&missing(other))
            .then_with(|| other.total().total_cmp(&one.total()))
            .then_with(|| one.value.compare(&other.value))
    });
}

/// Folds the values beyond the limit into one line by summing; says whether there were any.
fn fold(lines: &mut Vec<Line>, limit: usize, parts: usize, one_number: bool) -> bool {
    by_size(lines, one_number);
    if lines.len() <= limit {
        return false;
    }
    let rest = lines.split_off(limit);
    let mut sum = vec![0.0; rest.iter().map(|line| line.data.len()).max().unwrap_or(0)];
    for line in rest {
        for (total, point) in sum.iter_mut().zip(line.data) {
            *total += point;
        }
    }
    lines.push(Line {
        value: LineValue::Labels(vec![OTHER_LABEL.to_owned(); parts]),
        data: sum,
        count: 0.0,
    });
    true
}

fn row_order(one: &Line, other: &Line) -> Ordering {
    one.value
        .rank()
        .cmp(&other.value.rank())
        .then_with(|| other.total().total_cmp(&one.total()))
        .then_with(|| one.value.compare(&other.value))
}
