#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};
use object_store::memory::InMemory;

use super::*;
use crate::ingest::Source;

pub(super) const COMPANY: &str = r#""$groups":{"company":"acme"}"#;

pub(super) fn line(
    uuid: u32,
    event: &str,
    actor: &str,
    timestamp: &str,
    properties: &str,
) -> String {
    format!(
        r#"{{"uuid":"00000000-0000-4000-8000-{uuid:012}","event":"{event}","distinct_id":"{actor}","timestamp":"{timestamp}","properties":{{{properties}}}}}"#
    )
}

pub(super) fn load(lines: &[String]) -> Load {
    let data = Bytes::from(lines.join("\n"));
    Load {
        sources: vec![Source::Bytes {
            name: "test".into(),
            data,
        }],
        ..Load::default()
    }
}

pub(super) async fn in_memory() -> Store {
    let location =
        Location::with_object_store("memory://test/store", Arc::new(InMemory::new())).unwrap();
    Store::create(location, Settings::default()).await.unwrap()
}

pub(super) async fn ingest(store: &Store, lines: &[String]) -> LoadReport {
    store.ingest(load(lines), Arc::new(())).await.unwrap()
}

pub(super) async fn sql_on(snapshot: &Snapshot, query: &str, partitions: usize) -> String {
    let context =
        SessionContext::new_with_config(SessionConfig::new().with_target_partitions(partitions));
    let url = snapshot.object_store_url().clone();
    context.register_object_store(url.as_ref(), Arc::clone(snapshot.object_store()));
    context.register_table("events", snapshot.events()).unwrap();
    let batches = context.sql(query).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

pub(super) async fn sql(store: &Store, query: &str) -> String {
    sql_on(&store.snapshot().await.unwrap(), query, 2).await
}

#[tokio::test]
async fn what_was_loaded_is_read_back_with_its_groups_and_promoted_properties() {
    let store = in_memory().await;
    let report = ingest(
        &store,
        &[
            line(
                1,
                "b",
                "x",
                "2024-03-01T00:00:00Z",
                &format!(r#""n":1.5,"t":"",{COMPANY}"#),
            ),
            line(2, "a", "x", "2024-03-02T00:00:00Z", r#""n":2,"ok":true"#),
        ],
    )
    .await;
    assert_eq!((report.events.read, report.events.stored), (2, 2));
    let query = r#"select event, timestamp, "$group_0", person_ref, group_0_ref, "p.n", "p.ok", "p.t" from events order by event"#;
    let expected = "\
+-------+----------------------+----------+------------+-------------+-----+------+-----+
| event | timestamp            | $group_0 | person_ref | group_0_ref | p.n | p.ok | p.t |
+-------+----------------------+----------+------------+-------------+-----+------+-----+
| a     | 2024-03-02T00:00:00Z |          | 1          | 0           | 2.0 | true |     |
| b     | 2024-03-01T00:00:00Z | acme     | 1          | 1           | 1.5 |      |     |
+-------+----------------------+----------+------------+-------------+-----+------+-----+";
    assert_eq!(sql(&store, query).await, expected);
    let stats = store.snapshot().await.unwrap().stats().await.unwrap();
    assert_eq!((stats.rows, stats.persons, stats.version), (2, 1, 1));
    assert_eq!(
        stats.events,
        Some(BTreeMap::from([("a".into(), 1), ("b".into(), 1)]))
    );
    assert_eq!(stats.groups[0].group_type, "company");
    assert_eq!(
        stats.first_timestamp.as_deref(),
        Some("2024-03-01T00:00:00Z")
    );
}

#[tokio::test]
async fn a_source_that_was_loaded_is_skipped_and_its_rows_count_as_duplicates() {
    let store = in_memory().await;
    let lines = [
        line(1, "a", "x", "2024-03-01T00:00:00Z", ""),
        "nonsense".into(),
    ];
    ingest(&store, &lines).await;
    let version = store.snapshot().await.unwrap().version();
    let again = ingest(&store, &lines).await.events;
    assert_eq!((again.read, again.stored, again.duplicates), (1, 0, 1));
    assert_eq!(
        store.snapshot().await.unwrap().version(),
        version,
        "nothing was committed"
    );
}

#[tokio::test]
async fn a_stored_row_that_comes_again_is_dropped_and_one_that_changed_replaces_the_old() {
    let store = in_memory().await;
    let old = line(1, "a", "x", "2024-03-01T00:00:00Z", r#""n":1"#);
    ingest(
        &store,
        &[
            old.clone(),
            line(2, "a", "x", "2024-03-01T00:00:00Z", r#""n":2"#),
        ],
    )
    .await;
    let changed = line(2, "a", "x", "2024-04-01T00:00:00Z", r#""n":9"#);
    let report = ingest(
        &store,
        &[
            old,
            changed,
            line(3, "a", "x", "2024-05-01T00:00:00Z", r#""n":3"#),
        ],
    )
    .await;
    assert_eq!(
        (
            report.events.read,
            report.events.stored,
            report.events.duplicates
        ),
        (3, 1, 2)
    );
    let expected = "\
+-----+----------------------+
| p.n | timestamp            |
+-----+----------------------+
| 1.0 | 2024-03-01T00:00:00Z |
| 3.0 | 2024-05-01T00:00:00Z |
| 9.0 | 2024-04-01T00:00:00Z |
+-----+----------------------+";
    assert_eq!(
        sql(&store, r#"select "p.n", timestamp from events order by 1"#).await,
        expected
    );
}

#[tokio::test]
async fn within_a_load_the_later_received_stays() {
    let store = in_memory().await;
    let lines = [1, 2].map(|n| line(1, "a", "x", "2024-03-01T00:00:00Z", &format!(r#""n":{n}"#)));
    let report = ingest(&store, &lines).await;
    assert_eq!((report.events.stored, report.events.duplicates), (1, 1));
    assert!(
        sql(&store, r#"select "p.n" from events"#)
            .await
            .contains("2.0")
    );
}

#[tokio::test]
async fn a_later_file_with_another_type_takes_the_promoted_column_away() {
    let store = in_memory().await;
    ingest(
        &store,
        &[line(1, "a", "x", "2024-03-01T00:00:00Z", r#""n":1,"m":1"#)],
    )
    .await;
    ingest(
        &store,
        &[line(
            2,
            "a",
            "x",
            "2024-03-01T00:00:00Z",
            r#""n":"one","m":2"#,
        )],
    )
    .await;
    let snapshot = store.snapshot().await.unwrap();
    let promoted: Vec<String> = snapshot.promoted().into_iter().map(|p| p.name).collect();
    assert_eq!(promoted, ["m"]);
    assert!(snapshot.events_schema().index_of("p.n").is_err());
}

#[tokio::test]
async fn a_snapshot_shows_its_version_whatever_is_committed_later() {
    let store = in_memory().await;
    ingest(&store, &[line(1, "a", "x", "2024-03-01T00:00:00Z", "")]).await;
    let pinned = store.snapshot().await.unwrap();
    ingest(&store, &[line(2, "a", "y", "2024-03-01T00:00:00Z", "")]).await;
    assert!(
        sql_on(&pinned, "select count(*) from events", 1)
            .await
            .contains("| 1 ")
    );
    assert!(
        sql(&store, "select count(*) from events")
            .await
            .contains("| 2 ")
    );
    assert_eq!(
        pinned
            .entities()
            .await
            .unwrap()
            .persons()
            .unwrap()
            .num_rows(),
        1
    );
    assert_eq!(
        store
            .snapshot()
            .await
            .unwrap()
            .entities()
            .await
            .unwrap()
            .persons()
            .unwrap()
            .num_rows(),
        2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn loads_that_meet_are_all_there_and_ids_stay_dense() {
    let store = in_memory().await;
    let loads = (0..4_u32).map(|n| {
        // Opened apart, as other processes do.
        let location = store.location().clone();
        tokio::spawn(async move {
            let store = Store::open(location).await.unwrap();
            let actor = format!("actor {n}");
            ingest(
                &store,
                &[line(n, "a", &actor, "2024-03-01T00:00:00Z", COMPANY)],
            )
            .await
        })
    });
    for report in futures::future::join_all(loads).await {
        assert_eq!(report.unwrap().events.stored, 1);
    }
    let refs = sql(
        &store,
        "select min(person_ref), max(person_ref), count(distinct person_ref), max(group_0_ref) from events",
    );
    assert!(
        refs.await
            .contains("| 1                      | 4                      | 4 ")
    );
}

#[tokio::test]
async fn many_small_loads_fold_the_entity_files_and_lose_nothing() {
    let store = in_memory().await;
    for n in 0..20 {
        ingest(
            &store,
            &[line(
                n,
                "a",
                &format!("actor {n}"),
                "2024-03-01T00:00:00Z",
                r#""$set":{"a":1}"#,
            )],
        )
        .await;
    }
    // Read by somebody who has nothing in memory.
    let fresh = Store::open(store.location().clone()).await.unwrap();
    let snapshot = fresh.snapshot().await.unwrap();
    let files = snapshot.log().files(crate::log::Table::Persons).count();
    assert!(files <= 8, "{files} files of persons are live");
    let entities = snapshot.entities().await.unwrap();
    assert_eq!(entities.persons().unwrap().num_rows(), 20);
    assert_eq!(entities.person_distinct_ids().unwrap().num_rows(), 20);
}

#[tokio::test]
async fn filters_and_partitions_do_not_change_answers() {
    let store = in_memory().await;
    for month in 1..=6 {
        let lines: Vec<String> = (0..50)
            .map(|n| {
                let event = ["a", "b", "c"][n as usize % 3];
                line(
                    month * 100 + n,
                    event,
                    "x",
                    &format!("2024-{month:02}-{:02}T00:00:00Z", n % 28 + 1),
                    "",
                )
            })
            .collect();
        ingest(&store, &lines).await;
    }
    let snapshot = store.snapshot().await.unwrap();
    let query = "select event, count(*), min(timestamp), max(timestamp) from events
                 where event in ('a', 'c') and timestamp >= '2024-02-10T00:00:00Z' and timestamp < '2024-05-01T00:00:00Z'
                 group by event order by event";
    let one = sql_on(&snapshot, query, 1).await;
    for partitions in [2, 7, 16] {
        assert_eq!(sql_on(&snapshot, query, partitions).await, one);
    }
    let plan = sql_on(&snapshot, &format!("explain {query}"), 2).await;
    assert_eq!(plan.matches("/events/").count(), 3, "{plan}");
}

#[tokio::test]
async fn rows_come_in_the_order_of_event_and_time() {
    let store = in_memory().await;
    let lines: Vec<String> = (0..30)
        .map(|n| {
            line(
                n,
                ["b", "a"][n as usize % 2],
                "x",
                &format!("2024-03-{:02}T00:00:00Z", 30 - n),
                "",
            )
        })
        .collect();
    ingest(&store, &lines).await;
    let snapshot = store.snapshot().await.unwrap();
    let plan = sql_on(
        &snapshot,
        "explain select event, timestamp from events order by event, timestamp",
        1,
    )
    .await;
    assert!(!plan.contains("SortExec"), "{plan}");
}

#[tokio::test]
async fn a_store_is_made_once_and_a_missing_one_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let place = || Location::parse(folder.path().join("store").to_str().unwrap()).unwrap();
    assert!(matches!(
        Store::open(place()).await,
        Err(Error::NotFound(_))
    ));
    Store::create(place(), Settings::default()).await.unwrap();
    assert!(matches!(
        Store::create(place(), Settings::default()).await,
        Err(Error::Conflict(_))
    ));
    Store::open_or_create(place(), Settings::default())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_sixth_group_type_is_refused() {
    let settings = |names: &[&str]| Settings {
        group_types: names.iter().map(|name| (*name).to_owned()).collect(),
        ..Settings::default()
    };
    let place = || Location::with_object_store("memory://test", Arc::new(InMemory::new())).unwrap();
    for names in [&["a", "b", "c", "d", "e", "f"][..], &["a", "a"], &[""]] {
        assert!(matches!(
            Store::create(place(), settings(names)).await,
            Err(Error::Invalid { .. })
        ));
    }
    let store = Store::create(place(), settings(&["a", "b"])).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.group_types()[1].name, "b");
    assert_eq!(
        snapshot
            .entities()
            .await
            .unwrap()
            .group_types()
            .unwrap()
            .num_rows(),
        2
    );
}

async fn on_disk(folder: &Path) -> (Store, PathBuf) {
    let store = Store::create(
        Location::parse(folder.to_str().unwrap()).unwrap(),
        Settings::default(),
    )
    .await
    .unwrap();
    ingest(&store, &[line(1, "a", "x", "2024-03-01T00:00:00Z", "")]).await;
    let path = store
        .snapshot()
        .await
        .unwrap()
        .events_files()
        .next()
        .unwrap()
        .path
        .clone();
    (store, folder.join(path))
}

#[tokio::test]
async fn a_damaged_file_is_named_by_a_check_and_by_the_query_that_meets_it() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = on_disk(folder.path()).await;
    let snapshot = store.snapshot().await.unwrap();
    assert!(snapshot.damaged_files().await.is_empty());
    let bytes = fs::read(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(snapshot.damaged_files().await.len(), 1);

    let context = SessionContext::new();
    context.register_table("events", snapshot.events()).unwrap();
    let error = context
        .sql("select properties from events")
        .await
        .unwrap()
        .collect()
        .await
        .unwrap_err();
    match snapshot.diagnose(&error).await {
        Error::Corrupt { file: named, .. } => assert_eq!(Path::new(&named), file),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_load_that_fails_leaves_no_file_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (store, _) = on_disk(folder.path()).await;
    let count = || async { store.location().list("").await.unwrap().len() };
    let before = count().await;
    let missing = Source::Path("/nowhere/at all".into());
    let failed = store
        .ingest(
            Load {
                sources: vec![missing],
                ..Load::default()
            },
            Arc::new(()),
        )
        .await;
    assert!(matches!(failed, Err(Error::NotFound(_))), "{failed:?}");
    assert_eq!(count().await, before);
}

#[tokio::test]
async fn a_file_of_one_event_is_small() {
    let folder = tempfile::tempdir().unwrap();
    let (_, file) = on_disk(folder.path()).await;
    let size = fs::metadata(file).unwrap().len();
    assert!(size < 20_000, "{size} bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_in_little_memory_drops_the_same_duplicates_as_one_in_much() {
    let rows = |from: u32, to: u32, value: u32| {
        (from..to).map(move |n| {
            let properties = format!(r#""n":{},{COMPANY}"#, n * value);
            line(
                n,
                "a",
                &format!("actor {}", n % 100),
                "2024-03-01T00:00:00Z",
                &properties,
            )
        })
    };
    // Rows that come again later in the load: some as they were, some changed.
    let lines: Vec<String> = rows(0, 20_000, 1)
        .chain(rows(0, 2_000, 1))
        .chain(rows(5_000, 8_000, 2))
        .chain(rows(20_000, 22_000, 1))
        .collect();
    let query =
        r#"select count(*), count(distinct uuid), sum("p.n"), count("$group_0") from events"#;
    let mut answers = Vec::new();
    for memory in [Some(1), None] {
        let store = in_memory().await;
        let load = Load {
            memory,
            ..load(&lines)
        };
        let report = store.ingest(load, Arc::new(())).await.unwrap();
        let events = report.events;
        assert_eq!(
            (events.read, events.stored, events.duplicates),
            (27_000, 22_000, 5_000)
        );
        answers.push(sql(&store, query).await);
    }
    assert_eq!(answers[0], answers[1]);
}

#[tokio::test]
async fn a_folder_may_hold_events_and_persons_of_an_export_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let id = "550e8400-e29b-41d4-a716-446655440000";
    let event = format!(
        r#"{{"uuid":"00000000-0000-4000-8000-000000000001","event":"paid","distinct_id":"ann","person_id":"{id}","timestamp":"2024-03-01 10:00:00.000000","properties":"{{\"$groups\":{{\"company\":\"acme\"}},\"$group_0\":\"acme\"}}","_inserted_at":"2024-03-01 11:00:00.000000"}}"#
    );
    let person = format!(
        r#"{{"team_id":1,"distinct_id":"ann","person_id":"{id}","properties":"{{\"role\":\"dev\"}}","person_distinct_id_version":0,"person_version":3,"is_deleted":false}}"#
    );
    let session = r#"{"session_id":"s","team_id":1,"start_timestamp":"2024-03-01"}"#;
    for (name, text) in [
        ("events/a.jsonl", event.as_str()),
        ("persons/a.jsonl", &person),
        ("sessions/a.jsonl", session),
        ("events/manifest.json", "{}"),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let store = in_memory().await;
    let load = Load {
        sources: vec![Source::Path(folder.path().into())],
        ..Load::default()
    };
    let report = store.ingest(load.clone(), Arc::new(())).await.unwrap();
    assert_eq!((report.events.stored, report.persons.created), (1, 1));
    assert_eq!(
        (report.warnings[0].code, report.warnings[0].count),
        ("file_skipped", 2)
    );
    let query = r#"select event, person_id, "$group_0" from events"#;
    assert!(
        sql(&store, query)
            .await
            .contains(&format!("| paid  | {id} | acme "))
    );
    let again = store.ingest(load, Arc::new(())).await.unwrap();
    assert_eq!((again.events.stored, again.events.duplicates), (0, 1));
    assert_eq!((again.persons.created, again.groups.updated), (0, 0));
}

#[tokio::test]
async fn openpanel_groups_that_are_told_of_in_another_source_have_their_types() {
    let store = in_memory().await;
    let track = r#"{"type":"track","payload":{"name":"e","profileId":"u","groups":["acme"]}}"#;
    let group = r#"{"type":"group","payload":{"id":"acme","type":"company","name":"Acme"}}"#;
    let load = Load {
        sources: vec![Source::bytes("a", track), Source::bytes("b", group)],
        received_at: Some(0),
        ..Load::default()
    };
    let report = store.ingest(load.clone(), Arc::new(())).await.unwrap();
    assert_eq!((report.events.stored, report.groups.created), (1, 1));
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
    assert!(
        sql(&store, r#"select "$group_0" from events"#)
            .await
            .contains("acme")
    );
    let again = store.ingest(load, Arc::new(())).await.unwrap();
    assert_eq!((again.events.read, again.events.duplicates), (1, 1));
}
