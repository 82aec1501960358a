//! Request shapes, fields, time and normalising.

use serde_json::json;
use uuid::Uuid;

use super::*;

#[test]
fn an_array_a_batch_and_a_single_event_are_requests() {
    let e = |name: &str| json!({"event": name, "distinct_id": "u"});
    let loaded = Loaded::of(&[
        json!([e("a"), e("b")]),
        json!({"token": "t", "historical_migration": true, "batch": [e("c"), e("d")]}),
        e("e"),
    ]);
    assert_eq!(loaded.events(), ["a", "b", "c", "d", "e"]);
    assert_eq!(loaded.report.events.read, 5);
}

#[test]
fn one_malformed_event_of_a_batch_is_refused_alone() {
    let loaded = Loaded::of(&[json!({"batch": [
        {"event": "a", "distinct_id": "u"}, {"event": "b"}, {"event": "c", "distinct_id": "u"},
    ]})]);
    assert_eq!(loaded.events(), ["a", "c"]);
    assert!(
        loaded
            .refusal()
            .starts_with("event 2 of the list: `distinct_id` is missing")
    );
    assert_eq!(
        (loaded.report.events.read, loaded.report.events.rejected),
        (3, 1)
    );
}

#[test]
fn the_event_name_is_required_and_cut_to_200_characters() {
    for bad in [
        json!({"event": "", "distinct_id": "u"}),
        json!({"distinct_id": "u"}),
        json!({"event": 5, "distinct_id": "u"}),
    ] {
        let loaded = Loaded::of(&[bad]);
        assert!(loaded.refusal().contains("`event`"));
    }
    let loaded = Loaded::of(&[json!({"event": "é".repeat(300), "distinct_id": "u"})]);
    assert_eq!(loaded.events(), ["é".repeat(200)]);
    assert_eq!(loaded.warnings(), ["event_name_truncated"]);
}

#[test]
fn the_distinct_id_is_text_from_the_top_level_or_the_properties() {
    for (message, id) in [
        (
            json!({"event": "e", "distinct_id": "a", "properties": {"distinct_id": "b"}}),
            "a",
        ),
        (json!({"event": "e", "$distinct_id": "a"}), "a"),
        (
            json!({"event": "e", "distinct_id": null, "properties": {"distinct_id": "b"}}),
            "b",
        ),
        (json!({"event": "e", "distinct_id": " a "}), " a "),
        (json!({"event": "e", "distinct_id": 23.4}), "23.4"),
        (json!({"event": "e", "distinct_id": true}), "true"),
        (
            json!({"event": "e", "distinct_id": ["a", "b"]}),
            r#"["a","b"]"#,
        ),
        (
            json!({"event": "e", "distinct_id": {"b": {"z": 1, "y": 2}, "a": 3}}),
            r#"{"a":3,"b":{"y":2,"z":1}}"#,
        ),
        (
            json!({"event": "e", "distinct_id": "a\u{0}b"}),
            "a\u{FFFD}b",
        ),
    ] {
        let loaded = Loaded::of(&[message]);
        assert_eq!(loaded.staged.ids.get(0), id);
    }
}

#[test]
fn a_blank_distinct_id_is_refused_and_a_long_one_cut_with_a_warning() {
    for id in [json!(null), json!(""), json!(" \t\n")] {
        let loaded = Loaded::of(&[json!({"event": "e", "distinct_id": id})]);
        assert!(loaded.refusal().contains("`distinct_id`"));
    }
    let loaded = Loaded::of(&[json!({"event": "e", "distinct_id": "x".repeat(201)})]);
    assert_eq!(loaded.staged.ids.get(0).len(), 200);
    assert_eq!(loaded.warnings(), ["distinct_id_truncated"]);
}

#[test]
fn a_uuid_is_kept_generated_when_absent_and_refused_when_it_is_none() {
    let id = "550e8400-e29b-41d4-a716-446655440000";
    let e = |uuid: &str| json!({"event": "e", "distinct_id": "u", "uuid": uuid});
    let loaded = Loaded::of(&[e(id), e("")]);
    assert_eq!(loaded.staged.uuids[0], Uuid::parse_str(id).unwrap());
    assert_eq!(loaded.staged.uuid_given, [true, false]);
    assert_eq!(loaded.staged.uuids[1].get_version_num(), 7);
    assert!(Loaded::of(&[e("not-a-uuid")]).refusal().contains("no UUID"));
}

#[test]
fn properties_keep_the_exact_text_that_was_sent() {
    let text = r#"{"a" : 1.0, "b":12345678901234567890123, "$set":{"x":1},"é":"\u00e9"}"#;
    let mut loaded = Loaded::default();
    let line = format!(
        r#"{{"event":"e","distinct_id":"u","timestamp":"2024-01-01","properties":{text}}}"#
    );
    loaded.read(line, None).unwrap();
    assert_eq!(loaded.staged.properties.get(0), text);
}

#[test]
fn absent_properties_are_an_empty_object_and_other_values_are_refused() {
    let e = |properties: Value| json!({"event": "e", "distinct_id": "u", "properties": properties});
    let loaded = Loaded::of(&[
        json!({"event": "e", "distinct_id": "u"}),
        e(json!(null)),
        e(json!("{\"a\":1}")),
    ]);
    assert_eq!(
        [0, 1, 2].map(|row| loaded.staged.properties.get(row)),
        ["{}", "{}", "{\"a\":1}"]
    );
    assert_eq!(
        Loaded::of(&[e(json!([1]))]).refusal(),
        "`properties` is no object"
    );
}

#[test]
fn normalising_lowers_the_session_id_and_takes_a_true_flag_off() {
    let loaded = Loaded::of(&[event(
        "e",
        json!({"$session_id": "ABC", "$process_person_profile": true, "a": 1}),
    )]);
    assert_eq!(loaded.properties(0), json!({"$session_id": "abc", "a": 1}));
}

#[test]
fn set_at_the_top_level_is_laid_over_that_of_the_properties() {
    let loaded = Loaded::of(&[json!({
        "event": "e", "distinct_id": "u", "properties": {"$set": {"a": 1, "b": 1}, "x": 1},
        "$set": {"b": 2, "c": 3}, "$set_once": {"d": 4},
    })]);
    assert_eq!(
        loaded.properties(0),
        json!({"x": 1, "$set": {"a": 1, "b": 2, "c": 3}, "$set_once": {"d": 4}})
    );
    assert_eq!(
        loaded.person_properties("u"),
        json!({"d": 4, "a": 1, "b": 2, "c": 3})
    );
}

#[test]
fn the_time_follows_offset_then_the_skew_of_sent_at_then_receipt() {
    let e = |fields: Value| {
        let mut e = json!({"event": "e", "distinct_id": "u"});
        e.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        json!({"sent_at": "2024-03-01T10:00:10Z", "batch": [e]})
    };
    let loaded = Loaded::of(&[
        e(json!({"timestamp": "2024-03-01T09:00:00Z", "offset": 5000})),
        e(json!({"timestamp": "2024-03-01T09:00:00Z"})),
        e(json!({"timestamp": "2024-03-01T09:00:00Z", "properties": {"$ignore_sent_at": true}})),
        e(json!({"timestamp": "not a date"})),
        e(json!({})),
        e(json!({"timestamp": "2024-03-05T00:00:00Z"})),
    ]);
    let expected = [
        "09:59:55", "08:59:50", "09:00:00", "10:00:00", "10:00:00", "10:00:00",
    ];
    assert_eq!(
        loaded.staged.timestamps,
        expected.map(|time| micros(&format!("2024-03-01T{time}Z")))
    );
    assert_eq!(loaded.warnings(), ["timestamp_replaced"]);
}

#[test]
fn a_record_brings_its_own_clock_of_receipt() {
    for key in ["now", "received_at", "_inserted_at", "created_at"] {
        let mut loaded = Loaded::default();
        let mut line = json!({"event": "e", "distinct_id": "u"});
        line[key] = "2023-01-01T12:00:00Z".into();
        loaded.read(line.to_string(), None).unwrap();
        assert_eq!(
            loaded.staged.timestamps,
            [micros("2023-01-01T12:00:00Z")],
            "{key}"
        );
    }
}

#[test]
fn without_any_clock_a_future_time_stands_and_a_missing_one_is_refused() {
    let mut loaded = Loaded::default();
    let lines = "{\"event\":\"e\",\"distinct_id\":\"u\",\"timestamp\":\"2999-01-01\",\"offset\":1}\n{\"event\":\"e\",\"distinct_id\":\"u\"}";
    loaded.read(lines, None).unwrap();
    assert_eq!(loaded.staged.timestamps, [micros("2999-01-01")]);
    assert!(loaded.refusal().contains("--received-at"));
}

#[test]
fn repeated_keys_count_with_their_last_value() {
    let mut loaded = Loaded::default();
    let line = r#"{"event":"a","event":"b","distinct_id":"u","timestamp":"2024-01-01","properties":{"$groups":{"c":"1","c":"2"}}}"#;
    loaded.read(line, None).unwrap();
    assert_eq!((loaded.events(), loaded.groups(0)[0]), (vec!["b"], "2"));
}
