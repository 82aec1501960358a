//! The operator: each partition reads its segments one after the other.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Statistics, internal_datafusion_err, stats::Precision};
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

use super::Segment;
use super::names::Names;
use super::read::{batches, codes};
use crate::error::Error;
use crate::location::Location;
use crate::scan::codes::with_codes;
use crate::schema;

/// See the module above.
#[derive(Debug)]
pub(in crate::scan) struct RunsExec {
    location: Location,
    names: Names,
    lots: Vec<Arc<[Segment]>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl RunsExec {
    pub(super) fn new(
        location: Location,
        schema: SchemaRef,
        names: Names,
        lots: Vec<Vec<Segment>>,
    ) -> Self {
        Self {
            location,
            names,
            properties: properties(schema, lots.len()),
            lots: lots.into_iter().map(Arc::from).collect(),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// The columns that can be handed over as codes: what texts there are of them is little beside the rows.
    pub(in crate::scan) fn codable(&self) -> BTreeSet<usize> {
        let is_codable = |field: &FieldRef| {
            let name = field.name();
            let few = name == schema::EVENT || name.starts_with(schema::PROMOTED_PREFIX);
            few && *field.data_type() == DataType::Utf8View
        };
        let schema = self.schema();
        let fields = schema.fields().iter().enumerate();
        fields
            .filter(|(_, field)| is_codable(field))
            .map(|(at, _)| at)
            .collect()
    }

    /// The same with some of its columns of texts as dictionaries.
    pub(in crate::scan) fn with_codes(&self, columns: &BTreeSet<usize>) -> Self {
        let schema = with_codes(&self.schema(), columns, &codes());
        Self {
            location: self.location.clone(),
            names: self.names.clone(),
            lots: self.lots.clone(),
            properties: properties(schema, self.lots.len()),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    fn rows(&self) -> usize {
        let segments = self.lots.iter().flat_map(|lot| lot.iter());
        segments.map(|segment| segment.rows.len()).sum()
    }
}

impl DisplayAs for RunsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let segments: usize = self.lots.iter().map(|lot| lot.len()).sum();
        let schema = self.schema();
        let columns: Vec<&str> = schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .collect();
        write!(
            f,
            "RunsExec: events={:?}, rows={}, segments={segments}, columns=[{}]",
            self.names,
            self.rows(),
            columns.join(", ")
        )
    }
}

impl ExecutionPlan for RunsExec {
    fn name(&self) -> &'static str {
        "RunsExec"
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
        let (location, schema) = (self.location.clone(), self.schema());
        let batches = stream::iter(0..lot.len())
            .map(move |at| {
                let (location, schema, lot) =
                    (location.clone(), Arc::clone(&schema), Arc::clone(&lot));
                async move {
                    let segment = lot
                        .get(at)
                        .ok_or_else(|| internal_datafusion_err!("no segment"));
                    let batches = batches(&location, segment?, &schema, rows).await;
                    let batches = batches.map_err(external)?;
                    Ok::<_, DataFusionError>(stream::iter(batches.map(|one| one.map_err(external))))
                }
            })
            // The bytes of the next segment are fetched while this one is decoded.
            .buffered(2)
            .try_flatten()
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

    fn partition_statistics(&self, partition: Option<usize>) -> Result<Arc<Statistics>> {
        let lots = match partition {
            None => self.lots.as_slice(),
            Some(partition) => self.lots.get(partition..=partition).unwrap_or_default(),
        };
        let segments = || lots.iter().flat_map(|lot| lot.iter());
        let rows = segments().map(|segment| segment.rows.len()).sum();
        // What bounds of time leave of a segment is known when it is read.
        let num_rows = match segments().any(|segment| segment.cut.is_some()) {
            true => Precision::Inexact(rows),
            false => Precision::Exact(rows),
        };
        Ok(Arc::new(Statistics {
            num_rows,
            ..Statistics::new_unknown(&self.schema())
        }))
    }
}

fn properties(schema: SchemaRef, partitions: usize) -> Arc<PlanProperties> {
    Arc::new(PlanProperties::new(
        EquivalenceProperties::new(schema),
        Partitioning::UnknownPartitioning(partitions),
        EmissionType::Incremental,
        Boundedness::Bounded,
    ))
}

fn external(error: Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
