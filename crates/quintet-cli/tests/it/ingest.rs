//! Loading: what is stored, what is reported, and what a second time does.

use serde_json::{Value, json};

use crate::program::{Place, by_month, events};

fn report(place: &Place, words: &[&str]) -> Value {
    place.json(&[&["ingest", "store", "--report", "json"], words].concat())
}

fn stored(place: &Place) -> Value {
    place.json(&["sql", "store", "SELECT count(*) AS n FROM events"])["results"][0]["n"].clone()
}

#[test]
fn events_go_in_and_a_trend_by_company_comes_out() {
    let place = Place::with_events();
    place.insight(&by_month(
        json!({"math": "unique_group", "math_group_type_index": 1}),
    ));
    let answer = place.json(&["query", "store", "insight.json", "--format", "json"]);
    assert_eq!(answer["results"][0]["data"], json!([2, 1, 2]));
    assert_eq!(
        answer["results"][0]["days"],
        json!(["2024-01-01", "2024-02-01", "2024-03-01"])
    );
    assert_eq!(answer["timezone"], "UTC");
}

#[test]
fn ingest_makes_the_store_and_claims_group_types_by_first_use() {
    let place = Place::new();
    place.file("events.jsonl", events());
    assert_eq!(
        report(&place, &["events.jsonl"])["events"],
        json!({"read": 7, "stored": 7, "duplicates": 0, "rejected": 0})
    );
    let types = place.json(&[
        "sql",
        "store",
        "SELECT group_type FROM group_types ORDER BY \"index\"",
    ]);
    assert_eq!(
        types["results"],
        json!([{"group_type": "project"}, {"group_type": "company"}])
    );
}

#[test]
fn loading_twice_stores_nothing_twice() {
    let place = Place::with_events();
    let again = report(&place, &["events.jsonl"]);
    assert_eq!(again["events"]["stored"], 0);
    assert_eq!(again["events"]["duplicates"], 7);
    place.file("copy.jsonl", format!("\n{}", events()));
    assert_eq!(report(&place, &["copy.jsonl"])["events"]["stored"], 0);
    assert_eq!(stored(&place), 7);
}

#[test]
fn a_damaged_line_is_reported_with_its_number_and_the_rest_is_loaded() {
    let place = Place::new();
    let mut lines: Vec<String> = events().lines().map(str::to_owned).collect();
    lines.insert(2, "{\"event\": \"pa".into());
    place.file("events.jsonl", lines.join("\n"));
    let report = report(&place, &["events.jsonl"]);
    assert_eq!(report["events"]["stored"], 7);
    assert_eq!(report["events"]["rejected"], 1);
    assert_eq!(report["rejected"][0]["line"], 3);
    assert_eq!(stored(&place), 7);
}

#[test]
fn the_report_as_text_goes_to_standard_error_alone() {
    let place = Place::new();
    place.file("events.jsonl", format!("{}nonsense\n", events()));
    let ended = place.run(&["ingest", "store", "events.jsonl"]);
    assert_eq!((ended.status, ended.stdout.as_str()), (0, ""));
    assert!(
        ended.stderr.contains("7 stored") && ended.stderr.contains("line 8"),
        "{ended:?}"
    );
}

#[test]
fn standard_input_is_a_file_too_even_an_empty_one() {
    let place = Place::new();
    assert_eq!(
        place
            .run_with(&["ingest", "store", "-"], events().as_bytes())
            .status,
        0
    );
    assert_eq!(stored(&place), 7);
    let empty = place.run_with(&["ingest", "store", "--report", "json", "-"], b"");
    assert_eq!(empty.status, 0, "{empty:?}");
    assert_eq!(
        serde_json::from_str::<Value>(&empty.stdout).unwrap()["events"]["read"],
        0
    );
}

#[test]
fn persons_and_groups_may_be_loaded_without_events() {
    let place = Place::with_events();
    place.file(
        "persons.jsonl",
        json!({"distinct_ids": ["ann"], "properties": {"role": "dev"}}).to_string(),
    );
    place.file(
        "groups.jsonl",
        json!({"group_type": "company", "group_key": "acme", "properties": {"size": 3}})
            .to_string(),
    );
    place.done(&[
        "ingest",
        "store",
        "--persons",
        "persons.jsonl",
        "--groups",
        "groups.jsonl",
    ]);
    let mut by_role = by_month(json!({"math": "total"}));
    by_role["properties"] =
        json!([{"type": "person", "key": "role", "value": "dev", "operator": "exact"}]);
    place.insight(&by_role);
    assert_eq!(
        place.json(&["query", "store", "insight.json"])["results"][0]["data"],
        json!([1, 1, 1])
    );
    let mut by_size = by_month(json!({"math": "total"}));
    by_size["properties"] = json!([{"type": "group", "group_type_index": 1, "key": "size", "value": "3", "operator": "exact"}]);
    place.insight(&by_size);
    assert_eq!(
        place.json(&["query", "store", "insight.json"])["results"][0]["data"],
        json!([2, 1, 1])
    );
}

#[test]
fn a_truncated_parquet_file_is_named_and_nothing_stored_is_lost() {
    let place = Place::with_events();
    place.file(
        "broken.parquet",
        b"PAR1 and then nothing that a footer would end",
    );
    place
        .run(&["ingest", "store", "broken.parquet"])
        .refused(3, &["broken.parquet"]);
    assert_eq!(stored(&place), 7);
}

#[test]
fn a_missing_file_is_named_and_no_store_is_made() {
    let place = Place::new();
    place
        .run(&["ingest", "store", "nowhere.jsonl"])
        .refused(1, &["nowhere.jsonl"]);
    assert!(!place.path("store").exists());
}

#[test]
fn a_table_with_other_names_is_loaded_by_naming_its_columns() {
    let place = Place::new();
    place.done(&["init", "store", "--group-type", "account"]);
    place.file(
        "clicks.jsonl",
        r#"{"action":"clicked","user":"ann","ts":"2024-03-01","account":"acme","plan":"pro"}"#,
    );
    let columns = [
        "--column",
        "event=action",
        "--column",
        "distinct_id=user",
        "--column",
        "timestamp=ts",
        "--column",
        "$group_0=account",
    ];
    let loaded = report(&place, &[&["clicks.jsonl"], &columns[..]].concat());
    assert_eq!(loaded["events"]["stored"], 1);
    assert_eq!(loaded["warnings"], json!([]));
    let rows = place.json(&[
        "sql",
        "store",
        "SELECT event, distinct_id, \"$group_0\" AS account FROM events",
    ]);
    assert_eq!(
        rows["results"],
        json!([{"event": "clicked", "distinct_id": "ann", "account": "acme"}])
    );
    for (columns, word) in [
        (&["--column", "event"][..], "--column"),
        (&["--column", "event=a", "--column", "event=b"], "`event`"),
    ] {
        let refused = place.run(&[&["ingest", "store", "clicks.jsonl"], columns].concat());
        assert_eq!(refused.status, 2, "{refused:?}");
        assert!(refused.stderr.contains(word), "{refused:?}");
    }
}

#[test]
fn openpanel_messages_are_known_by_their_content() {
    let place = Place::new();
    place.file(
        "panel.jsonl",
        r#"{"type":"track","payload":{"name":"e","profileId":"u","groups":["acme","else"]}}
{"type":"group","payload":{"id":"acme","type":"company","name":"Acme"}}
"#,
    );
    let at = ["--received-at", "2024-03-01T10:00:00Z"];
    let loaded = report(&place, &[&["panel.jsonl"], &at[..]].concat());
    assert_eq!(loaded["events"]["stored"], 1);
    assert_eq!(loaded["groups"]["created"], 1);
    assert_eq!(loaded["warnings"][0]["code"], "unknown_group_type");
}
