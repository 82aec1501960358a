//! Answers as text: one module per format, all of them pure functions of the results.

mod chart;
mod csv;
mod figures;
mod ndjson;
mod table;
mod text;
mod view;

pub(crate) use chart::chart;
pub(crate) use csv::csv;
pub(crate) use figures::plain_figures;
pub(crate) use ndjson::ndjson;
pub(crate) use table::table;
pub(crate) use text::{clean, figure};
pub(crate) use view::View;

/// What people read where there is nothing to draw.
const NOTHING: &str = "no results\n";

/// What the terminal allows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    /// Its width in columns.
    pub(crate) width: usize,
    /// Whether to colour.
    pub(crate) colour: bool,
}
