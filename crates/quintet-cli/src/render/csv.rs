//! Views as comma-separated values (RFC 4180), uncut: the columns of the table, of cohorts one record per cell.
//!
//! Shares and times are bare figures; the header says what they are in.

use serde_json::Value;

use super::sheet::{self, Cells, Column};
use super::view::{View, plain};

/// The CSV of a view: a header line and one line per bucket, series, step or row; nothing at all without results.
pub(crate) fn csv(view: &View) -> String {
    let mut out = String::new();
    match view {
        View::Nothing => {}
        View::Json(value) => line(&mut out, [plain(value)]),
        other => {
            let columns = sheet::to_compute(other);
            line(&mut out, columns.iter().map(title));
            for row in 0..columns.first().map_or(0, |column| column.cells.len()) {
                line(
                    &mut out,
                    columns.iter().map(|column| cell(&column.cells, row)),
                );
            }
        }
    }
    out
}

/// The title of a column, with the unit of bare figures.
fn title(column: &Column<'_>) -> String {
    match column.cells {
        Cells::Figures(unit, _) => format!("{}{}", column.title, unit.suffix()),
        Cells::Texts(_) | Cells::Values(_) => column.title.clone(),
    }
}

/// The cell of a row, nothing where the column is shorter.
fn cell(cells: &Cells<'_>, row: usize) -> String {
    let text = match cells {
        Cells::Texts(texts) => texts.get(row).cloned(),
        Cells::Figures(_, figures) => figures.get(row).copied().map(number),
        Cells::Values(values) => values.get(row).copied().map(plain),
    };
    text.unwrap_or_default()
}

/// A figure as a program reads it, whole ones without decimals.
fn number(value: f64) -> String {
    if !value.is_finite() {
        String::new()
    } else if value.fract() == 0.0 && value.abs() < 1e15 {
        format!("{value:.0}")
    } else {
        Value::from(value).to_string()
    }
}

fn line<T: AsRef<str>>(out: &mut String, cells: impl IntoIterator<Item = T>) {
    for (i, cell) in cells.into_iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        push(out, cell.as_ref());
    }
    out.push('\n');
}

fn push(out: &mut String, cell: &str) {
    let blank_at_an_end = cell.trim() != cell;
    if blank_at_an_end || cell.contains([',', '"', '\n', '\r']) {
        out.push('"');
        out.push_str(&cell.replace('"', "\"\""));
        out.push('"');
    } else {
        out.push_str(cell);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn series_are_columns_and_days_are_lines() {
        let view = View::of(&json!([
            {"label": "a, b", "days": ["2024-01-01", "2024-02-01"], "data": [1234, 2.25], "count": 1.0},
            {"label": "say \"hi\"", "days": ["2024-01-01", "2024-02-01"], "data": [0, 1], "count": 1.0},
        ]));
        assert_eq!(
            csv(&view),
            "day,\"a, b\",\"say \"\"hi\"\"\"\n2024-01-01,1234,0\n2024-02-01,2.25,1\n"
        );
    }

    #[test]
    fn rows_hold_plain_values_and_nested_ones_as_json() {
        let view = View::rows(
            &json!([{"id": "x\ny", "n": 1.5, "p": {"a": 1}, "none": null}]),
            Vec::new(),
        );
        assert_eq!(csv(&view), "id,n,p,none\n\"x\ny\",1.5,\"{\"\"a\"\":1}\",\n");
    }

    #[test]
    fn columns_have_their_header_even_without_rows() {
        let view = View::rows(&json!([]), vec!["company".into(), "n".into()]);
        assert_eq!(csv(&view), "company,n\n");
    }

    #[test]
    fn figures_have_two_columns_and_nothing_is_empty() {
        let view = View::of(&json!([{"label": "go", "aggregated_value": 3.0}]));
        assert_eq!(csv(&view), "series,figure\ngo,3\n");
        assert_eq!(csv(&View::Nothing), "");
    }
}
