//! `quintet bench --prepare`: the generated events as a store, and how long that took.

use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use quintet::{Compaction, Engine, Load, Settings, Source};
use serde_json::{Value, json};

use super::{EVENTS, STORE, engine, peak_memory};
use crate::arguments::Limits;
use crate::failure::{Failure, Result};

/// The generator's file of persons, a row each with all their distinct ids.
const PERSONS: &str = "persons.parquet";
/// The types of `$group_0` to `$group_4`.
const GROUP_TYPES: [&str; 5] = ["company", "project", "channel", "region", "unused"];
/// First digits of a person's id: persons are read in as many portions, so that memory does not grow with them.
const PORTIONS: &str = "0123456789abcdef";

/// Makes the store anew and tells what came of it.
pub(super) async fn run(data: &Path, limits: Limits) -> Result<Value> {
    let store = data.join(STORE);
    clear(&store)?;
    let settings = Settings {
        group_types: GROUP_TYPES.map(str::to_owned).to_vec(),
        ..Settings::default()
    };
    let engine = engine(limits)
        .create(&store.display().to_string(), settings)
        .await?;
    let start = Instant::now();
    let persons = persons(&engine, data).await?;
    let (exported, start) = (start.elapsed(), Instant::now());
    let load = Load {
        persons: vec![Source::Path(persons.path().to_owned())],
        sources: vec![Source::Path(data.join(EVENTS))],
        memory: limits.memory_limit,
        ..Load::default()
    };
    let report = engine.ingest(load).await?;
    let (loaded, start) = (start.elapsed(), Instant::now());
    engine.compact(Compaction::default()).await?;
    let compacted = start.elapsed();
    engine.vacuum(Duration::ZERO).await?;
    let stats = engine.stats().await?;
    Ok(json!({
        "seconds": {
            "persons": exported.as_secs_f64(),
            "load": loaded.as_secs_f64(),
            "compact": compacted.as_secs_f64(),
        },
        "events": report.events,
        "persons": stats.persons,
        "events_per_second": (report.events.read as f64 / loaded.as_secs_f64()).round(),
        "store_bytes": stats.bytes,
        "source_bytes": size(&data.join(EVENTS))?,
        "promoted": stats.promoted,
        "rss_kib": peak_memory(),
    }))
}

/// Deletes the store of an earlier run, and nothing that is no store.
fn clear(store: &Path) -> Result<()> {
    if !store.exists() {
        return Ok(());
    }
    let shown = store.display().to_string();
    if !store.join("_log").is_dir() {
        return Err(Failure::invalid(
            &shown,
            "it is no store; move it away, for the store of the benchmark is made there",
        ));
    }
    std::fs::remove_dir_all(store).map_err(|error| Failure::io(&shown, &error))
}

/// The generator's persons as an export of persons, a row per distinct id, which tells when each was created.
async fn persons(engine: &Engine, data: &Path) -> Result<tempfile::NamedTempFile> {
    let place = "a temporary file";
    let file = tempfile::Builder::new()
        .prefix("quintet-bench-persons-")
        .suffix(".jsonl")
        .tempfile()
        .map_err(|error| Failure::io(place, &error))?;
    let path = data.join(PERSONS);
    size(&path)?;
    let source = path.display().to_string().replace('\'', "''");
    let mut out = BufWriter::new(file);
    for digit in PORTIONS.chars() {
        let statement = format!(
            "SELECT unnest(distinct_ids) AS distinct_id, person_id, properties, created_at, 0 AS person_version \
             FROM '{source}' WHERE starts_with(person_id, '{digit}')"
        );
        let answer = engine.sql(&statement).await?;
        for row in answer.results().as_array().into_iter().flatten() {
            writeln!(out, "{row}").map_err(|error| Failure::io(place, &error))?;
        }
    }
    out.into_inner()
        .map_err(|error| Failure::io(place, error.error()))
}

fn size(path: &Path) -> Result<u64> {
    let shown = path.display().to_string();
    let known = path
        .metadata()
        .map_err(|error| Failure::io(&shown, &error))?;
    Ok(known.len())
}
