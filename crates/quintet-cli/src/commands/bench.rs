//! `quintet bench`: times one of the known questions over generated events and prints one line of JSON.
//!
//! The line is what the peers' runner reads of an engine beside it: `{"times": [seconds, …], "rss_kib": peak, "result": [[…], …]}`,
//! or `{"skip": true}` for a question that is not known here.

use std::time::Instant;

use quintet::{Answer, QueryOptions};
use serde_json::{Value, json};

use super::engine;
use crate::arguments::{Bench, Limits};
use crate::failure::Result;
use crate::output::write;

/// The file of the generator that has a column per property.
const EVENTS: &str = "events_typed.parquet";

/// A question by the name that the runner gives it.
struct Question {
    name: &'static str,
    definition: &'static str,
    /// The rows of the answer in the columns of the peers.
    rows: fn(&Answer) -> Vec<Value>,
}

macro_rules! question {
    ($name:literal, $rows:expr) => {
        Question {
            name: $name,
            definition: include_str!(concat!("../../bench/", $name, ".json")),
            rows: $rows,
        }
    };
}

const QUESTIONS: &[Question] = &[
    question!("funnel3_person_14d", steps),
    question!("funnel5_company_30d", steps),
    question!("funnel_pageview_person_14d", steps),
    question!("funnel3_breakdown", steps_by_value),
    question!("funnel_strict_person_14d", steps),
];

pub(super) async fn run(bench: Bench, limits: Limits) -> Result<()> {
    let question = QUESTIONS
        .iter()
        .find(|question| question.name == bench.query);
    let Some(question) = question else {
        return write("{\"skip\": true}\n");
    };
    let engine = engine(limits)
        .open(&format!("{}/{EVENTS}", bench.data))
        .await?;
    let mut times = Vec::new();
    let mut rows = Vec::new();
    for _ in 0..bench.runs.get() {
        let start = Instant::now();
        let answer = engine
            .query_with(question.definition, &QueryOptions::default())
            .await?;
        times.push(start.elapsed().as_secs_f64());
        rows = (question.rows)(&answer);
    }
    let line = json!({"times": times, "rss_kib": peak_memory(), "result": rows});
    write(&format!("{line}\n"))
}

/// Step and count.
fn steps(answer: &Answer) -> Vec<Value> {
    let rows = answer.results().as_array().into_iter().flatten();
    rows.filter_map(|step| counted(step, &[])).collect()
}

/// Value, step and count.
fn steps_by_value(answer: &Answer) -> Vec<Value> {
    let values = answer.results().as_array().into_iter().flatten();
    let steps = values.filter_map(Value::as_array).flatten();
    let value = |step: &Value| step.pointer("/breakdown_value/0").cloned();
    steps
        .filter_map(|step| counted(step, &[value(step)?]))
        .collect()
}

/// Steps that nobody did are left out, as peers do.
fn counted(step: &Value, before: &[Value]) -> Option<Value> {
    let count = step.get("count")?.as_f64().filter(|count| *count > 0.0)?;
    let number = step.get("order")?.as_u64()? + 1;
    let mut row = before.to_vec();
    row.extend([json!(number), json!(count)]);
    Some(Value::Array(row))
}

/// Peak resident memory of this process in KiB, where the system tells.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
