//! From the actors that the engine counted to the rows of the result. Pure: nothing is counted here.
//!
//! Rules: `spec/stickiness.md` sections 2 and 5. Values beyond the limit of a breakdown are folded by summing, as in trends.

use serde_json::{Map, Value, json};

use crate::breakdown::{Line, LineValue, Lines, breakdown_value, row_label};
use crate::compare::Compared;
use crate::numbers::{json_number, json_numbers};

use super::{Intervals, Series, Stickiness};

/// The actors of one breakdown value of a series in one range.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Figure {
    /// The text of each part; `None` is null, absent or empty. Of a cohort breakdown: the position in
    /// [`Breakdown::Cohorts`](crate::breakdown::Breakdown::Cohorts) as decimal text. Empty without a breakdown.
    pub breakdown: Vec<Option<String>>,
    /// Number of active intervals, and how many actors have exactly as many; in any order, each number at most once.
    pub actors: Vec<(usize, u64)>,
}

/// The rows of stickiness, and what stands beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct StickinessResult {
    /// The rows.
    pub results: Vec<Value>,
    /// True when breakdown values beyond the limit were folded together.
    pub has_more: bool,
    /// `{"date_from", "date_to"}` of the range asked for, in the project's zone.
    pub resolved_date_range: Value,
}

/// The rows of stickiness from its figures, by series, of the range asked for and of the one compared with.
pub fn shape(
    stickiness: &Stickiness,
    current: Vec<Vec<Figure>>,
    previous: Option<Vec<Vec<Figure>>>,
) -> StickinessResult {
    let mut results = Vec::new();
    let mut has_more = false;
    let mut add = |series: &Series, compared, lines: Lines| {
        has_more |= lines.has_more;
        let lines = lines.lines.into_iter();
        results.extend(lines.map(|line| row(stickiness, series, compared, line)));
    };
    let mut previous = previous.unwrap_or_default().into_iter();
    for (series, figures) in stickiness.series.iter().zip(current) {
        let current = lines(stickiness, &stickiness.current, figures);
        match &stickiness.previous {
            None => add(series, Compared::No, current),
            Some(intervals) => {
                let figures = previous.next().unwrap_or_default();
                add(series, Compared::Current, current);
                add(
                    series,
                    Compared::Previous,
                    lines(stickiness, intervals, figures),
                );
            }
        }
    }
    let (from, to) = &stickiness.current.range;
    StickinessResult {
        results,
        has_more,
        resolved_date_range: json!({"date_from": from, "date_to": to}),
    }
}

/// The histograms of a series in one range: one without a breakdown, else one per value.
fn lines(stickiness: &Stickiness, intervals: &Intervals, figures: Vec<Figure>) -> Lines {
    let breakdown = stickiness.breakdown.as_ref();
    let mut lines: Vec<Line> = figures
        .into_iter()
        .map(|figure| Line {
            value: LineValue::of(breakdown, figure.breakdown),
            data: histogram(&figure.actors, intervals.shown),
            count: 0.0,
        })
        .collect();
    match breakdown {
        Some(breakdown) => breakdown.arrange(lines, false),
        None => {
            if lines.is_empty() {
                lines.push(Line {
                    value: LineValue::Everything,
                    data: histogram(&[], intervals.shown),
                    count: 0.0,
                });
            }
            Lines {
                lines,
                has_more: false,
            }
        }
    }
}

/// Actors by number of active intervals, from 1. More than the range should have, which joined intervals can be, are not lost.
fn histogram(actors: &[(usize, u64)], shown: usize) -> Vec<f64> {
    let mut data = vec![0.0; shown];
    for (intervals, actors) in actors.iter().filter(|(_, actors)| *actors > 0) {
        data.resize(data.len().max(*intervals), 0.0);
        if let Some(point) = intervals.checked_sub(1).and_then(|at| data.get_mut(at)) {
            *point += *actors as f64;
        }
    }
    data
}

fn row(stickiness: &Stickiness, series: &Series, compared: Compared, line: Line) -> Value {
    let count = line.total();
    let mut data = line.data;
    if stickiness.cumulative {
        sums_from_the_end(&mut data);
    }
    let breakdown = stickiness.breakdown.as_ref();
    let echo = &series.echo;
    let label = row_label(&echo.label, stickiness.series.len(), breakdown, &line.value);
    let mut row = Map::new();
    row.insert("count".to_owned(), json_number(count));
    row.insert("data".to_owned(), json_numbers(&data));
    row.insert("days".to_owned(), (1..=data.len()).collect());
    row.insert("label".to_owned(), label.into());
    row.insert("labels".to_owned(), labels(stickiness, data.len()));
    row.insert(
        "action".to_owned(),
        json!({
            "order": echo.order,
            // PostHog says so of actions too, and gives their name as the id.
            "type": "events",
            "name": echo.label,
            "id": if echo.id.is_null() { Value::Null } else { echo.label.as_str().into() },
            "custom_name": echo.custom_name,
        }),
    );
    compared.insert(&mut row);
    if let Some(value) = breakdown_value(breakdown, &line.value) {
        row.insert("breakdown_value".to_owned(), value);
    }
    Value::Object(row)
}

/// Each point and all after it.
fn sums_from_the_end(data: &mut [f64]) {
    let mut sum = 0.0;
    for point in data.iter_mut().rev() {
        sum += *point;
        *point = sum;
    }
}

/// `1 day`, `2 days`; joined intervals are named by the bare unit too.
fn labels(stickiness: &Stickiness, intervals: usize) -> Value {
    let unit = stickiness.interval.name();
    let more = if stickiness.cumulative {
        " or more"
    } else {
        ""
    };
    (1..=intervals)
        .map(|number| match number {
            1 => format!("1 {unit}{more}"),
            _ => format!("{number} {unit}s{more}"),
        })
        .collect()
}

#[cfg(test)]
mod tests;
