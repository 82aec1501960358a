#![allow(clippy::unwrap_used, reason = "tests")]

use datafusion::arrow::util::pretty::pretty_format_batches;

use crate::files::parquet::read_batches;
use crate::store::Compaction;
use crate::store::tests::{in_memory, ingest, line, sql};

use super::*;

const KEY: &str = "acme-4711";
const AT: &str = "2024-03-01T00:00:00Z";

fn of(uuid: u32, company: &str, project: &str) -> String {
    let groups = format!(r#""$groups":{{"company":"{company}","project":"{project}"}}"#);
    line(uuid, "a", &format!("actor {}", uuid % 3), AT, &groups)
}

fn declared(uuid: u32, key: &str) -> String {
    let properties = format!(
        r#""$group_type":"company","$group_key":"{key}","$group_set":{{"name":"The {key}"}}"#
    );
    line(uuid, "$groupidentify", "server", AT, &properties)
}

async fn store() -> Store {
    let store = in_memory().await;
    ingest(
        &store,
        &[of(1, KEY, "x"), of(2, "other", "x"), declared(3, KEY)],
    )
    .await;
    ingest(&store, &[of(4, KEY, "y"), declared(5, "other")]).await;
    let personless = format!(r#""$process_person_profile":false,"$groups":{{"company":"{KEY}"}}"#);
    ingest(
        &store,
        &[line(6, "a", "nobody", AT, &personless), declared(7, KEY)],
    )
    .await;
    ingest(&store, &[of(8, "other", "y")]).await;
    store
}

/// Everything that live files hold, as their bytes and as what these mean.
async fn content(store: &Store) -> String {
    let snapshot = store.snapshot().await.unwrap();
    let mut content = String::new();
    for file in snapshot.log().all_files() {
        let bytes = store.location().read(&file.path).await.unwrap();
        content += &String::from_utf8_lossy(&bytes);
        let batches = read_batches(store.location(), file).await.unwrap();
        content += &pretty_format_batches(&batches).unwrap().to_string();
    }
    content
}

/// All that is left in the store's place, live or not.
async fn bytes_of_all_files(store: &Store) -> String {
    let mut content = String::new();
    for meta in store.location().list("").await.unwrap() {
        let path = store.location().relative(&meta.location).unwrap();
        content += &String::from_utf8_lossy(&store.location().read(&path).await.unwrap());
    }
    content
}

#[tokio::test(flavor = "multi_thread")]
async fn no_byte_of_the_key_is_left_and_other_figures_stay() {
    let store = store().await;
    let figures = [
        "select event, count(*), count(distinct person_ref) from events group by event order by event",
        r#"select "$group_1", count(*) from events group by 1 order by 1"#,
        r#"select "$group_0", group_0_ref, count(*) from events where "$group_0" = 'other' group by 1, 2"#,
    ];
    let mut before = Vec::new();
    for figure in figures {
        before.push(sql(&store, figure).await);
    }
    assert!(content(&store).await.contains(KEY));
    let report = store.purge_group(0, KEY).await.unwrap();
    assert_eq!((report.events_changed, report.events_mentioning), (5, 0));
    assert!(!content(&store).await.contains(KEY));
    assert!(!bytes_of_all_files(&store).await.contains(KEY));
    for (figure, expected) in figures.iter().zip(before) {
        assert_eq!(sql(&store, figure).await, expected);
    }
    let found = store.verify().await.unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
    let snapshot = store.snapshot().await.unwrap();
    let entities = snapshot.entities().await.unwrap();
    assert_eq!(entities.groups().unwrap().num_rows(), 1);
    assert_eq!(snapshot.stats().await.unwrap().groups[0].seen, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_may_come_back_as_a_new_group() {
    let store = store().await;
    store.purge_group(0, KEY).await.unwrap();
    // Read by somebody who has nothing in memory.
    let store = Store::open(store.location().clone()).await.unwrap();
    ingest(&store, &[of(20, KEY, "x"), of(21, "other", "x")]).await;
    let refs = sql(&store, r#"select "$group_0", min(group_0_ref), max(group_0_ref) from events where group_0_ref > 0 group by 1 order by 1"#).await;
    assert!(
        refs.contains("| acme-4711 | 3 ") && refs.contains("| other     | 2 "),
        "{refs}"
    );
    assert!(store.verify().await.unwrap().problems.is_empty());
    store.compact(Compaction::default()).await.unwrap();
    assert!(store.verify().await.unwrap().problems.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_like_named_group_of_another_type_stays() {
    let store = in_memory().await;
    ingest(&store, &[of(1, KEY, KEY)]).await;
    store.purge_group(0, KEY).await.unwrap();
    let keys = sql(
        &store,
        r#"select "$group_0" is null as gone, "$group_1" as kept, properties from events"#,
    )
    .await;
    assert!(
        keys.contains("| true | acme-4711 | {\"$groups\":{\"project\":\"acme-4711\"}} |"),
        "{keys}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_distinct_id_under_which_the_group_declares_itself_goes_too() {
    let store = in_memory().await;
    let id = format!("$company_{KEY}");
    let declared = |uuid| {
        let properties = format!(
            r#""$group_type":"company","$group_key":"{KEY}","$group_set":{{}},"distinct_id":"{id}""#
        );
        line(uuid, "$groupidentify", &id, AT, &properties)
    };
    ingest(&store, &[declared(1), of(2, "other", "x")]).await;
    ingest(&store, &[declared(3), line(4, "a", &id, AT, "")]).await;
    let figure = "select event, count(*), count(distinct person_ref), count(distinct person_id), count(distinct distinct_id) from events group by 1 order by 1";
    let before = sql(&store, figure).await;
    let report = store.purge_group(0, KEY).await.unwrap();
    assert_eq!(
        (report.events_changed, report.distinct_ids_replaced),
        (3, 1)
    );
    assert!(!content(&store).await.contains(KEY));
    assert!(!bytes_of_all_files(&store).await.contains(KEY));
    assert_eq!(sql(&store, figure).await, before);
    assert!(store.verify().await.unwrap().problems.is_empty());
    // Whoever comes back under the id is somebody else.
    let store = Store::open(store.location().clone()).await.unwrap();
    ingest(&store, &[declared(5)]).await;
    let people = "select count(distinct person_ref) as refs, count(distinct person_id) as ids from events where event = '$groupidentify'";
    assert!(sql(&store, people).await.contains("| 2    | 2   |"));
    assert!(store.verify().await.unwrap().problems.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_the_same_text_by_chance_stays_and_is_counted() {
    let store = in_memory().await;
    let by_chance = line(1, "a", "x", AT, &format!(r#""customer":"{KEY}""#));
    ingest(
        &store,
        &[by_chance, line(2, "a", KEY, AT, ""), of(3, KEY, "x")],
    )
    .await;
    let report = store.purge_group(0, KEY).await.unwrap();
    assert_eq!((report.events_changed, report.events_mentioning), (1, 2));
    assert!(
        sql(&store, "select properties from events")
            .await
            .contains("customer")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_is_not_there_is_not_found_and_nothing_changes() {
    let store = store().await;
    let version = store.snapshot().await.unwrap().version();
    let missing = store.purge_group(0, "nobody's").await;
    assert!(matches!(missing, Err(Error::NotFound(_))), "{missing:?}");
    for (index, key) in [(5, KEY), (0, "")] {
        let wrong = store.purge_group(index, key).await;
        assert!(matches!(wrong, Err(Error::Invalid { .. })), "{wrong:?}");
    }
    assert_eq!(store.snapshot().await.unwrap().version(), version);
}
