//! Figures over time, or over numbers of intervals.

use serde_json::Value;

use super::super::words::Unit;
use super::json::{Object, have, list, number};
use super::names::names;

/// What the buckets of series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Axis {
    /// Stretches of time.
    Time,
    /// Numbers of intervals in which actors were active: a histogram.
    Intervals,
}

impl Axis {
    /// What one bucket is called at the head of a column.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Time => "day",
            Self::Intervals => "active in",
        }
    }
}

/// Series over the same buckets.
#[derive(Debug, PartialEq)]
pub(crate) struct OverTime {
    pub(crate) axis: Axis,
    pub(crate) unit: Unit,
    /// The starts of the buckets as the answer writes them; of a histogram their labels.
    pub(crate) days: Vec<String>,
    /// The series, in the answer's order.
    pub(crate) series: Vec<Series>,
}

/// One line of figures.
#[derive(Debug, PartialEq)]
pub(crate) struct Series {
    pub(crate) name: String,
    /// One figure per bucket; not a number where there is none.
    pub(crate) data: Vec<f64>,
    pub(crate) whole: Whole,
}

/// The one figure that says what a series comes to.
#[derive(Debug, PartialEq)]
pub(crate) enum Whole {
    /// The sum, where adding up the buckets has a meaning.
    Total(f64),
    /// The last point of running sums.
    InAll(f64),
    /// The mean, for instance of unique actors, which must not be added up.
    Average(f64),
}

impl OverTime {
    /// Nothing where the rows are something else. Rows without a label are the rates of a funnel.
    pub(super) fn of(rows: &[&Object]) -> Option<Self> {
        let has_lists =
            |row: &&Object| ["data", "days"].map(|key| row.get(key)).iter().all(is_list);
        if rows.is_empty() || !rows.iter().all(has_lists) {
            return None;
        }
        let unit = if have(rows, &["label"]) {
            Unit::Plain
        } else {
            Unit::Percent
        };
        let (axis, buckets) = match rows.first() {
            Some(row) if is_numbered(row) => (Axis::Intervals, "labels"),
            _ => (Axis::Time, "days"),
        };
        let days = rows.iter().map(|row| texts(row.get(buckets)));
        let series = rows.iter().zip(names(rows));
        Some(Self {
            axis,
            unit,
            days: days.max_by_key(Vec::len).unwrap_or_default(),
            series: series
                .map(|(row, name)| Series::of(row, name, unit))
                .collect(),
        })
    }
}

impl Series {
    fn of(row: &Object, name: String, unit: Unit) -> Self {
        let points = list(row.get("data")).iter();
        let data: Vec<f64> = points.map(|point| number(Some(point))).collect();
        let whole = match unit {
            Unit::Plain => whole(row, &data),
            Unit::Percent | Unit::Seconds => Whole::Average(mean(&data)),
        };
        Self { name, data, whole }
    }
}

fn is_list(value: &Option<&Value>) -> bool {
    value.is_some_and(Value::is_array)
}

fn is_numbered(row: &Object) -> bool {
    list(row.get("days")).first().is_some_and(Value::is_number)
}

fn texts(value: Option<&Value>) -> Vec<String> {
    let days = list(value).iter();
    days.map(|day| day.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Sums of unique actors or of averages mean nothing, so only counts and sums are shown added up.
fn whole(row: &Object, data: &[f64]) -> Whole {
    let count = number(row.get("count"));
    let sum: f64 = data.iter().sum();
    let last = data.last().copied().unwrap_or(f64::NAN);
    let same = |a: f64, b: f64| (a - b).abs() <= 1e-9 * a.abs().max(1.0);
    if data.len() > 1 && same(count, last) && !same(sum, last) {
        return Whole::InAll(last);
    }
    let action = row.get("action").and_then(Value::as_object);
    let additive = action.is_some_and(|action| {
        let math = action
            .get("math")
            .and_then(Value::as_str)
            .unwrap_or("total");
        matches!(
            math,
            "total" | "sum" | "first_time_for_user" | "first_matching_event_for_user"
        )
    });
    if additive {
        Whole::Total(sum)
    } else {
        Whole::Average(mean(data))
    }
}

fn mean(data: &[f64]) -> f64 {
    data.iter().sum::<f64>() / data.len().max(1) as f64
}
