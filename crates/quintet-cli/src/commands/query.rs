//! `quintet query`: one insight over a store or a folder of events.

use std::path::Path;

use quintet::{Answer, QueryOptions};
use serde_json::{Value, json};

use super::{open, text};
use crate::arguments::{Limits, OutputFormat, Query};
use crate::failure::{Failure, Result};
use crate::output::{self, Printed};
use crate::render::View;

pub(super) async fn run(query: Query, limits: Limits) -> Result<()> {
    let definition = text(&query.definition)?;
    ask(&definition, query, limits).await
}

/// Asks what was read already.
pub(super) async fn ask(definition: &str, query: Query, limits: Limits) -> Result<()> {
    let format = output::format(query.output.format)?;
    let options = QueryOptions {
        now: query.now,
        definitions: query.definitions.as_deref().map(definitions).transpose()?,
        timezone: query.timezone,
        week_start: query.week_start.map(Into::into),
    };
    let engine = open(&query.store, query.names, limits).await?;
    if query.explain {
        return explain(
            &engine.explain(definition, &options).await?,
            query.output.format,
        );
    }
    let answer = engine.query_with(definition, &options).await?;
    print_answer(&answer, format)
}

/// The definitions of a file.
pub(super) fn definitions(path: &Path) -> Result<Value> {
    serde_json::from_str(&text(path)?).map_err(|error| {
        Failure::invalid(
            &path.display().to_string(),
            format!("it is no JSON ({error})"),
        )
    })
}

/// A plan is text for people, whatever format answers have by default.
fn explain(plan: &str, asked: Option<OutputFormat>) -> Result<()> {
    match asked {
        Some(OutputFormat::Json | OutputFormat::Ndjson) => {
            output::write(&output::json(&json!({"explain": plan})))
        }
        _ => output::write(&format!("{}\n", plan.trim_end())),
    }
}

/// Prints an answer; its warnings go to standard error where the format has no place for them.
pub(super) fn print_answer(answer: &Answer, format: OutputFormat) -> Result<()> {
    let json = answer.to_json();
    let columns = columns(answer);
    let rows = named(answer.results(), &columns);
    if format != OutputFormat::Json {
        for warning in json
            .get("warnings")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let text = warning
                .as_str()
                .or_else(|| warning.get("message")?.as_str());
            output::tell(&format!(
                "warning: {}",
                text.map_or_else(|| warning.to_string(), str::to_owned)
            ));
        }
    }
    output::print(
        &Printed {
            json: &json,
            rows: &rows,
            view: if columns.is_empty() {
                View::of(&rows)
            } else {
                View::rows(&rows, columns)
            },
        },
        format,
    )
}

/// The columns of an answer that names them: its rows are shown under them, whatever they are called.
fn columns(answer: &Answer) -> Vec<String> {
    let columns = answer.response().get("columns").and_then(Value::as_array);
    let names = columns.into_iter().flatten().filter_map(Value::as_str);
    names.map(str::to_owned).collect()
}

/// Rows that are lists of cells, as objects; all others as they are.
fn named(results: &Value, columns: &[String]) -> Value {
    let object = |row: &Value| {
        let cells = row.as_array()?.iter().cloned();
        Some(Value::Object(columns.iter().cloned().zip(cells).collect()))
    };
    let rows = results.as_array().filter(|_| !columns.is_empty());
    let objects: Option<Vec<Value>> = rows.and_then(|rows| rows.iter().map(object).collect());
    objects.map_or_else(|| results.clone(), Value::Array)
}
