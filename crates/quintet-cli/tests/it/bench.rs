//! The questions of the benchmark over two thousand generated events, held against the peers' answers.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::program::Place;

/// Files of the generator, and what DuckDB's SQL says of them.
const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/bench");
/// How many days the data last.
const DAYS: u64 = 180;
const MODES: [&str; 3] = ["cold", "hot", "parquet"];
/// Where a folder knows too little. (So few events hold no strict funnel that PostHog and the peers read in different ways.)
const DIFFER: [(&str, &str); 1] = [("lifecycle_week_person", "parquet")];

/// A place with the generated files in its folder `data`.
fn with_data() -> Place {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    for file in [
        "events_typed.parquet",
        "events_json.parquet",
        "persons.parquet",
        "meta.json",
    ] {
        std::fs::copy(Path::new(DATA).join(file), place.path("data").join(file)).unwrap();
    }
    place
}

fn expected() -> Map<String, Value> {
    let text = std::fs::read_to_string(Path::new(DATA).join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn asked(place: &Place, mode: &str, name: &str) -> Value {
    place.json(&[
        "bench", "--data", "data", "--mode", mode, "--query", name, "--runs", "1",
    ])
}

/// Rows in one order, numbers to six digits: what the runner compares.
fn canonical(rows: &Value) -> Vec<String> {
    let cell = |cell: &Value| match cell.as_f64() {
        Some(number) if number.abs() < 1e9 => format!("{number:.5e}"),
        _ => cell.to_string(),
    };
    let row = |row: &Value| -> Vec<String> { row.as_array().unwrap().iter().map(cell).collect() };
    let mut rows: Vec<String> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|r| row(r).join(" "))
        .collect();
    rows.sort();
    rows
}

/// The peers' rolling count has no row for a day on which no company comes or lapses: its figure is that of the day before.
fn complete(name: &str, rows: &Value) -> Value {
    if name != "mau_company_rolling" {
        return rows.clone();
    }
    let mut figure = json!(0);
    let known: BTreeMap<u64, &Value> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row[0].as_u64().unwrap(), &row[1]))
        .collect();
    let days = (0..DAYS).map(|day| {
        figure = known.get(&day).map_or(&figure, |known| *known).clone();
        json!([day, figure])
    });
    days.collect()
}

#[test]
fn every_question_has_the_peers_answer_or_says_why_not() {
    let place = with_data();
    place.done(&["bench", "--data", "data", "--prepare"]);
    let expected = expected();
    assert_eq!(expected.len(), 22);
    for mode in MODES {
        for (name, rows) in &expected {
            let line = asked(&place, mode, name);
            let rows = &complete(name, rows);
            let is_same = canonical(&line["result"]) == canonical(rows);
            let differs = DIFFER.contains(&(name, mode));
            assert_eq!(is_same, !differs, "{mode} {name}: {line} for {rows}");
            assert!(!differs || line["differs"].is_string(), "{mode} {name}");
        }
    }
}

#[test]
fn a_store_of_the_data_is_made_anew_and_nothing_else_is_deleted() {
    let place = with_data();
    for _ in 0..2 {
        let made = place.json(&["bench", "--data", "data", "--prepare"]);
        assert_eq!(
            (&made["events"]["stored"], &made["persons"]),
            (&2000.into(), &174.into())
        );
        assert!(made["store_bytes"].as_u64() > Some(0) && made["seconds"]["load"].is_number());
    }
    std::fs::remove_dir_all(place.path("data/quintet")).unwrap();
    std::fs::create_dir(place.path("data/quintet")).unwrap();
    place.file("data/quintet/mine.txt", "mine");
    place
        .run(&["bench", "--data", "data", "--prepare"])
        .refused(2, &["no store"]);
}

#[test]
fn an_unknown_question_is_skipped() {
    let place = Place::new();
    assert_eq!(
        asked(&place, "cold", "no_such_question"),
        json!({"skip": true})
    );
}
