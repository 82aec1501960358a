//! The scan of a store's own fast path: reads the rows of the events that are asked for and no others, and keeps what it has decoded.
//!
//! ```text
//! file, in the order (event, time)   │ a a a a │ b b b b b b b b b b b b b b b │ c c │      rows by name, from the log
//! row groups                         │          0          │          1          │   2  …
//! asked for b                                     └ segment ┘└     segment    ┘
//! ```
//! The log says how many rows each event has in a file, so that the rows of an event are known before the file is opened: the
//! condition on the name is answered by choosing rows, never compared. A [`Segment`] is such a range within one row group; those whose
//! row group has no time in the range asked for are left out. Segments are dealt out to as many partitions as there are threads.
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
use datafusion::common::stats::Precision;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use futures::{StreamExt, TryStreamExt, stream};

use crate::location::Location;
use crate::log::Add;
use crate::snapshot::Snapshot;
use exec::RunsExec;
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

/// Neighbouring rows of one row group; of one event, if that is known.
#[derive(Debug, Clone)]
struct Segment {
    file: Arc<Add>,
    footer: Arc<Footer>,
    event: Option<Arc<str>>,
    row_group: usize,
    /// Within the row group.
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
            let runs = runs(file, names);
            let may_match = times.may_be_in(known.min_timestamp, known.max_timestamp);
            (may_match && !runs.is_empty()).then_some((file, runs))
        });
        let opened: Vec<_> = wanted
            .map(|(file, runs)| async move {
                let footer = Footer::of(&self.location, file).await?;
                Ok::<_, crate::Error>((file, footer, runs))
            })
            .collect();
        let opened: Vec<_> = stream::iter(opened)
            .buffered(FOOTERS_AT_A_TIME)
            .try_collect()
            .await
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        let mut segments = Vec::new();
        for (file, footer, runs) in opened {
            for (event, rows) in runs {
                for (row_group, rows) in footer.cut(&rows, times) {
                    segments.push(Segment {
                        file: Arc::clone(file),
                        footer: Arc::clone(&footer),
                        event: event.clone(),
                        row_group,
                        rows,
                    });
                }
            }
        }
        Ok(segments)
    }
}

/// The ranges of a file's rows with these names; one of all rows where any will do.
pub(super) fn runs(file: &Add, names: &Names) -> Vec<(Option<Arc<str>>, Range<u64>)> {
    let known = file
        .events
        .as_ref()
        .and_then(|events| events.names.as_ref());
    let (Names::These(wanted), Some(known)) = (names, known) else {
        return vec![(None, 0..file.rows)];
    };
    let mut start = 0;
    let mut runs = Vec::new();
    for (name, rows) in known {
        if wanted.contains(name) {
            runs.push((Some(Arc::from(name.as_str())), start..start + rows));
        }
        start += rows;
    }
    runs
}

/// Segments in at most so many lots of about the same number of rows.
fn deal(mut segments: Vec<Segment>, lots: usize) -> Vec<Vec<Segment>> {
    segments.sort_by_key(|segment| std::cmp::Reverse(segment.rows.len()));
    let mut dealt: Vec<(usize, Vec<Segment>)> =
        vec![(0, Vec::new()); lots.clamp(1, segments.len().max(1))];
    for segment in segments {
        if let Some((rows, lot)) = dealt.iter_mut().min_by_key(|(rows, _)| *rows) {
            *rows += segment.rows.len();
            lot.push(segment);
        }
    }
    dealt.into_iter().map(|(_, lot)| lot).collect()
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
        let knows_names = self.knows_names();
        let support = |filter: &&Expr| match names::of(filter) {
            Some(_) if knows_names => TableProviderFilterPushDown::Exact,
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
