//! Persons and groups as tables that are read when somebody scans them: most questions never do.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::{MemTable, TableType};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;

use super::Entities;
use crate::schema;
use crate::snapshot::Snapshot;

/// One of the tables of persons and groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntityTable {
    /// [`Entities::persons`].
    Persons,
    /// [`Entities::person_distinct_ids`].
    DistinctIds,
    /// [`Entities::person_overrides`].
    Overrides,
    /// [`Entities::groups`].
    Groups,
    /// [`Entities::group_types`].
    GroupTypes,
}

impl EntityTable {
    fn schema(self) -> SchemaRef {
        match self {
            Self::Persons => schema::persons(),
            Self::DistinctIds => schema::person_distinct_ids(),
            Self::Overrides => schema::person_overrides(),
            Self::Groups => schema::groups(),
            Self::GroupTypes => schema::group_types(),
        }
    }

    fn rows(self, entities: &Entities) -> crate::Result<&RecordBatch> {
        match self {
            Self::Persons => entities.persons(),
            Self::DistinctIds => entities.person_distinct_ids(),
            Self::Overrides => entities.person_overrides(),
            Self::Groups => entities.groups(),
            Self::GroupTypes => entities.group_types(),
        }
    }
}

impl Snapshot {
    /// A table of persons or groups of this version; nothing is read before it is scanned.
    pub fn entity_table(self: &Arc<Self>, table: EntityTable) -> Arc<dyn TableProvider> {
        Arc::new(LazyTable {
            snapshot: Arc::clone(self),
            table,
        })
    }
}

#[derive(Debug)]
struct LazyTable {
    snapshot: Arc<Snapshot>,
    table: EntityTable,
}

#[async_trait]
impl TableProvider for LazyTable {
    fn schema(&self) -> SchemaRef {
        self.table.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let external = |error: crate::Error| DataFusionError::External(Box::new(error));
        let entities = self.snapshot.entities().await.map_err(external)?;
        let rows = self.table.rows(entities).map_err(external)?;
        let rows = MemTable::try_new(self.schema(), vec![vec![rows.clone()]])?;
        rows.scan(state, projection, filters, limit).await
    }
}
