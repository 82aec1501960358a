//! Writing beside reading: rows that are staged go to a thread that writes them, while further ones are staged in the memory of
//! those before.
//!
//! ```text
//! reading   stage 1 │ stage 2  │ stage 3  │ …
//! writing           │ write 1  │ write 2  │ write 3
//! ```

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use crate::entities::EntityState;
use crate::error::{Error, Result};
use crate::files::actors::Actors;
use crate::ingest::StagedEvents;

/// Hands staged rows to the thread that writes.
pub(super) struct Writing {
    rows: SyncSender<(StagedEvents, Actors)>,
    emptied: Receiver<StagedEvents>,
}

impl Writing {
    /// Hands rows over as soon as those before are written, and leaves none.
    pub(super) fn hand_over(
        &self,
        staged: &mut StagedEvents,
        entities: &EntityState,
    ) -> Result<()> {
        if staged.is_empty() {
            return Ok(());
        }
        let actors = Actors::of(staged, entities);
        let emptied = self.emptied.recv().map_err(|_| stopped())?;
        let full = std::mem::replace(staged, emptied);
        self.rows.send((full, actors)).map_err(|_| stopped())
    }
}

/// The result of `read`, which hands rows to `write` on another thread. The first error of either ends both.
pub(super) fn beside<R>(
    mut write: impl FnMut(&StagedEvents, &Actors) -> Result<()> + Send,
    read: impl FnOnce(&Writing) -> Result<R>,
) -> Result<R> {
    let (rows, waiting) = sync_channel::<(StagedEvents, Actors)>(1);
    let (back, emptied) = sync_channel(1);
    back.send(StagedEvents::default()).map_err(|_| stopped())?;
    thread::scope(|scope| {
        let writer = scope.spawn(move || {
            for (mut staged, actors) in waiting {
                write(&staged, &actors)?;
                staged.clear();
                // A closed channel means that all was read.
                let _ = back.send(staged);
            }
            Ok::<_, Error>(())
        });
        let writing = Writing { rows, emptied };
        let read = read(&writing);
        drop(writing);
        // Where writing fails, reading fails for that.
        writer.join().map_err(|_| stopped())??;
        read
    })
}

fn stopped() -> Error {
    Error::internal("the writer of the load has stopped")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::files::testing::staged;

    #[test]
    fn all_rows_are_written_in_order() {
        let mut written = Vec::new();
        let write = |rows: &StagedEvents, _: &Actors| {
            written.extend(rows.timestamps.iter().copied());
            Ok(())
        };
        beside(write, |writing| {
            for n in 0..5 {
                let mut rows = staged(&[("a", n), ("a", n + 10)]);
                writing.hand_over(&mut rows, &EntityState::default())?;
                assert!(rows.is_empty());
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(written, [0, 10, 1, 11, 2, 12, 3, 13, 4, 14]);
    }

    #[test]
    fn what_fails_first_is_the_error() {
        let failed = beside(
            |_, _| Err(Error::invalid("disk", "full")),
            |writing| loop {
                writing.hand_over(&mut staged(&[("a", 1)]), &EntityState::default())?;
            },
        );
        let failed: Result<()> = failed;
        assert!(matches!(failed, Err(Error::Invalid { .. })));
        let failed: Result<()> = beside(|_, _| Ok(()), |_| Err(Error::invalid("source", "bad")));
        assert!(matches!(failed, Err(Error::Invalid { .. })));
    }
}
