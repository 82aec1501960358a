//! What a scan knows of a file before it opens it.

use std::sync::Arc;

use chrono::DateTime;
use datafusion::arrow::datatypes::Schema;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, Statistics};
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::scalar::ScalarValue;
use object_store::ObjectMeta;

use crate::location::Location;
use crate::log::{Add, EventsFile};
use crate::schema;

/// A file to scan, with statistics in the columns of the table.
#[derive(Debug, Clone)]
pub(crate) struct ScanFile {
    pub(crate) meta: ObjectMeta,
    pub(crate) statistics: Arc<Statistics>,
    /// The rows to read, if it is not all of them.
    pub(crate) chosen: Option<ParquetRowSelection>,
}

/// A live file as the log describes it. Files never change, so no time of modification is asked for.
pub(crate) fn from_log(location: &Location, file: &Add, table: &Schema) -> ScanFile {
    let columns = match &file.events {
        Some(events) => table
            .fields()
            .iter()
            .map(|field| column(events, field.name(), field.is_nullable()))
            .collect(),
        None => Statistics::unknown_column(table),
    };
    ScanFile {
        meta: ObjectMeta {
            location: location.key(&file.path),
            last_modified: DateTime::UNIX_EPOCH,
            size: file.size,
            e_tag: None,
            version: None,
        },
        statistics: Arc::new(Statistics {
            num_rows: Precision::Exact(file.rows as usize),
            total_byte_size: Precision::Absent,
            column_statistics: columns,
        }),
        chosen: None,
    }
}

fn column(file: &EventsFile, name: &str, nullable: bool) -> ColumnStatistics {
    let mut known = ColumnStatistics::new_unknown();
    let nulls = if nullable {
        file.nulls.get(name).copied()
    } else {
        Some(0)
    };
    if let Some(nulls) = nulls {
        known.null_count = Precision::Exact(nulls as usize);
    }
    let text = |value: &str| Precision::Exact(ScalarValue::Utf8View(Some(value.to_owned())));
    let instant = |value| {
        Precision::Exact(ScalarValue::TimestampMicrosecond(
            Some(value),
            Some("UTC".into()),
        ))
    };
    match name {
        schema::EVENT => {
            known.min_value = text(&file.min_event);
            known.max_value = text(&file.max_event);
        }
        schema::TIMESTAMP => {
            known.min_value = instant(file.min_timestamp);
            known.max_value = instant(file.max_timestamp);
        }
        _ => {}
    }
    known
}
