//! Where data go: standard output, in the format that was asked for or that fits it.

use std::io::{IsTerminal, Write};

use serde_json::Value;

use crate::arguments::OutputFormat;
use crate::failure::{Failure, Result};
use crate::render::{Look, View, chart, csv, ndjson, table};

const USUAL_WIDTH: usize = 100;

/// The format to print in: a table for people, JSON for programs, unless one was asked for.
pub(crate) fn format(asked: Option<OutputFormat>) -> Result<OutputFormat> {
    let fitting = if std::io::stdout().is_terminal() {
        OutputFormat::Table
    } else {
        OutputFormat::Json
    };
    match asked.unwrap_or(fitting) {
        OutputFormat::Arrow => Err(refused("arrow")),
        OutputFormat::Parquet => Err(refused("parquet")),
        OutputFormat::Html => Err(refused("html")),
        format => Ok(format),
    }
}

fn refused(format: &str) -> Failure {
    Failure::unsupported(format!(
        "--format {format} is not supported by this version; take table, json, ndjson, csv or chart"
    ))
}

/// An answer to print: its JSON as a whole, and the rows within it as something to draw.
pub(crate) struct Printed<'a> {
    pub(crate) json: &'a Value,
    pub(crate) rows: &'a Value,
    pub(crate) view: View,
}

/// Prints an answer.
pub(crate) fn print(printed: &Printed<'_>, format: OutputFormat) -> Result<()> {
    let text = match format {
        OutputFormat::Json => json(printed.json),
        OutputFormat::Ndjson => ndjson(printed.rows),
        OutputFormat::Csv => csv(&printed.view),
        OutputFormat::Chart => chart(&printed.view, look()).ok_or_else(|| {
            Failure::unsupported("--format chart cannot draw these rows, which are no named figures; take --format table".into())
        })?,
        OutputFormat::Table => table(&printed.view, look()),
        OutputFormat::Arrow | OutputFormat::Parquet | OutputFormat::Html => return Err(refused("of this kind")),
    };
    write(&text)
}

/// JSON for people on a terminal, one line for programs.
pub(crate) fn json(value: &Value) -> String {
    if std::io::stdout().is_terminal() {
        format!("{value:#}\n")
    } else {
        format!("{value}\n")
    }
}

/// Writes data to standard output.
pub(crate) fn write(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure::OutputClosed,
            _ => Failure::io("standard output", &error),
        })
}

/// Tells people something beside the data. Who has closed standard error does not want to know.
pub(crate) fn tell(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What standard output allows. `COLUMNS` and `NO_COLOR` have the last word.
pub(crate) fn look() -> Look {
    let asked = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok())
        .filter(|columns| *columns > 0);
    let terminal = std::io::stdout().is_terminal();
    let found = || {
        terminal_size::terminal_size()
            .filter(|_| terminal)
            .map(|(width, _)| usize::from(width.0))
    };
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    Look {
        width: asked.or_else(found).unwrap_or(USUAL_WIDTH),
        colour: terminal && !plain && !dumb,
    }
}
