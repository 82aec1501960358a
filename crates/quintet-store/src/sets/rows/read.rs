//! The rows of groups back from the files of a snapshot.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::runtime::SpawnedTask;
use futures::TryStreamExt;
use futures::stream::FuturesUnordered;

use super::GroupRowsAt;
use super::codec::{Block, Head, Page, read_counts, read_head, read_lists};
use crate::cache::{Cached, Part};
use crate::error::{Error, Result};
use crate::files::parquet::checksum;
use crate::location::Location;
use crate::log::Add;
use crate::snapshot::Snapshot;

impl Snapshot {
    /// Do all files say which rows are whose?
    pub(crate) fn has_group_rows(&self) -> bool {
        self.events_files().all(|file| at(file).is_some())
    }

    /// Rows by ref of a group type in all files; ref 0 stands for the rows without a group.
    ///
    /// # Errors
    /// [`Error::Corrupt`] naming a damaged file, or what the file system says; [`Error::Internal`] if a file has no lists.
    pub(crate) async fn rows_by_group(&self, index: usize) -> Result<Vec<u64>> {
        let reading: Vec<_> = self
            .events_files()
            .map(|file| {
                let (location, file) = (self.location().clone(), Arc::clone(file));
                SpawnedTask::spawn(async move { counts(&location, &file, index).await })
            })
            .collect();
        let mut sums = vec![0];
        for task in reading {
            for (group, rows) in task.await.map_err(Error::internal)??.iter() {
                let at = *group as usize;
                if sums.len() <= at {
                    sums.resize(at + 1, 0);
                }
                if let Some(sum) = sums.get_mut(at) {
                    *sum += u64::from(*rows);
                }
            }
        }
        let all: u64 = self.events_files().map(|file| file.rows).sum();
        let without = all.saturating_sub(sums.iter().sum());
        if let Some(none) = sums.first_mut() {
            *none = without;
        }
        Ok(sums)
    }
}

/// The rows of a file that are of one of these groups (ascending refs), ascending.
///
/// # Errors
/// As [`Snapshot::rows_by_group`].
pub(crate) async fn rows_of(
    location: &Location,
    file: &Add,
    index: usize,
    groups: &[u32],
) -> Result<Vec<u32>> {
    let head = head(location, file).await?;
    let pages = head.pages.get(index).map(Vec::as_slice).unwrap_or_default();
    let mut places: Vec<usize> = groups
        .iter()
        .filter_map(|group| {
            let after = pages.partition_point(|page| page.first <= *group);
            after.checked_sub(1)
        })
        .collect();
    places.dedup();
    let pages = places.into_iter().filter_map(|at| pages.get(at));
    let reading: FuturesUnordered<_> = pages
        .map(|page| async {
            let blocks = futures::try_join!(
                block(location, file, page.counts),
                block(location, file, page.lists),
            )?;
            let is_wanted = |group| groups.binary_search(&group).is_ok();
            read_lists(page, (&blocks.0, &blocks.1), head.rows, is_wanted)
                .map_err(|reason| damaged(location, file, reason))
        })
        .collect();
    let mut rows = reading.try_concat().await?;
    rows.sort_unstable();
    Ok(rows)
}

/// Refs and rows of all groups of a type in one file.
async fn counts(location: &Location, file: &Add, index: usize) -> Result<Arc<Vec<(u32, u32)>>> {
    let read = async || {
        let head = head(location, file).await?;
        let pages = head.pages.get(index).map(Vec::as_slice).unwrap_or_default();
        let counts = all_counts(location, file, pages).await?;
        let bytes = counts.len() * size_of::<(u32, u32)>();
        Ok(Cached::new(counts, bytes))
    };
    let part = Part::GroupCounts(index);
    location.cache().get(&file.path, part, read).await
}

async fn all_counts(location: &Location, file: &Add, pages: &[Page]) -> Result<Vec<(u32, u32)>> {
    let (Some(first), Some(last)) = (pages.first(), pages.last()) else {
        return Ok(Vec::new());
    };
    let start = first.counts.offset;
    let end = last.counts.offset + u64::from(last.counts.length);
    let bytes = location.read_range(&file.path, start..end).await?;
    let mut counts = Vec::new();
    for page in pages {
        let from = page.counts.offset.saturating_sub(start) as usize;
        let of_page = bytes.get(from..from + page.counts.length as usize);
        let of_page = read_counts(page, of_page.unwrap_or_default());
        counts.extend(of_page.map_err(|reason| damaged(location, file, reason))?);
    }
    Ok(counts)
}

async fn head(location: &Location, file: &Add) -> Result<Arc<Head>> {
    let missing = || Error::internal(format!("{} has no rows by group", file.path));
    let at = at(file).ok_or_else(missing)?;
    let read = async || {
        let range = at.offset..at.offset + at.length;
        let bytes = location.read_range(&file.path, range).await?;
        if checksum(&bytes) != at.checksum {
            let reason = "its rows by group are not what was written";
            return Err(damaged(location, file, reason.into()));
        }
        let head = read_head(&bytes).map_err(|reason| damaged(location, file, reason))?;
        Ok(Cached::new(head, bytes.len()))
    };
    let part = Part::GroupRows;
    location.cache().get(&file.path, part, read).await
}

async fn block(location: &Location, file: &Add, block: Block) -> Result<Bytes> {
    let range = block.offset..block.offset + u64::from(block.length);
    location.read_range(&file.path, range).await
}

fn at(file: &Add) -> Option<&GroupRowsAt> {
    file.events.as_ref()?.group_rows.as_deref()
}

fn damaged(location: &Location, file: &Add, reason: String) -> Error {
    Error::corrupt(location.show(&file.path), reason)
}
