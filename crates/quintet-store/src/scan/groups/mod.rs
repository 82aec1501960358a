//! Events as SQL reads them of a store: rows of the groups that are asked for by their lists, all else by the stock scan.
//!
//! ```text
//! "$group_0" = 'K'  ─keys─► ref ─lists of each file─► row numbers ─► RowsExec: those rows of those columns
//!                                                       │ ORDER BY timestamp LIMIT n: times first, then the rest of n rows
//! ```
//! - [`EventsByGroup`] is the table. A conjunct about keys of groups (`=`, `IN`, `OR` of the same type) is answered exactly, by choosing
//!   rows; other conjuncts stay filters above. Where a plan has none, or a file has no lists, the stock scan reads.
//! - [`RowsExec`] reads chosen rows. Ids of persons and keys of groups are not read but looked up by their refs.
//! - [`FirstRows`](super::FirstRows) tells it that only the first rows by time are wanted.
//! - [`GroupsByRef`] has groups counted by their refs and named last, or not counted at all where the lists know.
//!
//! A group type that took a used index hides older keys by an expression over the column: what is asked of it is no plain column then, and
//! none of this applies.

mod by_ref;
mod counts;
mod exec;
mod filter;
mod read;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::runtime::SpawnedTask;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;

pub use by_ref::GroupsByRef;

use super::runs::{Names, Times, named, stretches};
use super::{ScanOptions, StoredEvents};
use crate::log::Add;
use crate::sets::rows::rows_of;
use crate::snapshot::Snapshot;
pub(super) use exec::RowsExec;
use filter::Keys;

/// Rows that are read at a time of a file.
const ROWS_AT_A_TIME: usize = 16_384;

/// The events of a snapshot.
#[derive(Debug)]
pub(crate) struct EventsByGroup {
    snapshot: Arc<Snapshot>,
    stock: StoredEvents,
    has_lists: bool,
}

/// Rows of one file, ascending.
#[derive(Debug, Clone)]
struct Chosen {
    file: Arc<Add>,
    rows: Arc<[u32]>,
}

impl EventsByGroup {
    pub(crate) fn of(snapshot: Arc<Snapshot>, options: ScanOptions) -> Self {
        Self {
            stock: snapshot.stock_events(options),
            has_lists: snapshot.has_group_rows(),
            snapshot,
        }
    }

    /// The rows of these groups with one of these names.
    async fn choose(&self, groups: &[Keys], names: &Names, times: &Times) -> Result<Vec<Chosen>> {
        let mut refs = Vec::with_capacity(groups.len());
        for keys in groups {
            refs.push((keys.index, self.refs(keys).await?));
        }
        let refs: Arc<[(usize, Vec<u32>)]> = Arc::from(refs);
        let mut reading = Vec::new();
        for file in self.snapshot.events_files() {
            let may_match = file
                .events
                .as_ref()
                .is_none_or(|known| times.may_be_in(known.min_timestamp, known.max_timestamp));
            let ranges = stretches(file, names)
                .into_iter()
                .map(|stretch| stretch.rows);
            let ranges: Vec<_> = ranges.collect();
            if !may_match || ranges.is_empty() {
                continue;
            }
            let (refs, location) = (Arc::clone(&refs), self.snapshot.location().clone());
            let file = Arc::clone(file);
            reading.push(SpawnedTask::spawn(async move {
                let mut rows: Option<Vec<u32>> = None;
                for (index, groups) in refs.iter() {
                    let theirs = rows_of(&location, &file, *index, groups).await?;
                    rows = Some(match rows {
                        None => theirs,
                        Some(rows) => both(&rows, &theirs),
                    });
                }
                let is_in = |row: &u32| {
                    ranges
                        .iter()
                        .any(|range: &Range<u64>| range.contains(&u64::from(*row)))
                };
                let rows: Vec<u32> = rows.unwrap_or_default().into_iter().filter(is_in).collect();
                Ok::<_, crate::Error>((file, rows))
            }));
        }
        let mut chosen = Vec::new();
        for task in reading {
            let joined = task
                .await
                .map_err(|e| DataFusionError::External(Box::new(e)))?;
            let (file, rows) = joined.map_err(external)?;
            chosen.extend(rows.chunks(ROWS_AT_A_TIME).map(|rows| Chosen {
                file: Arc::clone(&file),
                rows: Arc::from(rows),
            }));
        }
        Ok(chosen)
    }

    /// The refs of keys, ascending.
    async fn refs(&self, keys: &Keys) -> Result<Vec<u32>> {
        let known = self
            .snapshot
            .group_keys(keys.index)
            .await
            .map_err(external)?;
        let all = (0u32..).zip(known);
        let wanted = all.filter_map(|(r, key)| keys.keys.contains(key?).then_some(r));
        Ok(wanted.collect())
    }
}

/// What is in both of two ascending lists.
fn both(one: &[u32], other: &[u32]) -> Vec<u32> {
    let other: BTreeSet<u32> = other.iter().copied().collect();
    one.iter()
        .filter(|row| other.contains(row))
        .copied()
        .collect()
}

fn external(error: crate::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

#[async_trait]
impl TableProvider for EventsByGroup {
    fn schema(&self) -> SchemaRef {
        self.stock.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        self.stock.statistics()
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match filter::keys(filter) {
            Some(_) if self.has_lists => TableProviderFilterPushDown::Exact,
            _ => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let groups: Vec<Keys> = filters.iter().filter_map(filter::keys).collect();
        if groups.is_empty() || !self.has_lists {
            return self.stock.scan(state, projection, filters, limit).await;
        }
        let names = filters
            .iter()
            .filter_map(named)
            .fold(Names::Any, Names::and);
        let chosen = self.choose(&groups, &names, &Times::of(filters)).await?;
        let columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..self.schema().fields().len()).collect(),
        };
        let lots = deal(chosen, state.config().target_partitions());
        let schema = Arc::new(self.schema().project(&columns)?);
        Ok(Arc::new(RowsExec::new(
            Arc::clone(&self.snapshot),
            schema,
            groups,
            lots,
        )))
    }
}

/// What is chosen in at most so many lots of about the same number of files, for whole columns of them are gone through.
fn deal(chosen: Vec<Chosen>, lots: usize) -> Vec<Vec<Chosen>> {
    let mut dealt = vec![Vec::new(); lots.clamp(1, chosen.len().max(1))];
    let lots = dealt.len();
    for (at, chosen) in chosen.into_iter().enumerate() {
        if let Some(lot) = dealt.get_mut(at % lots) {
            lot.push(chosen);
        }
    }
    dealt
}
