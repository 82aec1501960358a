//! The table of events: prunes files by their statistics and hands the rest to the stock Parquet scan.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{DFSchema, Statistics, project_schema};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::expressions::col;
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::ScanFile;
use crate::schema;

/// How a table of events is read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanOptions {
    /// Decode the other columns only for rows that pass the filter. Pays when few rows pass and the
    /// columns that remain are wide (one rare event with its properties); costs otherwise, hence off.
    pub late_materialization: bool,
}

/// Events in Parquet files, pinned when the table was made.
pub(crate) struct EventsTable {
    schema: SchemaRef,
    url: ObjectStoreUrl,
    files: Vec<ScanFile>,
    /// Is each file in the order (event, timestamp)?
    sorted: bool,
    options: ScanOptions,
}

impl EventsTable {
    pub(crate) fn new(
        schema: SchemaRef,
        url: ObjectStoreUrl,
        files: Vec<ScanFile>,
        sorted: bool,
        options: ScanOptions,
    ) -> Self {
        Self {
            schema,
            url,
            files,
            sorted,
            options,
        }
    }

    /// The files whose statistics do not rule the filters out.
    fn prune(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<&ScanFile>> {
        let Some(filter) = conjunction(filters.to_vec()) else {
            return Ok(self.files.iter().collect());
        };
        let columns = DFSchema::try_from(Arc::clone(&self.schema))?;
        let predicate = state
            .create_physical_expr(filter, &columns)
            .and_then(|filter| {
                let builder =
                    PruningPredicateBuilder::new().with_file_schema(Arc::clone(&self.schema));
                builder.try_build(filter)
            });
        // A filter that statistics cannot speak about prunes nothing; it is applied to the rows anyway.
        let Ok(predicate) = predicate else {
            return Ok(self.files.iter().collect());
        };
        let statistics = self
            .files
            .iter()
            .map(|file| Arc::clone(&file.statistics))
            .collect();
        let kept = predicate.prune(&PrunableStatistics::new(
            statistics,
            Arc::clone(&self.schema),
        ))?;
        Ok(self
            .files
            .iter()
            .zip(kept)
            .filter_map(|(file, kept)| kept.then_some(file))
            .collect())
    }

    /// The order of each file, if every group is one file: files overlap in (event, timestamp).
    fn ordering(&self, groups: &[FileGroup]) -> Result<Vec<LexOrdering>> {
        if !self.sorted || groups.iter().any(|group| group.len() > 1) {
            return Ok(Vec::new());
        }
        let keys = [
            col(schema::EVENT, &self.schema)?,
            col(schema::TIMESTAMP, &self.schema)?,
        ];
        let keys = keys.map(|key| PhysicalSortExpr::new(key, schema::FILE_ORDER));
        Ok(LexOrdering::new(keys).into_iter().collect())
    }
}

/// Whole files in at most `groups` groups of about the same size, larger files first.
fn deal(mut files: Vec<&ScanFile>, groups: usize) -> Vec<FileGroup> {
    files.sort_by(|a, b| {
        b.meta
            .size
            .cmp(&a.meta.size)
            .then_with(|| a.meta.location.cmp(&b.meta.location))
    });
    let mut dealt: Vec<(u64, Vec<PartitionedFile>)> =
        vec![(0, Vec::new()); groups.min(files.len())];
    for file in files {
        if let Some((size, group)) = dealt.iter_mut().min_by_key(|(size, _)| *size) {
            *size += file.meta.size;
            let partitioned = PartitionedFile::new_from_meta(file.meta.clone());
            let partitioned = partitioned.with_statistics(Arc::clone(&file.statistics));
            group.push(match &file.chosen {
                Some(rows) => partitioned.with_extension(rows.clone()),
                None => partitioned,
            });
        }
    }
    dealt
        .into_iter()
        .map(|(_, files)| FileGroup::new(files))
        .collect()
}

/// What holds for all the files together.
fn sum(files: &[&ScanFile], schema: &SchemaRef) -> Statistics {
    let mut files = files.iter();
    let Some(first) = files.next() else {
        return Statistics {
            num_rows: Precision::Exact(0),
            ..Statistics::new_unknown(schema)
        };
    };
    files.fold(first.statistics.as_ref().clone(), |mut sum, file| {
        let next = &file.statistics;
        sum.num_rows = sum.num_rows.add(&next.num_rows);
        for (column, other) in sum
            .column_statistics
            .iter_mut()
            .zip(&next.column_statistics)
        {
            column.null_count = column.null_count.add(&other.null_count);
            column.min_value = column.min_value.min(&other.min_value);
            column.max_value = column.max_value.max(&other.max_value);
        }
        sum
    })
}

#[async_trait]
impl TableProvider for EventsTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(sum(&self.files.iter().collect::<Vec<_>>(), &self.schema))
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
        let files = self.prune(state, filters)?;
        if files.is_empty() {
            // A scan without partitions breaks the plans above it.
            return Ok(Arc::new(EmptyExec::new(project_schema(
                &self.schema,
                projection,
            )?)));
        }
        let statistics = sum(&files, &self.schema);
        let groups = deal(files, state.config().target_partitions().max(1));
        let runtime = state.runtime_env();
        let reader = CachedParquetFileReaderFactory::new(
            runtime.object_store(&self.url)?,
            runtime.cache_manager.get_file_metadata_cache(),
        );
        let options = TableParquetOptions {
            global: state.config_options().execution.parquet.clone(),
            ..Default::default()
        };
        let late = self.options.late_materialization || options.global.pushdown_filters;
        let source = ParquetSource::new(Arc::clone(&self.schema))
            .with_table_parquet_options(options)
            .with_parquet_file_reader_factory(Arc::new(reader))
            .with_pushdown_filters(late);
        let scan = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_output_ordering(self.ordering(&groups)?)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(scan))
    }
}

impl fmt::Debug for EventsTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventsTable")
            .field("files", &self.files.len())
            .field("options", &self.options)
            .finish()
    }
}
