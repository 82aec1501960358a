//! Views as a table of text that fits the terminal: one row per bucket, series, step or row.

use serde_json::Value;

use super::sheet::{self, Cells, Sheet};
use super::text::{cut, left, right, width};
use super::view::{View, readable};
use super::{Look, hidden_columns, nothing};

const GAP: &str = "  ";
const NARROWEST: usize = 6;

/// The table of a view, or one per breakdown value.
pub(crate) fn table(view: &View, look: Look) -> String {
    if let Some(nothing) = nothing(view) {
        return nothing;
    }
    if let View::Json(value) = view {
        return format!("{value:#}\n");
    }
    let sheets = sheet::to_read(view).into_iter();
    let tables: Vec<String> = sheets.map(|sheet| drawn(sheet, look)).collect();
    tables.join("\n")
}

/// A sheet between its heading and its notes.
fn drawn(sheet: Sheet<'_>, look: Look) -> String {
    let lines = |texts: &[String]| -> String {
        texts
            .iter()
            .map(|text| format!("{}\n", cut(text, look.width)))
            .collect()
    };
    let columns: Vec<Column> = sheet.columns.into_iter().map(Column::of).collect();
    let heading = lines(sheet.heading.as_slice());
    format!("{heading}{}{}", draw(&columns, look), lines(&sheet.notes))
}

struct Column {
    title: String,
    cells: Vec<String>,
    numeric: bool,
}

impl Column {
    fn of(column: sheet::Column<'_>) -> Self {
        let (cells, numeric) = match column.cells {
            Cells::Texts(texts) => (texts, false),
            Cells::Figures(unit, figures) => {
                (figures.iter().map(|one| unit.text(*one)).collect(), true)
            }
            Cells::Values(values) => (
                values.iter().copied().map(readable).collect(),
                are_numbers(&values),
            ),
        };
        Self {
            title: column.title,
            cells,
            numeric,
        }
    }
}

fn are_numbers(values: &[&Value]) -> bool {
    values.iter().all(|v| v.is_number() || v.is_null()) && values.iter().any(|v| v.is_number())
}

fn draw(columns: &[Column], look: Look) -> String {
    let widths = fit(columns, look.width);
    let shown = &columns[..widths.len()];
    let line = |cells: &mut dyn Iterator<Item = String>| {
        let cells: Vec<String> = cells.collect();
        format!("{}\n", cells.join(GAP).trim_end())
    };
    let cell = |text: &str, numeric: bool, columns: usize| {
        if numeric {
            right(text, columns)
        } else {
            left(text, columns)
        }
    };
    let both = || shown.iter().zip(&widths);
    let mut out = line(&mut both().map(|(c, w)| cell(&c.title, c.numeric, *w)));
    out += &line(&mut widths.iter().map(|w| "─".repeat(*w)));
    for row in 0..shown.iter().map(|c| c.cells.len()).max().unwrap_or(0) {
        out += &line(&mut both().map(|(c, w)| {
            cell(
                c.cells.get(row).map(String::as_str).unwrap_or_default(),
                c.numeric,
                *w,
            )
        }));
    }
    out + &hidden_columns(columns.len() - shown.len(), look)
}

/// The widths of the columns that fit, the widest cut first. A figure is never cut: half a figure would be a wrong one.
fn fit(columns: &[Column], room: usize) -> Vec<usize> {
    let widest = |c: &Column| c.cells.iter().map(|cell| width(cell)).max().unwrap_or(0);
    let natural: Vec<usize> = columns
        .iter()
        .map(|c| widest(c).max(width(&c.title)).max(1))
        .collect();
    let least: Vec<usize> = columns
        .iter()
        .zip(&natural)
        .map(|(c, n)| {
            if c.numeric {
                widest(c).max(NARROWEST.min(*n))
            } else {
                NARROWEST.min(*n)
            }
        })
        .collect();
    let total = |widths: &[usize]| {
        widths.iter().sum::<usize>() + GAP.len() * widths.len().saturating_sub(1)
    };
    let mut shown = columns.len();
    while shown > 1 && total(&least[..shown]) > room {
        shown -= 1;
    }
    let capped = |cap: usize| -> Vec<usize> {
        (0..shown)
            .map(|i| natural[i].min(cap.max(least[i])))
            .collect()
    };
    let mut cap = natural.iter().copied().max().unwrap_or(1);
    while cap > NARROWEST && total(&capped(cap)) > room {
        cap -= 1;
    }
    capped(cap)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use serde_json::json;

    use super::*;

    const LOOK: Look = Look {
        width: 60,
        colour: false,
    };

    #[test]
    fn series_stand_beside_one_another_and_days_below() {
        let view = View::of(&json!([
            {"label": "commit", "days": ["2024-01-01", "2024-02-01"], "data": [1234, 2], "count": 1236.0},
            {"label": "日本語 ".repeat(20), "days": ["2024-01-01", "2024-02-01"], "data": [0.5, 1], "count": 1.5},
        ]));
        assert_snapshot!(table(&view, LOOK), @"
        day         commit  日本語 日本語 日本語 日本語 日本語 日本…
        ──────────  ──────  ────────────────────────────────────────
        2024-01-01   1,234                                       0.5
        2024-02-01       2                                         1
        ");
    }

    #[test]
    fn columns_that_do_not_fit_are_counted() {
        let row = |i: usize| json!({"label": format!("series number {i}"), "days": ["2024-01-01"], "data": [1_000_000 + i], "count": 1.0});
        let view = View::of(&(0..9).map(row).collect());
        assert_snapshot!(table(&view, LOOK), @"
        day         series nu…  series nu…  series nu…  series nu…
        ──────────  ──────────  ──────────  ──────────  ──────────
        2024-01-01   1,000,000   1,000,001   1,000,002   1,000,003
        … and 5 more columns: see them with --format csv
        ");
    }

    #[test]
    fn rows_keep_their_columns_and_nested_values_are_json() {
        let view = View::rows(
            &json!([
                {"id": "p1", "event_count": 3, "properties": {"plan": "pro\nplus"}},
                {"id": "p2", "event_count": null, "properties": {}},
            ]),
            Vec::new(),
        );
        assert_snapshot!(table(&view, LOOK), @r#"
        id  event_count  properties
        ──  ───────────  ────────────────────
        p1            3  {"plan":"pro\nplus"}
        p2               {}
        "#);
    }

    #[test]
    fn single_figures_have_one_row_each_and_nothing_says_so() {
        let view = View::of(
            &json!([{"label": "go", "aggregated_value": 12345.5, "data": [], "days": [], "count": 0}]),
        );
        assert_snapshot!(table(&view, LOOK), @"
        series    figure
        ──────  ────────
        go      12,345.5
        ");
        assert_eq!(table(&View::Nothing, LOOK), "no results\n");
    }
}
