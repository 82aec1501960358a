//! OpenPanel: profiles, groups without types, and what is reported of them.

use super::*;

const TIME: &str = "2024-03-01T10:00:00Z";

/// One load of these messages, as lines.
fn load(messages: &[Value]) -> Loaded {
    let mut loaded = Loaded::default();
    then(&mut loaded, messages, None);
    loaded.finish()
}

/// A further load.
fn then(loaded: &mut Loaded, messages: &[Value], default: Option<&str>) {
    let lines: String = messages
        .iter()
        .map(|message| format!("{message}\n"))
        .collect();
    loaded.learned.ids = GroupIds::of(&loaded.state.groups, default);
    learn_groups(
        &source(lines.clone()),
        &mut loaded.learned,
        &mut loaded.report,
    )
    .unwrap();
    loaded.read(lines, Some(TIME)).unwrap();
}

fn group(id: &str, group_type: &str, name: &str) -> Value {
    json!({"type": "group", "payload": {"id": id, "type": group_type, "name": name, "properties": {"seats": 25, "name": "hidden"}}})
}

fn track(groups: Value) -> Value {
    json!({"type": "track", "payload": {"name": "e", "profileId": "u", "groups": groups, "properties": {"a": 1}}})
}

#[test]
fn a_group_message_declares_a_group_with_its_name_and_is_no_event() {
    let loaded = load(&[group("acme", "company", "Acme")]);
    let properties = json!({"seats": 25, "name": "Acme"});
    assert_eq!(loaded.declared(), [(0, "acme", properties)]);
    assert_eq!((loaded.types(), loaded.staged.len()), (vec!["company"], 0));
    assert_eq!(
        (loaded.report.events.read, loaded.report.groups.created),
        (0, 1)
    );
}

#[test]
fn ids_go_to_the_columns_of_their_types_wherever_in_the_load_these_are_told() {
    let loaded = load(&[
        track(json!(["dev", "acme", "acme"])),
        group("acme", "company", "Acme"),
        group("dev", "team", "Dev"),
    ]);
    assert_eq!(loaded.types(), ["team", "company"]);
    assert_eq!(loaded.groups(0), ["dev", "acme", "", "", ""]);
    assert_eq!(
        loaded.properties(0),
        json!({"a": 1, "groups": ["dev", "acme", "acme"]})
    );
    assert!(loaded.warnings().is_empty());
}

#[test]
fn of_two_groups_of_one_type_the_first_stays_and_the_other_is_reported() {
    let loaded = load(&[
        group("a", "company", "A"),
        group("b", "company", "B"),
        track(json!(["b", "a"])),
    ]);
    assert_eq!(loaded.groups(0)[0], "b");
    assert_eq!(loaded.warnings(), ["several_groups_of_one_type"]);
}

#[test]
fn an_unknown_id_is_reported_and_kept_or_takes_the_default_type() {
    let loaded = load(&[track(json!(["who"]))]);
    assert_eq!(
        (loaded.groups(0)[0], loaded.warnings()),
        ("", vec!["unknown_group_type"])
    );
    assert_eq!(loaded.properties(0)["groups"], json!(["who"]));
    let mut loaded = Loaded::default();
    then(&mut loaded, &[track(json!(["who"]))], Some("company"));
    assert_eq!(
        (loaded.groups(0)[0], loaded.types()),
        ("who", vec!["company"])
    );
}

#[test]
fn a_later_type_applies_to_the_whole_load_and_the_conflict_is_reported() {
    let loaded = load(&[
        group("a", "company", "A"),
        track(json!(["a"])),
        group("a", "team", "A2"),
    ]);
    assert_eq!((loaded.types(), loaded.groups(0)[0]), (vec!["team"], "a"));
    assert_eq!(loaded.warnings(), ["group_type_conflict"]);
    assert_eq!(loaded.declared().len(), 1);
}

#[test]
fn groups_of_earlier_loads_are_known() {
    let mut loaded = load(&[group("a", "company", "A")]);
    then(&mut loaded, &[track(json!(["a"]))], None);
    assert_eq!(loaded.groups(0)[0], "a");
}

#[test]
fn profiles_have_properties_that_are_set_joined_and_added_to() {
    let say = |kind: &str, payload: Value| json!({"type": kind, "payload": payload});
    let loaded = load(&[
        say(
            "identify",
            json!({"profileId": 7, "firstName": "Ann", "email": null, "properties": {"plan": "pro"}}),
        ),
        say("increment", json!({"profileId": "7", "property": "visits"})),
        say(
            "increment",
            json!({"profileId": "7", "property": "visits", "value": 2.5}),
        ),
        say("decrement", json!({"profileId": "7", "property": "visits"})),
        say(
            "assign_group",
            json!({"profileId": "7", "groupIds": ["a", "b"]}),
        ),
        say(
            "assign_group",
            json!({"profileId": "7", "groupIds": ["b", "c"]}),
        ),
        say("increment", json!({"profileId": "7", "property": "plan"})),
        say("track", json!({"name": "e", "profileId": "7"})),
    ]);
    let properties =
        json!({"plan": "pro", "firstName": "Ann", "visits": 2.5, "groups": ["a", "b", "c"]});
    assert_eq!(loaded.person_properties("7"), properties);
    assert!(loaded.person("7").is_identified);
    assert_eq!(loaded.warnings(), ["property_not_changed"]);
    assert_eq!((loaded.events(), loaded.groups(0)[0]), (vec!["e"], ""));
}

#[test]
fn an_event_is_of_its_profile_or_else_of_its_device_at_its_own_time_or_that_of_receipt() {
    let loaded = load(&[
        json!({"type": "track", "payload": {"name": "a", "deviceId": "d", "properties": {"__timestamp": "2024-01-01T00:00:00Z"}}}),
        json!({"type": "track", "deviceId": "d", "payload": {"name": "b"}}),
    ]);
    assert_eq!(
        loaded.staged.timestamps,
        [micros("2024-01-01"), micros(TIME)]
    );
    assert_eq!(loaded.persons(), 1);
}

#[test]
fn what_openpanel_refuses_is_refused() {
    let say = |kind: &str, payload: Value| json!({"type": kind, "payload": payload});
    for message in [
        say("alias", json!({"profileId": "a", "alias": "b"})),
        say("track", json!({"name": "", "profileId": "u"})),
        say("track", json!({"name": "e"})),
        track(json!([""])),
        track(json!("acme")),
        track(json!([1])),
        say("group", json!({"id": "a", "type": "company"})),
        say("group", json!({"id": "a", "type": "", "name": "A"})),
        say("group", json!({"id": "", "type": "company", "name": "A"})),
        say("identify", json!({"properties": {}})),
        say("assign_group", json!({"profileId": "u", "groupIds": [""]})),
        say(
            "increment",
            json!({"profileId": "u", "property": "p", "value": "x"}),
        ),
        say("unheard_of", json!({})),
    ] {
        let loaded = load(std::slice::from_ref(&message));
        assert_eq!(
            (loaded.report.rejected.len(), loaded.staged.len()),
            (1, 0),
            "{message}"
        );
    }
}
