//! The lines of one series in one period: their points, added up, smoothed or scaled back as the display wants.

use crate::Period;
use crate::breakdown::{Line, LineValue, Lines};
use crate::numbers::scaled_back;
use crate::trends::{Series, Trends};

use super::Figure;
use super::numbers::{grows_with_sample, running_sums, trailing_means};

/// The lines of a series, ready to be written.
pub(super) fn lines(
    trends: &Trends,
    series: &Series,
    period: &Period,
    figures: Vec<Figure>,
) -> Lines {
    if series.unknown_action {
        return Lines::default();
    }
    let breakdown = trends.breakdown.as_ref();
    let lines = all(trends, period, figures);
    let mut lines = match breakdown {
        None => everything(trends, period, lines),
        Some(breakdown) => breakdown.arrange(lines, trends.display.is_one_number()),
    };
    for line in &mut lines.lines {
        finish(line, trends, series);
    }
    lines
}

fn all(trends: &Trends, period: &Period, figures: Vec<Figure>) -> Vec<Line> {
    let line = |figure: Figure| {
        let value = LineValue::of(trends.breakdown.as_ref(), figure.breakdown);
        points(trends, period, value, figure.data)
    };
    figures.into_iter().map(line).collect()
}

/// The breakdown values of a series that keep a row of their own, where the rest has to be counted by itself
/// (`breakdown_true_other`): the engine then gives one figure for all others, whose parts are [`OTHER_LABEL`](crate::breakdown::OTHER_LABEL).
pub fn kept_values(
    trends: &Trends,
    period: &Period,
    figures: &[Figure],
) -> Option<Vec<Vec<Option<String>>>> {
    let lines = all(trends, period, figures.to_vec());
    trends
        .breakdown
        .as_ref()?
        .kept(lines, trends.display.is_one_number())
}

/// Without a breakdown there is always one line.
fn everything(trends: &Trends, period: &Period, mut lines: Vec<Line>) -> Lines {
    if lines.is_empty() {
        lines.push(points(trends, period, LineValue::Everything, Vec::new()));
    }
    if trends.smoothing > 1 && !trends.display.is_one_number() {
        for line in &mut lines {
            line.data = trailing_means(&line.data, trends.smoothing);
        }
    }
    Lines {
        lines,
        has_more: false,
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
