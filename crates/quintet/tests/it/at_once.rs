//! Many writers and readers of one store within one process: every acknowledged load is in, none is doubled, and each question sees one
//! version.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use quintet::{Compaction, Engine};
use serde_json::json;

use crate::world;

const WRITERS: usize = 4;
const LOADS: usize = 3;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_and_readers_at_once_lose_and_double_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let place: Arc<str> = folder.path().join("store").to_str().expect("a path").into();
    let shared = Engine::create(&place, world::settings())
        .await
        .expect("a store");
    let is_over = Arc::new(AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (place, shared) = (Arc::clone(&place), shared.clone());
        writers.spawn(async move {
            // Half of them share an engine, the others have one of their own.
            let engine = match writer % 2 {
                0 => shared,
                _ => Engine::open(&place).await.expect("an engine"),
            };
            for number in 0..LOADS {
                world::load(&engine, writer * LOADS + number).await;
            }
            engine
                .compact(Compaction::default())
                .await
                .expect("a compaction");
        });
    }
    let mut readers = tokio::task::JoinSet::new();
    for reader in 0..3 {
        let (place, shared, is_over) = (Arc::clone(&place), shared.clone(), Arc::clone(&is_over));
        readers.spawn(async move {
            let engine = match reader {
                0 => shared,
                _ => Engine::open(&place).await.expect("an engine"),
            };
            let mut before = 0;
            while !is_over.load(Ordering::Relaxed) {
                let now = whole_loads(&engine).await;
                assert!(now >= before, "{before} {now}");
                before = now;
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.expect("a writer");
    }
    is_over.store(true, Ordering::Relaxed);
    while let Some(done) = readers.join_next().await {
        done.expect("a reader");
    }
    assert_eq!(whole_loads(&shared).await, (WRITERS * LOADS) as u64);
    assert!(
        shared
            .verify()
            .await
            .expect("a verification")
            .problems
            .is_empty()
    );
}

/// How many loads a reader sees: whole ones, counted twice within one question in different ways.
async fn whole_loads(engine: &Engine) -> u64 {
    let sql = "select (select count(*) from events) as rows, (select count(distinct uuid) from events) as uuids, \
               (select count(*) from events where length(properties) > 0) as read";
    let question = json!({"kind": "SQL", "query": sql}).to_string();
    let answer = engine.query(&question).await.expect("an answer");
    let row = &answer.results()[0];
    assert_eq!(
        (&row["rows"], &row["rows"]),
        (&row["uuids"], &row["read"]),
        "{row}"
    );
    let rows = row["rows"].as_u64().expect("a number");
    assert!(rows.is_multiple_of(world::EVENTS as u64), "{rows}");
    rows / world::EVENTS as u64
}
