//! What a question can reach: the tables of its snapshot and nothing else.

use std::fs;

use quintet::{Engine, EngineBuilder, ErrorKind};
use serde_json::json;

use crate::world;

async fn engine(folder: &std::path::Path) -> Engine {
    let place = folder.join("store");
    let engine = Engine::create(place.to_str().expect("a path"), world::settings()).await;
    let engine = engine.expect("a store");
    world::load(&engine, 0).await;
    engine
}

#[tokio::test(flavor = "multi_thread")]
async fn sql_reaches_no_file_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path()).await;
    let secret = folder.path().join("secret.csv");
    fs::write(&secret, "a,b\n1,2\n").expect("a file");
    let secret = secret.display();
    let target = folder.path().join("stolen.parquet");
    for sql in [
        format!("select * from '{secret}'"),
        format!("select * from \"{secret}\""),
        format!("select * from 'file://{secret}'"),
        "select * from '/etc/passwd'".to_owned(),
        "select * from 'https://example.com/a.csv'".to_owned(),
        "select * from 's3://bucket/a.parquet'".to_owned(),
        format!("create external table x stored as csv location '{secret}'"),
        format!("copy (select * from events) to '{}'", target.display()),
        format!("select * from read_csv('{secret}')"),
        "insert into events select * from events".to_owned(),
        "drop table events".to_owned(),
        "create view v as select 1".to_owned(),
        "set datafusion.execution.batch_size = 1".to_owned(),
        "delete from events".to_owned(),
        "update events set event = 'x'".to_owned(),
        "explain analyze insert into events select * from events".to_owned(),
        "select 1; drop table events".to_owned(),
        "prepare p as select 1".to_owned(),
    ] {
        let error = engine
            .sql(&sql)
            .await
            .err()
            .unwrap_or_else(|| panic!("{sql} was answered"));
        let is_refused = matches!(error.kind(), ErrorKind::Invalid | ErrorKind::Unsupported);
        assert!(is_refused, "{sql}: {error}");
        assert!(!error.to_string().contains('\n'), "{sql}: {error}");
    }
    assert!(!target.exists());
    let answer = engine
        .sql("select count(*) as n from events")
        .await
        .expect("an answer");
    assert_eq!(answer.results()[0]["n"], json!(world::EVENTS));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_read_by_path_only_if_that_is_switched_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    let store = store.to_str().expect("a path");
    Engine::create(store, world::settings())
        .await
        .expect("a store");
    let file = folder.path().join("some.csv");
    fs::write(&file, "a,b\n1,2\n").expect("a file");
    let sql = format!("select a, b from '{}'", file.display());
    let open = EngineBuilder::new().open(store).await.expect("an engine");
    assert!(open.sql(&sql).await.is_err());
    let allowed = EngineBuilder::new().with_files_in_sql(true);
    let allowed = allowed.open(store).await.expect("an engine");
    let answer = allowed.sql(&sql).await.expect("an answer");
    assert_eq!(answer.results()[0]["b"], json!(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_in_definitions_reach_nothing_but_properties() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path()).await;
    for name in [
        "'; drop table events; --",
        "\" or 1=1 --",
        "price\" as x, (select max(id) from persons) as \"y",
        "/etc/passwd",
        "../../secret",
        "p.price",
        "events.event",
        "person_ref",
        "$group_0_ref",
        "\0",
        "a\nb",
        "\\",
        "%",
        "_",
    ] {
        let filter = json!([{"type": "event", "key": name, "operator": "exact", "value": [name]}]);
        let series = json!([{"kind": "EventsNode", "event": "seen", "properties": filter}]);
        let definition = json!({
            "kind": "TrendsQuery", "dateRange": {"date_from": "2024-01-01", "date_to": "2024-03-31"}, "series": series,
        });
        match engine.query(&definition.to_string()).await {
            Ok(answer) => assert_eq!(answer.results()[0]["count"].as_f64(), Some(0.0), "{name:?}"),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid, "{name:?}: {error}"),
        }
        let by_name = json!({
            "kind": "TrendsQuery", "dateRange": {"date_from": "2024-01-01", "date_to": "2024-03-31"},
            "series": [{"kind": "EventsNode", "event": name}],
            "breakdownFilter": {"breakdown": name, "breakdown_type": "event"},
        });
        if let Err(error) = engine.query(&by_name.to_string()).await {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{name:?}: {error}");
        }
        let funnel = json!({
            "kind": "FunnelsQuery", "dateRange": {"date_from": "2024-01-01", "date_to": "2024-03-31"},
            "series": [{"kind": "EventsNode", "event": "seen"}, {"kind": "EventsNode", "event": name}],
            "breakdownFilter": {"breakdown": name, "breakdown_type": "group", "breakdown_group_type_index": 0},
        });
        if let Err(error) = engine.query(&funnel.to_string()).await {
            assert_eq!(error.kind(), ErrorKind::Invalid, "{name:?}: {error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_as_deep_as_definitions_may_be_need_no_more_stack_than_threads_have() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = engine(folder.path()).await;
    let range = json!({"date_from": "2024-01-01", "date_to": "2024-03-31"});
    let mut deep = json!({"type": "event", "key": "plan", "operator": "exact", "value": ["pro"]});
    let mut levels = 0;
    for _ in 0..200 {
        let group = json!({"type": "AND", "values": [deep]});
        let definition = json!({
            "kind": "TrendsQuery", "dateRange": range, "series": [{"kind": "EventsNode", "event": "seen"}], "properties": group,
        });
        // Beyond this, no text is read.
        if serde_json::from_str::<serde_json::Value>(&definition.to_string()).is_err() {
            break;
        }
        (deep, levels) = (group, levels + 1);
    }
    assert!(levels > 50, "{levels}");
    let definition = json!({
        "kind": "TrendsQuery", "dateRange": range, "series": [{"kind": "EventsNode", "event": "seen"}], "properties": deep,
    });
    // On a thread of the runtime, with its usual stack.
    let asked = tokio::spawn(async move { engine.query(&definition.to_string()).await });
    match asked.await.expect("no panic") {
        Ok(answer) => assert!(answer.results()[0]["count"].as_f64() > Some(0.0)),
        Err(error) => assert_eq!(error.kind(), ErrorKind::Invalid, "{error}"),
    }
}
