#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::Path;

use datafusion::arrow::array::{
    ArrayRef, DictionaryArray, Float64Array, StringArray, TimestampNanosecondArray,
};
use datafusion::arrow::datatypes::Int32Type;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::prelude::SessionContext;

use super::*;

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn nanoseconds(values: &[i64]) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from(values.to_vec()))
}

async fn open(folder: &Path) -> Result<Folder> {
    Folder::open(Location::parse(folder.to_str().unwrap()).unwrap()).await
}

async fn sql(folder: &Folder, query: &str) -> String {
    let context = SessionContext::new();
    context.register_table("events", folder.events()).unwrap();
    let batches = context.sql(query).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&batches).unwrap().to_string()
}

#[tokio::test]
async fn files_of_different_shapes_are_one_table_and_absent_columns_are_null() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    let names: DictionaryArray<Int32Type> = ["a", "b"].into_iter().collect();
    write(
        &folder.path().join("deep/1.parquet"),
        vec![
            ("event", Arc::new(names)),
            ("distinct_id", text(&["x", "y"])),
            ("timestamp", nanoseconds(&[1_000, 2_000])),
            ("p.price", Arc::new(Float64Array::from(vec![1.0, 2.0]))),
        ],
    );
    write(
        &folder.path().join("2.parquet"),
        vec![
            ("timestamp", nanoseconds(&[3_000])),
            ("event", text(&["c"])),
            ("distinct_id", text(&["z"])),
            ("properties", text(&["{}"])),
            ("$group_0", text(&["acme"])),
        ],
    );
    let opened = open(folder.path()).await.unwrap();
    assert_eq!(opened.rows(), 3);
    assert!(
        opened.columns().contains(&"$group_0".to_owned())
            && !opened.columns().contains(&"uuid".to_owned())
    );
    assert!(opened.properties().is_empty(), "one file has no p.price");
    let query = r#"select event, timestamp, properties, "$group_0", uuid, "p.price" from events
                   where timestamp >= '1970-01-01T00:00:00.000002Z' order by event"#;
    let expected = "\
+-------+-----------------------------+------------+----------+------+---------+
| event | timestamp                   | properties | $group_0 | uuid | p.price |
+-------+-----------------------------+------------+----------+------+---------+
| b     | 1970-01-01T00:00:00.000002Z |            |          |      | 2.0     |
| c     | 1970-01-01T00:00:00.000003Z | {}         | acme     |      |         |
+-------+-----------------------------+------------+----------+------+---------+";
    assert_eq!(sql(&opened, query).await, expected);
}

#[tokio::test]
async fn a_missing_required_column_is_refused_with_file_and_column() {
    let folder = tempfile::tempdir().unwrap();
    write(
        &folder.path().join("x.parquet"),
        vec![("event", text(&["a"])), ("distinct_id", text(&["x"]))],
    );
    let message = open(folder.path()).await.unwrap_err().to_string();
    assert!(
        message.contains("x.parquet") && message.contains("`timestamp`"),
        "{message}"
    );
}

#[tokio::test]
async fn a_truncated_file_is_damage_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    write(
        &path,
        vec![
            ("event", text(&["a"])),
            ("distinct_id", text(&["x"])),
            ("timestamp", nanoseconds(&[1])),
        ],
    );
    let bytes = fs::read(&path).unwrap();
    for length in [0, 3, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..length]).unwrap();
        match open(folder.path()).await {
            Err(Error::Corrupt { file, .. }) => assert!(file.ends_with("x.parquet"), "{file}"),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_folder_without_parquet_is_not_found() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(open(folder.path()).await, Err(Error::NotFound(_))));
    assert!(matches!(
        open(&folder.path().join("nowhere")).await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn one_file_may_be_named_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.parquet");
    write(
        &path,
        vec![
            ("event", text(&["a"])),
            ("distinct_id", text(&["x"])),
            ("timestamp", nanoseconds(&[1])),
        ],
    );
    assert_eq!(open(&path).await.unwrap().rows(), 1);
}
