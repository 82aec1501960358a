//! Retention: how many of those who started in a period came back in later ones.

use serde_json::Value;

use super::super::words::{Unit, share};
use super::json::{Object, breakdown, have, list, number, text};

/// The cohorts of every breakdown value, over the same columns.
#[derive(Debug, PartialEq)]
pub(crate) struct Retention {
    /// What a period is, in lower case; `cohort` where the labels do not tell.
    pub(crate) period: String,
    /// The labels of the columns, as the answer has them.
    labels: Vec<String>,
    /// The same without the period's name: numbers of periods since the start.
    pub(crate) offsets: Vec<String>,
    /// What the figures of cells are: shares of a cohort, or sums and averages of a property.
    pub(crate) unit: Unit,
    pub(crate) blocks: Vec<Block>,
}

/// The cohorts of one breakdown value.
#[derive(Debug, PartialEq)]
pub(crate) struct Block {
    pub(crate) value: Option<String>,
    pub(crate) cohorts: Vec<Cohort>,
}

/// Those who started in one period.
#[derive(Debug, PartialEq)]
pub(crate) struct Cohort {
    /// The start of the period, as short as the dates allow.
    pub(crate) name: String,
    /// The start as the answer writes it.
    pub(crate) start: String,
    pub(crate) cells: Vec<Cell>,
}

/// Those of a cohort that came back in one column; not numbers where the range ends before it.
#[derive(Debug, PartialEq)]
pub(crate) struct Cell {
    pub(crate) count: f64,
    /// The sum or average of the property asked for, if one was.
    pub(crate) aggregate: f64,
}

impl Retention {
    /// Nothing where the rows are something else.
    pub(super) fn of(rows: &[&Object]) -> Option<Self> {
        if !have(rows, &["label", "values"]) || !rows.iter().all(|row| has_counts(row)) {
            return None;
        }
        let columns = list(rows.first()?.get("values"));
        let label = |(i, cell): (usize, &Value)| {
            let own = cell.as_object().and_then(|cell| text(cell, "label"));
            own.unwrap_or_else(|| i.to_string())
        };
        let labels: Vec<String> = columns.iter().enumerate().map(label).collect();
        let (period, offsets) = split(&labels);
        let aggregates = columns
            .iter()
            .any(|cell| cell.get("aggregation_value").is_some());
        let of_one_value =
            rows.chunk_by(|a, b| a.get("breakdown_value") == b.get("breakdown_value"));
        Some(Self {
            blocks: of_one_value.map(|rows| Block::of(rows, &offsets)).collect(),
            unit: if aggregates {
                Unit::Plain
            } else {
                Unit::Percent
            },
            period,
            labels,
            offsets,
        })
    }

    /// The label of a column.
    pub(crate) fn label(&self, column: usize) -> &str {
        self.labels
            .get(column)
            .map(String::as_str)
            .unwrap_or_default()
    }

    /// The figure that stands in a cell.
    pub(crate) fn figure(&self, cohort: &Cohort, column: usize) -> f64 {
        match self.unit {
            Unit::Percent => cohort.rate(column),
            _ => cohort
                .cells
                .get(column)
                .map_or(f64::NAN, |cell| cell.aggregate),
        }
    }

    /// The mean of a column over the cohorts that have anybody and reach that far, each weighing the same.
    pub(crate) fn mean(&self, block: &Block, column: usize) -> f64 {
        let figures = block
            .cohorts
            .iter()
            .filter(|cohort| cohort.size() > 0.0)
            .map(|cohort| self.figure(cohort, column))
            .filter(|figure| figure.is_finite());
        let (sum, number) =
            figures.fold((0.0, 0.0), |(sum, number), one| (sum + one, number + 1.0));
        sum / number
    }
}

impl Block {
    fn of(rows: &[&Object], offsets: &[String]) -> Self {
        let starts: Vec<String> = rows
            .iter()
            .map(|row| {
                text(row, "date")
                    .or_else(|| text(row, "label"))
                    .unwrap_or_default()
            })
            .collect();
        let names = short(&starts);
        let cohorts = rows.iter().zip(starts).zip(names).enumerate();
        let cohort = |(i, ((row, start), name)): (usize, ((&&Object, String), String))| Cohort {
            name,
            start,
            cells: cells(row, offsets, rows.len() - i),
        };
        Self {
            value: rows.first().and_then(|row| breakdown(row)),
            cohorts: cohorts.map(cohort).collect(),
        }
    }
}

impl Cohort {
    /// Those who started.
    pub(crate) fn size(&self) -> f64 {
        self.cells.first().map_or(f64::NAN, |cell| cell.count)
    }

    /// The share of them that a column counts, in percent.
    pub(crate) fn rate(&self, column: usize) -> f64 {
        let count = self.cells.get(column).map_or(f64::NAN, |cell| cell.count);
        share(count, self.size())
    }
}

fn has_counts(row: &Object) -> bool {
    let values = list(row.get("values"));
    !values.is_empty() && values.iter().all(|cell| cell.get("count").is_some())
}

/// The cells of a row behind which so many periods of the range lie, its own among them. Answers write 0 for what lies
/// beyond the range; a figure there is one of windows that reach over its end.
fn cells(row: &Object, offsets: &[String], periods: usize) -> Vec<Cell> {
    let cell = |(cell, offset): (&Value, &String)| {
        let count = number(cell.get("count"));
        if count == 0.0 && first_period(offset) >= periods {
            return Cell {
                count: f64::NAN,
                aggregate: f64::NAN,
            };
        }
        Cell {
            count,
            aggregate: number(cell.get("aggregation_value")),
        }
    };
    list(row.get("values"))
        .iter()
        .zip(offsets)
        .map(cell)
        .collect()
}

/// The first period of a column such as `3` or `5-14`.
fn first_period(offset: &str) -> usize {
    let first = offset.split('-').next().unwrap_or_default();
    first.parse().unwrap_or(0)
}

/// The period's name in labels such as `Week 1`, and the rest of each.
fn split(labels: &[String]) -> (String, Vec<String>) {
    let parts: Option<Vec<(&str, &str)>> =
        labels.iter().map(|label| label.split_once(' ')).collect();
    match parts.as_deref() {
        Some([(period, _), rest @ ..]) if rest.iter().all(|(other, _)| other == period) => {
            let offsets = parts
                .iter()
                .flatten()
                .map(|(_, offset)| (*offset).to_owned());
            (period.to_lowercase(), offsets.collect())
        }
        _ => ("cohort".into(), labels.to_vec()),
    }
}

/// Dates without times where all of them are midnights, else to the minute.
fn short(starts: &[String]) -> Vec<String> {
    let are_midnights = starts
        .iter()
        .all(|start| start.get(11..19) == Some("00:00:00"));
    let end = if are_midnights { 10 } else { 16 };
    starts
        .iter()
        .map(|start| match start.get(..end) {
            Some(date) => date.replace('T', " "),
            None => start.clone(),
        })
        .collect()
}
