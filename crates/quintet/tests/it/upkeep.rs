//! What compaction, vacuum and a purge must leave as it was: every answer.

use std::io::Read;
use std::path::Path;
use std::time::Duration;

use quintet::{ActorKeys, Compaction, Engine, EngineBuilder, Load, Source};
use serde_json::{Value, json};

use crate::{retention, sample};

const COMPANY: u8 = 1;

/// By person and by repository: what no company has a part in.
fn questions() -> Vec<Value> {
    let range = json!({"date_from": "2024-01-01", "date_to": "2025-12-31"});
    let large = json!([{"type": "event", "key": "files_changed", "value": 10, "operator": "gte"}]);
    let steps = json!([{"event": "pull_request_merged"}, {"event": "commit", "properties": large}]);
    vec![
        json!({"kind": "TrendsQuery", "interval": "month", "dateRange": range, "series": [
            {"event": "commit", "math": "dau"},
            {"event": null},
            {"event": "commit", "math": "p90", "math_property": "files_changed"},
        ]}),
        json!({"kind": "TrendsQuery", "interval": "month", "dateRange": range, "series": [{"event": "commit"}],
               "breakdownFilter": {"breakdown": "language", "breakdown_type": "event", "breakdown_limit": 5}}),
        json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps}),
        json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps, "aggregation_group_type_index": 0}),
        json!({"kind": "StickinessQuery", "interval": "month", "dateRange": range, "series": [
            {"event": "commit", "math": "unique_group", "math_group_type_index": 2},
        ]}),
        json!({"kind": "LifecycleQuery", "interval": "month", "dateRange": range, "series": [{"event": "commit"}]}),
    ]
}

/// The same by company.
fn questions_by_company() -> Vec<Value> {
    let range = json!({"date_from": "2024-01-01", "date_to": "2025-12-31"});
    let steps = json!([{"event": "pull_request_merged"}, {"event": "commit"}]);
    vec![
        json!({"kind": "TrendsQuery", "interval": "month", "dateRange": range, "series": [
            {"event": "commit", "math": "unique_group", "math_group_type_index": COMPANY},
        ]}),
        json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps, "aggregation_group_type_index": COMPANY}),
        json!({"kind": "StickinessQuery", "interval": "month", "dateRange": range, "series": [
            {"event": "commit", "math": "unique_group", "math_group_type_index": COMPANY},
        ]}),
    ]
}

async fn answers(builder: EngineBuilder, location: &str, questions: &[Value]) -> Vec<Value> {
    let engine = builder.open(location).await.expect("an engine");
    let mut answers = Vec::new();
    for question in questions {
        let mut question = question.clone();
        for series in question["series"].as_array_mut().into_iter().flatten() {
            series["kind"] = json!("EventsNode");
        }
        let answer = engine
            .query_with(&question.to_string(), &sample::options())
            .await
            .expect("an answer");
        answers.push(answer.results().clone());
    }
    answers
}

/// The sample, loaded in pieces whose months all overlap.
async fn in_pieces(location: &str) -> Engine {
    let mut text = String::new();
    let file = std::fs::File::open(sample::path()).expect("the sample");
    flate2::read::GzDecoder::new(file)
        .read_to_string(&mut text)
        .expect("gzip");
    let lines: Vec<&str> = text.lines().collect();
    let engine = Engine::create(location, sample::settings())
        .await
        .expect("a store");
    for piece in 0..6 {
        let piece: Vec<&str> = lines.iter().copied().skip(piece).step_by(6).collect();
        let load = Load {
            sources: vec![Source::bytes("piece", piece.join("\n"))],
            ..Load::default()
        };
        engine.ingest(load).await.expect("a load");
    }
    engine
}

async fn is_sound(engine: &Engine) {
    let found = engine.verify().await.expect("a report");
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

/// Bytes of all files below a folder.
fn bytes_below(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(bytes_below(&path));
        } else {
            found.push(std::fs::read(&path).expect("a file"));
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn compaction_and_vacuum_change_no_answer() {
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().to_str().expect("a path");
    let engine = in_pieces(location).await;
    let questions = [questions(), questions_by_company(), retention::of_sample()].concat();
    let expected = answers(EngineBuilder::new(), location, &questions).await;
    let report = engine
        .compact(Compaction {
            promote_frequent: true,
            ..Compaction::default()
        })
        .await
        .expect("a report");
    assert!(report.files_after < report.files_before, "{report:?}");
    assert!(!report.promoted.is_empty());
    is_sound(&engine).await;
    engine.vacuum(Duration::ZERO).await.expect("a report");
    is_sound(&engine).await;
    let ways = [
        EngineBuilder::new(),
        EngineBuilder::new().with_actor_keys(ActorKeys::Keys),
        EngineBuilder::new().with_target_partitions(7),
    ];
    for (i, builder) in ways.into_iter().enumerate() {
        let found = answers(builder, location, &questions).await;
        assert_eq!(found, expected, "way {i}");
    }
    let again = engine
        .compact(Compaction::default())
        .await
        .expect("a report");
    assert_eq!((again.version, again.events_rewritten), (report.version, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purged_company_is_nowhere_and_all_other_figures_stay() {
    const KEY: &str = "uber.com";
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().to_str().expect("a path");
    let engine = in_pieces(location).await;
    let before = answers(EngineBuilder::new(), location, &questions()).await;
    let companies = r#"select "$group_1" as company, count(*) as events from events where "$group_1" is not null and "$group_1" <> 'uber.com' group by 1 order by 1"#;
    let others = engine.sql(companies).await.expect("rows").results().clone();
    let report = engine.purge_group(COMPANY, KEY).await.expect("a report");
    assert_eq!((report.events_changed, report.events_mentioning), (634, 0));
    assert_eq!(
        answers(EngineBuilder::new(), location, &questions()).await,
        before
    );
    let found = engine.sql(companies).await.expect("rows");
    assert_eq!(*found.results(), others);
    let left = format!(
        r#"select count(*) as n from events where properties like '%{KEY}%' or "$group_1" = '{KEY}' or distinct_id like '%{KEY}%'"#
    );
    assert_eq!(engine.sql(&left).await.expect("rows").results()[0]["n"], 0);
    let groups = format!("select count(*) as n from groups where key = '{KEY}'");
    assert_eq!(
        engine.sql(&groups).await.expect("rows").results()[0]["n"],
        0
    );
    for bytes in bytes_below(folder.path()) {
        let holds = bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes());
        assert!(!holds, "some file still holds the key");
    }
    is_sound(&engine).await;
}
