//! Persons: creation, updates, merges and their refusals.

use serde_json::json;

use super::*;

fn by(distinct_id: &str, name: &str, properties: Value) -> Value {
    json!({"event": name, "distinct_id": distinct_id, "timestamp": "2024-03-01T10:00:00Z", "properties": properties})
}

fn identify(distinct_id: &str, anonymous: &str) -> Value {
    by(
        distinct_id,
        "$identify",
        json!({"$anon_distinct_id": anonymous}),
    )
}

#[test]
fn the_id_of_a_person_comes_from_its_distinct_id() {
    let loaded = Loaded::of(&[by("test", "e", json!({}))]);
    assert_eq!(
        loaded.person("test").id.to_string(),
        "246f7a43-5507-564f-b687-793ee3c2dd79"
    );
    assert_eq!(
        loaded.person("test").created_at,
        micros("2024-03-01T10:00:00Z")
    );
    assert!(
        loaded
            .person("test")
            .properties
            .contains("$creator_event_uuid")
    );
}

#[test]
fn set_set_once_and_unset_apply_in_the_order_of_receipt() {
    let loaded = Loaded::of(&[
        by(
            "u",
            "e",
            json!({"$set": {"a": 1, "b": 1}, "$set_once": {"a": 0, "c": 1}}),
        ),
        by("u", "e", json!({"$set": {"a": 2}, "$set_once": {"c": 2}})),
        by("u", "e", json!({"$unset": ["b"]})),
        by("u", "e", json!({"$unset": {}})),
    ]);
    assert_eq!(loaded.person_properties("u"), json!({"c": 1, "a": 2}));
}

#[test]
fn the_same_update_again_changes_nothing() {
    let update = by("u", "e", json!({"$set": {"a": 1}}));
    let mut loaded = Loaded::of(std::slice::from_ref(&update));
    let version = loaded.person("u").version;
    loaded.state.persons.take_changes();
    loaded.then(&update);
    assert_eq!(loaded.person("u").version, version);
    assert_eq!(loaded.state.persons.take_changes(), Default::default());
    loaded.then(&by("u", "e", json!({"$set": {"a": 2}})));
    loaded.then(&update);
    assert_eq!(loaded.person_properties("u"), json!({"a": 1}));
}

#[test]
fn exceptions_and_heatmaps_update_nobody() {
    let loaded = Loaded::of(&[
        by("u", "$exception", json!({"$set": {"a": 1}})),
        by("u", "$$heatmap", json!({"$set": {"a": 1}})),
    ]);
    assert_eq!(loaded.person_properties("u"), json!({}));
}

#[test]
fn a_personless_event_makes_no_person_until_an_ordinary_one_comes() {
    let off = json!({"$process_person_profile": false, "$set": {"a": 1}});
    let mut loaded = Loaded::of(&[by("u", "e", off.clone())]);
    assert_eq!((loaded.persons(), loaded.report.persons.created), (0, 0));
    assert_eq!(loaded.person("u").state, PersonState::Personless);
    loaded.then(&by("u", "e", json!({})));
    loaded.then(&by("u", "e", off));
    assert_eq!((loaded.persons(), loaded.report.persons.created), (1, 1));
    assert_eq!(loaded.staged.persons, [1, 1, 1]);
    assert_eq!(loaded.person_properties("u"), json!({}));
}

#[test]
fn a_personless_identify_is_dropped_with_a_warning() {
    for name in [
        "$identify",
        "$create_alias",
        "$merge_dangerously",
        "$groupidentify",
    ] {
        let loaded = Loaded::of(&[by("u", name, json!({"$process_person_profile": false}))]);
        assert_eq!(
            (loaded.events().len(), loaded.report.events.rejected),
            (0, 1)
        );
        assert_eq!(
            loaded.warnings(),
            ["invalid_event_when_process_person_profile_is_false"]
        );
    }
}

#[test]
fn identify_with_itself_or_with_nothing_does_nothing() {
    let loaded = Loaded::of(&[
        identify("u", "u"),
        identify("u", ""),
        by("u", "$identify", json!({})),
    ]);
    assert!(!loaded.person("u").is_identified);
    assert!(loaded.warnings().is_empty());
}

#[test]
fn an_unknown_id_is_added_to_the_known_person_either_way_round() {
    for alias in [("old", "new"), ("new", "old")] {
        let loaded = Loaded::of(&[
            by("old", "e", json!({})),
            by(alias.1, "$create_alias", json!({"alias": alias.0})),
        ]);
        assert!(loaded.same_person("old", "new") && loaded.person("new").is_identified);
        assert_eq!((loaded.persons(), loaded.report.persons.merged), (1, 0));
    }
}

#[test]
fn two_unknown_ids_make_one_person_with_the_id_of_the_target() {
    let loaded = Loaded::of(&[identify("test", "anon")]);
    assert!(loaded.same_person("test", "anon"));
    assert_eq!(
        loaded.person("anon").id.to_string(),
        "246f7a43-5507-564f-b687-793ee3c2dd79"
    );
    assert_eq!((loaded.persons(), loaded.report.persons.created), (1, 1));
}

#[test]
fn of_two_persons_the_target_stays_and_its_values_win() {
    let mut early = by("anon", "e", json!({"$set": {"both": "anon", "only": 1}}));
    early["timestamp"] = "2024-02-01T00:00:00Z".into();
    let loaded = Loaded::of(&[
        early,
        by("user", "e", json!({"$set": {"both": "user"}})),
        identify("user", "anon"),
    ]);
    let person = loaded.person("user");
    assert!(loaded.same_person("user", "anon") && person.is_identified);
    assert_eq!(
        loaded.person_properties("user"),
        json!({"both": "user", "only": 1})
    );
    assert_eq!(person.created_at, micros("2024-02-01"));
    assert_eq!((loaded.persons(), loaded.report.persons.merged), (1, 1));
    assert_eq!(loaded.state.persons.resolve(1), 2);
}

#[test]
fn the_update_of_a_merging_event_comes_after_the_merge() {
    let mut merge = identify("user", "anon");
    merge["properties"]["$set"] = json!({"a": "event"});
    let loaded = Loaded::of(&[
        by("anon", "e", json!({"$set": {"a": "anon"}})),
        by("user", "e", json!({})),
        merge,
    ]);
    assert_eq!(loaded.person_properties("anon"), json!({"a": "event"}));
}

#[test]
fn an_identified_person_is_only_merged_dangerously() {
    let start = [identify("a", "anon-a"), identify("b", "anon-b")];
    let mut refused = Loaded::of(&start);
    refused.then(&identify("a", "b"));
    assert!(!refused.same_person("a", "b"));
    assert_eq!(refused.warnings(), ["cannot_merge_already_identified"]);
    let mut merged = Loaded::of(&start);
    merged.then(&by("a", "$merge_dangerously", json!({"alias": "b"})));
    assert!(merged.same_person("anon-a", "anon-b"));
}

#[test]
fn a_refused_identify_still_identifies_the_target() {
    let loaded = Loaded::of(&[
        identify("old", "anon"),
        by("new", "e", json!({})),
        identify("new", "old"),
    ]);
    assert!(loaded.person("new").is_identified && !loaded.same_person("new", "old"));
}

#[test]
fn generic_ids_are_never_merged() {
    for id in [
        "Anonymous",
        "distinctId",
        "NaN",
        "undefined",
        "None",
        "0",
        "null",
        "'guest'",
        "\"0\"",
        "  ",
    ] {
        let loaded = Loaded::of(&[identify("user", id)]);
        assert_eq!(
            loaded.warnings(),
            ["cannot_merge_with_illegal_distinct_id"],
            "{id}"
        );
        assert_eq!(
            (loaded.persons(), loaded.person("user").is_identified),
            (1, false)
        );
    }
    for id in ["Nan", "NULL", "'x'"] {
        assert!(Loaded::of(&[identify("user", id)]).same_person("user", id));
    }
}

#[test]
fn personless_events_belong_to_the_person_that_their_id_is_merged_into() {
    let off = json!({"$process_person_profile": false});
    let loaded = Loaded::of(&[
        by("anon", "e", off.clone()),
        by("user", "e", json!({})),
        identify("user", "anon"),
    ]);
    let persons = &loaded.state.persons;
    assert_eq!(
        persons.resolve(loaded.staged.persons[0]),
        loaded.staged.persons[1]
    );
    let loaded = Loaded::of(&[by("anon", "e", off), identify("user", "anon")]);
    assert!(loaded.same_person("user", "anon"));
    assert_eq!(loaded.persons(), 1);
}

#[test]
fn a_state_comes_back_as_it_was_persisted() {
    let mut loaded = Loaded::of(&[
        by("a", "e", json!({"$set": {"x": 1}})),
        by("b", "e", json!({})),
        identify("b", "a"),
    ]);
    let persons = &mut loaded.state.persons;
    let changes = persons.take_changes();
    assert_eq!(
        (changes.persons, changes.distinct_ids),
        (vec![1, 2], vec!["a".to_owned(), "b".to_owned()])
    );
    let rows: Vec<_> = persons.iter().map(|(r, p)| (r, p.clone())).collect();
    let ids: Vec<_> = persons
        .distinct_ids()
        .map(|(id, r)| (id.to_owned(), r))
        .collect();
    let mut back = crate::entities::Persons::restore(rows.into_iter().rev(), ids.into_iter());
    assert_eq!(
        (back.find("a"), back.find("b"), back.len()),
        (Some(2), Some(2), 2)
    );
    assert_eq!(back.get(2), persons.get(2));
    assert_eq!(back.take_changes(), Default::default());
}
