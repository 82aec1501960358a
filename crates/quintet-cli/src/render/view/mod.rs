//! What an answer looks like to a reader: figures over time, funnels, cohorts, rows. The formats draw views, never JSON.

mod correlation;
mod experiment;
mod funnel;
mod json;
mod names;
mod over;
mod paths;
mod retention;
#[cfg(test)]
mod tests;
mod time_to_convert;
mod value;

use serde_json::{Value, json};

pub(crate) use correlation::{Correlated, Correlation};
pub(crate) use experiment::{Arm, Chance, Experiment};
pub(crate) use funnel::{Funnel, Step};
pub(crate) use over::{Axis, OverTime, Series, Whole};
pub(crate) use paths::Link;
pub(crate) use retention::{Block, Cell, Cohort, Retention};
pub(crate) use time_to_convert::TimeToConvert;
pub(crate) use value::{plain, readable};

pub(crate) use json::heading;
use json::{Object, have, number, objects};
use names::names;

/// An answer as something to draw.
#[derive(Debug, PartialEq)]
pub(crate) enum View {
    /// No rows at all.
    Nothing,
    /// One figure per bucket and series.
    Over(OverTime),
    /// One figure per series.
    Figures(Vec<Figure>),
    /// Steps, by breakdown value and period.
    Funnels(Vec<Funnel>),
    /// Histograms of conversions, by period.
    TimeToConvert(Vec<TimeToConvert>),
    /// What goes with converting.
    Correlation(Correlation),
    /// Cohorts, by breakdown value.
    Retention(Retention),
    /// Links between steps.
    Paths(Vec<Link>),
    /// The arms of an experiment.
    Experiment(Experiment),
    /// Rows of an actor query or of SQL.
    Rows(Rows),
    /// Anything else, which is shown as it is.
    Json(Value),
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
        if results.as_array().is_some_and(Vec::is_empty) {
            return Self::Nothing;
        }
        Self::of_insight(results).unwrap_or_else(|| Self::rows(results, Vec::new()))
    }

    fn of_insight(results: &Value) -> Option<Self> {
        let rows = objects(results).unwrap_or_default();
        None.or_else(|| figures(&rows).map(Self::Figures))
            .or_else(|| OverTime::of(&rows).map(Self::Over))
            .or_else(|| Funnel::all_of(results).map(Self::Funnels))
            .or_else(|| TimeToConvert::all_of(results).map(Self::TimeToConvert))
            .or_else(|| Correlation::of(results).map(Self::Correlation))
            .or_else(|| Retention::of(&rows).map(Self::Retention))
            .or_else(|| Link::all_of(&rows).map(Self::Paths))
            .or_else(|| Experiment::of(results).map(Self::Experiment))
            .or_else(|| exposures(results).map(Self::Over))
            .or_else(|| statistics(results))
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

/// How many were exposed to each variant, day by day.
fn exposures(results: &Value) -> Option<OverTime> {
    let series = objects(results.get("timeseries")?)?;
    let rows = series.into_iter().map(|one| {
        let of = |key: &str| one.get(key).cloned().unwrap_or(Value::Null);
        let counts = of("exposure_counts");
        // They are added up already: the last day says all.
        let count = json::list(Some(&counts)).last().cloned();
        json!({"label": of("variant"), "days": of("days"), "data": counts, "count": count})
    });
    let rows: Vec<Value> = rows.collect();
    OverTime::of(&rows.iter().filter_map(Value::as_object).collect::<Vec<_>>())
}

/// What two arms say of each other, as a single row.
fn statistics(results: &Value) -> Option<View> {
    let single = results.as_object()?;
    let is_known =
        ["is_significant", "effect_variance", "theta"].map(|key| single.contains_key(key));
    is_known
        .contains(&true)
        .then(|| View::rows(&json!([results]), Vec::new()))
}

fn figures(rows: &[&Object]) -> Option<Vec<Figure>> {
    have(rows, &["aggregated_value", "label"]).then(|| {
        let figures = rows.iter().zip(names(rows)).map(|(row, name)| Figure {
            name,
            value: number(row.get("aggregated_value")),
        });
        figures.collect()
    })
}

fn every_column(objects: &[&Object]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for key in objects.iter().flat_map(|object| object.keys()) {
        if !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    columns
}

fn rows(objects: &[&Object], columns: Vec<String>) -> Rows {
    let cell = |object: &&Object, column: &String| match object.get(column) {
        // A group goes by its name.
        Some(Value::Object(cell)) if cell.len() == 2 && cell.contains_key("key") => {
            let name = cell.get("display_name");
            name.map_or_else(|| Value::Object(cell.clone()), Value::clone)
        }
        other => other.cloned().unwrap_or(Value::Null),
    };
    let row = |object| columns.iter().map(|column| cell(object, column)).collect();
    Rows {
        rows: objects.iter().map(row).collect(),
        columns,
    }
}
