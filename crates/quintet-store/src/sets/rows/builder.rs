//! Gathers the refs of a file's rows, and sorts the rows by them when the last one has come.

use datafusion::arrow::record_batch::RecordBatch;

use super::{GroupRows, TypeRows};
use crate::files::batch::refs;
use crate::schema::{GROUP_REFS, GROUP_TYPES};

/// Refs up to so many times the rows are counted in an array; a few rows of very many groups are sorted instead.
const MAX_SPARSENESS: usize = 16;

/// The refs of the rows so far, by type; empty as long as no row has a group of the type.
#[derive(Default)]
pub(crate) struct GroupRowsBuilder {
    rows: usize,
    refs: [Vec<u32>; GROUP_TYPES],
}

impl GroupRowsBuilder {
    /// Takes the next rows of a file in, or says why they are no events.
    pub(crate) fn note(&mut self, batch: &RecordBatch) -> Result<(), String> {
        for (known, name) in self.refs.iter_mut().zip(GROUP_REFS) {
            let column = refs(batch, name)?.values();
            if known.is_empty() && column.iter().all(|group| *group == 0) {
                continue;
            }
            known.resize(self.rows, 0);
            known.extend_from_slice(column);
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    /// The rows by group.
    pub(crate) fn finish(self) -> GroupRows {
        GroupRows {
            // Files hold far fewer rows.
            rows: u32::try_from(self.rows).unwrap_or(u32::MAX),
            by_type: self.refs.map(|refs| by_group(&refs)),
        }
    }
}

fn by_group(refs: &[u32]) -> TypeRows {
    let most = refs.iter().copied().max().unwrap_or(0) as usize;
    if most / MAX_SPARSENESS > refs.len() {
        return sorted(refs);
    }
    // Where the rows of each ref begin: ref 0 has none.
    let mut places = vec![0u32; most + 1];
    for group in refs.iter().filter(|group| **group != 0) {
        places[*group as usize] += 1;
    }
    let groups = (0u32..).zip(&places);
    let groups = groups.filter_map(|(group, rows)| (*rows > 0).then_some((group, *rows)));
    let groups: Vec<(u32, u32)> = groups.collect();
    let mut start = 0;
    for place in &mut places {
        start += std::mem::replace(place, start);
    }
    let mut rows = vec![0u32; start as usize];
    for (row, group) in (0u32..).zip(refs) {
        if *group != 0 {
            let place = &mut places[*group as usize];
            rows[*place as usize] = row;
            *place += 1;
        }
    }
    TypeRows { groups, rows }
}

fn sorted(refs: &[u32]) -> TypeRows {
    let rows = (0u32..).zip(refs).filter(|(_, group)| **group != 0);
    let mut pairs: Vec<(u32, u32)> = rows.map(|(row, group)| (*group, row)).collect();
    pairs.sort_unstable();
    let runs = pairs.chunk_by(|one, other| one.0 == other.0);
    let count = |run: &[(u32, u32)]| Some((run.first()?.0, run.len() as u32));
    TypeRows {
        groups: runs.filter_map(count).collect(),
        rows: pairs.iter().map(|(_, row)| *row).collect(),
    }
}
