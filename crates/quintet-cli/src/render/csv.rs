//! Views as comma-separated values (RFC 4180), uncut: the same columns as the table.

use serde_json::Value;

use super::view::{View, plain};

/// The CSV of a view: a header line and one line per bucket, series or row; nothing at all without results.
pub(crate) fn csv(view: &View) -> String {
    let mut out = String::new();
    match view {
        View::Nothing => {}
        View::Over(over) => {
            line(
                &mut out,
                std::iter::once(over.axis.title())
                    .chain(over.series.iter().map(|s| s.name.as_str())),
            );
            for (i, day) in over.days.iter().enumerate() {
                let points = over
                    .series
                    .iter()
                    .map(|s| s.data.get(i).copied().map(number).unwrap_or_default());
                line(&mut out, std::iter::once(day.clone()).chain(points));
            }
        }
        View::Figures(figures) => {
            line(&mut out, ["series", "figure"]);
            for figure in figures {
                line(&mut out, [figure.name.clone(), number(figure.value)]);
            }
        }
        View::Rows(rows) => {
            line(&mut out, &rows.columns);
            for row in &rows.rows {
                line(&mut out, row.iter().map(plain));
            }
        }
        View::Json(value) => line(&mut out, [plain(value)]),
    }
    out
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
