//! Cohorts as a triangle, darker where more came back.

use super::super::Look;
use super::super::text::{cut, figure, left, right, width};
use super::super::view::{Block, Cohort, Retention};
use super::super::words::{Unit, share, whole_percent};
use super::{blocks, painted};

/// Shades without colours, from nobody to everybody.
const SHADES: [&str; 5] = [" ", "░", "▒", "▓", "█"];
/// Backgrounds of the same, from dark to bright, each with a colour of text that stands out from it.
const COLOURS: [&str; 5] = [
    "48;5;235;38;5;250",
    "48;5;17;38;5;231",
    "48;5;24;38;5;231",
    "48;5;31;38;5;231",
    "48;5;45;38;5;16",
];

/// One triangle per breakdown value.
pub(super) fn triangles(retention: &Retention, look: Look) -> String {
    blocks(&retention.blocks, |block| {
        Triangle::of(retention, block, look).drawn()
    })
}

/// A row of the drawing: a cohort, or the mean of all.
struct Row {
    name: String,
    size: String,
    cells: Vec<Cell>,
}

struct Cell {
    text: String,
    /// The part of the cohort, in percent; not a number where there is nothing to show.
    rate: f64,
}

struct Triangle<'a> {
    retention: &'a Retention,
    block: &'a Block,
    rows: Vec<Row>,
    look: Look,
}

impl<'a> Triangle<'a> {
    fn of(retention: &'a Retention, block: &'a Block, look: Look) -> Self {
        let columns = 0..retention.offsets.len();
        let row = |name: &str, size: String, figures: Vec<f64>| Row {
            name: name.to_owned(),
            size,
            cells: figures
                .iter()
                .map(|one| Cell::of(*one, &figures, retention.unit))
                .collect(),
        };
        let figures = |cohort: &Cohort| {
            columns
                .clone()
                .map(|i| retention.figure(cohort, i))
                .collect()
        };
        let cohorts = block.cohorts.iter();
        let mut rows: Vec<Row> = cohorts
            .map(|cohort| row(&cohort.name, figure(cohort.size()), figures(cohort)))
            .collect();
        let means = columns.clone().map(|i| retention.mean(block, i)).collect();
        rows.push(row("mean", String::new(), means));
        Self {
            retention,
            block,
            rows,
            look,
        }
    }

    fn drawn(&self) -> String {
        let titles = [self.retention.period.as_str(), "size"];
        let widest = |text: fn(&Row) -> &str, title: &str| {
            let texts = self.rows.iter().map(|row| width(text(row)));
            texts.max().unwrap_or(0).max(width(title))
        };
        let names = widest(|row| &row.name, titles[0]);
        let sizes = widest(|row| &row.size, titles[1]);
        let cells = self.cell_width();
        let room = self.look.width.saturating_sub(names + sizes + 3);
        let shown = (room / (cells + 1)).clamp(1, self.retention.offsets.len().max(1));

        let mut out = String::new();
        if let Some(value) = &self.block.value {
            out += &format!("{}\n", cut(value, self.look.width));
        }
        let offsets = self.retention.offsets.iter().take(shown);
        let head: String = offsets
            .map(|offset| format!(" {}", right(offset, cells)))
            .collect();
        out += &format!(
            "{}  {} {head}\n",
            left(titles[0], names),
            right(titles[1], sizes)
        );
        for row in &self.rows {
            let cells: String = row
                .cells
                .iter()
                .take(shown)
                .map(|cell| cell.drawn(cells, self.look))
                .collect();
            let line = format!(
                "{}  {} {cells}",
                left(&row.name, names),
                right(&row.size, sizes)
            );
            out += &format!("{}\n", line.trim_end());
        }
        out + &self.hidden(shown)
    }

    /// A figure and a sign for its shade.
    fn cell_width(&self) -> usize {
        let texts = self
            .rows
            .iter()
            .flat_map(|row| &row.cells)
            .map(|cell| width(&cell.text));
        let offsets = self.retention.offsets.iter().map(|offset| width(offset));
        (texts.max().unwrap_or(0) + 1).max(offsets.max().unwrap_or(0))
    }

    fn hidden(&self, shown: usize) -> String {
        let hidden = self.retention.offsets.len().saturating_sub(shown);
        let noun = if hidden == 1 { "column" } else { "columns" };
        let text = format!("… and {hidden} more {noun}: see them with --format csv");
        match hidden {
            0 => String::new(),
            _ => format!("{}\n", cut(&text, self.look.width)),
        }
    }
}

impl Cell {
    /// The cell of a figure among those of its row.
    fn of(figure: f64, row: &[f64], unit: Unit) -> Self {
        match unit {
            Unit::Percent => Self {
                text: whole_percent(figure),
                rate: figure,
            },
            unit => Self {
                text: unit.text(figure),
                rate: share(figure, row.first().copied().unwrap_or(f64::NAN)),
            },
        }
    }

    /// The cell behind a space, which a background colours too.
    fn drawn(&self, columns: usize, look: Look) -> String {
        let shade = self.shade();
        if look.colour && shade.is_some() {
            let codes = shade
                .and_then(|i| COLOURS.get(i))
                .copied()
                .unwrap_or_default();
            painted(&format!(" {}", right(&self.text, columns)), codes, look)
        } else {
            let sign = shade.and_then(|i| SHADES.get(i)).copied().unwrap_or(" ");
            format!(" {sign}{}", right(&self.text, columns.saturating_sub(1)))
        }
    }

    /// Nobody, up to a quarter, half, three quarters, more. No shade where there is no figure.
    fn shade(&self) -> Option<usize> {
        let quarters = (self.rate / 25.0).ceil().clamp(0.0, 4.0);
        (!self.text.is_empty()).then_some(quarters as usize)
    }
}
