//! Views as charts in the terminal: lines over time, bars for figures and steps, shades for cohorts.

mod axis;
mod bars;
mod canvas;
mod correlation;
mod experiment;
mod funnel;
mod lines;
mod paths;
mod retention;
mod time_to_convert;

use serde_json::Value;

use super::view::{Axis, Figure, OverTime, Rows, Series, View, readable};
use super::words::Unit;
use super::{Look, nothing};
use bars::{Bar, bars};

/// The chart of a view, or nothing where it has no figures to draw.
pub(crate) fn chart(view: &View, look: Look) -> Option<String> {
    if let Some(nothing) = nothing(view) {
        return Some(nothing);
    }
    match view {
        View::Over(over) if over.axis == Axis::Intervals => Some(bars(&histogram(over), look)),
        View::Over(over) if over.days.len() > 1 => Some(lines::lines(over, look)),
        View::Over(over) => Some(bars(&only_bucket(over), look)),
        View::Figures(figures) => Some(bars(&single_figures(figures), look)),
        View::Funnels(funnels) => Some(funnel::funnels(funnels, look)),
        View::TimeToConvert(periods) => Some(time_to_convert::histograms(periods, look)),
        View::Correlation(correlation) => Some(correlation::odds(correlation, look)),
        View::Retention(retention) => Some(retention::triangles(retention, look)),
        View::Paths(links) => Some(paths::links(links, look)),
        View::Experiment(experiment) => Some(experiment::intervals(experiment, look)),
        View::Rows(rows) => Some(bars(&names_and_figures(rows)?, look)),
        View::Nothing | View::Json(_) => None,
    }
}

impl Bar {
    fn of(name: String, value: f64, unit: Unit) -> Self {
        Self {
            name,
            value,
            text: unit.text(value),
        }
    }
}

fn single_figures(figures: &[Figure]) -> Vec<Bar> {
    let bar = |one: &Figure| Bar::of(one.name.clone(), one.value, Unit::Plain);
    figures.iter().map(bar).collect()
}

/// Series with one bucket are compared with one another, so they are bars.
fn only_bucket(over: &OverTime) -> Vec<Bar> {
    let value = |data: &[f64]| data.first().copied().unwrap_or(f64::NAN);
    let bar = |series: &Series| Bar::of(series.name.clone(), value(&series.data), over.unit);
    over.series.iter().map(bar).collect()
}

/// A histogram is bars, one for each series and bucket.
fn histogram(over: &OverTime) -> Vec<Bar> {
    let of_series = |series: &Series| {
        let name = |bucket: &String| match over.series.len() {
            1 => bucket.clone(),
            _ => format!("{}, {bucket}", series.name),
        };
        let buckets = over.days.iter().zip(&series.data);
        buckets
            .map(|(bucket, value)| Bar::of(name(bucket), *value, over.unit))
            .collect::<Vec<_>>()
    };
    over.series.iter().flat_map(of_series).collect()
}

/// Rows of one name and one number each, such as `SELECT name, count(*)`.
fn names_and_figures(rows: &Rows) -> Option<Vec<Bar>> {
    let one = |row: &Vec<Value>| match row.as_slice() {
        [name, Value::Number(value)] => Some(Bar::of(readable(name), value.as_f64()?, Unit::Plain)),
        _ => None,
    };
    rows.rows.iter().map(one).collect()
}

/// Blocks under one another, an empty line between them.
fn blocks<T>(all: &[T], block: impl Fn(&T) -> String) -> String {
    let blocks: Vec<String> = all.iter().map(block).collect();
    blocks.join("\n")
}

/// The marks of series, the colour and the sign that tell one from the others.
const MARKS: [(u8, char); 8] = [
    (39, '●'),
    (208, '▲'),
    (41, '■'),
    (201, '◆'),
    (220, '○'),
    (45, '△'),
    (203, '□'),
    (147, '◇'),
];

/// A text in the colour of a series, plain where the terminal takes no colours.
fn coloured(text: &str, series: usize, look: Look) -> String {
    painted(
        text,
        &format!("38;5;{}", MARKS[series % MARKS.len()].0),
        look,
    )
}

/// A text in the style of these codes (SGR), plain where the terminal takes no colours.
fn painted(text: &str, codes: &str, look: Look) -> String {
    if look.colour {
        format!("\u{1b}[{codes}m{text}\u{1b}[0m")
    } else {
        text.to_owned()
    }
}
