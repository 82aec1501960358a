//! PostHog's batch exports as files: the columns, types, names and compressions that it writes.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::file::properties::WriterProperties;
use serde_json::json;

use super::world::{PersonRow, Row, text};

/// The events model as Parquet, in several files.
pub(crate) fn events_as_parquet(folder: &Path, rows: &[Row]) {
    std::fs::create_dir_all(folder).expect("a folder");
    for (number, rows) in rows.chunks(rows.len() / 3 + 1).enumerate() {
        let name = format!("2024-01-01-2024-04-01-{number}.parquet.zst");
        parquet(&folder.join(name), columns(rows));
    }
}

/// The persons model as Parquet.
pub(crate) fn persons_as_parquet(folder: &Path, rows: &[PersonRow]) {
    std::fs::create_dir_all(folder).expect("a folder");
    parquet(
        &folder.join("persons-2024-01-01-2024-04-01.parquet.zst"),
        vec![
            ("team_id", numbers(rows.iter().map(|_| 1))),
            (
                "distinct_id",
                texts(rows.iter().map(|row| row.distinct_id.clone())),
            ),
            (
                "person_id",
                texts(rows.iter().map(|row| row.person_id.clone())),
            ),
            (
                "properties",
                texts(rows.iter().map(|row| row.properties.to_string())),
            ),
            (
                "person_distinct_id_version",
                numbers(rows.iter().map(|_| 1)),
            ),
            (
                "person_version",
                numbers(rows.iter().map(|row| row.version)),
            ),
            ("created_at", times(rows.iter().map(|row| row.created_at))),
            ("_inserted_at", times(rows.iter().map(|row| row.created_at))),
            (
                "is_deleted",
                Arc::new(BooleanArray::from(vec![false; rows.len()])),
            ),
        ],
    );
}

/// The columns of the events model.
pub(crate) fn columns(rows: &[Row]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("uuid", texts(rows.iter().map(|row| row.uuid.clone()))),
        ("event", texts(rows.iter().map(|row| row.event.clone()))),
        (
            "properties",
            texts(rows.iter().map(|row| row.properties.to_string())),
        ),
        (
            "distinct_id",
            texts(rows.iter().map(|row| row.distinct_id.clone())),
        ),
        (
            "person_id",
            texts(rows.iter().map(|row| row.person_id.clone())),
        ),
        (
            "person_properties",
            texts(rows.iter().map(|row| row.person_properties.to_string())),
        ),
        ("timestamp", times(rows.iter().map(|row| row.at))),
        ("created_at", times(rows.iter().map(|row| row.inserted_at))),
        (
            "_inserted_at",
            times(rows.iter().map(|row| row.inserted_at)),
        ),
        ("elements_chain", texts(rows.iter().map(|_| String::new()))),
    ]
}

/// The events model as JSON lines.
pub(crate) fn events_as_lines(rows: &[Row]) -> String {
    let line = |row: &Row| {
        json!({"uuid": row.uuid, "event": row.event, "properties": row.properties, "distinct_id": row.distinct_id,
               "person_id": row.person_id, "person_properties": row.person_properties, "timestamp": text(row.at),
               "created_at": text(row.inserted_at), "_inserted_at": text(row.inserted_at), "elements_chain": ""})
    };
    rows.iter().map(|row| format!("{}\n", line(row))).collect()
}

/// The persons model as JSON lines.
pub(crate) fn persons_as_lines(rows: &[PersonRow]) -> String {
    let line = |row: &PersonRow| {
        json!({"team_id": 1, "distinct_id": row.distinct_id, "person_id": row.person_id, "properties": row.properties,
               "person_distinct_id_version": 1, "person_version": row.version, "created_at": text(row.created_at),
               "is_deleted": false})
    };
    rows.iter().map(|row| format!("{}\n", line(row))).collect()
}

pub(crate) fn texts(values: impl Iterator<Item = String>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

pub(crate) fn numbers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

/// Writes a file as PostHog does: compressed within, whatever its name says.
pub(crate) fn parquet(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).expect("a batch");
    let file = std::fs::File::create(path).expect("a file");
    let level = ZstdLevel::try_new(9).expect("a level");
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level));
    let mut writer =
        ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).expect("a writer");
    writer.write(&batch).expect("rows");
    writer.close().expect("a footer");
}
