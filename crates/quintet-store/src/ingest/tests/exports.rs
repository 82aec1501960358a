//! PostHog's batch exports, with the columns and types that it writes: loading one equals loading the messages it came from.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::parquet::arrow::ArrowWriter;

use super::*;
use crate::files::dedupe;

/// A row of the events model.
#[derive(Clone)]
struct Row {
    uuid: String,
    event: String,
    properties: String,
    distinct_id: String,
    person_id: String,
    person_properties: String,
    timestamp: i64,
    inserted_at: i64,
}

/// Messages as PostHog receives them, in order.
fn messages() -> Vec<Value> {
    let told: [(&str, &str, Value); 12] = [
        (
            "$groupidentify",
            "ann",
            json!({"$group_type": "company", "$group_key": "acme", "$group_set": {"name": "Acme", "plan": "free", "old": 1}}),
        ),
        (
            "$pageview",
            "anon",
            json!({"$groups": {"company": "acme"}, "$set_once": {"$initial_x": 1}}),
        ),
        (
            "$identify",
            "ann",
            json!({"$anon_distinct_id": "anon", "$set": {"email": "a@b", "gone": 1}}),
        ),
        (
            "paid",
            "ann",
            json!({"$groups": {"project": "p1", "company": "acme"}, "amount": 9.5}),
        ),
        (
            "$groupidentify",
            "ann",
            json!({"$group_type": "company", "$group_key": "acme", "$group_set": {"plan": "pro"}}),
        ),
        (
            "$groupidentify",
            "ann",
            json!({"$group_type": "project", "$group_key": "p1", "$group_set": {"name": "P"}}),
        ),
        (
            "$delete_group_property",
            "ann",
            json!({"$group_type": "company", "$group_key": "acme", "$group_unset": ["old"]}),
        ),
        (
            "quiet",
            "bob",
            json!({"$process_person_profile": false, "$groups": {"company": "acme"}}),
        ),
        (
            "$pageview",
            "eve",
            json!({"$groups": {"project": "acme", "company": "acme"}, "$set": {"role": "dev"}}),
        ),
        (
            "$set",
            "ann",
            json!({"$set": {"email": "new@b"}, "$unset": ["gone"]}),
        ),
        ("paid", "eve", json!({"$groups": {"project": "p2"}})),
        ("$pageview", "ann", json!({})),
    ];
    (1..)
        .zip(told)
        .map(|(n, (event, distinct_id, properties)): (u32, _)| {
            json!({"uuid": format!("00000000-0000-4000-8000-{n:012}"), "event": event, "distinct_id": distinct_id,
                   "timestamp": format!("2024-03-01T10:{n:02}:00Z"), "properties": properties})
        })
        .collect()
}

/// What PostHog would make of the messages: loaded, and as rows of an export.
fn told() -> (Loaded, Vec<Row>) {
    let mut loaded = Loaded::default();
    let mut rows = Vec::new();
    for message in messages() {
        loaded
            .read(message.to_string(), message["timestamp"].as_str())
            .unwrap();
        let at = loaded.staged.len() - 1;
        let mut properties = loaded.properties(at);
        for (index, key) in loaded.groups(at).iter().enumerate() {
            if !key.is_empty() {
                properties[format!("$group_{index}")] = json!(key);
            }
        }
        let distinct_id = message["distinct_id"].as_str().unwrap();
        let person = loaded.person(distinct_id);
        rows.push(Row {
            uuid: message["uuid"].as_str().unwrap().into(),
            event: message["event"].as_str().unwrap().into(),
            properties: properties.to_string(),
            distinct_id: distinct_id.into(),
            person_id: person.id.to_string(),
            person_properties: person.properties.clone(),
            timestamp: loaded.staged.timestamps[at],
            inserted_at: loaded.staged.timestamps[at] + 5_000_000,
        });
    }
    (loaded.finish(), rows)
}

/// The rows as an interval that was exported twice, in no order, with one that was exported before it was complete.
fn shuffled(mut rows: Vec<Row>) -> Vec<Row> {
    rows.reverse();
    let mut early = rows[8].clone();
    early.inserted_at -= 1;
    early.properties = "{}".into();
    rows.rotate_left(5);
    rows.push(rows[2].clone());
    rows.push(early);
    rows
}

fn texts<'a, T: 'a>(rows: &'a [T], text: impl Fn(&'a T) -> &'a str) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(rows.iter().map(text)))
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values).with_timezone("UTC"))
}

fn parquet(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let columns = columns.into_iter().map(|(name, array)| (name, array, true));
    let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
    let mut data = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut data, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    data
}

fn events_as_parquet(rows: &[Row]) -> Vec<u8> {
    parquet(vec![
        ("uuid", texts(rows, |row| &row.uuid)),
        ("event", texts(rows, |row| &row.event)),
        ("properties", texts(rows, |row| &row.properties)),
        ("distinct_id", texts(rows, |row| &row.distinct_id)),
        ("person_id", texts(rows, |row| &row.person_id)),
        (
            "person_properties",
            texts(rows, |row| &row.person_properties),
        ),
        ("timestamp", times(rows.iter().map(|row| row.timestamp))),
        (
            "created_at",
            times(rows.iter().map(|row| row.inserted_at - 1_000_000)),
        ),
        (
            "_inserted_at",
            times(rows.iter().map(|row| row.inserted_at)),
        ),
        ("elements_chain", texts(rows, |_| "")),
    ])
}

fn events_as_lines(rows: &[Row]) -> String {
    let time = |at: i64| {
        let at = chrono::DateTime::from_timestamp_micros(at).unwrap();
        at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()
    };
    let line = |row: &Row| {
        json!({"uuid": row.uuid, "event": row.event, "properties": row.properties, "distinct_id": row.distinct_id,
               "person_id": row.person_id, "person_properties": row.person_properties, "timestamp": time(row.timestamp),
               "created_at": time(row.inserted_at - 1_000_000), "_inserted_at": time(row.inserted_at), "elements_chain": ""})
    };
    rows.iter().map(|row| format!("{}\n", line(row))).collect()
}

/// All that a load leaves behind, in no order but that of names.
fn summary(loaded: &Loaded, distinct_ids: &[&str]) -> Value {
    let events: BTreeMap<String, Value> = dedupe::within(&loaded.staged)
        .into_iter()
        .map(|row| {
            let at = row as usize;
            let mut properties = loaded.properties(at);
            let kept = properties.as_object_mut().unwrap();
            kept.retain(|name, _| !name.starts_with("$group_") || name == "$group_type");
            properties.sort_all_objects();
            let event = json!([
                loaded.events()[at],
                loaded.staged.timestamps[at],
                properties,
                loaded.groups(at)
            ]);
            (loaded.staged.uuids[at].to_string(), event)
        })
        .collect();
    let persons: Vec<Value> = distinct_ids
        .iter()
        .map(|id| {
            let person = loaded.person(id);
            let mut properties = loaded.person_properties(id);
            properties.sort_all_objects();
            json!([id, properties, person.is_identified, person.created_at])
        })
        .collect();
    let mut groups: Vec<(usize, &str, Value)> = loaded.declared();
    groups
        .iter_mut()
        .for_each(|(_, _, properties)| properties.sort_all_objects());
    let groups: Vec<Value> = groups.into_iter().map(|group| json!(group)).collect();
    json!({"events": events, "persons": persons, "groups": groups, "types": loaded.types()})
}

fn load(data: impl Into<Bytes>) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.read(data, None).unwrap();
    loaded.finish()
}

#[test]
fn an_export_of_events_equals_the_messages_it_came_from_in_either_format_and_any_order() {
    let (told, rows) = told();
    let ids = ["ann", "anon", "eve"];
    let expected = summary(&told, &ids);
    for rows in [rows.clone(), shuffled(rows)] {
        for loaded in [load(events_as_parquet(&rows)), load(events_as_lines(&rows))] {
            assert_eq!(loaded.report.rejected, []);
            assert_eq!(summary(&loaded, &ids), expected);
            assert!(loaded.same_person("ann", "anon"));
        }
    }
}

#[test]
fn types_keep_the_numbers_of_the_export_whichever_comes_first() {
    let (_, rows) = told();
    // The row that shows the project before the company.
    let loaded = load(events_as_lines(
        &rows[9..]
            .iter()
            .chain(&rows[3..4])
            .cloned()
            .collect::<Vec<_>>(),
    ));
    assert_eq!(loaded.types(), ["company", "project"]);
    assert_eq!(loaded.groups(1), ["", "p2", "", "", ""]);
}

#[test]
fn a_store_with_other_numbers_keeps_its_own() {
    let (_, rows) = told();
    let mut loaded = Loaded::default();
    for name in ["project", "team", "company"] {
        loaded.state.groups.claim(name, 0).unwrap();
    }
    loaded.read(events_as_parquet(&rows), None).unwrap();
    assert_eq!(loaded.types(), ["project", "team", "company"]);
    assert_eq!(loaded.groups(1), ["", "", "acme", "", ""]);
    assert_eq!(loaded.groups(3), ["p1", "", "acme", "", ""]);
}

/// Rows of the persons model: distinct id, person, its version, properties, their version, deleted.
type PersonRow<'a> = (&'a str, &'a str, i64, &'a str, i64, bool);

const P1: &str = "550e8400-e29b-41d4-a716-446655440001";
const P2: &str = "550e8400-e29b-41d4-a716-446655440002";
const PERSONS: [PersonRow<'static>; 6] = [
    ("ann", P1, 0, r#"{"email":"now@b"}"#, 7, false),
    ("anon", P2, 0, r#"{"email":"x"}"#, 1, false),
    ("anon", P1, 2, r#"{"email":"old@b"}"#, 3, false),
    ("anon", P2, 1, "{}", 0, false),
    ("left", P2, 0, "{}", 2, false),
    ("left", P2, 1, "{}", 3, true),
];

fn persons_as_parquet() -> Vec<u8> {
    let rows = &PERSONS;
    let numbers = |number: fn(&PersonRow<'_>) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(rows.iter().map(number)))
    };
    parquet(vec![
        ("team_id", numbers(|_| 2)),
        ("distinct_id", texts(rows, |row| row.0)),
        ("person_id", texts(rows, |row| row.1)),
        ("properties", texts(rows, |row| row.3)),
        ("person_distinct_id_version", numbers(|row| row.2)),
        ("person_version", numbers(|row| row.4)),
        (
            "created_at",
            times(rows.iter().map(|_| 1_700_000_000_000_000)),
        ),
        (
            "_inserted_at",
            times(rows.iter().map(|_| 1_700_000_000_000_000)),
        ),
        (
            "is_deleted",
            Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.5)))),
        ),
    ])
}

fn persons_as_lines() -> String {
    let line = |row: &PersonRow<'_>| {
        json!({"team_id": 2, "distinct_id": row.0, "person_id": row.1, "properties": row.3, "person_distinct_id_version": row.2,
               "person_version": row.4, "created_at": "2023-11-14 22:13:20.000000", "is_deleted": row.5})
    };
    PERSONS
        .iter()
        .map(|row| format!("{}\n", line(row)))
        .collect()
}

#[test]
fn of_an_export_of_persons_the_highest_versions_count() {
    for data in [Bytes::from(persons_as_parquet()), persons_as_lines().into()] {
        let source = source(data);
        let columns = Columns::default();
        assert_eq!(
            contents(&source, Format::Auto, &columns).unwrap(),
            Contents::Persons
        );
        let mut loaded = Loaded::default();
        let mut export = PersonsExport::default();
        export.read(&source, &mut loaded.report).unwrap();
        let kept = export.finish(None, &mut loaded.state, &mut loaded.report);
        assert_eq!(
            (kept.len(), loaded.persons(), loaded.report.persons.created),
            (1, 1, 1)
        );
        assert!(loaded.same_person("ann", "anon"));
        let person = loaded.person("ann");
        assert_eq!(person.id.to_string(), P1);
        assert_eq!(person.created_at, 1_700_000_000_000_000);
        assert_eq!(loaded.person_properties("anon"), json!({"email": "now@b"}));
        // Events know less of a person than the export of persons.
        loaded.learned.keep_persons(&kept);
        let (_, rows) = told();
        loaded.read(events_as_parquet(&rows), None).unwrap();
        assert_eq!(loaded.person_properties("ann"), json!({"email": "now@b"}));
    }
}

#[test]
fn an_export_of_sessions_is_told_apart() {
    let line = r#"{"session_id":"s","team_id":2,"start_timestamp":"2024-01-01"}"#;
    let columns = Columns::default();
    assert_eq!(
        contents(&source(line), Format::Auto, &columns).unwrap(),
        Contents::Sessions
    );
}
