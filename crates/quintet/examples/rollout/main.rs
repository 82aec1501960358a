//! What a roll-out by company did, measured in data whose true effect is known: people create 25% more documents.
//!
//! `cargo run --example rollout` answers it here; with a file name it writes the events, to be asked by the program:
//! ```text
//! cargo run --example rollout -- rollout.jsonl
//! quintet ingest shop rollout.jsonl
//! quintet experiment shop crates/quintet/examples/rollout/experiment.json --format chart
//! ```

mod world;

use quintet::query::Query;
use quintet::query::experiments::{ExperimentExposureQuery, ExperimentQuery, Method, MetricNode};
use quintet::query::series::EventsNode;
use quintet::{Engine, Load, QueryOptions, Settings, Source};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let events = world::events(true);
    if let Some(file) = std::env::args().nth(1) {
        return Ok(std::fs::write(file, events)?);
    }
    let folder = tempfile::tempdir()?;
    let settings = Settings {
        group_types: vec!["company".into()],
        ..Settings::default()
    };
    let engine = Engine::create(&folder.path().to_string_lossy(), settings).await?;
    let load = Load {
        sources: vec![Source::bytes("rollout", events)],
        ..Load::default()
    };
    let report = engine.ingest(load).await?;
    println!(
        "{} events of {} companies; the true effect is {:+.0}%",
        report.events.stored,
        world::COMPANIES,
        100.0 * world::EFFECT
    );
    let exposures = ExperimentExposureQuery::new("new-editor", ["control", "test"])
        .by_group("company")
        .dates("2024-03-01T00:00:00Z", Some("2024-03-31T00:00:00Z"));
    let documents = MetricNode::mean(EventsNode::new("document_created"));
    for method in [Method::bayesian(), Method::frequentist()] {
        let question = ExperimentQuery::new(exposures.clone(), documents.clone()).method(method);
        let question = Query::Experiment(Box::new(question));
        let answer = engine.run(&question, &QueryOptions::default()).await?;
        let test = &answer.results()["variant_results"][0];
        println!("{}: {test:#}", method.name());
    }
    Ok(())
}
