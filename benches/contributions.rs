//! Real contributions, loaded and asked. `cargo bench -p quintet-benches`; another file of capture messages with
//! `QUINTET_BENCH_EVENTS=oss-contributions.jsonl.gz cargo bench -p quintet-benches`.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a bench may stop at the first failure"
)]

use std::path::{Path, PathBuf};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use quintet::{Engine, Load, QueryOptions, Settings, Source};
use tokio::runtime::Runtime;

const QUESTIONS: [(&str, &str); 5] = [
    (
        "unique companies that merged pull requests, by month",
        r#"{"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2014-01-01", "date_to": "2026-07-31"},
            "series": [{"kind": "EventsNode", "event": "pull_request_merged", "math": "unique_group", "math_group_type_index": 1}]}"#,
    ),
    (
        "people who committed, by week",
        r#"{"kind": "TrendsQuery", "interval": "week", "dateRange": {"date_from": "2014-01-01", "date_to": "2026-07-31"},
            "series": [{"kind": "EventsNode", "event": "commit", "math": "dau"}]}"#,
    ),
    (
        "commits of a quarter, by day",
        r#"{"kind": "TrendsQuery", "interval": "day", "dateRange": {"date_from": "2025-04-01", "date_to": "2025-06-30"},
            "series": [{"kind": "EventsNode", "event": "commit"}]}"#,
    ),
    (
        "weekly active components, by day",
        r#"{"kind": "TrendsQuery", "interval": "day", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-12-31"},
            "series": [{"kind": "EventsNode", "event": "commit", "math": "weekly_active", "math_group_type_index": 2}]}"#,
    ),
    (
        "commits by language and change type",
        r#"{"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2014-01-01", "date_to": "2026-07-31"},
            "series": [{"kind": "EventsNode", "event": "commit"}],
            "breakdownFilter": {"breakdowns": [{"property": "language", "type": "event"}, {"property": "change_type", "type": "event"}]}}"#,
    ),
];

fn events() -> PathBuf {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/contributions.jsonl.gz");
    std::env::var_os("QUINTET_BENCH_EVENTS").map_or(bundled, PathBuf::from)
}

/// A new store with all events of a file or folder in it, and how many there are.
async fn loaded(folder: &Path, events: PathBuf) -> (Engine, u64) {
    let group_types = ["repository", "company", "component", "organization"]
        .map(str::to_owned)
        .to_vec();
    let settings = Settings {
        group_types,
        ..Settings::default()
    };
    let engine = Engine::create(&folder.to_string_lossy(), settings)
        .await
        .expect("a store");
    let report = engine
        .ingest(Load {
            sources: vec![Source::Path(events)],
            ..Load::default()
        })
        .await
        .expect("a load");
    (engine, report.events.read)
}

fn ingest(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (_, read) = runtime.block_on(loaded(folder.path(), events()));
    let mut group = criterion.benchmark_group("ingest");
    group.sample_size(10).throughput(Throughput::Elements(read));
    // The store's own files are Parquet like any other.
    let parquet = folder.path().join("events");
    for (name, events) in [("contributions", events()), ("parquet", parquet)] {
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || tempfile::tempdir().expect("a folder"),
                |folder| {
                    let loaded = loaded(folder.path(), events.clone());
                    (runtime.block_on(loaded), folder)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

fn trends(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, _) = runtime.block_on(loaded(folder.path(), events()));
    let options = QueryOptions {
        now: Some("2026-08-17T12:00:00Z".into()),
        ..QueryOptions::default()
    };
    let mut group = criterion.benchmark_group("trends");
    group.sample_size(20);
    for (name, definition) in QUESTIONS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                runtime
                    .block_on(engine.query_with(definition, &options))
                    .expect("an answer")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, ingest, trends);
criterion_main!(benches);
