#![allow(clippy::unwrap_used, reason = "tests")]

use object_store::ObjectStoreExt;

use crate::log::{Action, Remove};
use crate::store::tests::{COMPANY, in_memory, ingest, line};

use super::*;

async fn store() -> Store {
    let store = in_memory().await;
    for n in 0..3 {
        let at = format!("2024-03-0{}T00:00:00Z", n + 1);
        ingest(&store, &[line(n, "a", &format!("actor {n}"), &at, COMPANY)]).await;
    }
    store
}

/// Commits a file of events in place of another, as the log of a careless writer would say it.
async fn replaced(store: &Store, change: impl Fn(&mut Add)) {
    let snapshot = store.snapshot().await.unwrap();
    let old = snapshot.events_files().next().unwrap().as_ref().clone();
    let mut new = old.clone();
    new.path = "events/2024-03/other.parquet".into();
    let bytes = store.location().read(&old.path).await.unwrap();
    store.location().create(&new.path, bytes).await.unwrap();
    change(&mut new);
    let actions = [Action::Remove(Remove { path: old.path }), Action::Add(new)];
    let version = snapshot.version() + 1;
    log::commit(store.location(), version, &actions)
        .await
        .unwrap();
}

async fn reasons(store: &Store) -> Vec<String> {
    let found = store.verify().await.unwrap();
    found
        .problems
        .into_iter()
        .map(|problem| problem.reason)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_store_has_no_problems() {
    let store = store().await;
    let found = store.verify().await.unwrap();
    assert_eq!(
        (found.version, found.events, found.problems),
        (3, 3, vec![])
    );
    assert!(found.files >= 9 && found.bytes > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_or_changed_is_named() {
    let store = store().await;
    let snapshot = store.snapshot().await.unwrap();
    let paths: Vec<String> = snapshot
        .events_files()
        .map(|file| file.path.clone())
        .collect();
    store.location().remove(&paths[0]).await.unwrap();
    let key = store.location().key(&paths[1]);
    store
        .location()
        .object_store()
        .put(&key, "PAR1".into())
        .await
        .unwrap();
    let found = store.verify().await.unwrap().problems;
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].file.ends_with(&paths[0]) && found[0].reason.contains("missing"));
    assert!(found[1].file.ends_with(&paths[1]) && found[1].reason.contains("4 bytes"));
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_statistics_and_row_counts_are_found() {
    let wrong = store().await;
    replaced(&wrong, |file| file.rows = 7).await;
    assert!(reasons(&wrong).await[0].contains("1 rows, the log says 7"));
    let wrong = store().await;
    replaced(&wrong, |file| {
        file.events.as_mut().unwrap().max_timestamp += 1;
    })
    .await;
    assert!(reasons(&wrong).await[0].contains("statistics"));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_persons_that_are_not_there_are_found() {
    let store = store().await;
    let snapshot = store.snapshot().await.unwrap();
    let files = snapshot.log().files(Table::Persons);
    let last = files.last().unwrap().path.clone();
    let remove = [Action::Remove(Remove { path: last })];
    log::commit(store.location(), snapshot.version() + 1, &remove)
        .await
        .unwrap();
    let found = reasons(&store).await;
    assert!(!found.is_empty(), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_log_is_a_finding_too() {
    let store = store().await;
    let key = store.location().key("_log/00000000000000000002.json");
    store
        .location()
        .object_store()
        .put(&key, "{".into())
        .await
        .unwrap();
    let found = store.verify().await.unwrap().problems;
    assert!(
        found[0].file.ends_with("00000000000000000002.json"),
        "{found:?}"
    );
}
