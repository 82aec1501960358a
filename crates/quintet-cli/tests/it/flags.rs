//! `quintet flags`.

use serde_json::{Value, json};

use crate::program::Place;

/// Companies with a plan, and a flag for half of those that pay.
fn place() -> Place {
    let place = Place::with_events();
    for (company, plan) in [("acme", "pro"), ("bolt", "free"), ("corp", "pro")] {
        let properties = json!({"plan": plan, "name": company.to_uppercase()}).to_string();
        place.done(&["groups", "set", "store", "company", company, &properties]);
    }
    place.file("flag.json", flag(100).to_string());
    place
}

fn flag(rollout: u8) -> Value {
    let pays = json!({"key": "plan", "type": "group", "group_type_index": 1, "operator": "exact", "value": ["PRO"]});
    json!({"id": 1, "key": "editor", "name": "Editor", "active": true, "filters": {
        "aggregation_group_type_index": 1,
        "groups": [{"properties": [pays], "rollout_percentage": rollout}],
        "multivariate": {"variants": [{"key": "blue", "rollout_percentage": 100}]},
        "payloads": {"blue": "{\"shade\": 3}"},
    }})
}

fn evaluate<'a>(words: &[&'a str]) -> Vec<&'a str> {
    let start = ["flags", "evaluate", "store", "flag.json"];
    [&start[..], words, &["--format", "json"]].concat()
}

#[test]
fn a_flag_is_evaluated_with_what_is_stored() {
    let place = place();
    let found = place.json(&evaluate(&[
        "--distinct-id",
        "ann",
        "--group",
        "company=acme",
    ]));
    let expected = json!([{"key": "editor", "value": "blue", "reason": "condition_match", "payload": {"shade": 3}, "condition_index": 0}]);
    assert_eq!(found["results"], expected);
    let other = place.json(&evaluate(&["--group", "company=bolt"]));
    assert_eq!(other["results"][0]["reason"], "no_condition_match");
    let nobody = place.json(&evaluate(&["--distinct-id", "ann"]));
    assert_eq!(nobody["results"][0]["reason"], "no_group_type");
}

#[test]
fn what_is_given_lies_over_what_is_stored() {
    let place = place();
    let given = r#"company={"plan": "Pro"}"#;
    let found = place.json(&evaluate(&[
        "--group",
        "company=bolt",
        "--group-properties",
        given,
    ]));
    assert_eq!(found["results"][0]["value"], "blue");
}

#[test]
fn the_audience_is_counted_by_condition_and_value() {
    let place = place();
    let found = place.json(&[
        "flags",
        "audience",
        "store",
        "flag.json",
        "--format",
        "json",
    ]);
    let expected = json!([{"key": "editor", "condition_index": 0, "of": "company", "group_type_index": 1,
        "total": 3, "matching": 2, "in_rollout": 2, "values": {"blue": 2}}]);
    assert_eq!(found["results"], expected);
    assert_eq!(found["summary"][0]["on"], 2);
    let csv = place.done(&["flags", "audience", "store", "flag.json", "--format", "csv"]);
    assert!(csv.contains("editor,0,company,3,2,2"), "{csv}");
    let table = place.done(&[
        "flags",
        "audience",
        "store",
        "flag.json",
        "--format",
        "table",
    ]);
    assert!(
        table.contains("company") && table.contains("in_rollout"),
        "{table}"
    );
}

#[test]
fn every_group_is_listed_with_its_value() {
    let place = place();
    let csv = place.done(&[
        "flags",
        "values",
        "store",
        "flag.json",
        "--limit",
        "2",
        "--format",
        "csv",
    ]);
    let lines: Vec<&str> = csv.lines().collect();
    assert!(
        lines[1].starts_with("acme,ACME,editor,blue,condition_match"),
        "{csv}"
    );
    assert!(
        lines[2].starts_with("bolt,BOLT,editor,false,no_condition_match"),
        "{csv}"
    );
    assert_eq!(lines.len(), 3, "{csv}");
}

#[test]
fn one_of_many_flags_is_asked_for_and_may_depend_on_the_others() {
    let place = place();
    let on_editor =
        json!({"key": "editor", "type": "flag", "operator": "flag_evaluates_to", "value": "blue"});
    let beta = json!({"key": "beta", "active": true, "filters": {"groups": [{"properties": [on_editor]}]}});
    place.file(
        "all.json",
        json!({"count": 2, "results": [flag(100), beta]}).to_string(),
    );
    let words = [
        "flags",
        "evaluate",
        "store",
        "all.json",
        "--distinct-id",
        "ann",
        "--group",
        "company=acme",
        "--format",
        "json",
    ];
    let all = place.json(&words);
    assert_eq!(all["results"][1]["value"], true);
    let one = place.json(&[&words[..], &["--flag", "beta"]].concat());
    assert_eq!(one["results"].as_array().unwrap().len(), 1);
    assert_eq!(one["results"][0]["value"], true);
    place
        .run(&[&words[..], &["--flag", "gamma"]].concat())
        .refused(2, &["--flag", "gamma"]);
}

#[test]
fn a_cohort_and_a_clock_come_with_definitions() {
    let place = Place::with_events();
    let cohort = json!({"key": "id", "type": "cohort", "value": 7});
    let old =
        json!({"key": "since", "type": "person", "operator": "is_date_before", "value": "-7d"});
    let flag =
        json!({"key": "f", "active": true, "filters": {"groups": [{"properties": [cohort, old]}]}});
    place.file("flag.json", flag.to_string());
    place.file(
        "definitions.json",
        json!({"cohorts": [{"id": 7, "name": "us", "distinct_ids": ["ann"]}]}).to_string(),
    );
    let asked = |id: &str, now: &str| {
        let given = r#"{"since": "2024-03-01"}"#;
        let words = [
            "--definitions",
            "definitions.json",
            "--distinct-id",
            id,
            "--person-properties",
            given,
            "--now",
            now,
        ];
        place.json(&evaluate(&words))["results"][0]["value"].clone()
    };
    assert_eq!(asked("ann", "2024-03-20T00:00:00Z"), true);
    assert_eq!(asked("ann", "2024-03-05T00:00:00Z"), false);
    assert_eq!(asked("ben", "2024-03-20T00:00:00Z"), false);
}

#[test]
fn what_is_odd_is_told_beside_the_answer() {
    let place = Place::with_events();
    let broken = json!({"key": "name", "operator": "regex", "value": "("});
    place.file(
        "flag.json",
        json!({"key": "f", "active": true, "filters": {"groups": [{"properties": [broken]}]}})
            .to_string(),
    );
    let found = place.json(&evaluate(&["--distinct-id", "ann", "--group", "firm=x"]));
    let codes: Vec<&str> = found["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|w| w["code"].as_str())
        .collect();
    assert_eq!(codes, ["unusable_value", "unknown_group_type"]);
    let ended = place.run(&[
        "flags",
        "evaluate",
        "store",
        "flag.json",
        "--distinct-id",
        "ann",
        "--format",
        "csv",
    ]);
    assert!(ended.stderr.contains("never holds"), "{ended:?}");
}

#[test]
fn a_wrong_flag_is_refused_with_its_place() {
    let place = place();
    let mut wrong = flag(100);
    wrong["filters"]["groups"][0]["properties"][0]["operator"] = json!("like");
    place.file("wrong.json", wrong.to_string());
    let words = ["flags", "audience", "store", "wrong.json"];
    place.run(&words).refused(
        2,
        &["flag.filters.groups[0].properties[0].operator", "like"],
    );
    place.file("wrong.json", "no json");
    place.run(&words).refused(2, &["wrong.json"]);
    let words = [
        "flags",
        "evaluate",
        "store",
        "flag.json",
        "--person-properties",
        "{",
    ];
    place.run(&words).refused(2, &["--person-properties"]);
    place
        .run(&["flags", "audience", "nowhere", "flag.json"])
        .refused(1, &["nowhere"]);
}

#[test]
fn the_hash_is_a_function_of_sql() {
    let place = place();
    let sql = "select count(*) as n from company where flag_hash('editor', key) between 0 and 1";
    assert_eq!(
        place.json(&["sql", "store", sql, "--format", "json"])["results"][0]["n"],
        3
    );
}
