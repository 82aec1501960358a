//! Parquet with our columns.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, DictionaryArray, FixedSizeBinaryArray, Float64Array, Int64Array,
    ListArray, RecordBatch, StringArray, StringViewArray, TimestampMillisecondArray,
};
use datafusion::arrow::datatypes::{Int32Type, Int64Type};
use datafusion::parquet::arrow::ArrowWriter;
use serde_json::json;

use super::*;
use crate::error::Error;

const TIME: i64 = 1_709_287_200_000;

fn file(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch =
        RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, a)| (n, a, true)));
    let batch = batch.unwrap();
    let mut data = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut data, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    data
}

fn texts(values: &[Option<&str>]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// The required columns of `n` events of one distinct id each.
fn required(n: usize) -> Vec<(&'static str, ArrayRef)> {
    let ids: Vec<_> = (0..n).map(|n| format!("u{n}")).collect();
    let event: DictionaryArray<Int32Type> = std::iter::repeat_n("e", n).collect();
    vec![
        ("event", Arc::new(event)),
        (
            "distinct_id",
            Arc::new(StringViewArray::from_iter_values(ids)),
        ),
        (
            "timestamp",
            Arc::new(TimestampMillisecondArray::from(vec![TIME; n]).with_timezone("+02:00")),
        ),
    ]
}

fn load(columns: Vec<(&str, ArrayRef)>) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.read(file(columns), None).unwrap();
    loaded
}

#[test]
fn rows_go_through_the_rules_of_capture_messages() {
    let mut columns = required(3);
    let uuid = "550e8400-e29b-41d4-a716-446655440000";
    columns.push(("uuid", texts(&[Some(uuid), None, Some("nonsense")])));
    columns.push((
        "properties",
        texts(&[
            Some(r#"{"$set": {"a": 1}, "$groups": {"company": "acme"}}"#),
            None,
            None,
        ]),
    ));
    columns.push(("$group_0", texts(&[None, Some("raw"), None])));
    columns.push(("$group_4", texts(&[Some(""), Some("x"), None])));
    columns.push(("elements_chain", texts(&[None, Some("a:x"), None])));
    columns.push(("plan", texts(&[Some("pro"), Some(""), None])));
    columns.push(("team_id", Arc::new(Int64Array::from(vec![2; 3]))));
    let loaded = load(columns);
    assert_eq!(loaded.events(), ["e", "e"]);
    assert_eq!(loaded.staged.timestamps, [TIME * 1000; 2]);
    assert_eq!(loaded.staged.uuid_given, [true, false]);
    assert_eq!(
        loaded.staged.properties.get(0),
        r#"{"plan":"pro","$set": {"a": 1}, "$groups": {"company": "acme"}}"#
    );
    assert_eq!(
        loaded.staged.properties.get(1),
        r#"{"$elements_chain":"a:x"}"#
    );
    assert_eq!(
        (loaded.groups(0), loaded.groups(1)),
        (["acme", "", "", "", ""], ["raw", "", "", "", "x"])
    );
    assert_eq!(loaded.types(), ["company"]);
    assert_eq!(loaded.person_properties("u0"), json!({"a": 1}));
    assert_eq!(
        (loaded.report.rejected[0].line, loaded.finish().warnings()),
        (3, vec!["unknown_group_type"])
    );
}

#[test]
fn distinct_ids_with_one_person_id_are_one_person() {
    let id = "550e8400-e29b-41d4-a716-446655440000";
    let mut columns = required(4);
    columns.push(("person_id", texts(&[Some(id), Some(id), Some("17"), None])));
    let loaded = load(columns);
    assert!(loaded.same_person("u0", "u1"));
    assert_eq!(loaded.person("u1").id.to_string(), id);
    assert_eq!(
        (loaded.persons(), loaded.staged.persons.clone()),
        (3, vec![1, 1, 2, 3])
    );
}

#[test]
fn without_a_properties_column_every_further_column_is_a_property() {
    let mut columns = required(2);
    columns.push(("$browser", texts(&[Some("a \"b\""), None])));
    columns.push(("amount", Arc::new(Float64Array::from(vec![1.5, f64::NAN]))));
    columns.push(("n", Arc::new(Int64Array::from(vec![None, Some(-3)]))));
    columns.push(("ok", Arc::new(BooleanArray::from(vec![true, false]))));
    let list = ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1)]), None]);
    columns.push(("list", Arc::new(list)));
    let loaded = load(columns);
    assert_eq!(loaded.properties(0)["$browser"], "a \"b\"");
    assert_eq!(
        (&loaded.properties(0)["amount"], &loaded.properties(0)["ok"]),
        (&json!(1.5), &json!(true))
    );
    assert_eq!(
        (
            &loaded.properties(1)["n"],
            loaded.properties(1).get("amount")
        ),
        (&json!(-3), None)
    );
}

#[test]
fn times_may_be_texts_and_uuids_binary() {
    let mut columns = required(2);
    columns[2] = (
        "timestamp",
        texts(&[Some("2024-03-01 10:00:00"), Some("never")]),
    );
    let uuids = vec![[7u8; 16], [8; 16]];
    let uuids = FixedSizeBinaryArray::try_from_iter(uuids.into_iter()).unwrap();
    columns.push(("uuid", Arc::new(uuids)));
    columns.push((
        "created_at",
        texts(&[Some("2024-03-02"), Some("2024-03-03")]),
    ));
    let loaded = load(columns);
    assert_eq!(
        loaded.staged.timestamps,
        [micros("2024-03-01T10:00:00Z"), micros("2024-03-03")]
    );
    assert_eq!(loaded.staged.uuids[0].as_bytes(), &[7; 16]);
}

#[test]
fn a_missing_column_is_named_and_a_cut_off_file_is_damaged() {
    let error = Loaded::default()
        .read(file(required(1)[..2].to_vec()), None)
        .unwrap_err();
    assert!(
        matches!(&error, Error::Invalid { path, reason } if path == "test" && reason.contains("`timestamp`"))
    );
    let mut data = file(required(1000));
    data.truncate(data.len() - 10);
    let error = Loaded::default().read(data, None).unwrap_err();
    assert!(
        matches!(&error, Error::Corrupt { file, .. } if file == "test"),
        "{error}"
    );
    let error = Loaded::default().read("PAR1".to_owned(), None).unwrap_err();
    assert!(matches!(error, Error::Corrupt { .. }));
}

#[test]
fn the_format_must_fit_the_content() {
    for (format, data) in [
        (Format::PostHog, file(required(1))),
        (Format::Parquet, b"{}".to_vec()),
    ] {
        let error = Loaded::default()
            .read_as(data, &options(format, None))
            .unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }));
    }
}

#[test]
fn columns_with_other_names_are_found_by_the_mapping() {
    let mut columns = required(2);
    columns[0].0 = "action";
    columns[1].0 = "user";
    columns.push(("account", texts(&[Some("acme"), None])));
    columns.push(("ua", texts(&[Some("Firefox"), None])));
    let pairs = [
        ("event", "action"),
        ("distinct_id", "user"),
        ("$group_0", "account"),
        ("$browser", "ua"),
    ];
    let mapping = Columns::new(pairs.map(|(a, b)| (a.into(), b.into()))).unwrap();
    let mapped = ReadOptions {
        columns: &mapping,
        ..options(Format::Auto, None)
    };
    let mut loaded = Loaded::default();
    loaded.read_as(file(columns.clone()), &mapped).unwrap();
    assert_eq!(loaded.events(), ["e", "e"]);
    assert_eq!((loaded.groups(0)[0], loaded.groups(1)[0]), ("acme", ""));
    assert_eq!(loaded.properties(0), json!({"$browser": "Firefox"}));

    let lines =
        r#"{"action":"e","user":"u","timestamp":"2024-03-01","account":"x","ua":"Firefox","n":1}"#;
    let mut loaded = Loaded::default();
    loaded.read_as(lines, &mapped).unwrap();
    assert_eq!(loaded.groups(0)[0], "x");
    assert_eq!(
        loaded.properties(0),
        json!({"$group_0": "x", "$browser": "Firefox", "n": 1})
    );

    let error = Loaded::default().read(file(columns), None).unwrap_err();
    assert!(error.to_string().contains("--column event=NAME"), "{error}");
}
