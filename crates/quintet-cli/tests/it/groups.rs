//! `quintet groups` and `quintet group-types`.

use serde_json::json;

use crate::program::Place;

fn results(place: &Place, words: &[&str]) -> serde_json::Value {
    place.json(words)["results"].clone()
}

#[test]
fn a_group_is_set_listed_shown_and_deleted() {
    let place = Place::with_events();
    place.done(&[
        "groups",
        "set",
        "store",
        "company",
        "acme",
        r#"{"name": "Acme", "size": 3}"#,
    ]);
    let list = [
        "groups",
        "list",
        "store",
        "company",
        "--select",
        "key",
        "--select",
        "properties.size",
        "--order",
        "key DESC",
        "--search",
        "ACM",
        "--format",
        "json",
    ];
    assert_eq!(results(&place, &list), json!([["acme", 3]]));
    let page = results(
        &place,
        &["groups", "show", "store", "1", "acme", "--format", "json"],
    );
    assert_eq!(page["display_name"], "Acme");
    let table = place.done(&["groups", "list", "store", "company", "--format", "table"]);
    assert!(table.contains("Acme") && table.contains("acme"), "{table}");
    let lines = place.done(&[
        "groups", "list", "store", "company", "--select", "key", "--format", "ndjson",
    ]);
    assert_eq!(lines, "{\"key\":\"acme\"}\n");
    let facts = place.done(&[
        "groups", "show", "store", "company", "acme", "--format", "csv",
    ]);
    assert!(facts.contains("top_events.paid,4"), "{facts}");
    place.done(&["groups", "unset", "store", "company", "acme", "size"]);
    place.done(&["groups", "delete", "store", "company", "acme"]);
    assert_eq!(
        results(
            &place,
            &["groups", "list", "store", "company", "--format", "json"]
        ),
        json!([])
    );
}

#[test]
fn types_are_listed_renamed_and_deleted() {
    let place = Place::with_events();
    place.done(&[
        "group-types",
        "rename",
        "store",
        "company",
        "--plural",
        "companies",
    ]);
    let types = results(
        &place,
        &["group-types", "list", "store", "--format", "json"],
    );
    assert_eq!(types[1]["name_plural"], "companies");
    place.done(&["group-types", "delete", "store", "0"]);
    let types = results(
        &place,
        &["group-types", "list", "store", "--format", "json"],
    );
    assert_eq!(types[0]["group_type"], "company");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let place = Place::with_events();
    for words in [
        &["groups", "list", "store", "firm"][..],
        &["groups", "set", "store", "company", "acme", "nonsense"],
        &["groups", "unset", "store", "company", "nobody", "size"],
        &["groups", "delete", "store", "company", "nobody"],
        &["groups", "show", "store", "company", "nobody"],
        &["groups", "related", "store"],
        &["groups", "related", "store", "company"],
        &["group-types", "rename", "store", "company"],
        &["group-types", "delete", "store", "firm"],
    ] {
        let ended = place.run(words);
        assert_eq!(ended.status, 2, "{words:?}: {ended:?}");
    }
}
