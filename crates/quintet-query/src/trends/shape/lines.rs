//! The lines of one series in one period: which breakdown values have one, in which order, with which points.

use std::cmp::Ordering;

use crate::Period;
use crate::trends::{Breakdown, Series, Trends};

use super::numbers::{grows_with_sample, running_sums, scaled_back, trailing_means};
use super::{Figure, NULL_LABEL, OTHER_LABEL};

/// One row to be, before it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub(super) value: LineValue,
    /// One number per bucket, or one in all.
    pub(super) data: Vec<f64>,
    /// What the row says as `count`.
    pub(super) count: f64,
}

/// The breakdown value of a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum LineValue {
    /// There is no breakdown.
    Everything,
    /// Labels of the parts.
    Labels(Vec<String>),
    /// Position of the cohort.
    Cohort(usize),
}

/// Plain values go before those with a missing part, and the rest that was folded comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Plain,
    Null,
    Other,
}

pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) has_more: bool,
}

impl Line {
    pub(super) fn total(&self) -> f64 {
        self.data.iter().sum()
    }
}

impl LineValue {
    pub(super) fn rank(&self) -> Rank {
        match self {
            Self::Labels(labels) if labels.iter().any(|label| label == OTHER_LABEL) => Rank::Other,
            Self::Labels(labels) if labels.iter().any(|label| label == NULL_LABEL) => Rank::Null,
            _ => Rank::Plain,
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

/// The lines of a series, ready to be written.
pub(super) fn lines(
    trends: &Trends,
    series: &Series,
    period: &Period,
    figures: Vec<Figure>,
) -> Lines {
    if series.unknown_action {
        return Lines {
            lines: Vec::new(),
            has_more: false,
        };
    }
    let mut lines: Vec<Line> = figures
        .into_iter()
        .map(|figure| points(trends, period, value(trends, figure.breakdown), figure.data))
        .collect();
    let mut has_more = false;
    match &trends.breakdown {
        None => {
            if lines.is_empty() {
                lines.push(points(trends, period, LineValue::Everything, Vec::new()));
            }
            if trends.smoothing > 1 && !trends.display.is_one_number() {
                for line in &mut lines {
                    line.data = trailing_means(&line.data, trends.smoothing);
                }
            }
        }
        Some(Breakdown::Properties {
            parts,
            limit,
            hide_other,
            ..
        }) => {
            has_more = fold(
                &mut lines,
                *limit,
                parts.len(),
                trends.display.is_one_number(),
            );
            if *hide_other {
                lines.retain(|line| line.value.rank() != Rank::Other);
            }
            lines.sort_by(row_order);
        }
        Some(Breakdown::Cohorts(cohorts)) => {
            if cohorts.len() > 1 && cohorts.iter().all(Option::is_some) {
                lines.sort_by(row_order);
            } else {
                lines.sort_by(|one, other| one.value.compare(&other.value));
            }
        }
    }
    for line in &mut lines {
        finish(line, trends, series);
    }
    Lines { lines, has_more }
}

fn value(trends: &Trends, breakdown: Vec<Option<String>>) -> LineValue {
    match &trends.breakdown {
        None => LineValue::Everything,
        Some(Breakdown::Properties { .. }) => LineValue::Labels(
            breakdown
                .into_iter()
                .map(|text| {
                    text.filter(|text| !text.is_empty())
                        .unwrap_or_else(|| NULL_LABEL.to_owned())
                })
                .collect(),
        ),
        Some(Breakdown::Cohorts(_)) => {
            let position = breakdown
                .into_iter()
                .flatten()
                .next()
                .and_then(|text| text.parse().ok());
            LineValue::Cohort(position.unwrap_or(0))
        }
    }
}

/// A line with one point per bucket, zero where there is no figure, added up when the display is cumulative.
fn points(trends: &Trends, period: &Period, value: LineValue, mut data: Vec<f64>) -> Line {
    data.resize(period.buckets(), 0.0);
    if trends.display.is_cumulative() {
        running_sums(&mut data);
    }
    Line {
        value,
        data,
        count: 0.0,
    }
}

/// Folds the values beyond the limit into one line by summing; says whether there were any.
///
/// Over time the values with a missing part are the first to go; of single numbers they rank like any other.
fn fold(lines: &mut Vec<Line>, limit: usize, parts: usize, one_number: bool) -> bool {
    lines.sort_by(|one, other| {
        let missing = |line: &Line| !one_number && line.value.rank() == Rank::Null;
        missing(one)
            .cmp(&missing(other))
            .then_with(|| other.total().total_cmp(&one.total()))
            .then_with(|| one.value.compare(&other.value))
    });
    if lines.len() <= limit {
        return false;
    }
    let rest = lines.split_off(limit);
    let mut sum = vec![0.0; rest.first().map_or(0, |line| line.data.len())];
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

/// Sets the count and scales a sample back.
fn finish(line: &mut Line, trends: &Trends, series: &Series) {
    line.count = if trends.display.is_cumulative() {
        line.data.last().copied().unwrap_or(0.0)
    } else {
        line.total()
    };
    if let Some(factor) = trends
        .sampling
        .filter(|_| grows_with_sample(&series.measure))
    {
        line.count = scaled_back(line.count, factor);
        for point in &mut line.data {
            *point = scaled_back(*point, factor);
        }
    }
}
