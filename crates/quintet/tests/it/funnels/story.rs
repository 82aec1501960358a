//! A small store, told in a few lines: who did what, where and when.

use quintet::{Engine, Load, QueryOptions, Settings, Source};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::column;

/// Distinct id, company, event, instant of March 2024 (`06` is a day, `06T10:00:00.030` exact) or any date, properties.
pub(super) type Told<'a> = (&'a str, &'a str, &'a str, &'a str, Value);

/// A store in which that happened.
pub(super) struct Story {
    _folder: TempDir,
    engine: Engine,
}

impl Story {
    pub(super) async fn told(events: impl IntoIterator<Item = Told<'_>>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = Settings {
            group_types: vec!["company".into()],
            ..Settings::default()
        };
        let location = folder.path().to_str().expect("a path");
        let engine = Engine::create(location, settings).await.expect("a store");
        let messages: Vec<String> = events.into_iter().map(message).collect();
        let load = Load {
            sources: vec![Source::bytes("story", messages.join("\n"))],
            ..Load::default()
        };
        let report = engine.ingest(load).await.expect("a load");
        assert_eq!(report.events.stored as usize, messages.len(), "{report:?}");
        Self {
            _folder: folder,
            engine,
        }
    }

    /// The answer on this day of March.
    pub(super) async fn ask(&self, definition: &Value, today: &str) -> Value {
        let options = QueryOptions {
            now: Some(instant(today)),
            ..QueryOptions::default()
        };
        let answer = super::ask(&self.engine, definition, &options).await;
        answer.results().clone()
    }

    /// How many reached each step.
    pub(super) async fn counts(&self, funnel: &Value) -> Vec<u64> {
        column(&self.ask(funnel, "20").await, "count")
    }

    /// Who stands behind a figure, by distinct id or group key.
    pub(super) async fn who(&self, funnel: &Value, figure: Value, today: &str) -> Vec<String> {
        let mut question = json!({"kind": "FunnelsActorsQuery", "source": funnel});
        let fields = question.as_object_mut().expect("an object");
        fields.extend(figure.as_object().expect("an object").clone());
        let rows = self.ask(&question, today).await;
        let rows = rows.as_array().expect("rows").iter();
        let name = |row: &Value| match row["type"] == "group" {
            true => row["group_key"].clone(),
            false => row["distinct_ids"][0].clone(),
        };
        let mut names: Vec<String> = rows
            .map(|row| name(row).as_str().expect("a name").to_owned())
            .collect();
        names.sort();
        names
    }
}

fn message((who, company, event, at, properties): Told<'_>) -> String {
    let mut properties = properties;
    if !company.is_empty() {
        properties["$groups"] = json!({"company": company});
    }
    json!({"distinct_id": who, "event": event, "timestamp": instant(at), "properties": properties})
        .to_string()
}

fn instant(at: &str) -> String {
    let date = if at.len() > 2 && at.as_bytes()[2] != b'T' {
        at.to_owned()
    } else {
        format!("2024-03-{at}")
    };
    if date.contains('T') {
        format!("{date}Z")
    } else {
        format!("{date}T00:00:00Z")
    }
}
