//! Funnels through the whole engine: random histories against the slow oracle, real data, short stories, SQL.

mod against_oracle;
mod asked;
mod beyond;
mod first_time;
mod history;
// What one actor's events mean is tested in `quintet-behavior`; its oracle judges whole stores here.
#[path = "../../../../quintet-behavior/tests/it/funnel/oracle/mod.rs"]
mod oracle;
mod random;
mod real;
mod spill;
mod sql;
mod story;

use quintet::{Answer, Engine, QueryOptions};
use serde_json::Value;

/// The answer, or a panic that says what was asked.
async fn ask(engine: &Engine, definition: &Value, options: &QueryOptions) -> Answer {
    let answer = engine.query_with(&definition.to_string(), options).await;
    answer.unwrap_or_else(|error| panic!("{error}: {definition}"))
}

/// A figure of each step.
fn column(rows: &Value, name: &str) -> Vec<u64> {
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| row[name].as_u64().expect("a count"))
        .collect()
}
