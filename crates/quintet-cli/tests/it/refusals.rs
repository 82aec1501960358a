//! What is refused: one sentence, the place, and the exit status of the contract.

use std::io::Read;

use serde_json::{Value, json};

use crate::program::{Place, by_month};

#[test]
fn an_unknown_field_is_named() {
    let place = Place::with_events();
    let mut definition = by_month(json!({"math": "total"}));
    definition["series"][0]["mth"] = json!("dau");
    place.insight(&definition);
    place
        .run(&["query", "store", "insight.json"])
        .refused(2, &["series[0]", "mth"]);
}

#[test]
fn an_impossible_group_index_is_named() {
    let place = Place::with_events();
    place.insight(&by_month(
        json!({"math": "unique_group", "math_group_type_index": 7}),
    ));
    place
        .run(&["query", "store", "insight.json"])
        .refused(2, &["series[0].math_group_type_index"]);
}

#[test]
fn an_error_is_json_where_json_is_asked_for() {
    let place = Place::with_events();
    place.insight(&by_month(
        json!({"math": "unique_group", "math_group_type_index": 7}),
    ));
    let ended = place.run(&["query", "store", "insight.json", "--format", "json"]);
    ended.refused(2, &[]);
    let error = &serde_json::from_str::<Value>(&ended.stderr).unwrap()["error"];
    assert_eq!(
        (&error["code"], &error["path"]),
        (&json!("invalid"), &json!("series[0].math_group_type_index"))
    );
    let wrong_flag = place.run(&[
        "query",
        "store",
        "insight.json",
        "--format",
        "json",
        "--colour",
    ]);
    wrong_flag.refused(2, &["\"usage\"", "--colour"]);
}

#[test]
fn a_missing_store_says_how_to_make_one() {
    let place = Place::new();
    place.insight(&by_month(json!({"math": "total"})));
    place
        .run(&["query", "nowhere", "insight.json"])
        .refused(1, &["nowhere", "quintet init"]);
    place.run(&["stats", "nowhere"]).refused(1, &["nowhere"]);
    place
        .run(&["sql", "nowhere", "SELECT 1"])
        .refused(1, &["nowhere"]);
}

#[test]
fn a_missing_definition_is_named() {
    let place = Place::with_events();
    place
        .run(&["query", "store", "nowhere.json"])
        .refused(1, &["nowhere.json"]);
}

#[test]
fn definitions_that_are_no_json_are_refused() {
    let place = Place::with_events();
    for wrong in ["", "{", "[]", "7", "{\"kind\": \"Nonsense\"}", "\u{0}"] {
        place.file("insight.json", wrong);
        place
            .run(&["query", "store", "insight.json"])
            .refused(2, &[]);
    }
    place.file("insight.json", [0xff, 0xfe]);
    place
        .run(&["query", "store", "insight.json"])
        .refused(2, &["insight.json"]);
    place.file("insight.json", "[".repeat(100_000));
    place
        .run(&["query", "store", "insight.json"])
        .refused(2, &[]);
}

#[test]
fn a_store_is_not_made_over_another() {
    let place = Place::with_events();
    place.run(&["init", "store"]).refused(1, &["store"]);
}

#[test]
fn a_sixth_group_type_and_an_unknown_zone_are_refused() {
    let place = Place::new();
    let types = ["a", "b", "c", "d", "e", "f"]
        .map(|name| ["--group-type", name])
        .concat();
    place
        .run(&[&["init", "store"], types.as_slice()].concat())
        .refused(2, &[]);
    place
        .run(&["init", "store", "--timezone", "Moon/Base"])
        .refused(2, &["timezone", "Moon/Base"]);
    assert!(!place.path("store").exists());
}

#[test]
fn a_folder_of_broken_parquet_is_unreadable() {
    let place = Place::new();
    std::fs::create_dir(place.path("export")).unwrap();
    place.file("export/a.parquet", b"PAR1 and then nothing");
    place.insight(&by_month(json!({"math": "total"})));
    place
        .run(&["query", "export", "insight.json"])
        .refused(3, &["a.parquet"]);
}

#[test]
fn the_demo_leaves_other_stores_alone() {
    let place = Place::with_events();
    place
        .run(&["demo", "--store", "store"])
        .refused(2, &["--store", "new folder"]);
    assert_eq!(place.json(&["stats", "store"])["rows"], 7);
}

#[test]
fn sql_may_only_read() {
    let place = Place::with_events();
    place
        .run(&["sql", "store", "DROP TABLE events"])
        .refused(2, &[]);
    place
        .run(&["sql", "store", "SELECT nothing_of_this_name FROM events"])
        .refused(2, &["nothing_of_this_name"]);
}

#[test]
fn commands_that_are_not_there_are_unknown_to_the_usage() {
    let ended = Place::new().run(&["dashboards", "store"]);
    assert_eq!(ended.status, 2);
    assert!(
        ended
            .stderr
            .contains("unrecognized subcommand 'dashboards'"),
        "{ended:?}"
    );
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let place = Place::with_events();
    let many = "SELECT a.value FROM generate_series(1, 200000) AS a";
    let mut child = place
        .command(&["sql", "store", many, "--format", "csv"])
        .spawn()
        .unwrap();
    drop(child.stdin.take());
    drop(child.stdout.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut stderr)
        .unwrap();
    assert_eq!(
        (child.wait().unwrap().code(), stderr.as_str()),
        (Some(0), "")
    );
}
