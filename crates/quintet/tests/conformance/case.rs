//! One case: its data in a store of its own, and its question.

use std::collections::BTreeSet;
use std::path::Path;

use quintet::{
    Engine, EngineBuilder, ErrorKind, Format, Load, QueryOptions, Settings, Source, WeekStart,
};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::compare;

/// What a query reads besides the store.
const DEFINITIONS: [&str; 4] = [
    "actions",
    "cohorts",
    "test_account_filters",
    "path_cleaning_filters",
];

/// A case whose data are loaded.
pub(crate) struct Case {
    case: Value,
    store: TempDir,
    /// Why a message was refused.
    refused: Option<String>,
}

impl Case {
    /// Loads the data of a case, in the order that the program would.
    pub(crate) async fn load(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
        let case: Value = serde_json::from_str(&text).map_err(|e| e.to_string())?;
        let store = tempfile::tempdir().map_err(|e| e.to_string())?;
        let mut loaded = Self {
            case,
            store,
            refused: None,
        };
        let warnings = loaded.fill().await?;
        let expected = loaded.case["expect"]["warnings"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        match expected
            .iter()
            .filter_map(Value::as_str)
            .find(|code| !warnings.contains(*code))
        {
            Some(missing) => Err(format!(
                "the load report lacks the warning {missing}; it has {warnings:?}"
            )),
            None => Ok(loaded),
        }
    }

    async fn fill(&mut self) -> Result<BTreeSet<String>, String> {
        let case = &self.case;
        let text = |key: &str| case[key].as_str().unwrap_or_default().to_owned();
        let group_types = case["group_types"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned);
        let week_start = if case["week_start"] == "monday" {
            WeekStart::Monday
        } else {
            WeekStart::Sunday
        };
        let settings = Settings {
            timezone: text("timezone"),
            week_start,
            group_types: group_types.collect(),
        };
        let engine = EngineBuilder::new()
            .create(self.place(), settings)
            .await
            .map_err(|e| e.to_string())?;
        let mut warnings = BTreeSet::new();
        let first = Load {
            sources: lines("events", &case["events"]),
            persons: lines("persons", &case["persons"]),
            groups: lines("groups", &case["groups"]),
            ..Load::default()
        };
        let mut refused = ingest(&engine, first, &mut warnings).await?;
        for message in case["messages"].as_array().into_iter().flatten() {
            let done = match message.get("op").and_then(Value::as_str) {
                Some(step) => administer(&engine, step, message).await,
                None => ingest(&engine, message_load(message), &mut warnings).await,
            };
            match done {
                Ok(rejected) => refused = refused.or(rejected),
                Err(refusal) => refused = refused.or(Some(refusal)),
            }
        }
        self.refused = refused;
        Ok(warnings)
    }

    fn place(&self) -> &str {
        self.store.path().to_str().unwrap_or_default()
    }

    /// Asks the case's question, and says what differs from the answer expected.
    pub(crate) async fn check(&self, builder: EngineBuilder) -> Result<(), String> {
        let expect = &self.case["expect"];
        match &self.refused {
            Some(_) if expect.get("error").is_some() => return Ok(()),
            Some(refusal) if expect.get("warnings").is_none() => {
                return Err(format!("a message was refused while loading: {refusal}"));
            }
            _ => {}
        }
        let definitions: Map<String, Value> = DEFINITIONS
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), self.case.get(*key)?.clone())))
            .collect();
        let options = QueryOptions {
            now: self.case["now"].as_str().map(str::to_owned),
            definitions: Some(Value::Object(definitions)),
            ..QueryOptions::default()
        };
        let engine = builder
            .open(self.place())
            .await
            .map_err(|e| e.to_string())?;
        let answer = engine
            .query_with(&self.case["query"].to_string(), &options)
            .await;
        match (answer, expect.get("error")) {
            (Err(error), Some(_))
                if matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported) =>
            {
                Ok(())
            }
            (Err(error), _) => Err(format!("{:?}: {error}", error.kind())),
            (Ok(answer), Some(expected)) => Err(format!(
                "expected a refusal ({expected}), got {}",
                answer.results()
            )),
            (Ok(answer), None) => compare::answer(&self.case, &answer.to_json()),
        }
    }
}

async fn ingest(
    engine: &Engine,
    load: Load,
    warnings: &mut BTreeSet<String>,
) -> Result<Option<String>, String> {
    let report = engine.ingest(load).await.map_err(|e| e.to_string())?;
    warnings.extend(
        report
            .warnings
            .iter()
            .map(|warning| warning.code.to_string()),
    );
    Ok(report
        .rejected
        .first()
        .map(|rejection| rejection.message.clone()))
}

/// What people change by hand.
async fn administer(
    engine: &Engine,
    step: &str,
    message: &Value,
) -> Result<Option<String>, String> {
    let text = |key: &str| message[key].as_str();
    let required = |key: &str| text(key).ok_or_else(|| format!("{step} without {key}"));
    let index = || {
        let index = message["group_type_index"].as_u64();
        let index = index.and_then(|index| u8::try_from(index).ok());
        index.ok_or_else(|| format!("{step} without group_type_index"))
    };
    let done = match step {
        "delete_group_type" => engine.delete_group_type(required("group_type")?).await,
        "rename_group_type" => {
            engine
                .rename_group_type(index()?, text("name_singular"), text("name_plural"))
                .await
        }
        "delete_group_property" => {
            engine
                .unset_group_property(index()?, required("group_key")?, required("property")?)
                .await
        }
        _ => return Err(format!("no such step yet: {step}")),
    };
    done.map(|()| None).map_err(|e| e.to_string())
}

fn message_load(message: &Value) -> Load {
    let format = match message["format"].as_str() {
        Some("segment") => Format::Segment,
        Some("openpanel") => Format::OpenPanel,
        _ => Format::PostHog,
    };
    let at = message["at"]
        .as_str()
        .and_then(|at| chrono::DateTime::parse_from_rfc3339(at).ok());
    Load {
        sources: lines("message", &json!([message["body"]])),
        format,
        received_at: at.map(|at| at.timestamp_micros()),
        ..Load::default()
    }
}

/// The rows of a list as JSON lines.
fn lines(name: &str, rows: &Value) -> Vec<Source> {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
    if rows.is_empty() {
        Vec::new()
    } else {
        vec![Source::bytes(name, text)]
    }
}
