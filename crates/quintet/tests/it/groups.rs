//! Groups as an embedding service changes and sees them.

use quintet::query::{GroupIndex, GroupType};
use quintet::{Engine, ErrorKind, Load, QueryOptions, Settings, Source};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A store with two companies on events, one of them declared, and a project.
async fn engine() -> (Engine, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        group_types: vec!["company".into(), "project".into()],
        ..Settings::default()
    };
    let store = folder.path().join("store");
    let engine = Engine::create(store.to_str().unwrap(), settings)
        .await
        .unwrap();
    let event = |person: &str, at: &str, groups: Value| json!({"event": "paid", "distinct_id": person, "timestamp": at, "properties": {"$groups": groups}});
    let events = [
        event(
            "ann",
            "2024-03-01T10:00:00Z",
            json!({"company": "acme", "project": "p1"}),
        ),
        event("bob", "2024-03-02T10:00:00Z", json!({"company": "acme"})),
        event("bob", "2024-03-02T11:00:00Z", json!({"company": "acme"})),
        event("eve", "2024-03-02T12:00:00Z", json!({"company": "bolt"})),
    ];
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let load = Load {
        sources: vec![Source::bytes("events", lines.join("\n"))],
        ..Load::default()
    };
    engine.ingest(load).await.unwrap();
    engine
        .set_group_properties("company", "acme", &json!({"name": "Acme", "size": 3}))
        .await
        .unwrap();
    (engine, folder)
}

async fn asked(engine: &Engine, definition: Value) -> Value {
    let options = QueryOptions {
        now: Some("2024-03-03T12:00:00Z".into()),
        ..QueryOptions::default()
    };
    let answer = engine.query_with(&definition.to_string(), &options).await;
    answer.unwrap().results().clone()
}

async fn keys(engine: &Engine, include_seen: bool) -> Value {
    let definition = json!({"kind": "GroupsQuery", "group_type_index": 0, "select": ["key"], "orderBy": ["key"],
        "includeSeen": include_seen});
    asked(engine, definition).await
}

#[tokio::test]
async fn groups_that_only_events_name_are_listed_if_asked_for() {
    let (engine, _folder) = engine().await;
    assert_eq!(keys(&engine, false).await, json!([["acme"]]));
    assert_eq!(keys(&engine, true).await, json!([["acme"], ["bolt"]]));
}

#[tokio::test]
async fn a_page_tells_all_about_a_group() {
    let (engine, _folder) = engine().await;
    let page = asked(
        &engine,
        json!({"kind": "GroupPage", "group_type_index": 0, "group_key": "acme", "days": 3}),
    )
    .await;
    assert_eq!(page["display_name"], "Acme");
    assert_eq!(page["properties"]["size"], 3);
    assert_eq!((&page["events"], &page["members"]), (&json!(3), &json!(2)));
    assert_eq!(
        (&page["first_seen"], &page["last_seen"]),
        (
            &json!("2024-03-01T10:00:00Z"),
            &json!("2024-03-02T11:00:00Z")
        )
    );
    let day = |day: &str, events: u64, members: u64, new: u64| json!({"day": day, "events": events, "members": members, "new_members": new});
    assert_eq!(
        page["activity"],
        json!([
            day("2024-03-01", 1, 1, 1),
            day("2024-03-02", 2, 1, 1),
            day("2024-03-03", 0, 0, 0)
        ])
    );
    assert_eq!(page["top_events"], json!([{"event": "paid", "count": 3}]));
    assert_eq!(page["top_members"][0]["distinct_ids"], json!(["bob"]));
    assert_eq!(page["related"], json!([]), "the project is not declared");
    let seen = asked(
        &engine,
        json!({"kind": "GroupPage", "group_type_index": 0, "group_key": "bolt"}),
    )
    .await;
    assert_eq!(
        (&seen["is_declared"], &seen["events"]),
        (&json!(false), &json!(1))
    );
}

#[tokio::test]
async fn properties_are_set_and_taken_away_one_by_one() {
    let (engine, _folder) = engine().await;
    let found = json!({"kind": "GroupFind", "group_type_index": 0, "group_key": "acme"});
    engine
        .unset_group_property("company", "acme", "name")
        .await
        .unwrap();
    engine
        .set_group_properties(0, "acme", &json!({"size": 4}))
        .await
        .unwrap();
    assert_eq!(
        asked(&engine, found).await["group_properties"],
        json!({"size": 4})
    );
    for refused in [
        engine.unset_group_property("company", "acme", "name").await,
        engine.unset_group_property("company", "bolt", "name").await,
        engine.unset_group_property("nothing", "acme", "name").await,
        engine
            .set_group_properties("nothing", "acme", &json!({}))
            .await,
        engine.set_group_properties("company", "", &json!({})).await,
        engine
            .set_group_properties("company", &"x".repeat(401), &json!({}))
            .await,
        engine
            .set_group_properties("company", "acme", &json!([]))
            .await,
    ] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn a_deleted_group_is_still_counted_under_its_key() {
    let (engine, _folder) = engine().await;
    engine.delete_group("company", "acme").await.unwrap();
    assert_eq!(keys(&engine, false).await, json!([]));
    assert_eq!(keys(&engine, true).await, json!([["acme"], ["bolt"]]));
    let trend = json!({"kind": "TrendsQuery", "dateRange": {"date_from": "2024-03-01"}, "trendsFilter": {"display": "BoldNumber"},
        "series": [{"kind": "EventsNode", "event": "paid", "math": "unique_group", "math_group_type_index": 0}]});
    assert_eq!(asked(&engine, trend).await[0]["aggregated_value"], 2);
}

#[tokio::test]
async fn a_type_that_takes_a_used_index_does_not_see_its_former_groups() {
    let (engine, _folder) = engine().await;
    engine.delete_group_type("company").await.unwrap();
    let event = json!({"event": "paid", "distinct_id": "ann", "timestamp": "2024-03-02T11:30:00Z",
        "properties": {"$groups": {"channel": "acme"}}});
    let load = Load {
        sources: vec![Source::bytes("more", event.to_string())],
        ..Load::default()
    };
    engine.ingest(load).await.unwrap();
    let series = json!([{"kind": "EventsNode", "event": "paid", "math": "total"}]);
    let trend = json!({"kind": "TrendsQuery", "dateRange": {"date_from": "2024-03-01"}, "series": series, "trendsFilter": {"display": "BoldNumber"},
        "properties": [{"type": "event_metadata", "key": "$group_0", "operator": "exact", "value": "acme"}]});
    assert_eq!(asked(&engine, trend).await[0]["aggregated_value"], 1);
    let page = asked(
        &engine,
        json!({"kind": "GroupPage", "group_type_index": 0, "group_key": "acme"}),
    )
    .await;
    assert_eq!(
        (&page["events"], &page["group_type"]),
        (&json!(1), &json!("channel"))
    );
}

#[tokio::test]
async fn types_go_by_name_or_by_number() {
    let (engine, _folder) = engine().await;
    for (text, index) in [("project", 1), ("1", 1), ("3", 3)] {
        let found = engine.group_type_index(text).await.unwrap();
        assert_eq!(found, GroupIndex::new(index).unwrap());
    }
    for text in ["", "5", "-1", "firm"] {
        let error = engine.group_type_index(text).await.unwrap_err();
        assert!(error.to_string().contains("project (1)"), "{error}");
    }
    engine
        .rename_group_type(GroupType::Index(1), Some("repository"), None)
        .await
        .unwrap();
    let types = asked(&engine, json!({"kind": "GroupTypes"})).await;
    assert_eq!(types[1]["name_singular"], "repository");
    assert_eq!(types[1]["group_type"], "project");
}
