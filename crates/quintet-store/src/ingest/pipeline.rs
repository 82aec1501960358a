//! Work on all cores with results in order: units are made on one thread, transformed on many, taken on the caller's.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::error::{Error, Result};

/// How many units may be under way per core; this bounds the memory.
const UNDER_WAY: usize = 4;

/// Calls `take` with the transformed units in the order in which `units` yields them.
///
/// The first error of any stage ends the whole and is returned.
pub(super) fn run<U: Send, P: Send>(
    units: impl Iterator<Item = Result<U>> + Send,
    transform: impl Fn(U) -> P + Sync,
    mut take: impl FnMut(P) -> Result<()>,
) -> Result<()> {
    let cores = thread::available_parallelism().map_or(1, |n| n.get().min(16));
    let (queue, work) = sync_channel::<(U, SyncSender<P>)>(cores * UNDER_WAY);
    let (order, results) = sync_channel::<Result<Receiver<P>>>(cores * UNDER_WAY);
    let work = Mutex::new(work);
    let (work, transform) = (&work, &transform);
    thread::scope(|scope| {
        scope.spawn(move || {
            for unit in units {
                let (result, promise) = sync_channel(1);
                let sent = match unit {
                    Ok(unit) => {
                        order.send(Ok(promise)).is_ok() && queue.send((unit, result)).is_ok()
                    }
                    Err(error) => {
                        // A closed channel means that the taker has given up.
                        let _ = order.send(Err(error));
                        false
                    }
                };
                if !sent {
                    break;
                }
            }
        });
        for _ in 0..cores {
            scope.spawn(move || {
                loop {
                    let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((unit, result)) = next else { break };
                    // Likewise.
                    let _ = result.send(transform(unit));
                }
            });
        }
        let taken = (|| {
            for promise in &results {
                let result = promise?.recv();
                take(result.map_err(|_| Error::internal("a worker of the load has stopped"))?)?;
            }
            Ok(())
        })();
        drop(results);
        taken
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_units() {
        let mut taken = Vec::new();
        let slow_evens = |n: u64| {
            thread::sleep(std::time::Duration::from_micros(if n.is_multiple_of(2) {
                300
            } else {
                0
            }));
            n
        };
        run((0..100).map(Ok), slow_evens, |n| {
            taken.push(n);
            Ok(())
        })
        .unwrap();
        assert_eq!(taken, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn an_error_of_any_stage_ends_the_run() {
        let units = (0..1000).map(|n| {
            if n == 50 {
                Err(Error::internal("unit"))
            } else {
                Ok(n)
            }
        });
        let mut taken = 0;
        let ended = run(
            units,
            |n: i32| n,
            |_| {
                taken += 1;
                Ok(())
            },
        );
        assert!(ended.is_err() && taken == 50);
        let ended = run(
            (0..1000).map(Ok),
            |n: i32| n,
            |n| match n {
                7 => Err(Error::internal("take")),
                _ => Ok(()),
            },
        );
        assert!(ended.is_err());
    }
}
