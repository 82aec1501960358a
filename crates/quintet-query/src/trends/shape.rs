//! From the figures that the engine counted to the rows of the result. Pure: nothing is counted here.
//!
//! `lines` has the points of each row to be, `numbers` adds up and smooths, `formulas` computes over series, `row` writes JSON.
//! Rules: `spec/trends.md` sections 2 and 4 to 9.

mod formulas;
mod lines;
mod numbers;
mod row;

pub use lines::kept_values;

use serde_json::{Value, json};

use crate::Period;
use crate::breakdown::Line;
use crate::compare::Compared;

use super::Trends;
use lines::lines;

/// Figures of one breakdown value of a series in one period.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// The text of each part; `None` is null, absent or empty. Of a cohort breakdown: the position in
    /// [`Breakdown::Cohorts`](super::Breakdown::Cohorts) as decimal text. Empty without a breakdown.
    pub breakdown: Vec<Option<String>>,
    /// One number per bucket, or one in all for one-number displays.
    pub data: Vec<f64>,
}

/// The rows of a trend, and what stands beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct TrendsResult {
    /// The rows.
    pub results: Vec<Value>,
    /// True when values beyond the limit were folded together.
    pub has_more: bool,
    /// `{"date_from", "date_to"}` of the range asked for, in the project's zone.
    pub resolved_date_range: Value,
}

/// The lines of one period, by series.
struct Answer<'a> {
    period: &'a Period,
    compared: Compared,
    series: Vec<Vec<Line>>,
}

/// The rows of a trend from its figures, by series, of the range asked for and of the one compared with.
///
/// Of cumulative displays the figures are those of each bucket alone, with each actor counted in its first bucket.
pub fn shape(
    trends: &Trends,
    current: Vec<Vec<Figure>>,
    previous: Option<Vec<Vec<Figure>>>,
) -> TrendsResult {
    let mut has_more = false;
    let mut answer = |period, compared, figures: Vec<Vec<Figure>>| {
        let series = trends.series.iter().zip(figures).map(|(series, figures)| {
            let found = lines(trends, series, period, figures);
            has_more |= found.has_more;
            found.lines
        });
        Answer {
            period,
            compared,
            series: series.collect(),
        }
    };
    let answers: Vec<Answer<'_>> = match (&trends.previous, previous) {
        (Some(period), Some(previous)) => vec![
            answer(&trends.current, Compared::Current, current),
            answer(period, Compared::Previous, previous),
        ],
        _ => vec![answer(&trends.current, Compared::No, current)],
    };
    let results = if trends.formulas.is_empty() {
        series_rows(trends, &answers)
    } else {
        formulas::rows(trends, &answers)
    };
    let (from, to) = &trends.current.range;
    TrendsResult {
        results,
        has_more,
        resolved_date_range: json!({"date_from": from, "date_to": to}),
    }
}

fn series_rows(trends: &Trends, answers: &[Answer<'_>]) -> Vec<Value> {
    let mut rows = Vec::new();
    for answer in answers {
        for (series, lines) in trends.series.iter().zip(&answer.series) {
            rows.extend(
                lines
                    .iter()
                    .map(|line| row::of_series(trends, series, answer, line)),
            );
        }
    }
    rows
}

#[cfg(test)]
mod tests;
