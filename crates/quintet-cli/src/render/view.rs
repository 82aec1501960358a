//! What an answer looks like to a reader: figures over time, single figures or rows. The formats draw views, never JSON.

use serde_json::{Map, Value};

use super::text::{clean, figure};

const NONE_LABEL: &str = "$$_posthog_breakdown_null_$$";
const OTHER_LABEL: &str = "$$_posthog_breakdown_other_$$";

/// An answer as something to draw.
#[derive(Debug, PartialEq)]
pub(crate) enum View {
    /// No rows at all.
    Nothing,
    /// One figure per bucket and series.
    Over(OverTime),
    /// One figure per series.
    Figures(Vec<Figure>),
    /// Rows of an actor query or of SQL.
    Rows(Rows),
    /// Anything else, which is shown as it is.
    Json(Value),
}

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

/// One figure with its name.
#[derive(Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// A table of values.
#[derive(Debug, PartialEq)]
pub(crate) struct Rows {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Vec<Value>>,
}

impl View {
    /// The view of an insight's `results`.
    pub(crate) fn of(results: &Value) -> Self {
        let Some(objects) = objects(results) else {
            return Self::Json(results.clone());
        };
        if objects.is_empty() {
            Self::Nothing
        } else if objects
            .iter()
            .all(|row| row.contains_key("aggregated_value") && row.contains_key("label"))
        {
            let names = names(&objects);
            let figures = objects.iter().zip(names).map(|(row, name)| Figure {
                name,
                value: number(row.get("aggregated_value")),
            });
            Self::Figures(figures.collect())
        } else if objects.iter().all(|row| {
            row.get("data").is_some_and(Value::is_array)
                && row.get("days").is_some_and(Value::is_array)
        }) {
            Self::Over(over_time(&objects))
        } else {
            Self::rows(results, Vec::new())
        }
    }

    /// The view of rows under these columns, or under all that any row has where none are named.
    pub(crate) fn rows(results: &Value, columns: Vec<String>) -> Self {
        match objects(results) {
            None => Self::Json(results.clone()),
            Some(objects) if objects.is_empty() && columns.is_empty() => Self::Nothing,
            Some(objects) if columns.is_empty() => {
                Self::Rows(rows(&objects, every_column(&objects)))
            }
            Some(objects) => Self::Rows(rows(&objects, columns)),
        }
    }
}

fn objects(results: &Value) -> Option<Vec<&Map<String, Value>>> {
    results.as_array()?.iter().map(Value::as_object).collect()
}

fn every_column(objects: &[&Map<String, Value>]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for key in objects.iter().flat_map(|object| object.keys()) {
        if !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    columns
}

fn rows(objects: &[&Map<String, Value>], columns: Vec<String>) -> Rows {
    let cell = |object: &&Map<String, Value>, column: &String| {
        object.get(column).cloned().unwrap_or(Value::Null)
    };
    let row = |object| columns.iter().map(|column| cell(object, column)).collect();
    Rows {
        rows: objects.iter().map(row).collect(),
        columns,
    }
}

fn over_time(objects: &[&Map<String, Value>]) -> OverTime {
    let texts = |value: Option<&Value>| -> Vec<String> {
        let list = value
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter()
            .map(|day| day.as_str().unwrap_or_default().to_owned())
            .collect()
    };
    let is_numbered = |row: &&Map<String, Value>| {
        let days = row.get("days").and_then(Value::as_array);
        days.is_some_and(|days| days.first().is_some_and(Value::is_number))
    };
    let (axis, buckets) = match objects.first() {
        Some(row) if is_numbered(row) => (Axis::Intervals, "labels"),
        _ => (Axis::Time, "days"),
    };
    let days = objects
        .iter()
        .map(|row| texts(row.get(buckets)))
        .max_by_key(Vec::len)
        .unwrap_or_default();
    let series = objects.iter().zip(names(objects)).map(|(row, name)| {
        let list = row
            .get("data")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let data: Vec<f64> = list.iter().map(|point| number(Some(point))).collect();
        let whole = whole(row, &data);
        Series { name, data, whole }
    });
    OverTime {
        axis,
        series: series.collect(),
        days,
    }
}

/// Sums of unique actors or of averages mean nothing, so only counts and sums are shown added up.
fn whole(row: &Map<String, Value>, data: &[f64]) -> Whole {
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
        Whole::Average(sum / data.len().max(1) as f64)
    }
}

fn number(value: Option<&Value>) -> f64 {
    value.and_then(Value::as_f64).unwrap_or(f64::NAN)
}

/// One name per row, told apart by the math where the labels are the same.
fn names(objects: &[&Map<String, Value>]) -> Vec<String> {
    let mut names: Vec<String> = objects.iter().map(|row| name(row)).collect();
    tell_apart(&mut names, |i| math(objects[i]).unwrap_or_default());
    tell_apart(&mut names, |i| format!("row {}", i + 1));
    names
}

fn tell_apart(names: &mut [String], suffix: impl Fn(usize) -> String) {
    let before = names.to_vec();
    for (i, name) in names.iter_mut().enumerate() {
        let suffix = suffix(i);
        if !suffix.is_empty() && before.iter().filter(|other| *other == name).count() > 1 {
            *name = format!("{name} ({suffix})");
        }
    }
}

fn name(row: &Map<String, Value>) -> String {
    let label = row.get("label").and_then(Value::as_str).unwrap_or_default();
    let own = custom_name(row, label).unwrap_or_else(|| label.to_owned());
    let readable = own
        .replace(NONE_LABEL, "(none)")
        .replace(OTHER_LABEL, "(other)");
    let mut name = clean(&readable).into_owned();
    if let Some(period) = row.get("compare_label").and_then(Value::as_str) {
        let first = row
            .get("days")
            .and_then(|days| days.get(0))
            .and_then(Value::as_str);
        let from = first
            .filter(|_| period == "previous")
            .map(|day| format!(", from {day}"))
            .unwrap_or_default();
        name.push_str(&format!(" ({period}{from})"));
    }
    name
}

/// The name that the definition gives to the series, in place of the event's in the label.
fn custom_name(row: &Map<String, Value>, label: &str) -> Option<String> {
    let action = row.get("action")?;
    let custom = action
        .get("custom_name")?
        .as_str()
        .filter(|name| !name.is_empty())?;
    let Some(value) = row.get("breakdown_value") else {
        return Some(custom.to_owned());
    };
    let event = action
        .get("name")
        .or_else(|| action.get("id"))
        .and_then(Value::as_str)?;
    let rest = label.strip_prefix(event)?.strip_prefix(" - ")?;
    (!value.is_null()).then(|| format!("{custom} - {rest}"))
}

fn math(row: &Map<String, Value>) -> Option<String> {
    let action = row.get("action")?;
    let math = action.get("math")?.as_str()?;
    Some(
        match action.get("math_group_type_index").and_then(Value::as_u64) {
            Some(index) => format!("{math} {index}"),
            None => math.to_owned(),
        },
    )
}

/// The text of one value: strings bare, nothing for null, JSON for lists and objects.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text of one value for reading.
pub(crate) fn readable(value: &Value) -> String {
    match value {
        Value::Number(n) if n.is_f64() => n.as_f64().map(figure).unwrap_or_default(),
        other => clean(&plain(other)).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::panic, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn series(results: Value) -> Vec<(String, Whole)> {
        let View::Over(over) = View::of(&results) else {
            panic!("not over time")
        };
        over.series
            .into_iter()
            .map(|series| (series.name, series.whole))
            .collect()
    }

    #[test]
    fn counts_are_added_up_and_unique_actors_are_not() {
        let row = |math: Value| {
            json!({"label": "paid", "data": [1, 3], "days": ["2024-01-01", "2024-01-02"], "count": 4.0,
            "action": {"id": "paid", "math": math, "math_group_type_index": 1}})
        };
        assert_eq!(
            series(json!([row(json!(null)), row(json!("unique_group"))])),
            [
                ("paid".into(), Whole::Total(4.0)),
                ("paid (unique_group 1)".into(), Whole::Average(2.0))
            ]
        );
    }

    #[test]
    fn a_running_sum_comes_to_its_last_point() {
        let row = json!({"label": "paid", "data": [1, 3], "days": ["a", "b"], "count": 3.0, "action": {"math": "total"}});
        assert_eq!(series(json!([row]))[0].1, Whole::InAll(3.0));
    }

    #[test]
    fn labels_of_none_and_other_are_put_in_words_and_custom_names_win() {
        let row = |label: &str, value: &str| {
            json!({"label": label, "breakdown_value": value, "data": [1], "days": ["a"], "count": 1.0,
            "action": {"id": "paid", "name": "paid", "custom_name": "Sales", "math": "total"}})
        };
        let names: Vec<_> = series(json!([
            row("paid - $$_posthog_breakdown_null_$$", ""),
            row("$$_posthog_breakdown_other_$$", "")
        ]))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
        assert_eq!(names, ["Sales - (none)", "(other)"]);
    }

    #[test]
    fn the_previous_period_says_where_it_begins() {
        let row = |period: &str, day: &str| json!({"label": "paid", "compare_label": period, "data": [1], "days": [day], "count": 1.0});
        let names: Vec<_> = series(json!([
            row("current", "2024-02-01"),
            row("previous", "2024-01-01")
        ]))
        .into_iter()
        .map(|(name, _)| name)
        .collect();
        assert_eq!(
            names,
            ["paid (current)", "paid (previous, from 2024-01-01)"]
        );
    }

    #[test]
    fn rows_have_every_column_that_any_of_them_has() {
        let view = View::rows(&json!([{"a": 1}, {"b": "x", "a": null}]), Vec::new());
        let expected = Rows {
            columns: vec!["a".into(), "b".into()],
            rows: vec![vec![json!(1), Value::Null], vec![Value::Null, json!("x")]],
        };
        assert_eq!(view, View::Rows(expected));
    }

    #[test]
    fn named_columns_stand_even_without_rows() {
        let expected = Rows {
            columns: vec!["n".into()],
            rows: Vec::new(),
        };
        assert_eq!(
            View::rows(&json!([]), vec!["n".into()]),
            View::Rows(expected)
        );
        assert_eq!(View::rows(&json!([]), Vec::new()), View::Nothing);
    }

    #[test]
    fn an_empty_list_is_nothing_and_an_object_stays_json() {
        assert_eq!(View::of(&json!([])), View::Nothing);
        assert_eq!(View::of(&json!({"a": 1})), View::Json(json!({"a": 1})));
    }
}
