//! Answers as text: one module per format, all of them pure functions of the results.
//!
//! `view` says what the results are, `sheet` puts that into columns for the table and CSV, `chart` draws it.

mod chart;
mod csv;
mod figures;
mod ndjson;
#[cfg(test)]
mod samples;
mod sheet;
mod table;
mod text;
mod view;
mod words;

pub(crate) use chart::chart;
pub(crate) use csv::csv;
pub(crate) use figures::plain_figures;
pub(crate) use ndjson::ndjson;
pub(crate) use table::table;
pub(crate) use text::{clean, figure};
pub(crate) use view::{View, plain};

const NOTHING: &str = "no results\n";

/// What people read in place of a view that has nothing to draw.
fn nothing(view: &View) -> Option<String> {
    match view {
        View::Nothing => Some(NOTHING.into()),
        View::Rows(rows) if rows.rows.is_empty() => Some(NOTHING.into()),
        View::Correlation(found) if found.rows.is_empty() => {
            let warning = found.warning().map(|warning| format!("{warning}\n"));
            Some(format!("{NOTHING}{}", warning.unwrap_or_default()))
        }
        _ => None,
    }
}

/// What people read where columns do not fit.
fn hidden_columns(hidden: usize, look: Look) -> String {
    if hidden == 0 {
        return String::new();
    }
    let noun = if hidden == 1 { "column" } else { "columns" };
    let text = format!("… and {hidden} more {noun}: see them with --format csv");
    format!("{}\n", text::cut(&text, look.width))
}

/// What the terminal allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Its width in columns.
    pub(crate) width: usize,
    /// Whether to colour.
    pub(crate) colour: bool,
}
