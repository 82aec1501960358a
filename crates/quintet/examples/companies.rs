//! How many companies paid, month by month: Quintet embedded in thirty lines.
//!
//! `cargo run --example companies`

use quintet::query::trends::{EventsNode, Math, TrendsQuery};
use quintet::query::{GroupType, Interval, Query};
use quintet::{Engine, Load, QueryOptions, Settings, Source};

const EVENTS: &str = r#"
{"event": "paid", "distinct_id": "ann", "timestamp": "2024-01-10T09:00:00Z", "properties": {"$groups": {"company": "acme"}}}
{"event": "paid", "distinct_id": "bob", "timestamp": "2024-01-11T09:00:00Z", "properties": {"$groups": {"company": "acme"}}}
{"event": "paid", "distinct_id": "cho", "timestamp": "2024-02-03T09:00:00Z", "properties": {"$groups": {"company": "globex"}}}
{"event": "paid", "distinct_id": "ann", "timestamp": "2024-02-10T09:00:00Z", "properties": {"$groups": {"company": "acme"}}}
"#;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let engine = Engine::create(&folder.path().to_string_lossy(), Settings::default()).await?;
    let report = engine
        .ingest(Load {
            sources: vec![Source::bytes("events", EVENTS)],
            ..Load::default()
        })
        .await?;
    println!("{} events stored", report.events.stored);

    let paying = EventsNode::new("paid")
        .math(Math::UniqueGroup)
        .group(GroupType::from("company"));
    let question = TrendsQuery::new()
        .series(paying)
        .interval(Interval::Month)
        .date_range("2024-01-01", Some("2024-02-29"));
    let answer = engine
        .run(&Query::Trends(question), &QueryOptions::default())
        .await?;
    let row = &answer.results()[0];
    println!("{} {}", row["labels"], row["data"]); // ["Jan 2024","Feb 2024"] [1,2]
    Ok(())
}
