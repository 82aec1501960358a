#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use crate::log::Table;
use crate::schema::PropertyType;
use crate::store::tests::{COMPANY, in_memory, ingest, line, sql};

use super::*;

const EVERYTHING: &str = r#"select uuid, event, distinct_id, timestamp, properties, "$group_0", group_0_ref from events order by uuid"#;

/// So many loads of three events each, all in the first months of a year.
async fn loads(store: &Store, count: u32) {
    for n in 0..count {
        let event = |at: u32| {
            let month = (n + at) % 3 + 1;
            let properties = format!(
                r#""n":{n},"mixed":{},{COMPANY}"#,
                if n == 2 { "1" } else { "\"x\"" }
            );
            line(
                n * 10 + at,
                ["a", "b"][(at % 2) as usize],
                &format!("actor {}", n % 4),
                &format!("2024-{month:02}-{:02}T00:00:00Z", 28 - n % 28),
                &properties,
            )
        };
        ingest(store, &[event(0), event(1), event(2)]).await;
    }
}

async fn files(store: &Store, table: Table) -> usize {
    store.snapshot().await.unwrap().log().files(table).count()
}

async fn is_sound(store: &Store) {
    let found = store.verify().await.unwrap();
    assert!(found.problems.is_empty(), "{:?}", found.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_small_files_become_one_and_nothing_else_changes() {
    let store = in_memory().await;
    loads(&store, 6).await;
    let before = sql(&store, EVERYTHING).await;
    let report = store.compact(Compaction::default()).await.unwrap();
    assert_eq!((report.events_rewritten, report.files_after), (18, 4));
    assert_eq!(files(&store, Table::Events).await, 1);
    assert_eq!(files(&store, Table::Groups).await, 1);
    assert_eq!(sql(&store, EVERYTHING).await, before);
    is_sound(&store).await;

    // Read by somebody who has nothing in memory.
    let fresh = Store::open(store.location().clone()).await.unwrap();
    assert_eq!(sql(&fresh, EVERYTHING).await, before);
    let entities = |snapshot: Arc<Snapshot>| async move {
        let entities = snapshot.entities().await.unwrap();
        (
            entities.persons().unwrap().clone(),
            entities.groups().unwrap().clone(),
        )
    };
    assert_eq!(
        entities(fresh.snapshot().await.unwrap()).await,
        entities(store.snapshot().await.unwrap()).await
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_compact_is_left_alone() {
    let store = in_memory().await;
    loads(&store, 4).await;
    let first = store.compact(Compaction::default()).await.unwrap();
    let again = store.compact(Compaction::default()).await.unwrap();
    assert_eq!((again.version, again.events_rewritten), (first.version, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn months_are_taken_apart_as_a_load_would_have_it() {
    let store = in_memory().await;
    let many = |from: u32, months: std::ops::RangeInclusive<u32>| -> Vec<String> {
        let at = |n: u32| (n % 28 + 1, n % 24);
        (from..from + 34_000)
            .map(|n| {
                let month = months.start() + n % (months.end() - months.start() + 1);
                let (day, hour) = at(n);
                line(
                    n,
                    ["b", "a", "c"][(n % 3) as usize],
                    "x",
                    &format!("2024-{month:02}-{day:02}T{hour:02}:00:00Z"),
                    "",
                )
            })
            .collect()
    };
    // Each load makes one file of two months.
    ingest(&store, &many(0, 1..=2)).await;
    ingest(&store, &many(40_000, 1..=2)).await;
    ingest(&store, &many(80_000, 2..=3)).await;
    let before = sql(&store, EVERYTHING).await;
    store.compact(Compaction::default()).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let mut partitions: Vec<(String, u64)> = snapshot
        .events_files()
        .map(|file| (file.events.as_ref().unwrap().partition.clone(), file.rows))
        .collect();
    partitions.sort();
    let expected = [("2024-01", 34_000), ("2024-02..2024-03", 68_000)];
    assert_eq!(
        partitions,
        expected.map(|(name, rows)| (name.to_owned(), rows))
    );
    assert!(
        sql(&store, EVERYTHING).await == before,
        "some event changed"
    );
    is_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_merged_persons_move_to_the_one_that_remains() {
    let store = in_memory().await;
    let at = "2024-03-01T00:00:00Z";
    ingest(
        &store,
        &[line(1, "a", "guest 7", at, ""), line(2, "a", "ann", at, "")],
    )
    .await;
    let merge = line(
        3,
        "$identify",
        "ann",
        at,
        r#""$anon_distinct_id":"guest 7""#,
    );
    ingest(&store, &[merge]).await;
    let overrides = || async {
        let snapshot = store.snapshot().await.unwrap();
        let entities = snapshot.entities().await.unwrap();
        entities.person_overrides().unwrap().num_rows()
    };
    let persons =
        "select count(distinct person_ref) as refs, count(distinct person_id) as ids from events";
    assert_eq!(overrides().await, 1);
    assert!(sql(&store, persons).await.contains("| 2    | 2   |"));
    let report = store.compact(Compaction::default()).await.unwrap();
    assert_eq!(report.merges_applied, 1);
    assert_eq!(overrides().await, 0);
    assert!(sql(&store, persons).await.contains("| 1    | 1   |"));
    is_sound(&store).await;

    // It holds for whoever opens the store anew, and after later loads.
    ingest(&store, &[line(4, "a", "guest 7", at, "")]).await;
    let fresh = Store::open(store.location().clone()).await.unwrap();
    assert!(sql(&fresh, persons).await.contains("| 1    | 1   |"));
    is_sound(&fresh).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_property_gets_a_column_in_every_file() {
    let store = in_memory().await;
    let at = "2024-03-01T00:00:00Z";
    let many: Vec<String> = (0..100)
        .map(|n| line(n, "a", "x", at, if n == 7 { r#""rare":7.5"# } else { "" }))
        .collect();
    ingest(&store, &many).await;
    ingest(
        &store,
        &[line(
            200,
            "a",
            "x",
            "2025-03-01T00:00:00Z",
            r#""rare":null"#,
        )],
    )
    .await;
    let promote = |name: &str| Compaction {
        promote: vec![name.into()],
        ..Compaction::default()
    };
    let report = store.compact(promote("rare")).await.unwrap();
    assert_eq!(report.promoted, ["rare"]);
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.promoted()[0].kind, PropertyType::Number);
    let values = sql(
        &store,
        r#"select sum("p.rare"), count("p.rare") from events"#,
    )
    .await;
    assert!(
        values.contains("| 7.5") && values.contains("| 1 "),
        "{values}"
    );
    is_sound(&store).await;
    let again = store.compact(promote("rare")).await.unwrap();
    assert_eq!(again.version, report.version, "nothing is left to do");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_property_that_no_column_can_hold_is_refused_and_nothing_changes() {
    let store = in_memory().await;
    loads(&store, 4).await;
    let version = store.snapshot().await.unwrap().version();
    for (name, says) in [
        ("mixed", "several types"),
        ("nowhere", "no event has"),
        ("$groups", "groups"),
    ] {
        let wanted = Compaction {
            promote: vec![name.into()],
            ..Compaction::default()
        };
        match store.compact(wanted).await {
            Err(Error::Invalid { path, reason }) => {
                assert!(path == "promote" && reason.contains(says), "{reason}");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.snapshot().await.unwrap().version(), version);
}

#[tokio::test(flavor = "multi_thread")]
async fn frequent_properties_are_chosen_over_all_events() {
    let store = in_memory().await;
    let at = "2024-03-01T00:00:00Z";
    ingest(&store, &[line(0, "a", "x", at, r#""early":1"#)]).await;
    let later: Vec<String> = (1..40)
        .map(|n| line(n, "a", "x", at, r#""late":true"#))
        .collect();
    ingest(&store, &later).await;
    let wanted = Compaction {
        promote_frequent: true,
        ..Compaction::default()
    };
    let report = store.compact(wanted).await.unwrap();
    assert_eq!(report.promoted, ["late"]);
    assert!(
        sql(&store, r#"select count("p.late") from events"#)
            .await
            .contains("| 39 ")
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn loads_that_meet_a_compaction_are_all_there() {
    let store = in_memory().await;
    loads(&store, 5).await;
    // Opened apart, as other processes do; in memory nobody can lock.
    let writers = (0..4_u32).map(|writer| {
        let location = store.location().clone();
        tokio::spawn(async move {
            let store = Store::open(location).await.unwrap();
            for n in 0..5 {
                let merge = line(
                    1000 + writer * 10 + n,
                    "$identify",
                    &format!("actor {writer}"),
                    "2024-02-01T00:00:00Z",
                    &format!(r#""$anon_distinct_id":"guest {writer} {n}""#),
                );
                ingest(&store, &[merge]).await;
                // Replaces a row of a file that is being compacted.
                ingest(
                    &store,
                    &[line(
                        writer * 10,
                        "a",
                        &format!("actor {writer}"),
                        "2024-02-01T00:00:00Z",
                        &format!(r#""n":{n}"#),
                    )],
                )
                .await;
            }
        })
    });
    let writers: Vec<_> = writers.collect();
    let mut compacted = 0;
    for _ in 0..4 {
        match store.compact(Compaction::default()).await {
            Ok(_) => compacted += 1,
            Err(error) => assert!(matches!(error, Error::Conflict(_)), "{error}"),
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    store.compact(Compaction::default()).await.unwrap();
    assert!(compacted > 0, "every compaction lost");
    let count = sql(
        &store,
        "select count(*) as n, count(distinct uuid) as ids from events",
    )
    .await;
    assert!(count.contains("| 35 | 35  |"), "{count}");
    is_sound(&store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_store_is_compact() {
    let store = in_memory().await;
    let report = store.compact(Compaction::default()).await.unwrap();
    assert_eq!((report.version, report.files_after), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_file_is_not_copied() {
    use object_store::ObjectStoreExt;
    let store = in_memory().await;
    loads(&store, 2).await;
    let snapshot = store.snapshot().await.unwrap();
    let path = snapshot.events_files().next().unwrap().path.clone();
    let key = store.location().key(&path);
    let mut bytes = store.location().read(&path).await.unwrap().to_vec();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    store
        .location()
        .object_store()
        .put(&key, bytes.into())
        .await
        .unwrap();
    let refused = store.compact(Compaction::default()).await;
    assert!(matches!(refused, Err(Error::Corrupt { .. })), "{refused:?}");
    assert_eq!(
        store.snapshot().await.unwrap().version(),
        snapshot.version()
    );
}
