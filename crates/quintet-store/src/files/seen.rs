//! Which uuids a load has written to which files, roughly: so that its own files need not be read again for every further rows.
//!
//! Without it each flush of a load looked through the files of all flushes before it, which at ten million rows took a fifth
//! of the time and grew with the square of the rows (`docs/LESSONS.md`).

use std::collections::VecDeque;

use xxhash_rust::xxh3::xxh3_64;

use super::parallel;
use crate::error::Result;
use crate::ingest::StagedEvents;

/// Bits per uuid; one in some ten thousand unknown uuids is taken for a known one.
const BITS: usize = 24;
/// Bits that each uuid sets.
const HASHES: u32 = 7;
/// Bits that share a line of the processor's cache.
const BLOCK: usize = 512;

/// The uuids of each flush, and the files that hold them.
#[derive(Debug, Default)]
pub(crate) struct Seen(VecDeque<Flush>);

/// What one flush has written.
#[derive(Debug)]
struct Flush {
    filter: Filter,
    paths: Vec<String>,
}

/// A Bloom filter in blocks of a cache line.
#[derive(Debug)]
struct Filter(Vec<[u64; BLOCK / 64]>);

impl Seen {
    /// Notes the rows of a flush, to whose files [`Self::written`] gives names. The oldest flushes are forgotten when all take more
    /// than `memory` bytes.
    pub(crate) fn flush(&mut self, staged: &StagedEvents, rows: &[u32], memory: usize) {
        let hashes: Vec<u64> = given(staged, rows).map(|(_, hash)| hash).collect();
        let filter = Filter::of(&hashes);
        let paths = Vec::new();
        self.0.push_back(Flush { filter, paths });
        while self
            .0
            .iter()
            .map(|flush| flush.filter.bytes())
            .sum::<usize>()
            > memory
        {
            self.0.pop_front();
        }
    }

    /// Names a file of the last flush.
    pub(crate) fn written(&mut self, path: &str) {
        if let Some(last) = self.0.back_mut() {
            last.paths.push(path.to_owned());
        }
    }

    /// Notes that a file stands in place of another, with some of its rows.
    pub(crate) fn replaced(&mut self, old: &str, new: &str) {
        for flush in &mut self.0 {
            if flush.paths.iter().any(|path| path == old) {
                flush.paths.push(new.to_owned());
            }
        }
    }

    /// The rows that may be in the files of a flush, flush by flush, and these files.
    pub(crate) fn candidates(
        &self,
        staged: &StagedEvents,
        rows: &[u32],
    ) -> Result<Vec<(Vec<u32>, &[String])>> {
        let flushes: Vec<&Flush> = self.0.iter().collect();
        let given: Vec<(u32, u64)> = match flushes.is_empty() {
            true => Vec::new(),
            false => given(staged, rows).collect(),
        };
        parallel::map(&flushes, |flush| {
            let known = given.iter().filter(|(_, hash)| flush.filter.has(*hash));
            let known = known.map(|(row, _)| *row).collect();
            Ok((known, flush.paths.as_slice()))
        })
    }
}

/// The rows whose uuids senders gave, and the hashes of these.
fn given<'a>(staged: &'a StagedEvents, rows: &'a [u32]) -> impl Iterator<Item = (u32, u64)> + 'a {
    let is_given = |row: &u32| {
        let given = staged.uuid_given.get(*row as usize);
        given.copied().unwrap_or_default()
    };
    let given = rows.iter().copied().filter(is_given);
    given.filter_map(|row| {
        let uuid = staged.uuids.get(row as usize)?;
        Some((row, xxh3_64(uuid.as_bytes())))
    })
}

impl Filter {
    fn of(hashes: &[u64]) -> Self {
        let blocks = (hashes.len() * BITS).div_ceil(BLOCK).max(1);
        let mut filter = Self(vec![[0; BLOCK / 64]; blocks]);
        for hash in hashes {
            let (block, bits) = filter.place(*hash);
            if let Some(block) = filter.0.get_mut(block) {
                block
                    .iter_mut()
                    .zip(bits)
                    .for_each(|(word, bits)| *word |= bits);
            }
        }
        filter
    }

    fn has(&self, hash: u64) -> bool {
        let (block, bits) = self.place(hash);
        let block = self.0.get(block);
        block.is_some_and(|block| {
            block
                .iter()
                .zip(bits)
                .all(|(word, bits)| word & bits == bits)
        })
    }

    /// The block of a hash and its bits in there.
    fn place(&self, hash: u64) -> (usize, [u64; BLOCK / 64]) {
        let block = (u128::from(hash) * self.0.len() as u128) >> 64;
        let mut bits = [0; BLOCK / 64];
        // The block took the upper bits; these come from all of them.
        let hash = hash.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for n in 0..HASHES {
            let bit = (hash >> (n * 9)) as usize % BLOCK;
            bits[bit / 64] |= 1 << (bit % 64);
        }
        (block as usize, bits)
    }

    fn bytes(&self) -> usize {
        self.0.len() * (BLOCK / 8)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use uuid::Uuid;

    use super::*;
    use crate::files::testing::staged;

    fn events(from: u128, rows: usize) -> StagedEvents {
        let mut events = staged(&vec![("a", 1); rows]);
        for (uuid, n) in events.uuids.iter_mut().zip(from..) {
            *uuid = Uuid::from_u128(n);
        }
        events
    }

    fn all(events: &StagedEvents) -> Vec<u32> {
        (0..events.len() as u32).collect()
    }

    #[test]
    fn what_was_written_is_known_and_nearly_nothing_else() {
        let (first, second) = (events(0, 50_000), events(50_000, 50_000));
        let mut seen = Seen::default();
        seen.flush(&first, &all(&first), usize::MAX);
        seen.written("a");
        let rows = all(&first);
        let known = seen.candidates(&first, &rows).unwrap();
        assert_eq!(known, [(all(&first), &["a".to_owned()][..])]);
        let rows = all(&second);
        let wrong: usize = seen
            .candidates(&second, &rows)
            .unwrap()
            .iter()
            .map(|(rows, _)| rows.len())
            .sum();
        assert!(wrong < 50, "{wrong} of 50,000 were taken for known ones");
    }

    #[test]
    fn flushes_are_forgotten_beyond_the_memory() {
        let rows = events(0, 1000);
        let mut seen = Seen::default();
        for _ in 0..10 {
            seen.flush(&rows, &all(&rows), 10_000);
        }
        assert_eq!(seen.candidates(&rows, &[]).unwrap().len(), 3);
    }

    #[test]
    fn generated_uuids_are_no_candidates() {
        let mut rows = events(0, 2);
        rows.uuid_given = vec![true, false];
        let mut seen = Seen::default();
        seen.flush(&rows, &[0, 1], usize::MAX);
        let all = [0, 1];
        assert_eq!(seen.candidates(&rows, &all).unwrap()[0].0, [0]);
    }
}
