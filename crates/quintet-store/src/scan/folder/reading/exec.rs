//! The operator: each partition reads the row groups of its lot one after the other.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, stats::Precision};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::coop::cooperative;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet, RecordOutput,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::{StreamExt, TryStreamExt, stream};

use super::Piece;
use super::best::{Best, FirstOf};
use super::row_group::{Column, Wanted, lies_as_codes, open};
use crate::location::Location;
use crate::scan::first::First;
use crate::schema;

/// See the module above.
#[derive(Debug)]
pub(in crate::scan) struct FolderExec {
    location: Location,
    lots: Vec<Arc<[Piece]>>,
    wanted: Arc<Wanted>,
    first: Option<FirstOf>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl FolderExec {
    pub(super) fn new(location: Location, lots: Vec<Arc<[Piece]>>, wanted: Wanted) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&wanted.schema)),
            Partitioning::UnknownPartitioning(lots.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            location,
            lots,
            wanted: Arc::new(wanted),
            first: None,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The columns of texts that lie as codes in every row group to read, or nowhere.
    pub(in crate::scan) fn codable(&self) -> BTreeSet<usize> {
        let columns = self.wanted.columns.iter().enumerate();
        let is_codable = |column: &Column| match column {
            Column::Own(field) => {
                *field.data_type() == DataType::Utf8View
                    && lies_as_codes(self.row_groups(), field.name())
            }
            Column::Coded(_) | Column::Ids { .. } => false,
        };
        columns
            .filter(|(_, column)| is_codable(column))
            .map(|(at, _)| at)
            .collect()
    }

    /// The same with some of its columns of texts as dictionaries.
    pub(in crate::scan) fn with_codes(&self, columns: &BTreeSet<usize>) -> Self {
        let wanted = self.wanted.with_codes(columns);
        Self::new(self.location.clone(), self.lots.clone(), wanted)
    }

    /// The same rows, of which those that cannot be among the first ones of their partition by a column of times may be left out;
    /// none where some have no time, which comes before all others or after them.
    pub(in crate::scan) fn with_first(&self, first: First, column: usize) -> Option<Self> {
        let schema = self.schema();
        let field = schema.fields().get(column)?;
        let is_time = *field.data_type() == schema::timestamp_type();
        let mut pieces = self.row_groups();
        let has_all = pieces.all(|piece| !piece.file.may_be_null(piece.number, field.name()));
        if self.first.is_some() || !is_time || !has_all {
            return None;
        }
        let first = FirstOf {
            first,
            column,
            field: Arc::clone(field),
        };
        let lots = self.lots.iter();
        let lots = lots.map(|lot| Arc::from(first.in_order(lot)));
        Some(Self {
            location: self.location.clone(),
            lots: lots.collect(),
            wanted: Arc::clone(&self.wanted),
            first: Some(first),
            properties: Arc::clone(&self.properties),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    fn row_groups(&self) -> impl Iterator<Item = &Piece> {
        self.lots.iter().flat_map(|lot| lot.iter())
    }
}

impl DisplayAs for FolderExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let row_groups = self.row_groups().count();
        write!(f, "FolderExec: row_groups={row_groups}, {}", self.wanted)?;
        match &self.first {
            Some(of) => write!(f, ", {}", of.first),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for FolderExec {
    fn name(&self) -> &'static str {
        "FolderExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let lot = self.lots.get(partition).cloned().unwrap_or_default();
        let rows = context.session_config().batch_size().max(1);
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (location, wanted) = (self.location.clone(), Arc::clone(&self.wanted));
        let best = self.first.clone().map(Best::new).map(Arc::new);
        let met = best.clone();
        let batches = stream::iter(0..lot.len())
            .then(move |at| {
                let (location, wanted, lot) =
                    (location.clone(), Arc::clone(&wanted), Arc::clone(&lot));
                let best = best.clone();
                async move {
                    let may_be_in =
                        |piece: &&Piece| best.as_ref().is_none_or(|best| best.may_be_in(piece));
                    match lot.get(at).filter(may_be_in) {
                        Some(piece) => open(&location, piece, &wanted, rows).await,
                        None => Ok(None),
                    }
                }
            })
            .map_ok(|opened| stream::iter(opened.into_iter().flatten()))
            .try_flatten()
            .inspect_ok(move |batch| {
                if let Some(best) = &met {
                    best.add(batch);
                }
            })
            .map(move |batch| batch.record_output(&metrics))
            .boxed();
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(
            self.schema(),
            batches,
        ))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, _: Option<usize>) -> Result<Arc<Statistics>> {
        let rows = self.row_groups().filter_map(|piece| {
            let group = piece
                .file
                .footer
                .metadata()
                .row_groups()
                .get(piece.number)?;
            Some(group.num_rows().max(0) as usize)
        });
        Ok(Arc::new(Statistics {
            num_rows: Precision::Inexact(rows.sum()),
            ..Statistics::new_unknown(&self.schema())
        }))
    }
}
