#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use bytes::Bytes;
use object_store::memory::InMemory;

use super::*;
use crate::ingest::{Load, Source};
use crate::location::Location;
use crate::log::{GroupTypeEntry, Settings};

const MARCH: i64 = 1_709_251_200_000_000; // 1 March 2024

async fn store() -> Store {
    let place = Location::with_object_store("memory://test/store", Arc::new(InMemory::new()));
    Store::create(place.unwrap(), Settings::default())
        .await
        .unwrap()
}

/// An event of 1 March 2024 with properties, never the same twice: what was loaded before would be skipped.
async fn told(store: &Store, event: &str, properties: &str) {
    let uuid = uuid::Uuid::new_v4();
    let line = format!(
        r#"{{"uuid":"{uuid}","event":"{event}","distinct_id":"ann","timestamp":"2024-03-01T00:00:00Z","properties":{{{properties}}}}}"#
    );
    let load = Load {
        sources: vec![Source::bytes("test", Bytes::from(line))],
        ..Load::default()
    };
    store.ingest(load, Arc::new(())).await.unwrap();
}

async fn tagged(store: &Store, group_type: &str, key: &str) {
    told(
        store,
        "e",
        &format!(r#""$groups":{{"{group_type}":"{key}"}}"#),
    )
    .await;
}

async fn declared(store: &Store, group_type: &str, key: &str) {
    let group =
        format!(r#""$group_type":"{group_type}","$group_key":"{key}","$group_set":{{"a":1}}"#);
    told(store, "$groupidentify", &group).await;
}

/// What somebody sees who opens the store anew.
async fn reopened(store: &Store) -> Arc<Snapshot> {
    let again = Store::open(store.location().clone()).await.unwrap();
    again.snapshot().await.unwrap()
}

async fn types(store: &Store) -> Vec<GroupTypeEntry> {
    reopened(store).await.group_types().to_vec()
}

async fn properties(store: &Store, index: usize, key: &str) -> Option<String> {
    let snapshot = reopened(store).await;
    let entities = snapshot.entities().await.unwrap();
    entities.group_properties(index, key).map(str::to_owned)
}

#[tokio::test]
async fn renaming_sets_what_is_given_and_keeps_the_rest() {
    let store = store().await;
    tagged(&store, "company", "acme").await;
    let shown = |name: &str| Some(name.to_owned());
    store
        .rename_group_type(0, shown("firm"), None)
        .await
        .unwrap();
    store
        .rename_group_type(0, None, shown("firms"))
        .await
        .unwrap();
    let renamed = types(&store).await.remove(0);
    assert_eq!(
        (renamed.name.as_str(), renamed.singular, renamed.plural),
        ("company", shown("firm"), shown("firms"))
    );
    store.rename_group_type(0, shown(""), None).await.unwrap();
    assert_eq!(types(&store).await.remove(0).singular, None);
}

#[tokio::test]
async fn a_deleted_group_is_undeclared_and_may_be_declared_again() {
    let store = store().await;
    declared(&store, "company", "acme").await;
    declared(&store, "company", "bolt").await;
    store.delete_group(0, "acme").await.unwrap();
    assert_eq!(properties(&store, 0, "acme").await, None);
    assert_eq!(
        properties(&store, 0, "bolt").await.as_deref(),
        Some(r#"{"a":1}"#)
    );
    declared(&store, "company", "acme").await;
    assert_eq!(
        properties(&store, 0, "acme").await.as_deref(),
        Some(r#"{"a":1}"#)
    );
}

#[tokio::test]
async fn a_type_that_takes_a_used_index_begins_with_its_first_event() {
    let store = store().await;
    tagged(&store, "company", "acme").await;
    declared(&store, "company", "acme").await;
    store.delete_group_type(0).await.unwrap();
    assert!(types(&store).await.is_empty());
    assert_eq!(properties(&store, 0, "acme").await, None);
    tagged(&store, "channel", "general").await;
    let taken = types(&store).await.remove(0);
    assert_eq!(
        (taken.name.as_str(), taken.created_at),
        ("channel", Some(MARCH))
    );
    let seen = |stats: crate::stats::Stats| stats.groups[0].seen;
    let stats = async || reopened(&store).await.stats().await.unwrap();
    assert_eq!(seen(stats().await), 1, "former keys are not the type's");
    tagged(&store, "channel", "acme").await;
    assert_eq!(seen(stats().await), 2, "unless it has them too");
}

#[tokio::test]
async fn a_type_that_takes_an_index_nobody_used_hides_nothing() {
    let store = store().await;
    // Numbered columns come before the type that they belong to is named, as in exports of PostHog.
    told(
        &store,
        "e",
        r#""$group_0":"acme","$groups":{"company":"acme"}"#,
    )
    .await;
    assert_eq!(types(&store).await.remove(0).created_at, None);
    let unused = ["first", "second"].map(str::to_owned).to_vec();
    let settings = Settings {
        group_types: unused,
        ..Settings::default()
    };
    let place = Location::with_object_store("memory://test/other", Arc::new(InMemory::new()));
    let store = Store::create(place.unwrap(), settings).await.unwrap();
    store.delete_group_type(0).await.unwrap();
    tagged(&store, "company", "acme").await;
    let taken = types(&store).await.remove(0);
    assert_eq!((taken.name.as_str(), taken.created_at), ("company", None));
}

#[tokio::test]
async fn what_is_not_there_is_refused_and_nothing_committed() {
    let store = store().await;
    tagged(&store, "company", "acme").await;
    let before = reopened(&store).await.version();
    for refused in [
        store.delete_group(0, "acme").await,
        store.delete_group(0, "nobody").await,
        store.delete_group(9, "acme").await,
        store.delete_group_type(1).await,
        store.delete_group_type(9).await,
        store.rename_group_type(1, Some("x".into()), None).await,
    ] {
        assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(reopened(&store).await.version(), before);
}
