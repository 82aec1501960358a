//! From the figures that the engine counted to the rows of the result. Pure: nothing is counted here.
//!
//! Rules: `spec/retention.md` sections 6, 8, 9 and 10. Values beyond the limit of a breakdown are folded cell by cell.

use serde_json::{Map, Value, json};

use crate::breakdown::{Breakdown, OTHER_LABEL};
use crate::numbers::{json_number, scaled_back};

use super::columns::title;
use super::figures::{Cell, Cells};
use super::{Figures, Measure, Mode, Retention, curves};

/// The rows of retention, and what stands beside them.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionResult {
    /// The rows.
    pub results: Vec<Value>,
    /// True when breakdown values beyond the limit were folded together.
    pub has_more: bool,
    /// Beyond PostHog: per breakdown value, `percentages` of each row, and their `simple` and `weighted` mean per column.
    /// A cohort without actors has no percentages, and a cell that may still grow or lies behind the window has none.
    pub curves: Vec<Value>,
    /// `{"date_from", "date_to"}` of the window, in the project's zone.
    pub resolved_date_range: Value,
}

/// The rows of one breakdown value.
pub(super) struct Block {
    /// The value as rows show it.
    pub(super) value: Option<String>,
    pub(super) cells: Cells,
}

/// The rows of retention from its figures.
pub fn shape(retention: &Retention, figures: &Figures) -> RetentionResult {
    let (blocks, has_more) = blocks(retention, figures);
    let (from, to) = &retention.window.range;
    RetentionResult {
        results: blocks
            .iter()
            .flat_map(|block| rows(retention, block))
            .collect(),
        has_more,
        curves: blocks
            .iter()
            .map(|block| curves::curves(retention, block))
            .collect(),
        resolved_date_range: json!({"date_from": from, "date_to": to}),
    }
}

/// The blocks in the order of the result, and whether some were folded. Without a breakdown there is always one.
fn blocks(retention: &Retention, figures: &Figures) -> (Vec<Block>, bool) {
    let Some(breakdown) = &retention.breakdown else {
        let mut cells = Cells::default();
        for (_, block) in figures.blocks() {
            cells.fold(block);
        }
        return (vec![Block { value: None, cells }], false);
    };
    let mut ranked: Vec<(u64, String, &Cells)> = figures
        .blocks()
        .map(|(value, cells)| (cells.size(), shown(breakdown, value), cells))
        .filter(|(size, ..)| *size > 0)
        .collect();
    ranked.sort_by(|(size, value, _), (other_size, other, _)| {
        other_size.cmp(size).then_with(|| value.cmp(other))
    });
    let rest = match breakdown {
        Breakdown::Properties { limit, .. } => ranked.split_off(ranked.len().min(*limit)),
        // Each was asked for by its number, and a person may be in several.
        Breakdown::Cohorts(_) => Vec::new(),
    };
    let mut blocks: Vec<Block> = ranked
        .into_iter()
        .map(|(_, value, cells)| Block {
            value: Some(value),
            cells: cells.clone(),
        })
        .collect();
    let has_more = !rest.is_empty();
    if has_more && !hides_other(breakdown) {
        blocks.push(other(&rest));
    }
    (blocks, has_more)
}

/// A value as rows show it: its text, of a cohort its number, of everyone 0.
fn shown(breakdown: &Breakdown, value: &str) -> String {
    let Breakdown::Cohorts(cohorts) = breakdown else {
        return value.to_owned();
    };
    let cohort = value.parse().ok().and_then(|at: usize| cohorts.get(at));
    match cohort {
        Some(Some(cohort)) => cohort.id.to_string(),
        _ => "0".to_owned(),
    }
}

fn hides_other(breakdown: &Breakdown) -> bool {
    matches!(
        breakdown,
        Breakdown::Properties {
            hide_other: true,
            ..
        }
    )
}

fn other(rest: &[(u64, String, &Cells)]) -> Block {
    let mut cells = Cells::default();
    for (_, _, block) in rest {
        cells.fold(block);
    }
    Block {
        value: Some(OTHER_LABEL.to_owned()),
        cells,
    }
}

fn rows<'a>(retention: &'a Retention, block: &'a Block) -> impl Iterator<Item = Value> + 'a {
    let unit = title(retention.window.interval);
    let dates = retention.window.dates.iter().enumerate();
    dates.map(move |(row, date)| {
        let columns = retention.columns.labels.iter().enumerate();
        let values: Vec<Value> = columns
            .map(|(column, label)| cell(retention, block.cells.get(row, column), label))
            .collect();
        json!({
            "values": values,
            "label": format!("{unit} {row}"),
            "date": date,
            "breakdown_value": block.value,
        })
    })
}

fn cell(retention: &Retention, cell: Cell, label: &str) -> Value {
    let mut value = Map::new();
    let count = scaled(retention, cell.actors as f64);
    value.insert("count".to_owned(), json_number(count));
    value.insert("label".to_owned(), label.into());
    if let Mode::Amounts(amounts) = &retention.mode {
        let aggregate = match amounts.measure {
            Measure::Sum => scaled(retention, cell.amount),
            // As true of a sample as of everyone.
            Measure::Average if cell.actors > 0 => cell.amount / cell.actors as f64,
            Measure::Average => 0.0,
        };
        value.insert("aggregation_value".to_owned(), json_number(aggregate));
    }
    Value::Object(value)
}

/// Scaled back from a sample, of which an empty one knows nothing.
fn scaled(retention: &Retention, figure: f64) -> f64 {
    match retention.sampling {
        None => figure,
        Some(0.0) => 0.0,
        Some(factor) => scaled_back(figure, factor),
    }
}

#[cfg(test)]
mod tests;
