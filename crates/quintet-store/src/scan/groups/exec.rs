//! `RowsExec`: chosen rows of files. Each partition reads its files one after the other.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, stats::Precision};
use datafusion::error::{DataFusionError, Result};
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

use super::filter::Keys;
use super::read::{columns, first};
use super::{Chosen, external};
use crate::scan::first::First;
use crate::snapshot::Snapshot;

/// See the module above.
#[derive(Debug, Clone)]
pub(in crate::scan) struct RowsExec {
    snapshot: Arc<Snapshot>,
    groups: Vec<Keys>,
    lots: Vec<Arc<[Chosen]>>,
    first: Option<First>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RowsExec {
    pub(super) fn new(
        snapshot: Arc<Snapshot>,
        schema: SchemaRef,
        groups: Vec<Keys>,
        lots: Vec<Vec<Chosen>>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(lots.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self {
            snapshot,
            groups,
            lots: lots.into_iter().map(Arc::from).collect(),
            first: None,
            properties: Arc::new(properties),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The same rows, of which those that cannot be among the first ones of their partition by time may be left out.
    pub(in crate::scan) fn with_first(&self, first: First) -> Self {
        Self {
            first: Some(first),
            ..self.clone()
        }
    }

    pub(in crate::scan) fn first(&self) -> Option<First> {
        self.first
    }

    fn rows(&self) -> usize {
        let chosen = self.lots.iter().flat_map(|lot| lot.iter());
        chosen.map(|chosen| chosen.rows.len()).sum()
    }
}

impl DisplayAs for RowsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let schema = self.schema();
        let names = schema.fields().iter().map(|field| field.name().as_str());
        let columns = names.collect::<Vec<_>>().join(", ");
        write!(f, "RowsExec: groups=[")?;
        for (at, keys) in self.groups.iter().enumerate() {
            let comma = if at > 0 { ", " } else { "" };
            write!(f, "{comma}{}:{:?}", keys.index, keys.keys)?;
        }
        write!(f, "], rows={}, columns=[{columns}]", self.rows())?;
        match self.first {
            Some(first) => write!(f, ", {first}"),
            None => Ok(()),
        }
    }
}

impl ExecutionPlan for RowsExec {
    fn name(&self) -> &'static str {
        "RowsExec"
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

    fn execute(&self, partition: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let lot = self.lots.get(partition).cloned().unwrap_or_default();
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let (snapshot, schema, wanted) = (Arc::clone(&self.snapshot), self.schema(), self.first);
        let narrowed = {
            let snapshot = Arc::clone(&snapshot);
            async move {
                let lot = match wanted {
                    Some(wanted) => first(&snapshot, &lot, wanted).await.map_err(external)?,
                    None => lot.to_vec(),
                };
                Ok::<_, DataFusionError>(stream::iter(lot).map(Ok))
            }
        };
        let batches = stream::once(narrowed)
            .try_flatten()
            .map_ok(move |chosen| {
                let (snapshot, schema) = (Arc::clone(&snapshot), Arc::clone(&schema));
                async move { columns(&snapshot, &chosen, &schema).await.map_err(external) }
            })
            // The bytes of the next file are fetched while this one is decoded.
            .try_buffered(2)
            .map(move |batch: Result<RecordBatch>| batch.record_output(&metrics))
            .boxed();
        Ok(Box::pin(cooperative(RecordBatchStreamAdapter::new(
            self.schema(),
            batches,
        ))))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let rows = match partition {
            None => self.rows(),
            Some(partition) => self
                .lots
                .get(partition)
                .map_or(0, |lot| lot.iter().map(|chosen| chosen.rows.len()).sum()),
        };
        let rows = match self.first {
            None => Precision::Exact(rows),
            Some(_) => Precision::Inexact(rows),
        };
        Ok(Arc::new(Statistics {
            num_rows: rows,
            ..Statistics::new_unknown(&self.schema())
        }))
    }
}
