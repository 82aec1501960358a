//! Funnels over a million contributions: the bundled ones, again and again by other people in other places at other times.
//! `cargo bench -p quintet-benches --bench funnels`; so many copies with `QUINTET_BENCH_COPIES=140` (ten million events).
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a bench may stop at the first failure"
)]

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use flate2::read::GzDecoder;
use quintet::{Engine, Load, QueryOptions, Settings, Source};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Of 74,405 events.
const COPIES: u64 = 14;
const MOST_HOURS: u64 = 24 * 365;

const GROUP_TYPES: [&str; 4] = ["repository", "company", "component", "organization"];
const COMPANY: usize = 1;
const COMPONENT: usize = 2;

/// Everybody's first step.
const FREQUENT: [&str; 3] = ["commit", "co_authored", "pull_request_merged"];
/// One event of 160 is the first step.
const RARE: [&str; 3] = ["release_tagged", "commit", "pull_request_merged"];
const FIVE: [&str; 5] = [
    "commit",
    "pull_request_merged",
    "co_authored",
    "commit",
    "release_tagged",
];

fn funnel(steps: &[&str], more: &Value) -> Value {
    let series: Vec<Value> = steps
        .iter()
        .map(|event| json!({"kind": "EventsNode", "event": event}))
        .collect();
    let mut funnel = json!({
        "kind": "FunnelsQuery", "dateRange": {"date_from": "2014-01-01", "date_to": "2026-07-31"}, "series": series,
    });
    let more = more.as_object().into_iter().flatten();
    for (name, value) in more {
        funnel[name] = value.clone();
    }
    funnel
}

/// What is measured, by name.
fn questions() -> Vec<(&'static str, Value)> {
    let by_company = json!({"aggregation_group_type_index": COMPANY});
    let by_component = json!({"aggregation_group_type_index": COMPONENT});
    let strict = json!({"funnelsFilter": {"funnelOrderType": "strict"}});
    let unordered = json!({"funnelsFilter": {"funnelOrderType": "unordered"}});
    let language = json!({"breakdown": "language", "breakdown_type": "event"});
    let by_language = json!({"breakdownFilter": language});
    let of_all_events = json!({"breakdownFilter": language, "funnelsFilter": {"breakdownAttributionType": "all_events"}});
    let trends = json!({"interval": "month", "funnelsFilter": {"funnelVizType": "trends"}});
    let trends_by_component = json!({"interval": "month", "funnelsFilter": {"funnelVizType": "trends"},
        "aggregation_group_type_index": COMPONENT});
    vec![
        ("3 steps by person", funnel(&FREQUENT, &json!({}))),
        ("3 steps by company", funnel(&FREQUENT, &by_company)),
        ("3 steps by component", funnel(&FREQUENT, &by_component)),
        ("3 steps, a rare one first", funnel(&RARE, &json!({}))),
        (
            "3 steps, a rare one first, by company",
            funnel(&RARE, &by_company),
        ),
        ("5 steps by person", funnel(&FIVE, &json!({}))),
        ("5 steps by company", funnel(&FIVE, &by_company)),
        ("3 steps, strict", funnel(&FREQUENT, &strict)),
        ("3 steps, unordered", funnel(&FREQUENT, &unordered)),
        ("5 steps, unordered", funnel(&FIVE, &unordered)),
        ("3 steps by first language", funnel(&FREQUENT, &by_language)),
        (
            "3 steps by every language",
            funnel(&FREQUENT, &of_all_events),
        ),
        ("3 steps by month", funnel(&FREQUENT, &trends)),
        (
            "3 steps by month and component",
            funnel(&FREQUENT, &trends_by_component),
        ),
    ]
}

/// The same numbers in every run: `SplitMix64`.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

fn bundled() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testdata/contributions.jsonl.gz");
    let mut text = String::new();
    GzDecoder::new(File::open(path).expect("the sample"))
        .read_to_string(&mut text)
        .expect("gzip");
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Writes every contribution so many times. Each copy has its own people, groups and shift in time; the first is the original.
fn write_copies(path: &Path) {
    let copies = std::env::var("QUINTET_BENCH_COPIES")
        .ok()
        .and_then(|copies| copies.parse().ok())
        .unwrap_or(COPIES);
    let mut random = Random(1);
    let mut file = BufWriter::new(File::create(path).expect("a file"));
    let events = bundled();
    for copy in 0..copies {
        let hours = if copy == 0 {
            0
        } else {
            random.below(MOST_HOURS)
        };
        let shift = TimeDelta::hours(i64::try_from(hours).expect("few hours"));
        for event in &events {
            let event = shifted(event.clone(), copy, shift);
            writeln!(file, "{event}").expect("room on the disk");
        }
    }
    file.flush().expect("room on the disk");
}

fn shifted(mut event: Value, copy: u64, shift: TimeDelta) -> Value {
    let at: DateTime<Utc> = event["timestamp"]
        .as_str()
        .and_then(|at| at.parse().ok())
        .expect("a time");
    event["timestamp"] = (at - shift).to_rfc3339().into();
    let of_copy = |name: &mut Value| {
        if let (Some(text), true) = (name.as_str(), copy > 0) {
            *name = format!("{text} {copy}").into();
        }
    };
    of_copy(&mut event["distinct_id"]);
    if let Some(groups) = event["properties"]["$groups"].as_object_mut() {
        groups.values_mut().for_each(of_copy);
    }
    // What has an id already is stored once.
    if let Some(fields) = event.as_object_mut().filter(|_| copy > 0) {
        fields.remove("uuid");
    }
    event
}

/// A new store with all copies in it, and how many events that are.
async fn loaded(folder: &Path) -> (Engine, u64) {
    let events = folder.join("contributions.jsonl");
    write_copies(&events);
    let settings = Settings {
        group_types: GROUP_TYPES.map(str::to_owned).to_vec(),
        ..Settings::default()
    };
    let store = folder.join("store");
    let engine = Engine::create(&store.to_string_lossy(), settings)
        .await
        .expect("a store");
    let load = Load {
        sources: vec![Source::Path(events)],
        ..Load::default()
    };
    let report = engine.ingest(load).await.expect("a load");
    (engine, report.events.stored)
}

fn funnels(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let folder = tempfile::tempdir().expect("a folder");
    let (engine, stored) = runtime.block_on(loaded(folder.path()));
    let options = QueryOptions {
        now: Some("2026-08-17T12:00:00Z".into()),
        ..QueryOptions::default()
    };
    let mut group = criterion.benchmark_group("funnels");
    group
        .sample_size(20)
        .throughput(Throughput::Elements(stored));
    for (name, definition) in questions() {
        let definition = definition.to_string();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                runtime
                    .block_on(engine.query_with(&definition, &options))
                    .expect("an answer")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, funnels);
criterion_main!(benches);
