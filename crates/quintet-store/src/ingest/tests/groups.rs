//! `$groups`, group types and `$groupidentify`.

use serde_json::json;

use super::*;

fn identify(properties: Value) -> Value {
    event("$groupidentify", properties)
}

#[test]
fn groups_fill_the_columns_of_their_types_and_claim_types_in_textual_order() {
    let loaded = Loaded::of(&[
        event(
            "e",
            json!({"$groups": {"zoo": "z1", "company": 42, "on": true}}),
        ),
        event("e", json!({"$groups": {"company": {"a": 1}}})),
    ]);
    assert_eq!(loaded.types(), ["zoo", "company", "on"]);
    assert_eq!(loaded.groups(0), ["z1", "42", "true", "", ""]);
    assert_eq!(loaded.groups(1), ["", "{\"a\":1}", "", "", ""]);
    assert!(loaded.declared().is_empty());
}

#[test]
fn an_empty_or_null_key_is_no_group_and_a_list_is_reported() {
    let loaded = Loaded::of(&[
        event("e", json!({"$groups": {"company": ""}})),
        event("e", json!({"$groups": {"company": null}})),
        event("e", json!({"$groups": {"company": ["a", "b"]}})),
    ]);
    assert_eq!(loaded.staged.groups[0], [0, 0, 1]);
    assert_eq!(loaded.groups(2)[0], "[\"a\",\"b\"]");
    assert_eq!(loaded.warnings(), ["several_groups_of_one_type"]);
}

#[test]
fn the_sixth_type_gets_no_column_and_is_reported() {
    let types = json!({"a": "1", "b": "1", "c": "1", "d": "1", "e": "1", "f": "1"});
    let loaded = Loaded::of(&[event("e", json!({"$groups": types}))]);
    assert_eq!(loaded.types(), ["a", "b", "c", "d", "e"]);
    assert_eq!(loaded.warnings(), ["group_type_limit"]);
    assert_eq!(loaded.report.warnings[0].first, "test:1: type `f`");
    assert_eq!(loaded.properties(0)["$groups"]["f"], "1");
}

#[test]
fn direct_columns_are_honoured_without_a_type_and_groups_win_over_them() {
    let loaded = Loaded::of(&[
        event("e", json!({"$group_0": "org:5", "$group_3": 7})),
        event(
            "e",
            json!({"$groups": {"company": "new"}, "$group_0": "old"}),
        ),
    ]);
    assert_eq!(loaded.groups(0), ["org:5", "", "", "7", ""]);
    assert_eq!(loaded.groups(1)[0], "new");
    assert_eq!(loaded.types(), ["company"]);
}

#[test]
fn what_is_no_object_or_no_name_is_reported_and_the_event_kept() {
    let loaded = Loaded::of(&[
        event("e", json!({"$groups": "acme"})),
        event("e", json!({"$groups": {"": "acme"}})),
        event("e", json!({"groups": {"company": "acme"}})),
    ]);
    assert_eq!(loaded.events().len(), 3);
    assert_eq!(
        loaded.warnings(),
        [
            "invalid_groups",
            "invalid_group_type",
            "did_you_mean_$groups"
        ]
    );
}

#[test]
fn a_personless_event_claims_no_type_and_has_no_groups() {
    let loaded = Loaded::of(&[event(
        "e",
        json!({"$process_person_profile": false, "$groups": {"company": "acme"}, "$group_1": "x", "$set": {"a": 1}}),
    )]);
    assert!(loaded.types().is_empty());
    assert_eq!(loaded.groups(0), [""; 5]);
    assert_eq!(
        loaded.properties(0),
        json!({"$process_person_profile": false, "$groups": {"company": "acme"}})
    );
    assert_eq!(loaded.warnings(), ["personless_event_with_groups"]);
}

#[test]
fn group_identify_makes_the_type_and_the_group_and_tags_nothing() {
    let loaded = Loaded::of(&[identify(
        json!({"$group_type": "company", "$group_key": 42, "$group_set": {"name": "A"}}),
    )]);
    assert_eq!(loaded.declared(), [(0, "42", json!({"name": "A"}))]);
    assert_eq!(loaded.groups(0), [""; 5]);
    assert_eq!(
        (loaded.events(), loaded.report.groups.created),
        (vec!["$groupidentify"], 1)
    );
}

#[test]
fn group_identify_with_groups_is_tagged_like_any_event() {
    let loaded = Loaded::of(&[identify(
        json!({"$group_type": "company", "$group_key": "c1", "$groups": {"company": "c1"}}),
    )]);
    assert_eq!(
        (loaded.groups(0)[0], loaded.declared()),
        ("c1", vec![(0, "c1", json!({}))])
    );
}

#[test]
fn group_properties_are_overlaid_in_the_order_of_receipt() {
    let declare = |time: &str, set: Value| {
        let mut message =
            identify(json!({"$group_type": "company", "$group_key": "c", "$group_set": set}));
        message["timestamp"] = time.into();
        message
    };
    let loaded = Loaded::of(&[
        declare("2024-02-01", json!({"a": 1, "b": {"x": 1}})),
        declare("2024-01-01", json!({"a": "1", "b": {"y": 1}, "c": null})),
        declare("2024-03-01", json!({"a": "1"})),
        declare("2024-03-01", json!("no object")),
    ]);
    assert_eq!(
        loaded.declared(),
        [(0, "c", json!({"a": "1", "b": {"y": 1}, "c": null}))]
    );
    let group = loaded.state.groups.get(0, 1).unwrap();
    assert_eq!((group.created_at, group.version), (micros("2024-02-01"), 2));
    assert_eq!(
        (loaded.report.groups.created, loaded.report.groups.updated),
        (1, 1)
    );
}

#[test]
fn a_group_begins_no_later_than_its_receipt() {
    let mut message = identify(json!({"$group_type": "company", "$group_key": "c"}));
    message["timestamp"] = "2024-03-01T20:00:00Z".into();
    let loaded = Loaded::of(&[message]);
    assert_eq!(
        loaded.state.groups.get(0, 1).unwrap().created_at,
        micros("2024-03-01T10:00:00Z")
    );
}

#[test]
fn group_identify_without_type_or_key_is_stored_and_touches_no_group() {
    for properties in [
        json!({"$group_key": "k"}),
        json!({"$group_type": "t", "$group_key": ""}),
        json!({"$group_type": 0, "$group_key": "k"}),
    ] {
        let loaded = Loaded::of(&[identify(properties)]);
        assert_eq!((loaded.events().len(), loaded.types().len()), (1, 0));
        assert_eq!(loaded.warnings(), ["group_identify_without_type_or_key"]);
    }
}

#[test]
fn group_identify_with_a_key_over_400_characters_is_dropped() {
    let with = |n: usize| identify(json!({"$group_type": "company", "$group_key": "k".repeat(n)}));
    let loaded = Loaded::of(&[with(400), with(401)]);
    assert_eq!((loaded.events().len(), loaded.declared().len()), (1, 1));
    assert_eq!(loaded.warnings(), ["group_key_too_long"]);
    assert_eq!(loaded.report.events.rejected, 1);
}

#[test]
fn group_identify_never_changes_a_person() {
    let loaded = Loaded::of(&[identify(
        json!({"$group_type": "company", "$group_key": "c", "$set": {"a": 2}}),
    )]);
    assert_eq!(loaded.person_properties("u"), json!({}));
    assert!(loaded.properties(0).get("$set").is_none());
}

#[test]
fn same_key_in_two_types_are_two_groups() {
    let loaded = Loaded::of(&[
        identify(json!({"$group_type": "a", "$group_key": "k", "$group_set": {"x": 1}})),
        identify(json!({"$group_type": "b", "$group_key": "k", "$group_set": {"x": 2}})),
    ]);
    assert_eq!(
        loaded.declared(),
        [(0, "k", json!({"x": 1})), (1, "k", json!({"x": 2}))]
    );
}

#[test]
fn delete_group_property_takes_keys_away() {
    let loaded = Loaded::of(&[
        identify(json!({"$group_type": "a", "$group_key": "k", "$group_set": {"x": 1, "y": 2}})),
        event(
            "$delete_group_property",
            json!({"$group_type": "a", "$group_key": "k", "$group_unset": ["x"]}),
        ),
        event(
            "$delete_group_property",
            json!({"$group_type": "b", "$group_key": "k", "$group_unset": ["x"]}),
        ),
    ]);
    assert_eq!(loaded.declared(), [(0, "k", json!({"y": 2}))]);
    assert_eq!(loaded.warnings(), ["unknown_group_type"]);
}
