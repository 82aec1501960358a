//! The events of a store as a table: the stock scan of its files, and above it the columns that files have in another form
//! ([`crate::files::stored`]), if they are asked for.
//!
//! ```text
//! asked for: event, uuid             ProjectionExec: event, uuid_text(uuid_high, uuid_low)
//!                                      DataSourceExec: event, uuid_high, uuid_low
//! asked for: properties              UnionExec, where files have different promoted columns
//!                                      ProjectionExec: told_properties(properties, 'plan', p.plan, …)
//!                                        DataSourceExec: properties, p.plan, …
//! ```

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::stats::Precision;
use datafusion::common::{Statistics, project_schema};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, ScalarUDF, TableProviderFilterPushDown};
use datafusion::physical_expr::expressions::{col, lit};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::union::UnionExec;
use object_store::ObjectMeta;

use super::functions::{told_properties, uuid_text};
use super::{EventsTable, ScanFile, ScanOptions, from_log};
use crate::files::stored::{is_stored, needed, promoted_of, stored_columns};
use crate::location::Location;
use crate::log::Add;
use crate::schema::{self, Promoted};

/// A file of a store, live or just lying there.
#[derive(Debug, Clone)]
pub(crate) struct StoredFile {
    kind: Kind,
    /// The properties that have columns in it.
    promoted: Vec<Promoted>,
}

#[derive(Debug, Clone)]
enum Kind {
    Live(Location, Arc<Add>),
    /// So many rows, of which no log tells.
    Lying(ObjectMeta, usize),
}

impl StoredFile {
    /// As the log has it.
    pub(crate) fn live(location: &Location, file: &Arc<Add>) -> Self {
        let events = file.events.as_ref();
        Self {
            promoted: events.map_or_else(Vec::new, |events| events.columns.clone()),
            kind: Kind::Live(location.clone(), Arc::clone(file)),
        }
    }

    /// With these columns, if they are those of a file of a store.
    pub(crate) fn lying(meta: &ObjectMeta, rows: usize, columns: &Schema) -> Option<Self> {
        is_stored(columns).then(|| Self {
            kind: Kind::Lying(meta.clone(), rows),
            promoted: promoted_of(columns),
        })
    }

    fn scanned(&self, schema: &SchemaRef) -> ScanFile {
        match &self.kind {
            Kind::Live(location, file) => from_log(location, file, schema),
            Kind::Lying(meta, rows) => ScanFile {
                meta: meta.clone(),
                statistics: Arc::new(Statistics {
                    num_rows: Precision::Exact(*rows),
                    ..Statistics::new_unknown(schema)
                }),
                chosen: None,
            },
        }
    }
}

/// Files of a store as readers see them.
pub(crate) struct StoredEvents {
    url: ObjectStoreUrl,
    schema: SchemaRef,
    files: Vec<StoredFile>,
    /// Is each file known to be in the order (event, timestamp)?
    sorted: bool,
    options: ScanOptions,
}

impl StoredEvents {
    /// With these columns, which all of the files have.
    pub(crate) fn new(
        schema: SchemaRef,
        url: ObjectStoreUrl,
        files: Vec<StoredFile>,
        sorted: bool,
        options: ScanOptions,
    ) -> Self {
        Self {
            url,
            schema,
            files,
            sorted,
            options,
        }
    }

    /// These files as they lie, with columns for these properties beside those that all have.
    fn table(&self, files: &[&StoredFile], promoted: &[Promoted]) -> EventsTable {
        let schema = stored_columns(&self.schema, promoted);
        let files = files.iter().map(|file| file.scanned(&schema)).collect();
        EventsTable::new(schema, self.url.clone(), files, self.sorted, self.options)
    }

    /// Files that have the same columns.
    fn alike(&self) -> Vec<(&[Promoted], Vec<&StoredFile>)> {
        let mut alike: Vec<(&[Promoted], Vec<&StoredFile>)> = Vec::new();
        for file in &self.files {
            match alike.iter_mut().find(|(known, _)| *known == file.promoted) {
                Some((_, files)) => files.push(file),
                None => alike.push((&file.promoted, vec![file])),
            }
        }
        alike
    }
}

#[async_trait]
impl TableProvider for StoredEvents {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        let files: Vec<&StoredFile> = self.files.iter().collect();
        let table = self.table(&files, &[]);
        let (known, stored) = (table.statistics()?, table.schema());
        let mut statistics = Statistics::new_unknown(&self.schema);
        statistics.num_rows = known.num_rows;
        for (column, field) in statistics
            .column_statistics
            .iter_mut()
            .zip(self.schema.fields())
        {
            let stored = stored.index_of(field.name()).ok();
            let known = stored.and_then(|at| known.column_statistics.get(at));
            if let Some(known) = known.filter(|_| field.name() != schema::PROPERTIES) {
                column.clone_from(known);
            }
        }
        Some(statistics)
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let seen = project_schema(&self.schema, projection)?;
        let names: Vec<&str> = seen.fields().iter().map(|f| f.name().as_str()).collect();
        // What files have in another form has no statistics; the plan above applies every filter anyway.
        let has_statistics = |filter: &&Expr| {
            let columns = filter.column_refs();
            let mut names = columns.iter().map(|column| column.name.as_str());
            !names.any(|name| name == schema::UUID || name == schema::PROPERTIES)
        };
        let filters: Vec<Expr> = filters.iter().filter(has_statistics).cloned().collect();
        let alike = match names.contains(&schema::PROPERTIES) {
            true => self.alike(),
            false => vec![(&[][..], self.files.iter().collect())],
        };
        let mut parts = Vec::with_capacity(alike.len());
        for (promoted, files) in alike {
            let table = self.table(&files, promoted);
            let stored = table.schema();
            let columns = match names.iter().any(|name| stored_otherwise(name)) {
                true => needed(names.iter().copied(), promoted),
                false => names.iter().map(|name| (*name).to_owned()).collect(),
            };
            let columns = columns.iter().map(|name| stored.index_of(name));
            let columns: Vec<usize> = columns.collect::<Result<_, _>>()?;
            let scan = table.scan(state, Some(&columns), &filters, limit).await?;
            parts.push(restored(scan, &names, promoted, state)?);
        }
        match parts.len() {
            0 => Ok(Arc::new(EmptyExec::new(seen))),
            1 => Ok(parts.remove(0)),
            _ => UnionExec::try_new(parts),
        }
    }
}

fn stored_otherwise(name: &str) -> bool {
    name == schema::UUID || name == schema::PROPERTIES
}

/// The columns that are asked for, of a scan that has what they come from.
fn restored(
    scan: Arc<dyn ExecutionPlan>,
    names: &[&str],
    promoted: &[Promoted],
    state: &dyn Session,
) -> Result<Arc<dyn ExecutionPlan>> {
    if !names.iter().any(|name| stored_otherwise(name)) {
        return Ok(scan);
    }
    let stored = scan.schema();
    let call = |function: Arc<ScalarUDF>, arguments| -> Result<Arc<dyn PhysicalExpr>> {
        let options = Arc::clone(state.config().options());
        let call = ScalarFunctionExpr::try_new(function, arguments, &stored, options)?;
        Ok(Arc::new(call))
    };
    let column = |name: &&str| {
        let column = match *name {
            schema::UUID => {
                let [high, low] = schema::UUID_PARTS;
                call(uuid_text(), vec![col(high, &stored)?, col(low, &stored)?])?
            }
            schema::PROPERTIES => {
                let mut arguments = vec![col(schema::PROPERTIES, &stored)?];
                for property in promoted {
                    arguments.push(lit(property.name.as_str()));
                    arguments.push(col(&property.column(), &stored)?);
                }
                call(told_properties(), arguments)?
            }
            name => col(name, &stored)?,
        };
        Ok((column, (*name).to_owned()))
    };
    let columns = names.iter().map(column).collect::<Result<Vec<_>>>()?;
    Ok(Arc::new(ProjectionExec::try_new(columns, scan)?))
}

impl fmt::Debug for StoredEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredEvents")
            .field("files", &self.files.len())
            .field("options", &self.options)
            .finish()
    }
}
