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
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
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

use super::functions::{told_properties, uuid_text};
use super::{EventsTable, ScanOptions, from_log};
use crate::files::stored::needed;
use crate::location::Location;
use crate::log::Add;
use crate::schema::{self, Promoted};

/// The live files of events.
pub(crate) struct StoredEvents {
    location: Location,
    url: ObjectStoreUrl,
    /// Properties that have columns in all files.
    promoted: Vec<Promoted>,
    schema: SchemaRef,
    files: Vec<Arc<Add>>,
    options: ScanOptions,
}

impl StoredEvents {
    pub(crate) fn new(
        location: Location,
        url: ObjectStoreUrl,
        promoted: Vec<Promoted>,
        files: Vec<Arc<Add>>,
        options: ScanOptions,
    ) -> Self {
        Self {
            location,
            url,
            schema: schema::events(&promoted),
            promoted,
            files,
            options,
        }
    }

    /// These files, with their own columns for promoted properties or with those of all.
    fn table(&self, files: &[&Arc<Add>], promoted: &[Promoted]) -> EventsTable {
        let schema = schema::stored_events(promoted);
        let files = files.iter();
        let files = files
            .map(|file| from_log(&self.location, file, &schema))
            .collect();
        EventsTable::new(schema, self.url.clone(), files, true, self.options)
    }

    /// Files that have the same columns.
    fn alike(&self) -> Vec<(&[Promoted], Vec<&Arc<Add>>)> {
        let mut alike: Vec<(&[Promoted], Vec<&Arc<Add>>)> = Vec::new();
        for file in &self.files {
            let columns = file
                .events
                .as_ref()
                .map_or(&[][..], |events| &events.columns);
            match alike.iter_mut().find(|(known, _)| *known == columns) {
                Some((_, files)) => files.push(file),
                None => alike.push((columns, vec![file])),
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
        let files: Vec<&Arc<Add>> = self.files.iter().collect();
        let known = self.table(&files, &self.promoted).statistics()?;
        let stored = schema::stored_events(&self.promoted);
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
            false => vec![(self.promoted.as_slice(), self.files.iter().collect())],
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
