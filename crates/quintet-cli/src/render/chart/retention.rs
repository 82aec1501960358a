//! Cohorts as a triangle, darker where more came back.

use super::super::text::{cut, figure, left, right, width};
use super::super::view::{Block, Cohort, Retention};
use super::super::words::{Unit, share, whole_percent};
use super::super::{Look, hidden_columns};
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
        let heading = block
            .value
            .as_ref()
            .map(|value| format!("{}\n", cut(value, look.width)));
        heading.unwrap_or_default() + &Triangle::of(retention, block, look).drawn()
    })
}

/// The title of the cohorts' sizes.
const SIZE: &str = "size";

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
    rows: Vec<Row>,
    /// Columns that the names, the sizes and each cell take.
    names: usize,
    sizes: usize,
    cells: usize,
    /// How many of the cells of a row fit.
    shown: usize,
    look: Look,
}

impl<'a> Triangle<'a> {
    fn of(retention: &'a Retention, block: &Block, look: Look) -> Self {
        let rows = rows(retention, block);
        let widest = |text: fn(&Row) -> &str| rows.iter().map(|row| width(text(row))).max();
        let names = widest(|row| &row.name).max(Some(width(&retention.period)));
        let sizes = widest(|row| &row.size).max(Some(width(SIZE)));
        let (names, sizes) = (names.unwrap_or(0), sizes.unwrap_or(0));
        let cells = cell_width(retention, &rows);
        let room = look.width.saturating_sub(names + sizes + 3);
        let columns = retention.offsets.len().max(1);
        Self {
            retention,
            rows,
            names,
            sizes,
            cells,
            shown: (room / (cells + 1)).clamp(1, columns),
            look,
        }
    }

    fn drawn(&self) -> String {
        let offsets = self.retention.offsets.iter().take(self.shown);
        let offsets = offsets.map(|offset| format!(" {}", right(offset, self.cells)));
        let mut out = self.line(&self.retention.period, SIZE, offsets.collect());
        for row in &self.rows {
            let cells = row.cells.iter().take(self.shown);
            let cells = cells.map(|cell| cell.drawn(self.cells, self.look));
            out += &self.line(&row.name, &row.size, cells.collect());
        }
        out + &hidden_columns(
            self.retention.offsets.len().saturating_sub(self.shown),
            self.look,
        )
    }

    fn line(&self, name: &str, size: &str, cells: String) -> String {
        let line = format!(
            "{}  {} {cells}",
            left(name, self.names),
            right(size, self.sizes)
        );
        format!("{}\n", line.trim_end())
    }
}

/// The cohorts, and their mean below.
fn rows(retention: &Retention, block: &Block) -> Vec<Row> {
    let columns = 0..retention.offsets.len();
    let row = |name: &str, size: String, figures: Vec<f64>| Row {
        name: name.to_owned(),
        size,
        cells: figures
            .iter()
            .map(|one| Cell::of(*one, &figures, retention.unit))
            .collect(),
    };
    let cohort = |cohort: &Cohort| {
        let figures = columns.clone().map(|i| retention.figure(cohort, i));
        row(&cohort.name, figure(cohort.size()), figures.collect())
    };
    let means = columns.clone().map(|i| retention.mean(block, i));
    let mean = row("mean", String::new(), means.collect());
    block.cohorts.iter().map(cohort).chain([mean]).collect()
}

/// The columns of a figure and of a sign for its shade.
fn cell_width(retention: &Retention, rows: &[Row]) -> usize {
    let cells = rows.iter().flat_map(|row| &row.cells);
    let texts = cells.map(|cell| width(&cell.text) + 1);
    let offsets = retention.offsets.iter().map(|offset| width(offset));
    texts.chain(offsets).max().unwrap_or(0)
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

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::super::super::samples::{self, drawn};
    use super::super::super::view::View;
    use super::super::chart;
    use super::*;

    #[test]
    fn cohorts_are_shaded_by_who_came_back_above_their_mean() {
        assert_snapshot!(drawn(&samples::retention(), 60), @"
        day         size      0     1     2
        2024-01-01   120  █100% ▒ 50% ░  1%
        2024-01-02    40  █100% ▓ 75%
        2024-01-03     0
        mean              █100% ▓ 63% ░  1%
        ");
    }

    #[test]
    fn what_lies_beyond_the_range_is_left_out_by_the_first_period_of_a_bracket() {
        let labels = ["Day 0", "Day 1-2", "Day 3-9"];
        let rows = samples::cohorts(None, &labels, [&[4, 1, 0], &[4, 0, 0], &[4, 0, 2]]);
        assert_snapshot!(drawn(&rows.into(), 60), @"
        day         size      0   1-2   3-9
        2024-01-01     4  █100% ░ 25%
        2024-01-02     4  █100%    0%
        2024-01-03     4  █100%       ▒ 50%
        mean              █100% ░ 13% ▒ 50%
        ");
    }

    #[test]
    fn every_breakdown_value_is_a_block() {
        let chrome = samples::cohorts(
            Some("Chrome"),
            &samples::DAYS,
            [&[4, 1, 0], &[4, 0, 0], &[4, 0, 0]],
        );
        let none = samples::cohorts(
            Some(""),
            &samples::DAYS,
            [&[0, 0, 0], &[9, 9, 0], &[0, 0, 0]],
        );
        assert_snapshot!(drawn(&[chrome, none].concat().into(), 60), @"
        Chrome
        day         size      0     1     2
        2024-01-01     4  █100% ░ 25%    0%
        2024-01-02     4  █100%    0%
        2024-01-03     4  █100%
        mean              █100% ░ 13%    0%

        (none)
        day         size      0     1     2
        2024-01-01     0
        2024-01-02     9  █100% █100%
        2024-01-03     0
        mean              █100% █100%
        ");
    }

    #[test]
    fn sums_stand_for_themselves_and_are_shaded_by_the_first() {
        let mut rows = samples::cohorts(None, &samples::DAYS, [&[2, 1, 1], &[1, 0, 0], &[1, 0, 0]]);
        let sums = [[1500.0, 700.0, 80.0], [900.0, 0.0, 0.0], [1.5, 0.0, 0.0]];
        for (row, sums) in rows.iter_mut().zip(sums) {
            for (column, sum) in sums.iter().enumerate() {
                row["values"][column]["aggregation_value"] = json!(sum);
            }
        }
        assert_snapshot!(drawn(&rows.into(), 60), @"
        day         size       0      1      2
        2024-01-01     2  █1,500 ▒  700 ░   80
        2024-01-02     1  █  900      0
        2024-01-03     1  █  1.5
        mean              █800.5 ▒  350 ░   80
        ");
    }

    #[test]
    fn columns_that_do_not_fit_are_counted() {
        assert_snapshot!(drawn(&samples::retention(), 24), @"
        day         size      0
        2024-01-01   120  █100%
        2024-01-02    40  █100%
        2024-01-03     0
        mean              █100%
        … and 2 more columns: s…
        ");
    }

    #[test]
    fn backgrounds_take_the_place_of_shades() {
        let look = Look {
            width: 60,
            colour: true,
        };
        let coloured = chart(&View::of(&samples::retention()), look).unwrap_or_default();
        let mut plain = coloured.replace("\u{1b}[0m", "");
        for codes in COLOURS {
            plain = plain.replace(&format!("\u{1b}[{codes}m"), "");
        }
        assert_ne!(plain, coloured);
        let unshaded = SHADES
            .iter()
            .fold(drawn(&samples::retention(), 60), |text, shade| {
                text.replace(shade, " ")
            });
        assert_eq!(plain, unshaded);
    }

    #[test]
    fn no_width_breaks_it() {
        for width in [0, 1, 10, 500] {
            assert!(!drawn(&samples::retention(), width).is_empty());
        }
    }
}
