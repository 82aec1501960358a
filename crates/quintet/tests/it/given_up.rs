//! Questions that would never end: a limit of time ends them, and so does dropping their future, however busy all threads are.

use std::sync::mpsc;
use std::time::Duration;

use quintet::{EngineBuilder, ErrorKind};

use crate::sample;

/// Nobody waits for as long, however slow the machine.
const FOREVER: Duration = Duration::from_secs(300);

/// Each makes trillions of rows of a few thousand, and keeps none of them.
const ENDLESS: [&str; 4] = [
    // A filter above cross joins.
    "select count(*) from events a cross join events b cross join events c where a.uuid || b.uuid || c.uuid = 'x'",
    // A join by nested loops, which compares within one turn.
    "select count(*) from events a join events b on a.timestamp < b.timestamp join events c on length(a.uuid) + length(b.uuid) + length(c.uuid) < 3",
    // A hash join whose rows all have the same key.
    "select count(*) from events a join events b on length(a.uuid) = length(b.uuid) join events c on length(b.uuid) = length(c.uuid) \
     where a.uuid || c.uuid = 'x'",
    // An outer join by nested loops.
    "select count(*) from (select * from events a cross join events b) a left join events c on a.timestamp < c.timestamp and length(c.uuid) < 3",
];

/// Runs on a runtime of two threads, which both are kept busy; fails where the runtime cannot be ended.
fn on_two_threads<F: Future<Output = ()> + Send + 'static>(
    work: impl FnOnce() -> F + Send + 'static,
) {
    let (ended, over) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(work());
        // Waits for whatever still has a thread.
        drop(runtime);
        ended.send(()).expect("somebody waits");
    });
    over.recv_timeout(FOREVER)
        .expect("work goes on after it was given up");
}

#[test]
fn a_question_over_its_time_limit_ends_with_all_its_work() {
    for sql in ENDLESS {
        on_two_threads(move || async move {
            let limited = EngineBuilder::new().with_time_limit(Duration::from_millis(300));
            let engine = sample::engine_of(limited.with_target_partitions(2)).await;
            // As a service asks: in a task that waits for its turn among those that are busy.
            let asked = tokio::spawn(async move { engine.sql(sql).await });
            let error = asked.await.expect("no panic").expect_err("no time");
            assert_eq!(
                error.kind(),
                ErrorKind::ResourcesExhausted,
                "{sql}: {error}"
            );
            assert!(error.to_string().contains("time limit"), "{sql}: {error}");
        });
    }
}

#[test]
fn a_dropped_question_ends_with_all_its_work() {
    for sql in ENDLESS {
        on_two_threads(move || async move {
            let engine = sample::engine_of(EngineBuilder::new().with_target_partitions(2)).await;
            // Not by a timer of tokio's, which needs a thread that is not busy.
            let (ring, rung) = tokio::sync::oneshot::channel();
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(300));
                ring.send(())
            });
            tokio::select! {
                biased;
                rung = rung => rung.expect("a ring"),
                answer = engine.sql(sql) => panic!("{sql}: {answer:?}"),
            }
        });
    }
}
