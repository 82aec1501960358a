#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::Path;

use crate::log::Settings;
use crate::store::Compaction;
use crate::store::tests::{ingest, line, sql};

use super::*;

async fn compacted(folder: &Path) -> Store {
    let location = Location::parse(folder.to_str().unwrap()).unwrap();
    let store = Store::create(location, Settings::default()).await.unwrap();
    for n in 0..3 {
        let actor = format!("actor {n}");
        ingest(&store, &[line(n, "a", &actor, "2024-03-01T00:00:00Z", "")]).await;
    }
    store.compact(Compaction::default()).await.unwrap();
    store
}

fn exists(folder: &Path, name: &str) -> bool {
    folder.join(name).exists()
}

#[tokio::test(flavor = "multi_thread")]
async fn replaced_files_go_when_they_are_old_enough_and_live_ones_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = compacted(folder.path()).await;
    let young = store.vacuum(Duration::from_secs(3600)).await.unwrap();
    // Three files each of events, persons and distinct ids: all replaced just now.
    assert_eq!((young.deleted_files, young.kept_files), (0, 9));
    let old = store.vacuum(Duration::ZERO).await.unwrap();
    assert_eq!(
        (old.deleted_files, old.deleted_bytes),
        (young.kept_files, young.kept_bytes)
    );
    assert!(
        sql(&store, "select count(*) from events")
            .await
            .contains("| 3 ")
    );
    assert!(store.verify().await.unwrap().problems.is_empty());
    assert_eq!(
        store.vacuum(Duration::ZERO).await.unwrap(),
        VacuumReport::default()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_dead_writers_left_goes_and_files_of_others_stay() {
    let folder = tempfile::tempdir().unwrap();
    let store = compacted(folder.path()).await;
    store.vacuum(Duration::ZERO).await.unwrap();
    let names = [
        "events/2024-03/dead.parquet",
        "persons/.dead.tmp",
        "events/notes.txt",
    ];
    for name in names {
        fs::write(folder.path().join(name), "half a file").unwrap();
    }
    store.vacuum(Duration::from_secs(3600)).await.unwrap();
    assert!(names.iter().all(|name| exists(folder.path(), name)));
    store.vacuum(Duration::ZERO).await.unwrap();
    assert_eq!(
        names.map(|name| exists(folder.path(), name)),
        [false, false, true]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vacuum_waits_for_a_load_in_progress() {
    let folder = tempfile::tempdir().unwrap();
    let store = compacted(folder.path()).await;
    let lock = store.location().lock(LOCK).unwrap();
    fs::write(
        folder.path().join("events/2024-03/new.parquet"),
        "of a load",
    )
    .unwrap();
    let vacuum = tokio::spawn({
        let store = store.clone();
        async move { store.vacuum(Duration::ZERO).await }
    });
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(exists(folder.path(), "events/2024-03/new.parquet") && !vacuum.is_finished());
    drop(lock);
    vacuum.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_locks_files_that_no_version_names_stay_for_a_day() {
    use object_store::ObjectStoreExt;
    let store = crate::store::tests::in_memory().await;
    for n in 0..2 {
        ingest(&store, &[line(n, "a", "x", "2024-03-01T00:00:00Z", "")]).await;
    }
    store.compact(Compaction::default()).await.unwrap();
    let key = store.location().key("events/2024-03/new.parquet");
    store
        .location()
        .object_store()
        .put(&key, "of a load".into())
        .await
        .unwrap();
    let report = store.vacuum(Duration::ZERO).await.unwrap();
    assert_eq!(report.kept_files, 1);
    assert!(report.deleted_files >= 2, "{report:?}");
}
