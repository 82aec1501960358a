//! Loads that are interrupted, repeated, or come in another order: what a store holds in the end.

use std::path::Path;

use quintet::{Engine, Load, Source};
use serde_json::{Value, json};

use crate::sample;

/// Little enough that files are written long before the end of a source is met.
const MEMORY: usize = 16 << 20;

async fn new_store(folder: &Path) -> Engine {
    let location = folder.to_str().expect("a path");
    let engine = Engine::create(location, sample::settings()).await;
    engine.expect("a store")
}

fn load(sources: Vec<Source>) -> Load {
    Load {
        sources,
        memory: Some(MEMORY),
        ..Load::default()
    }
}

/// What is counted of a store, but for how often and into which files it was written: the first load chooses the promoted properties.
async fn counts(engine: &Engine) -> Value {
    let stats = engine.stats().await.expect("stats");
    let mut counts = serde_json::to_value(stats).expect("JSON");
    for written in ["version", "files", "bytes", "loads", "promoted"] {
        let stats = counts.as_object_mut().expect("an object");
        stats.remove(written).expect("a figure");
    }
    counts
}

/// All files but the one that writers lock.
fn files(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path.display().to_string()),
            }
        }
    }
    files.retain(|path| !path.ends_with(".lock"));
    files.sort();
    files
}

async fn answer(engine: &Engine, question: &Value) -> Value {
    let (question, options) = (question.to_string(), sample::options());
    let answer = engine.query_with(&question, &options).await;
    answer.expect("an answer").results().clone()
}

/// Persons, companies and repositories that committed by month; how far companies and persons come; who comes back.
async fn answers(engine: &Engine) -> Vec<Value> {
    let range = json!({"date_from": "2025-01-01", "date_to": "2025-06-30"});
    let node = |event: &str, group: Option<u8>| match group {
        None => json!({"kind": "EventsNode", "event": event, "math": "dau"}),
        Some(index) => {
            json!({"kind": "EventsNode", "event": event, "math": "unique_group", "math_group_type_index": index})
        }
    };
    let mut questions = Vec::new();
    for group in [None, Some(0), Some(1)] {
        questions.push(json!({"kind": "TrendsQuery", "interval": "month", "dateRange": range, "series": [node("commit", group)],
            "breakdownFilter": {"breakdown": "language", "breakdown_type": "event"}}));
        let steps = ["commit", "pull_request_merged"]
            .map(|event| json!({"kind": "EventsNode", "event": event}));
        questions.push(json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps, "aggregation_group_type_index": group}));
        let entity = json!({"id": "commit", "type": "events"});
        questions.push(json!({"kind": "RetentionQuery", "dateRange": range, "aggregation_group_type_index": group,
            "retentionFilter": {"period": "Month", "totalIntervals": 4, "targetEntity": entity, "returningEntity": entity}}));
    }
    let mut answers = Vec::new();
    for question in questions {
        answers.push(answer(engine, &question).await);
    }
    answers
}

#[tokio::test]
async fn a_load_that_is_interrupted_stores_nothing_and_its_repetition_stores_all() {
    let whole = std::fs::read(sample::path()).expect("the sample");
    let cut = whole[..whole.len() * 9 / 10].to_vec();
    let folder = tempfile::tempdir().expect("a folder");
    let engine = new_store(folder.path()).await;
    let (before, files_before) = (counts(&engine).await, files(folder.path()));
    for _ in 0..2 {
        let failed = engine
            .ingest(load(vec![Source::bytes("cut.gz", cut.clone())]))
            .await;
        assert!(failed.is_err(), "{failed:?}");
        assert_eq!(counts(&engine).await, before);
        assert_eq!(files(folder.path()), files_before);
    }
    let report = engine
        .ingest(load(vec![Source::bytes("whole.gz", whole.clone())]))
        .await;
    let stored = report.expect("a load").events.stored;
    assert_eq!(stored as usize, sample::EVENTS.len());

    let other = Engine::open(sample::store().await.location()).await;
    let other = other.expect("the sample");
    assert_eq!(counts(&engine).await, counts(&other).await);
    assert_eq!(answers(&engine).await, answers(&other).await);

    // What was loaded is recognised, and an interruption after it takes nothing away.
    let version = engine.stats().await.expect("stats").version;
    let again = vec![
        Source::bytes("again.gz", whole),
        Source::bytes("cut.gz", cut),
    ];
    assert!(engine.ingest(load(again)).await.is_err());
    assert_eq!(engine.stats().await.expect("stats").version, version);
    assert_eq!(counts(&engine).await, counts(&other).await);
}

#[tokio::test]
async fn pieces_in_any_order_some_of_them_interrupted_are_the_same_as_the_whole() {
    let lines: Vec<String> = sample::lines();
    let pieces: Vec<String> = lines
        .chunks(lines.len().div_ceil(4))
        .map(|piece| piece.join("\n"))
        .collect();
    let source = |piece: usize| Source::bytes("piece", pieces[piece].clone());
    let expected = Engine::open(sample::store().await.location()).await;
    let expected = expected.expect("the sample");
    for order in [[3, 2, 1, 0], [1, 3, 0, 2]] {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = new_store(folder.path()).await;
        for piece in order {
            // Two good sources and one that is missing: all or nothing.
            let missing = Source::Path(folder.path().join("missing.jsonl"));
            let failed = engine.ingest(load(vec![source(piece), source(0), missing]));
            assert!(failed.await.is_err());
            for _ in 0..2 {
                engine
                    .ingest(load(vec![source(piece)]))
                    .await
                    .expect("a load");
            }
        }
        assert_eq!(counts(&engine).await, counts(&expected).await, "{order:?}");
        assert_eq!(
            answers(&engine).await,
            answers(&expected).await,
            "{order:?}"
        );
    }
}

/// Merges go by the order of receipt (spec, groups and ingestion, 1.6): whoever is identified already is not merged into somebody
/// else, so which of two identifications came first decides who is who.
#[tokio::test]
async fn identifications_count_in_the_order_in_which_they_are_loaded() {
    let line = |uuid: u8, event: &str, id: &str, properties: Value| {
        let uuid = format!("00000000-0000-4000-8000-0000000000{uuid:02}");
        let at = "2025-01-01T00:00:00Z";
        json!({"uuid": uuid, "event": event, "distinct_id": id, "timestamp": at, "properties": properties}).to_string()
    };
    let identify = |uuid: u8, id: &str, anonymous: &str| {
        line(
            uuid,
            "$identify",
            id,
            json!({"$anon_distinct_id": anonymous}),
        )
    };
    let first = Source::bytes("ann", identify(1, "ann", "anonymous 1"));
    let lines = [line(2, "seen", "bob", json!({})), identify(3, "bob", "ann")];
    let second = Source::bytes("bob", lines.join("\n"));
    for (order, people) in [([&first, &second], 2), ([&second, &first], 1)] {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = new_store(folder.path()).await;
        for source in order.into_iter().chain(order) {
            engine
                .ingest(load(vec![source.clone()]))
                .await
                .expect("a load");
        }
        let question = json!({"kind": "TrendsQuery", "interval": "day", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-01-01"},
            "series": [{"kind": "EventsNode", "event": "$identify", "math": "dau"}]});
        let answer = answer(&engine, &question).await;
        assert_eq!(answer[0]["data"], json!([people]));
        assert_eq!(engine.stats().await.expect("stats").persons, people);
    }
}
