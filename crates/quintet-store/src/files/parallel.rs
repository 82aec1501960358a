//! The same work on many items, on all cores.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::error::{Error, Result};

/// Number of threads that the machine runs at once.
pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// The results of `work` on every item, in their order.
pub(crate) fn map<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        while let Some((at, item)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            items.get(at).map(|item| (at, item))
        } {
            done.push((at, work(item)?));
        }
        Ok::<_, Error>(done)
    };
    let others = cores().min(items.len()).saturating_sub(1);
    let mut done = thread::scope(|scope| {
        let threads: Vec<_> = (0..others).map(|_| scope.spawn(take)).collect();
        let mut done = take()?;
        for thread in threads {
            done.extend(
                thread
                    .join()
                    .map_err(|_| Error::internal("a worker thread failed"))??,
            );
        }
        Ok::<_, Error>(done)
    })?;
    done.sort_unstable_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<u32> = (0..1000).collect();
        assert_eq!(
            map(&items, |n| Ok(n * 2)).unwrap(),
            items.iter().map(|n| n * 2).collect::<Vec<_>>()
        );
    }

    #[test]
    fn one_failure_fails_the_whole() {
        assert!(
            map(&[1, 2, 3], |n| if *n == 2 {
                Err(Error::internal("two"))
            } else {
                Ok(())
            })
            .is_err()
        );
    }
}
