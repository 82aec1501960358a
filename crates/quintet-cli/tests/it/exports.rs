//! Events that nobody loaded: PostHog's exports and JSON lines, asked as they lie.

use serde_json::{Value, json};

use crate::program::{Place, by_month, events};

/// A file of the bundled export.
fn bundled(name: &str) -> String {
    format!(
        "{}/../../testdata/export/{name}",
        env!("CARGO_MANIFEST_DIR")
    )
}

fn funnel(place: &Place, asked: &str) -> Value {
    place.json(&["query", asked, &bundled("funnel.json"), "--format", "json"])["results"].clone()
}

#[test]
fn the_bundled_export_gives_the_same_funnel_by_company_with_and_without_a_store() {
    let place = Place::new();
    place.done(&["ingest", "store", &bundled("parquet")]);
    let expected = funnel(&place, "store");
    let counts: Vec<&Value> = expected
        .as_array()
        .unwrap()
        .iter()
        .map(|step| &step["count"])
        .collect();
    assert_eq!(counts, [&json!(18), &json!(14), &json!(9)]);
    assert_eq!(funnel(&place, &bundled("parquet")), expected);
    assert_eq!(funnel(&place, &bundled("lines")), expected);
    let ended = place.run(&["query", &bundled("lines"), &bundled("funnel.json")]);
    assert!(
        !ended.stderr.contains("read"),
        "the load is not spoken of: {ended:?}"
    );
    let companies =
        "SELECT count(*) AS n FROM company WHERE json_property(properties, 'plan') = 'pro'";
    let answer = place.json(&["sql", &bundled("parquet"), companies, "--format", "json"]);
    assert_eq!(answer["results"], json!([{"n": 8}]));
}

#[test]
fn columns_are_named_in_questions_as_in_loads() {
    let place = Place::new();
    let renamed = events()
        .replace("\"event\"", "\"action\"")
        .replace("\"distinct_id\"", "\"user\"");
    place.file("clicks.jsonl", renamed);
    place.insight(&by_month(json!({"math": "dau"})));
    let names = ["--column", "event=action", "--column", "distinct_id=user"];
    let words = ["query", "clicks.jsonl", "insight.json", "--format", "json"];
    let answer = place.json(&[&words[..], &names].concat());
    assert_eq!(answer["results"][0]["data"], json!([3, 1, 2]));
    assert_eq!(answer["snapshot"], Value::Null);
    let words = [
        "sql",
        "clicks.jsonl",
        "SELECT count(DISTINCT distinct_id) AS n FROM events WHERE event = 'paid'",
    ];
    let answer = place.json(&[&words[..], &names].concat());
    assert_eq!(answer["results"][0]["n"], 3);
    place.done(&["init", "store"]);
    let words = ["query", "store", "insight.json"];
    place
        .run(&[&words[..], &names].concat())
        .refused(2, &["column"]);
}

#[test]
fn what_is_refused_in_lines_is_told_beside_the_answer() {
    let place = Place::new();
    place.file("events.jsonl", format!("{}nonsense\n", events()));
    place.insight(&by_month(json!({"math": "dau"})));
    let ended = place.run(&["query", "events.jsonl", "insight.json", "--format", "json"]);
    assert_eq!(ended.status, 0);
    assert!(ended.stderr.contains("events.jsonl line 8"), "{ended:?}");
}

#[test]
fn a_broken_export_is_one_sentence() {
    let place = Place::new();
    let whole = std::fs::read(bundled("parquet/2024-01-01-2024-04-01-0.parquet.zst")).unwrap();
    std::fs::create_dir(place.path("export")).unwrap();
    place.file("export/a-b.parquet.zst", &whole[..whole.len() / 2]);
    place.insight(&by_month(json!({"math": "dau"})));
    place
        .run(&["query", "export", "insight.json"])
        .refused(3, &["export/a-b.parquet.zst"]);
    place.file("export/a-b.parquet.zst", b"\x28\xb5\x2f\xfdand so on");
    place
        .run(&["query", "export", "insight.json"])
        .refused(2, &["packed as a whole", "quintet ingest"]);
}
