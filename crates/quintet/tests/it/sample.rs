//! The bundled real contributions, loaded once, and read once more by plain Rust.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use datafusion::arrow::array::RecordBatch;
use datafusion::parquet::arrow::ArrowWriter;
use futures::TryStreamExt;
use quintet::{Engine, EngineBuilder, Load, QueryOptions, Settings, Source};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;

/// Index order of the group types in the sample's store.
pub(crate) const GROUP_TYPES: [&str; 4] = ["repository", "company", "component", "organization"];

/// The bundled slice, or all contributions: `QUINTET_SAMPLE=oss-contributions.jsonl.gz cargo test … oracle`.
pub(crate) fn path() -> PathBuf {
    let bundled = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../testdata/contributions.jsonl.gz"
    );
    std::env::var_os("QUINTET_SAMPLE").map_or_else(|| bundled.into(), PathBuf::from)
}

pub(crate) fn settings() -> Settings {
    Settings {
        group_types: GROUP_TYPES.map(str::to_owned).to_vec(),
        ..Settings::default()
    }
}

/// A store with the sample in it.
pub(crate) struct Sample {
    pub(crate) folder: TempDir,
}

impl Sample {
    pub(crate) fn location(&self) -> &str {
        self.folder.path().to_str().expect("a path")
    }
}

static SAMPLE: OnceCell<Sample> = OnceCell::const_new();

/// The store that all tests read; nothing may be written to it.
pub(crate) async fn store() -> &'static Sample {
    SAMPLE
        .get_or_init(|| async {
            let sample = Sample {
                folder: tempfile::tempdir().expect("a folder"),
            };
            let engine = Engine::create(sample.location(), settings())
                .await
                .expect("a store");
            let report = engine
                .ingest(Load {
                    sources: vec![Source::Path(path())],
                    ..Load::default()
                })
                .await
                .expect("a load");
            assert_eq!(report.events.stored as usize, EVENTS.len(), "{report:?}");
            sample
        })
        .await
}

static FOLDER: OnceCell<TempDir> = OnceCell::const_new();

/// The events of that store in plain Parquet, as others have them; nothing may be written there.
pub(crate) async fn folder() -> &'static str {
    let folder = FOLDER.get_or_init(|| async {
        let folder = tempfile::tempdir().expect("a folder");
        let engine = engine_of(EngineBuilder::new()).await;
        let rows = engine.sql_stream("select * from events").await;
        let rows: Vec<RecordBatch> = rows.expect("a stream").try_collect().await.expect("rows");
        for (number, rows) in rows.chunks(rows.len() / 2 + 1).enumerate() {
            let file = folder.path().join(format!("{number}.parquet"));
            let file = File::create(file).expect("a file");
            let mut writer = ArrowWriter::try_new(file, rows[0].schema(), None).expect("a writer");
            rows.iter()
                .for_each(|rows| writer.write(rows).expect("rows"));
            writer.close().expect("a footer");
        }
        folder
    });
    folder.await.path().to_str().expect("a path")
}

/// An engine over that store.
pub(crate) async fn engine_of(builder: EngineBuilder) -> Engine {
    let opened = builder.open(store().await.location()).await;
    opened.expect("an engine")
}

/// The clock of all questions to the sample.
pub(crate) fn options() -> QueryOptions {
    QueryOptions {
        now: Some("2026-08-17T12:00:00Z".into()),
        ..QueryOptions::default()
    }
}

/// An event as plain Rust sees it.
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) person: String,
    pub(crate) at: DateTime<Utc>,
    pub(crate) groups: HashMap<String, String>,
    pub(crate) properties: Value,
}

/// The lines of the sample.
pub(crate) fn lines() -> Vec<String> {
    text().lines().map(str::to_owned).collect()
}

fn text() -> String {
    let mut text = String::new();
    let file = std::fs::File::open(path()).expect("the sample");
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip");
    text
}

pub(crate) static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(|| {
    let text = text();
    // The stream holds two events twice; of an event received twice the later one stays.
    let mut received: Vec<Value> = text
        .lines()
        .rev()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let mut known = HashSet::new();
    received.retain(|line| {
        known.insert([
            line["uuid"].clone(),
            line["event"].clone(),
            line["distinct_id"].clone(),
        ])
    });
    received.iter().rev().map(event).collect()
});

fn event(line: &Value) -> Event {
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let groups = line["properties"]["$groups"].as_object().expect("groups");
    Event {
        name: text(&line["event"]),
        person: text(&line["distinct_id"]),
        at: text(&line["timestamp"]).parse().expect("a time"),
        groups: groups
            .iter()
            .map(|(kind, key)| (kind.clone(), text(key)))
            .collect(),
        properties: line["properties"].clone(),
    }
}
