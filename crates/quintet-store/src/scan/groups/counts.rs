//! What the store knows of the groups of a type without reading events: their keys by ref, and their rows by key. Nothing is read before
//! it is run.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, Int64Array, UInt32Array};
use datafusion::arrow::compute::{TakeOptions, take};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::project_schema;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::stream;

use super::external;
use crate::snapshot::Snapshot;

/// Dense ref; of [`Known::Keys`].
pub(super) const REF: &str = "ref";
/// Key; null for no group.
pub(super) const KEY: &str = "key";
/// Number of rows; of [`Known::Rows`].
pub(super) const ROWS: &str = "rows";

/// Which table it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// `ref, key` of every group that ever was.
    Keys,
    /// `key, rows` of every group that has rows.
    Rows {
        /// Is there one of a null for the rows without a group?
        with_none: bool,
    },
}

/// What is known of the groups of one type.
#[derive(Debug, Clone)]
pub(super) struct KnownGroups {
    pub(super) snapshot: Arc<Snapshot>,
    /// 0 to 4.
    pub(super) index: usize,
    pub(super) known: Known,
}

impl KnownGroups {
    async fn rows(&self) -> Result<RecordBatch> {
        let keys = self
            .snapshot
            .group_keys(self.index)
            .await
            .map_err(external)?;
        let columns: Vec<ArrayRef> = match self.known {
            Known::Keys => {
                let refs = (0u32..).zip(keys).filter_map(|(r, key)| key.map(|_| r));
                let refs = UInt32Array::from_iter_values(refs);
                let keys = take(keys, &refs, None)?;
                vec![Arc::new(refs), keys]
            }
            Known::Rows { with_none } => {
                let counts = self.snapshot.rows_by_group(self.index);
                let counts = counts.await.map_err(external)?;
                let wanted = |(r, rows): &(u32, &u64)| **rows > 0 && (*r > 0 || with_none);
                let counts: Vec<(u32, i64)> = (0u32..)
                    .zip(&counts)
                    .filter(wanted)
                    .map(|(r, rows)| (r, i64::try_from(*rows).unwrap_or(i64::MAX)))
                    .collect();
                // A ref beyond the known keys would be damage, and is found by `take`.
                let refs = counts.iter().map(|(r, _)| *r);
                let refs = UInt32Array::from_iter_values(refs);
                let options = TakeOptions { check_bounds: true };
                let keys = take(keys, &refs, Some(options))?;
                let rows = counts.iter().map(|(_, rows)| *rows);
                vec![keys, Arc::new(Int64Array::from_iter_values(rows))]
            }
        };
        Ok(RecordBatch::try_new(self.schema(), columns)?)
    }
}

#[async_trait]
impl TableProvider for KnownGroups {
    fn schema(&self) -> SchemaRef {
        let key = |nullable| Field::new(KEY, DataType::Utf8View, nullable);
        Arc::new(Schema::new(match self.known {
            Known::Keys => vec![Field::new(REF, DataType::UInt32, false), key(false)],
            Known::Rows { .. } => vec![key(true), Field::new(ROWS, DataType::Int64, false)],
        }))
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = project_schema(&self.schema(), projection)?;
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        Ok(Arc::new(KnownGroupsExec {
            groups: self.clone(),
            projection: projection.cloned(),
            properties: Arc::new(properties),
        }))
    }
}

/// Reads what is known when it is run.
#[derive(Debug)]
struct KnownGroupsExec {
    groups: KnownGroups,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for KnownGroupsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.groups.known {
            Known::Keys => "keys",
            Known::Rows { .. } => "rows",
        };
        write!(f, "KnownGroupsExec: type={}, {what}", self.groups.index)
    }
}

impl ExecutionPlan for KnownGroupsExec {
    fn name(&self) -> &'static str {
        "KnownGroupsExec"
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

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (groups, projection) = (self.groups.clone(), self.projection.clone());
        let batch_size = context.session_config().batch_size().max(1);
        let schema = self.schema();
        let read = async move {
            let rows = groups.rows().await?;
            let rows = match projection {
                Some(columns) => rows.project(&columns)?,
                None => rows,
            };
            let all = rows.num_rows();
            let starts = (0..all).step_by(batch_size);
            let slices = starts.map(move |at| Ok(rows.slice(at, batch_size.min(all - at))));
            Ok::<_, datafusion::error::DataFusionError>(stream::iter(slices))
        };
        let batches = futures::TryStreamExt::try_flatten(stream::once(read));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }
}
