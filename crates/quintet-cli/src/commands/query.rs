//! `quintet query`: one insight over a store or a folder of Parquet.

use std::path::Path;

use quintet::{Answer, QueryOptions};
use serde_json::{Value, json};

use super::{engine, text};
use crate::arguments::{Limits, OutputFormat, Query};
use crate::failure::{Failure, Result};
use crate::output::{self, Printed};
use crate::render::View;

pub(super) async fn run(query: Query, limits: Limits) -> Result<()> {
    let format = output::format(query.output.format)?;
    let definition = text(&query.definition)?;
    let options = QueryOptions {
        now: query.now,
        definitions: query.definitions.as_deref().map(definitions).transpose()?,
        timezone: query.timezone,
        week_start: query.week_start.map(Into::into),
    };
    let engine = engine(limits).open(&query.store).await?;
    if query.explain {
        return explain(
            &engine.explain(&definition, &options).await?,
            query.output.format,
        );
    }
    let answer = engine.query_with(&definition, &options).await?;
    print_answer(&answer, format)
}

fn definitions(path: &Path) -> Result<Value> {
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
            rows: answer.results(),
            view: view(answer),
        },
        format,
    )
}

/// Answers that name their columns are rows under them, whatever the columns are called.
fn view(answer: &Answer) -> View {
    match answer.response().get("columns").and_then(Value::as_array) {
        Some(columns) => {
            let names = columns.iter().filter_map(Value::as_str).map(str::to_owned);
            View::rows(answer.results(), names.collect())
        }
        None => View::of(answer.results()),
    }
}
