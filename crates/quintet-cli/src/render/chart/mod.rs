//! Views as charts in the terminal: lines over time, bars for single figures.

mod axis;
mod bars;
mod canvas;
mod lines;

use serde_json::Value;

use super::view::{Axis, Figure, OverTime, Rows, Series, View, readable};
use super::{Look, NOTHING};

/// The chart of a view, or nothing where it has no figures to draw.
pub(crate) fn chart(view: &View, look: Look) -> Option<String> {
    match view {
        View::Nothing => Some(NOTHING.into()),
        View::Rows(rows) if rows.rows.is_empty() => Some(NOTHING.into()),
        View::Over(over) if over.axis == Axis::Intervals => {
            Some(bars::bars(&histogram(over), look))
        }
        View::Over(over) if over.days.len() > 1 => Some(lines::lines(over, look)),
        View::Over(over) => Some(bars::bars(&only_bucket(over), look)),
        View::Figures(figures) => Some(bars::bars(figures, look)),
        View::Rows(rows) => Some(bars::bars(&names_and_figures(rows)?, look)),
        View::Json(_) => None,
    }
}

/// Series with one bucket are compared with one another, so they are bars.
fn only_bucket(over: &OverTime) -> Vec<Figure> {
    let value = |data: &[f64]| data.first().copied().unwrap_or(f64::NAN);
    over.series
        .iter()
        .map(|series| Figure {
            name: series.name.clone(),
            value: value(&series.data),
        })
        .collect()
}

/// A histogram is bars, one for each series and bucket.
fn histogram(over: &OverTime) -> Vec<Figure> {
    let of_series = |series: &Series| {
        let bar = |(bucket, value): (&String, &f64)| Figure {
            name: match over.series.len() {
                1 => bucket.clone(),
                _ => format!("{}, {bucket}", series.name),
            },
            value: *value,
        };
        over.days
            .iter()
            .zip(&series.data)
            .map(bar)
            .collect::<Vec<_>>()
    };
    over.series.iter().flat_map(of_series).collect()
}

/// Rows of one name and one number each, such as `SELECT name, count(*)`.
fn names_and_figures(rows: &Rows) -> Option<Vec<Figure>> {
    let one = |row: &Vec<Value>| match row.as_slice() {
        [name, Value::Number(value)] => Some(Figure {
            name: readable(name),
            value: value.as_f64()?,
        }),
        _ => None,
    };
    rows.rows.iter().map(one).collect()
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
    if look.colour {
        format!(
            "\u{1b}[38;5;{}m{text}\u{1b}[0m",
            MARKS[series % MARKS.len()].0
        )
    } else {
        text.to_owned()
    }
}
