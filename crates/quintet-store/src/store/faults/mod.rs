//! Storage that fails at every single operation of a load, a compaction, a purge, a vacuum and a question, in every way in which it
//! can: the error says whose fault it is, the last committed version is there, and doing it again does it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod injector;

use std::time::Duration;

use datafusion::prelude::SessionContext;
use object_store::memory::InMemory;
use object_store::{ObjectStore, ObjectStoreExt as _};

use self::injector::{FAULTS, Fault, Faulty};
use super::tests::{COMPANY, ingest, line, load, sql};
use super::*;

const URL: &str = "memory://faults/store";

/// What is done to a store.
#[derive(Debug, Clone, Copy)]
enum Work {
    Load,
    Compact,
    Purge,
    Vacuum,
}

impl Work {
    async fn on(self, store: &Store) -> Result<()> {
        match self {
            Self::Load => {
                let lines = (20..26).map(event).collect::<Vec<_>>();
                store.ingest(load(&lines), Arc::new(())).await.map(drop)
            }
            Self::Compact => store.compact(Compaction::default()).await.map(drop),
            Self::Purge => match store.purge_group(0, "acme").await {
                // Done before, by the attempt whose answer was lost.
                Err(Error::NotFound(reason)) if !reason.contains("parquet") => Ok(()),
                other => other.map(drop),
            },
            Self::Vacuum => store.vacuum(Duration::ZERO).await.map(drop),
        }
    }
}

fn event(number: u32) -> String {
    let properties = match number % 3 {
        0 => format!(r#""n":{number},{COMPANY}"#),
        1 => format!(r#""n":{number},"$groups":{{"company":"other"}}"#),
        _ => format!(r#""n":{number}"#),
    };
    let time = format!("2024-0{}-01T00:00:00Z", 1 + number % 4);
    line(
        number,
        "seen",
        &format!("person {}", number % 5),
        &time,
        &properties,
    )
}

fn at(memory: Arc<dyn ObjectStore>) -> Location {
    Location::with_object_store(URL, memory).unwrap()
}

/// A store of three loads, one of which a compaction has replaced.
async fn base() -> InMemory {
    let memory = Arc::new(InMemory::new());
    let store = Store::create(at(memory.clone()), Settings::default())
        .await
        .unwrap();
    for start in [0, 6] {
        let lines = (start..start + 6).map(event).collect::<Vec<_>>();
        ingest(&store, &lines).await;
    }
    store.compact(Compaction::default()).await.unwrap();
    ingest(&store, &(12..18).map(event).collect::<Vec<_>>()).await;
    memory.fork()
}

/// Everything that is to be read of the events, groups by their keys.
async fn answer(store: &Store) -> String {
    let query =
        r#"select event, timestamp, distinct_id, "$group_0", properties from events order by uuid"#;
    sql(store, query).await
}

async fn opened(memory: InMemory) -> Store {
    Store::open(at(Arc::new(memory))).await.unwrap()
}

async fn sound(store: &Store, context: &str) {
    let found = store.verify().await.unwrap();
    assert!(found.problems.is_empty(), "{context}: {:?}", found.problems);
}

fn is_typed(error: &Error, context: &str) {
    let is_of_storage = matches!(
        error,
        Error::Io { .. } | Error::ResourcesExhausted(_) | Error::Conflict(_)
    );
    assert!(is_of_storage, "{context}: {error:?}");
    assert!(!error.to_string().contains('\n'), "{context}: {error}");
}

async fn survives(work: Work, faults: &[Fault]) {
    let base = base().await;
    let before = answer(&opened(base.fork()).await).await;
    let after = {
        let store = opened(base.fork()).await;
        work.on(&store).await.unwrap();
        answer(&store).await
    };
    // All of them take a minute; every day, every third of each kind has to do.
    let is_all = std::env::var_os("QUINTET_FAULTS").is_some();
    let operations = {
        let counting = Arc::new(Faulty::new(base.fork(), Fault::None, u64::MAX));
        let store = Store::open(at(counting.clone())).await.unwrap();
        work.on(&store).await.unwrap();
        counting.operations()
    };
    let mut tried = 0;
    for (number, fault) in (0..).zip(faults) {
        for operation in 0..operations {
            if !is_all && (operation + number) % 3 != 0 {
                continue;
            }
            let context = format!("{work:?}, {fault:?} at operation {operation}");
            let faulty = Arc::new(Faulty::new(base.fork(), *fault, operation));
            let store = Store::open(at(faulty.clone())).await;
            let done = match &store {
                Ok(store) => work.on(store).await,
                Err(error) => Err(error.again()),
            };
            tried += u64::from(faulty.was_met());
            if let Err(error) = &done {
                is_typed(error, &context);
            }
            // Whoever asks next, after the storage works again.
            let left = faulty.inner.fork();
            let store = opened(left.fork()).await;
            let now = answer(&store).await;
            match done.is_ok() {
                true => assert_eq!(now, after, "{context}"),
                false => assert!(now == before || now == after, "{context}:\n{now}"),
            }
            sound(&store, &context).await;
            work.on(&store)
                .await
                .unwrap_or_else(|e| panic!("{context}, again: {e}"));
            assert_eq!(answer(&store).await, after, "{context}, again");
            sound(&store, &context).await;
        }
    }
    println!("{work:?}: {tried} faults survived");
    assert!(tried > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_survives_every_fault() {
    survives(Work::Load, &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_compaction_survives_every_fault() {
    survives(Work::Compact, &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purge_survives_every_fault() {
    survives(Work::Purge, &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_vacuum_survives_every_fault() {
    survives(Work::Vacuum, &FAULTS).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_answered_or_storage_is_to_blame() {
    let base = base().await;
    let expected = answer(&opened(base.fork()).await).await;
    let query =
        r#"select event, timestamp, distinct_id, "$group_0", properties from events order by uuid"#;
    for fault in [Fault::Once, Fault::Gone] {
        for operation in 0.. {
            let context = format!("{fault:?} at operation {operation}");
            let faulty = Arc::new(Faulty::new(base.fork(), fault, operation));
            let answered = ask(at(faulty.clone()), query).await;
            if !faulty.was_met() {
                assert_eq!(answered.unwrap(), expected);
                break;
            }
            match answered {
                Ok(answer) => assert_eq!(answer, expected, "{context}"),
                Err(error) => assert!(matches!(error, Error::Io { .. }), "{context}: {error:?}"),
            }
        }
    }
}

async fn ask(location: Location, query: &str) -> Result<String> {
    let snapshot = Store::open(location).await?.snapshot().await?;
    let session = SessionContext::new();
    let url = snapshot.object_store_url().clone();
    session.register_object_store(url.as_ref(), Arc::clone(snapshot.object_store()));
    session.register_table("events", snapshot.events()).unwrap();
    let rows = async { session.sql(query).await?.collect().await };
    let rows = match rows.await {
        Ok(rows) => rows,
        Err(error) => return Err(snapshot.diagnose(&error).await),
    };
    let table = datafusion::arrow::util::pretty::pretty_format_batches(&rows);
    Ok(table.map_err(Error::internal)?.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_without_its_newest_data_file_says_which() {
    let memory = Arc::new(base().await);
    let store = Store::open(at(memory.clone())).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    let file = snapshot.events_files().last().unwrap();
    memory
        .delete(&store.location().key(&file.path))
        .await
        .unwrap();
    let error = ask(at(memory), "select sum(length(properties)) from events")
        .await
        .unwrap_err();
    assert!(matches!(&error, Error::Corrupt { .. }), "{error:?}");
}
