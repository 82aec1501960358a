//! The scan of a store's own fast path: reads the rows of the events that are asked for and no others, and keeps what it has decoded.
//!
//! ```text
//! file, in the order (event, time)   │ a a a a │ b b b b b b b b b b b b b b b │ c c │      rows by name, from the log
//! row groups                         │          0          │          1          │   2  …
//! asked for b                                     └ segment ┘└     segment    ┘
//! ```
//! The log says how many rows each event has in a file, so that the rows of an event are known before the file is opened: the
//! condition on the name is answered by choosing rows, never compared. A [`Segment`] is such a range within one row group; those whose
//! row group has no time in the range asked for are left out. Within a segment the rows of each event are a run in order of time, so
//! that bounds of time cut a run in two places and are not compared either; and no batch has rows of two events. Segments are dealt
//! out to as many partitions as there are threads.
//!
//! It gives the same rows as the stock scan ([`super::EventsTable`]), in the same types; but being an operator of our own, it stays
//! where it was planned.

mod exec;
mod names;
mod read;

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::stats::Precision;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use futures::{StreamExt, TryStreamExt, stream};

use crate::location::Location;
use crate::log::Add;
use crate::snapshot::Snapshot;
pub(super) use exec::RunsExec;
pub(super) use names::{Names, Times, of as named};
pub(super) use read::Footer;

/// Footers read at a time.
const FOOTERS_AT_A_TIME: usize = 8;

/// The events of a snapshot, read run by run.
#[derive(Debug)]
pub(crate) struct RunsTable {
    location: Location,
    schema: SchemaRef,
    files: Vec<Arc<Add>>,
}

/// Neighbouring rows of one row group.
#[derive(Debug, Clone)]
struct Segment {
    file: Arc<Add>,
    footer: Arc<Footer>,
    row_group: usize,
    /// Within the row group.
    rows: Range<usize>,
    /// Which of these rows each event has, if that is known.
    runs: Option<Vec<Run>>,
    /// The times to be left of every run, if there may be others.
    cut: Option<Times>,
}

/// The rows of an event.
#[derive(Debug, Clone)]
struct Run {
    event: Arc<str>,
    /// Within the segment.
    rows: Range<usize>,
}

impl RunsTable {
    pub(crate) fn of(snapshot: &Snapshot) -> Self {
        Self {
            location: snapshot.location().clone(),
            schema: snapshot.events_schema(),
            files: snapshot.events_files().map(Arc::clone).collect(),
        }
    }

    /// Does the log say where each event is, in every file?
    fn knows_names(&self) -> bool {
        let names = |file: &Arc<Add>| file.events.as_ref()?.names.as_ref().map(drop);
        self.files.iter().all(|file| names(file).is_some())
    }

    /// The segments with rows that are asked for.
    async fn segments(&self, names: &Names, times: &Times) -> Result<Vec<Segment>> {
        let wanted = self.files.iter().filter_map(|file| {
            let known = file.events.as_ref()?;
            let runs = stretches(file, names);
            let may_match = times.may_be_in(known.min_timestamp, known.max_timestamp);
            (may_match && !runs.is_empty()).then_some((file, runs))
        });
        // Each a task of its own: parsing footers takes all threads there are.
        let opened: Vec<_> = wanted
            .map(|(file, runs)| {
                let (location, file) = (self.location.clone(), Arc::clone(file));
                async move {
                    let opened = Arc::clone(&file);
                    let footer =
                        SpawnedTask::spawn(async move { Footer::of(&location, &opened).await });
                    let footer = footer.await.map_err(crate::Error::internal)?;
                    Ok::<_, crate::Error>((file, footer?, runs))
                }
            })
            .collect();
        let opened: Vec<_> = stream::iter(opened)
            .buffered(FOOTERS_AT_A_TIME)
            .try_collect()
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let mut segments = Vec::new();
        for (file, footer, stretches) in opened {
            for stretch in stretches {
                for (row_group, first, rows, is_within) in
                    footer.row_groups_of(&stretch.rows, times)
                {
                    let runs = stretch
                        .runs
                        .as_ref()
                        .map(|runs| within(runs, first, rows.len()));
                    segments.push(Segment {
                        file: Arc::clone(&file),
                        footer: Arc::clone(&footer),
                        row_group,
                        rows,
                        cut: (runs.is_some() && !is_within).then_some(*times),
                        runs,
                    });
                }
            }
        }
        Ok(segments)
    }
}

/// Neighbouring rows of a file, and which of them each event has, if that is known.
pub(super) struct Stretch {
    pub(super) rows: Range<u64>,
    /// Within the file.
    runs: Option<Vec<(Arc<str>, Range<u64>)>>,
}

/// The rows of a file with these names: as many stretches as there are names; one where any name will do.
pub(super) fn stretches(file: &Add, names: &Names) -> Vec<Stretch> {
    let known = file
        .events
        .as_ref()
        .and_then(|events| events.names.as_ref());
    let Some(known) = known else {
        return vec![Stretch {
            rows: 0..file.rows,
            runs: None,
        }];
    };
    let mut start = 0;
    let runs = known.iter().map(|(name, rows)| {
        let rows = start..start + rows;
        start = rows.end;
        (Arc::from(name.as_str()), rows)
    });
    match names {
        Names::Any => vec![Stretch {
            runs: Some(runs.collect()),
            rows: 0..file.rows,
        }],
        Names::These(wanted) => runs
            .filter(|(name, _): &(Arc<str>, _)| wanted.contains(&**name))
            .map(|(name, rows)| Stretch {
                rows: rows.clone(),
                runs: Some(vec![(name, rows)]),
            })
            .collect(),
    }
}

/// What runs have of so many rows of a file from `first` on.
fn within(runs: &[(Arc<str>, Range<u64>)], first: u64, rows: usize) -> Vec<Run> {
    let end = first + rows as u64;
    let runs = runs.iter().filter_map(|(event, run)| {
        let (from, to) = (run.start.max(first), run.end.min(end));
        (from < to).then(|| Run {
            event: Arc::clone(event),
            rows: (from - first) as usize..(to - first) as usize,
        })
    });
    runs.collect()
}

/// Segments in at most so many lots of about the same number of rows; each lot in the order of files, which is mostly that of time.
fn deal(segments: Vec<Segment>, lots: usize) -> Vec<Vec<Segment>> {
    let lots = lots.clamp(1, segments.len().max(1));
    let mut by_size: Vec<(usize, Segment)> = segments.into_iter().enumerate().collect();
    by_size.sort_by_key(|(_, segment)| std::cmp::Reverse(segment.rows.len()));
    let mut dealt: Vec<(usize, Vec<(usize, Segment)>)> = vec![(0, Vec::new()); lots];
    for (place, segment) in by_size {
        if let Some((rows, lot)) = dealt.iter_mut().min_by_key(|(rows, _)| *rows) {
            *rows += segment.rows.len();
            lot.push((place, segment));
        }
    }
    let in_order = |(_, mut lot): (usize, Vec<(usize, Segment)>)| {
        lot.sort_by_key(|(place, _)| *place);
        lot.into_iter().map(|(_, segment)| segment).collect()
    };
    dealt.into_iter().map(in_order).collect()
}

#[async_trait]
impl TableProvider for RunsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        let rows: u64 = self.files.iter().map(|file| file.rows).sum();
        Some(Statistics {
            num_rows: Precision::Exact(rows as usize),
            ..Statistics::new_unknown(&self.schema)
        })
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        let is_by_name = self.knows_names() && filters.iter().any(|one| names::of(one).is_some());
        let support =
            |filter: &&Expr| match names::of(filter).is_some() || Times::bound(filter).is_some() {
                true if is_by_name => TableProviderFilterPushDown::Exact,
                _ => TableProviderFilterPushDown::Inexact,
            };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let names = filters
            .iter()
            .filter_map(names::of)
            .fold(Names::Any, Names::and);
        let times = Times::of(filters);
        let segments = self.segments(&names, &times).await?;
        let lots = deal(segments, state.config().target_partitions());
        let columns = match projection {
            Some(columns) => columns.clone(),
            None => (0..self.schema.fields().len()).collect(),
        };
        let schema = Arc::new(self.schema.project(&columns)?);
        Ok(Arc::new(RunsExec::new(
            self.location.clone(),
            schema,
            names,
            lots,
        )))
    }
}
