//! SQL about one group and about all groups: answered by the rows of groups where that fits, with the answers of the stock plans always.

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use quintet::{ActorKeys, Compaction, Engine, EngineBuilder, Load, Settings, Source};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// Companies of the events of these tests; the last one has none.
const COMPANIES: [&str; 6] = ["acme", "bolt", "it's", "größe", "zen", "nobody"];
const EVENTS: [&str; 3] = ["paid", "seen", "$identify"];

/// What must be the same whatever becomes of the files, and how the rows are found.
const QUESTIONS: [(&str, &str); 15] = [
    (
        r#"select "$group_0", count(*) as n from events where "$group_0" <> '' group by "$group_0" order by n desc, "$group_0" limit 3"#,
        "KnownGroupsExec: type=0, rows",
    ),
    (
        r#"select count(*) as n, "$group_1" as project, count(1) as m from events group by "$group_1""#,
        "KnownGroupsExec: type=1, rows",
    ),
    (
        r#"select k, n from (select "$group_0" as k, count(*) as n from events where "$group_0" is not null group by "$group_0") where n > 20"#,
        "KnownGroupsExec: type=0, rows",
    ),
    (
        r#"select e."$group_0", p.n from (select distinct "$group_0" from events) e join (select "$group_0", count(*) as n from events group by 1) p on e."$group_0" = p."$group_0""#,
        "KnownGroupsExec",
    ),
    (
        r#"select "$group_0", min(timestamp) as first, count(distinct person_id) as persons from events where "$group_0" <> '' and event = 'paid' group by "$group_0""#,
        "KnownGroupsExec: type=0, keys",
    ),
    (
        r#"select "$group_1", "$group_0", event, max(timestamp) as last from events group by "$group_0", event, "$group_1""#,
        "KnownGroupsExec",
    ),
    (
        r#"select "$group_0", count(*) filter (where event = 'paid') as paid from events group by "$group_0" having count(*) > 5"#,
        "KnownGroupsExec: type=0, keys",
    ),
    (
        r#"select event, count(*) as n, count(distinct person_id) as persons, min(timestamp) as first from events where "$group_0" = 'acme' group by event"#,
        "RowsExec: groups=[0:",
    ),
    (
        r#"select * from events where "$group_0" in ('acme', 'größe', 'nobody') and event <> 'seen'"#,
        "RowsExec: groups=[0:",
    ),
    (
        r#"select uuid, "$group_0", "$group_1", "p.amount" from events where "$group_0" = 'it''s' and "$group_1" = 'p1' and event in ('paid', 'seen')"#,
        "RowsExec: groups=[",
    ),
    (
        r#"select uuid, person_id, distinct_id, properties, arrow_cast(timestamp, 'Int64') as at from events where "$group_0" = 'acme' order by at desc, uuid limit 7"#,
        "latest=7",
    ),
    (
        r#"select uuid, event, timestamp from events where "$group_0" = 'bolt' order by timestamp, uuid limit 5"#,
        "earliest=5",
    ),
    (
        r#"select uuid from events where "$group_0" = 'bolt' and "p.amount" > 2 order by timestamp desc, uuid limit 5"#,
        "RowsExec: groups=[0:",
    ),
    (
        r#"select count(*) as n from events where "$group_0" = 'acme'"#,
        "",
    ),
    (
        r#"select count(*) as n from events where "$group_0" = '' or "$group_0" = 'nobody'"#,
        "",
    ),
];

fn of(uuid: usize) -> Value {
    let event = EVENTS[usize::from(uuid.is_multiple_of(7))];
    let mut groups = json!({});
    if !uuid.is_multiple_of(5) {
        groups["company"] = json!(COMPANIES[uuid * uuid % 23 % 5]);
    }
    if !uuid.is_multiple_of(3) {
        groups["project"] = json!(format!("p{}", uuid % 4));
    }
    // Several events at the same instant, and some of every month.
    let at = format!("2024-0{}-{:02}T10:00:00Z", 1 + uuid % 3, 1 + uuid / 3 % 28);
    json!({"uuid": format!("00000000-0000-4000-8000-{uuid:012}"), "event": event, "timestamp": at,
        "distinct_id": format!("user {}", uuid % 17), "properties": {"amount": uuid % 6, "$groups": groups}})
}

fn identify(uuid: usize, from: usize) -> Value {
    json!({"uuid": format!("00000000-0000-4000-9000-{uuid:012}"), "event": "$identify", "timestamp": "2024-03-30T10:00:00Z",
        "distinct_id": format!("known {}", from % 2), "properties": {"$anon_distinct_id": format!("user {from}")}})
}

async fn load(engine: &Engine, events: &[Value]) {
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    let load = Load {
        sources: vec![Source::bytes("events", lines.join("\n"))],
        ..Load::default()
    };
    let report = engine.ingest(load).await.unwrap();
    assert_eq!(report.events.stored as usize, events.len(), "{report:?}");
}

/// A store of three loads.
async fn store() -> (Engine, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        group_types: vec!["company".into(), "project".into()],
        ..Settings::default()
    };
    let engine = Engine::create(folder.path().to_str().unwrap(), settings)
        .await
        .unwrap();
    for start in [0, 150, 300] {
        load(&engine, &(start..start + 150).map(of).collect::<Vec<_>>()).await;
    }
    (engine, folder)
}

async fn explained(engine: &Engine, sql: &str) -> String {
    let definition = json!({"kind": "SQL", "query": sql}).to_string();
    let plan = engine.explain(&definition, &Default::default()).await;
    plan.unwrap_or_else(|error| panic!("{error}: {sql}"))
}

/// All rows, in an order that says nothing.
async fn rows(engine: &Engine, sql: &str) -> Vec<String> {
    let answer = engine.sql(sql).await;
    let answer = answer.unwrap_or_else(|error| panic!("{error}: {sql}"));
    let rows = answer.results().as_array().cloned().unwrap_or_default();
    let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
    rows.sort();
    rows
}

/// The same store by its own operators, with a cache and without, and by stock plans.
struct Ways {
    ours: Vec<Engine>,
    stock: Engine,
}

impl Ways {
    async fn of(folder: &TempDir) -> Self {
        let location = folder.path().to_str().unwrap();
        let ours = [
            EngineBuilder::new().with_cache(64 << 20),
            EngineBuilder::new().with_cache(0).with_target_partitions(1),
            EngineBuilder::new().with_target_partitions(5),
        ];
        let mut opened = Vec::new();
        for builder in ours {
            opened.push(builder.open(location).await.unwrap());
        }
        let stock = EngineBuilder::new().with_actor_keys(ActorKeys::Keys);
        Self {
            ours: opened,
            stock: stock.open(location).await.unwrap(),
        }
    }

    async fn agree(&self, sql: &str) -> Vec<String> {
        let expected = rows(&self.stock, sql).await;
        for engine in &self.ours {
            for _ in 0..2 {
                assert_eq!(rows(engine, sql).await, expected, "{sql}");
            }
        }
        expected
    }
}

/// Asks everything, and says which of the questions were answered by operators of our own.
async fn agreed(folder: &TempDir) -> Vec<bool> {
    let ways = Ways::of(folder).await;
    let mut fast = Vec::new();
    for (sql, operator) in QUESTIONS {
        ways.agree(sql).await;
        fast.push(explained(&ways.ours[0], sql).await.contains(operator));
        let stock = explained(&ways.stock, sql).await;
        let is_stock = !stock.contains("RowsExec") && !stock.contains("KnownGroups");
        assert!(is_stock, "{sql}\n{stock}");
    }
    fast
}

/// All of the questions.
fn all() -> Vec<bool> {
    vec![true; QUESTIONS.len()]
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_groups_answer_as_stock_plans_do_and_are_used() {
    let (_engine, folder) = store().await;
    assert_eq!(agreed(&folder).await, all());
}

#[tokio::test(flavor = "multi_thread")]
async fn they_do_so_after_merges_compaction_and_a_purge() {
    let (engine, folder) = store().await;
    // Merges: persons of old rows are others now.
    load(
        &engine,
        &(0..6).map(|from| identify(from, from)).collect::<Vec<_>>(),
    )
    .await;
    agreed(&folder).await;
    engine.compact(Compaction::default()).await.unwrap();
    assert_eq!(agreed(&folder).await, all());
    engine.purge_group(0, "bolt").await.unwrap();
    engine.vacuum(Duration::ZERO).await.unwrap();
    assert_eq!(agreed(&folder).await, all());
    let ways = Ways::of(&folder).await;
    let gone = r#"select uuid from events where "$group_0" = 'bolt'"#;
    assert!(ways.agree(gone).await.is_empty());
    assert!(engine.verify().await.unwrap().problems.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_of_a_type_whose_index_is_used_again_stay_hidden() {
    let (engine, folder) = store().await;
    engine.delete_group_type("company").await.unwrap();
    let at = |uuid: usize, key: &str| {
        json!({"uuid": format!("00000000-0000-4000-a000-{uuid:012}"), "event": "paid", "distinct_id": "user 1",
            "timestamp": "2099-01-01T00:00:00Z", "properties": {"$groups": {"team": key}}})
    };
    let declared = json!({"event": "$groupidentify", "distinct_id": "server", "timestamp": "2098-12-01T00:00:00Z",
        "properties": {"$group_type": "team", "$group_key": "acme", "$group_set": {"size": 1}}});
    load(&engine, &[declared, at(1, "acme"), at(2, "red")]).await;
    let ways = Ways::of(&folder).await;
    for (sql, _) in QUESTIONS {
        ways.agree(sql).await;
    }
    // The other type is as it was.
    let projects = QUESTIONS[1];
    assert!(
        explained(&ways.ours[0], projects.0)
            .await
            .contains(projects.1)
    );
}

fn condition() -> impl Strategy<Value = String> {
    let company = prop::sample::select(COMPANIES.to_vec()).prop_map(|key| key.replace('\'', "''"));
    let leaf = prop_oneof![
        company
            .clone()
            .prop_map(|key| format!(r#""$group_0" = '{key}'"#)),
        company
            .clone()
            .prop_map(|key| format!(r#"'{key}' <> "$group_0""#)),
        prop::collection::vec(company, 1..5)
            .prop_map(|keys| format!(r#""$group_0" in ('{}')"#, keys.join("', '"))),
        prop::sample::select(vec!["p0", "p3", "p9", ""])
            .prop_map(|key| format!(r#""$group_1" = '{key}'"#)),
        Just(r#""$group_0" <> ''"#.to_owned()),
        Just(r#""$group_1" is not null"#.to_owned()),
        Just(r#""$group_0" is null"#.to_owned()),
        prop::sample::select(EVENTS.to_vec()).prop_map(|event| format!("event = '{event}'")),
        (1u32..4).prop_map(|month| format!("timestamp >= '2024-0{month}-10'")),
        (0u32..6).prop_map(|amount| format!(r#""p.amount" > {amount}"#)),
        Just("distinct_id like 'user 1%'".to_owned()),
    ];
    leaf.prop_recursive(3, 6, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} and {other})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} or {other})")),
            inner.prop_map(|one| format!("not ({one})")),
        ]
    })
}

fn question() -> impl Strategy<Value = String> {
    let select = prop::sample::select(vec![
        r#"select * from events where {}"#,
        r#"select uuid, person_id, "$group_0", timestamp from events where {} order by timestamp desc, uuid limit 9"#,
        r#"select uuid, timestamp as at, event as timestamp from events where {} order by at, uuid limit 4"#,
        r#"select "$group_0", count(*) as n from events where {} group by "$group_0""#,
        r#"select "$group_0", event, count(*) as n, min(timestamp) as t from events where {} group by 1, 2"#,
        r#"select "$group_0", "$group_1", count(distinct person_id) as n from events where {} group by 1, 2"#,
        r#"select k, count(*) as n from (select "$group_1" as k, "$group_0" as event from events where {}) where event <> '' group by k"#,
        r#"select count(*) as n, count("$group_0") as g, max("$group_1") as m from events where {}"#,
        r#"select "$group_0", max("$group_0") as m from events where {} group by "$group_0""#,
        r#"select "$group_1", grouping("$group_1") as g, count(*) as n from events where {} group by cube("$group_1", "$group_0")"#,
        r#"select p.id, count(*) as n from events e join persons p on p.id = e.person_id where {} group by 1"#,
    ]);
    (select, condition()).prop_map(|(select, condition)| {
        let condition = match select.contains(" join ") {
            true => condition.replace("properties", "e.properties"),
            false => condition,
        };
        select.replace("{}", &condition)
    })
}

#[test]
fn whatever_is_asked_the_answers_are_those_of_stock_plans() {
    let runtime = Runtime::new().unwrap();
    let (merged, clean) = runtime.block_on(async {
        let (engine, merged) = store().await;
        load(
            &engine,
            &(0..6).map(|from| identify(from, from)).collect::<Vec<_>>(),
        )
        .await;
        (merged, store().await.1)
    });
    let ways = runtime.block_on(async { [Ways::of(&merged).await, Ways::of(&clean).await] });
    let mut runner = TestRunner::new(Config::with_cases(96));
    let run = runner.run(&question(), |sql| {
        for ways in &ways {
            runtime.block_on(ways.agree(&sql));
        }
        Ok(())
    });
    run.unwrap();
}
