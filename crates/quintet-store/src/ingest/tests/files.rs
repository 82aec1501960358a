//! Files: compression, lines and damage, persons and groups beside events, Segment.

use std::io::Write;

use serde_json::json;

use super::*;
use crate::error::Error;

const LINE: &str = r#"{"event":"e","distinct_id":"u","timestamp":"2024-01-01T00:00:00Z"}"#;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn loaded(data: impl Into<Bytes>) -> Loaded {
    let mut loaded = Loaded::default();
    loaded.read(data, None).unwrap();
    loaded
}

/// The refused lines.
fn refused(loaded: &Loaded) -> Vec<u64> {
    loaded.report.rejected.iter().map(|r| r.line).collect()
}

#[test]
fn compression_is_found_by_content() {
    let lines = format!("{LINE}\n{LINE}\n");
    let twice = [gzip(&lines), gzip(&lines)].concat();
    let zstd = zstd::stream::encode_all(lines.as_bytes(), 1).unwrap();
    assert_eq!(loaded(lines.clone()).staged.len(), 2);
    assert_eq!(loaded(gzip(&lines)).staged.len(), 2);
    assert_eq!(loaded(twice).staged.len(), 4);
    assert_eq!(loaded(zstd).staged.len(), 2);
    assert_eq!(loaded(format!("\u{feff}{LINE}")).staged.len(), 1);
}

/// A text as brotli that stores it uncompressed.
fn brotli(text: &str) -> Vec<u8> {
    let header = ((text.len() as u32 - 1) << 4) | (1 << 20);
    [&header.to_le_bytes()[..3], text.as_bytes(), &[3]].concat()
}

#[test]
fn brotli_is_known_by_its_name_unless_the_content_is_text() {
    let named = |data: Vec<u8>| {
        let mut loaded = Loaded::default();
        let source = Source::bytes("a.jsonl.br", data);
        let Loaded {
            state,
            learned,
            report,
            staged,
        } = &mut loaded;
        let options = options(Format::Auto, None);
        let flush = &mut |_: &mut StagedEvents, _: &EntityState| Ok(());
        read_source(&source, &options, state, learned, report, staged, flush)
            .map(|()| loaded.staged.len())
    };
    let lines = format!("{LINE}\n{LINE}\n");
    assert_eq!(named(brotli(&lines)).unwrap(), 2);
    assert_eq!(named(lines.clone().into_bytes()).unwrap(), 2);
    let mut cut = brotli(&lines);
    cut.truncate(40);
    assert!(matches!(named(cut), Err(Error::Corrupt { .. })));
}

#[test]
fn truncated_compression_is_damage_that_names_the_file() {
    let lines = format!("{LINE}\n").repeat(50_000);
    let mut packed = gzip(&lines);
    packed.truncate(packed.len() / 2);
    let mut zstd = zstd::stream::encode_all(lines.as_bytes(), 1).unwrap();
    zstd.truncate(zstd.len() / 2);
    for data in [packed, zstd, vec![0x1f, 0x8b], vec![0x1f, 0x8b, 9, 9, 9]] {
        let error = Loaded::default().read(data, None).unwrap_err();
        assert!(
            matches!(&error, Error::Corrupt { file, .. } if file == "test"),
            "{error}"
        );
    }
}

#[test]
fn an_empty_file_and_blank_lines_are_no_events() {
    for text in ["", "\n\n", "  \n\t\r\n", "[]", "[\n]\n"] {
        assert_eq!(
            loaded(text.to_owned()).report,
            LoadReport::default(),
            "{text:?}"
        );
    }
}

#[test]
fn a_bad_line_is_refused_with_its_number_and_the_rest_is_loaded() {
    let bad = [
        "nonsense",
        "{\"event\":\"e\",",
        "{\"event\":\"e\",\"distinct_id\":\"a\u{0}b\"}",
        r#"{"event":"e","distinct_id":"u","timestamp":"2024-01-01","properties":{"a":"\ud800"}}"#,
        "5",
        "{\"event\":\"e\",\"distinct_id\":\"u\",\"timestamp\":\"2024-01-01\",\"properties\":{\"a\":tru}}",
    ];
    let mut text = String::new();
    for line in bad {
        text += &format!("{LINE}\r\n{line}\n");
    }
    text += &format!(
        "{LINE}\n{{\"event\":\"e\",\"properties\":{}}}",
        "[".repeat(10_000)
    );
    let loaded = loaded(text);
    assert_eq!(loaded.staged.len(), 7);
    assert_eq!(refused(&loaded), [2, 4, 6, 8, 10, 12, 14]);
}

#[test]
fn bytes_that_are_no_text_spoil_their_own_line_only() {
    let mut data = format!("{LINE}\n").into_bytes();
    data.extend(b"{\"event\":\"\xff\xfe\"}\n");
    data.extend(LINE.as_bytes());
    let loaded = loaded(data);
    assert_eq!((loaded.staged.len(), refused(&loaded)), (2, vec![2]));
    assert_eq!(
        loaded.report.rejected[0].message,
        "the line is not UTF-8 text"
    );
}

#[test]
fn a_damaged_first_line_does_not_take_the_others_with_it() {
    for first in [
        "{\"event\":\"e\",\"distinct_id",
        "{\"event\":\"e\",",
        "{\"event\":\"e\",\"properties\":{",
        "garbage",
    ] {
        let loaded = loaded(format!("{first}\n{LINE}\n{LINE}"));
        assert_eq!(
            (loaded.staged.len(), refused(&loaded)),
            (2, vec![1]),
            "{first}"
        );
    }
}

#[test]
fn json_over_several_lines_is_read_value_by_value() {
    let event = json!({"event": "e", "distinct_id": "u", "timestamp": "2024-01-01", "properties": {"x": "]},{["}});
    let bad = json!({"event": "e"});
    let list = serde_json::to_string_pretty(&json!([event, bad, event])).unwrap();
    let many = loaded(list);
    assert_eq!((many.staged.len(), refused(&many)), (2, vec![10]));
    let batch = serde_json::to_string_pretty(&json!({"batch": [event, event]})).unwrap();
    assert_eq!(loaded(batch).staged.len(), 2);
    let single = serde_json::to_string_pretty(&event).unwrap();
    assert_eq!(loaded(format!("{single}\n{single}\n")).staged.len(), 2);
    assert_eq!(loaded(format!("[{event},\n{event}\n]")).staged.len(), 2);
    assert_eq!(loaded(format!("[\n{event}\n,{event}]")).staged.len(), 2);
}

#[test]
fn a_long_line_is_only_long() {
    let long = "x".repeat(5_000_000);
    let text = format!(
        "{LINE}\n{{\"event\":\"e\",\"distinct_id\":\"u\",\"timestamp\":\"2024-01-01\",\"properties\":{{\"x\":\"{long}\"}}}}\n{LINE}"
    );
    let loaded = loaded(text);
    assert_eq!(loaded.staged.len(), 3);
    assert!(loaded.staged.properties.get(1).len() > 5_000_000);
}

#[test]
fn many_blocks_keep_the_order_of_receipt_and_the_numbers_of_lines() {
    let mut text = String::new();
    for n in 0..50_000 {
        text +=
            &format!("{{\"event\":\"e{n}\",\"distinct_id\":\"u\",\"timestamp\":\"2024-01-01\"}}\n");
    }
    text += "bad\n";
    let loaded = loaded(text);
    assert_eq!(loaded.staged.names.get(49_999), "e49999");
    assert_eq!(loaded.staged.events, (0..50_000).collect::<Vec<_>>());
    assert_eq!(refused(&loaded), [50_001]);
}

#[test]
fn staged_rows_are_handed_on_when_they_are_many() {
    let options = ReadOptions {
        flush_bytes: 1 << 20,
        ..options(Format::Auto, None)
    };
    let text = format!("{LINE}\n").repeat(60_000);
    let (mut state, mut report, mut staged) = (
        EntityState::default(),
        LoadReport::default(),
        StagedEvents::default(),
    );
    let mut handed = 0;
    let mut flush = |rows: &mut StagedEvents, _: &EntityState| {
        handed += rows.len();
        rows.clear();
        Ok(())
    };
    read_source(
        &source(text),
        &options,
        &mut state,
        &mut Learned::default(),
        &mut report,
        &mut staged,
        &mut flush,
    )
    .unwrap();
    assert!(handed > 0);
    assert_eq!(handed + staged.len(), 60_000);
}

#[test]
fn an_error_of_the_taker_ends_the_load() {
    let options = ReadOptions {
        flush_bytes: 0,
        ..options(Format::Auto, None)
    };
    let text = format!("{LINE}\n").repeat(200_000);
    let mut loaded = Loaded::default();
    let Loaded {
        state,
        learned,
        report,
        staged,
    } = &mut loaded;
    let read = read_source(
        &source(text),
        &options,
        state,
        learned,
        report,
        staged,
        &mut |_, _| Err(Error::Conflict("the disk is full".into())),
    );
    assert!(matches!(read, Err(Error::Conflict(_))));
}

fn persons(lines: &str) -> Loaded {
    let mut loaded = Loaded::default();
    read_persons(
        &source(lines.to_owned()),
        Some(0),
        &mut loaded.state,
        &mut loaded.report,
    )
    .unwrap();
    loaded
}

#[test]
fn a_persons_file_gives_persons_with_their_ids() {
    let id = "550e8400-e29b-41d4-a716-446655440000";
    let loaded = persons(&format!(
        "{}\n{}\n{}\n{{\"distinct_ids\":[]}}\n",
        json!({"distinct_ids": ["a", 7], "properties": {"x": 1}, "created_at": "2024-01-01", "is_identified": true, "id": id}),
        json!({"distinct_ids": ["b"]}),
        json!({"distinct_ids": ["c"], "id": id}),
    ));
    let a = loaded.person("a");
    assert_eq!(
        (a.id.to_string(), a.is_identified, a.created_at),
        (id.to_owned(), true, micros("2024-01-01"))
    );
    assert!(
        loaded.same_person("a", "7")
            && loaded.same_person("a", "c")
            && !loaded.same_person("a", "b")
    );
    assert_eq!(loaded.person_properties("a"), json!({"x": 1}));
    assert_eq!(
        (loaded.report.persons.created, refused(&loaded)),
        (2, vec![4])
    );
}

#[test]
fn a_line_of_persons_merges_those_that_it_names_together() {
    let loaded = persons(&format!(
        "{}\n{}\n{}\n",
        json!({"distinct_ids": ["a"], "is_identified": true, "properties": {"x": 1, "y": 1}}),
        json!({"distinct_ids": ["b"], "is_identified": true, "properties": {"x": 2}}),
        json!({"distinct_ids": ["c", "b", "a"], "properties": {"y": 3}}),
    ));
    assert!(loaded.same_person("a", "b") && loaded.same_person("b", "c"));
    assert_eq!(loaded.person_properties("c"), json!({"x": 2, "y": 3}));
    assert_eq!((loaded.persons(), loaded.report.persons.merged), (1, 1));
}

#[test]
fn a_groups_file_declares_groups() {
    let lines = format!(
        "{}\n{}\n{}\n",
        json!({"group_type": "company", "group_key": "c", "properties": {"x": 1}, "created_at": "2024-01-01"}),
        json!({"group_type": "company", "group_key": "c", "properties": {"y": 2}}),
        json!({"group_type": "company", "group_key": ""}),
    );
    let mut loaded = Loaded::default();
    read_groups(&source(lines), None, &mut loaded.state, &mut loaded.report).unwrap();
    assert_eq!(loaded.declared(), [(0, "c", json!({"x": 1, "y": 2}))]);
    assert_eq!(
        loaded.state.groups.get(0, 1).unwrap().created_at,
        micros("2024-01-01")
    );
    assert_eq!(
        (loaded.report.groups.created, loaded.report.groups.updated),
        (1, 1)
    );
    assert_eq!(loaded.warnings(), ["empty_group_key"]);
}

fn segment(messages: &[Value]) -> Loaded {
    let mut loaded = Loaded::default();
    let options = options(Format::Segment, None);
    for message in messages {
        let mut message = message.clone();
        message["timestamp"] = "2015-12-12T19:11:01.249Z".into();
        loaded.read_as(message.to_string(), &options).unwrap();
    }
    loaded
}

#[test]
fn a_segment_track_takes_its_group_from_the_context() {
    let loaded = segment(&[json!({
        "type": "track", "event": "Course Clicked", "userId": "AiUGstSDIg", "anonymousId": "x",
        "messageId": "ajs-f8ca1e4de5024d9430b3928bd8ac6b96", "properties": {"title": "Intro"},
        "context": {"ip": "108.0.78.21", "groupId": "GroupId1", "page": {"path": "/academy/"}, "campaign": {"source": "s"}, "library": {"name": "analytics.js"}},
    })]);
    assert_eq!(
        (loaded.events(), loaded.staged.ids.get(0)),
        (vec!["Course Clicked"], "AiUGstSDIg")
    );
    assert_eq!(
        loaded.staged.uuids[0].to_string(),
        "2e1e762e-c318-5c5b-a96e-955e840a3cf2"
    );
    assert_eq!(
        (loaded.types(), loaded.groups(0)[0]),
        (vec!["segment_group"], "GroupId1")
    );
    assert_eq!(
        loaded.properties(0),
        json!({
            "title": "Intro", "$ip": "108.0.78.21", "$pathname": "/academy/", "utm_source": "s",
            "$groups": {"segment_group": "GroupId1"}, "segment_library": {"name": "analytics.js"},
        })
    );
}

#[test]
fn segment_messages_become_the_capture_messages_that_they_mean() {
    let loaded = segment(&[
        json!({"type": "page", "userId": "u", "name": "Home", "properties": {"url": "http://x"}}),
        json!({"type": "screen", "userId": "u", "name": "Main"}),
        json!({"type": "identify", "userId": "u", "anonymousId": "a", "traits": {"plan": "pro"}}),
        json!({"type": "identify", "anonymousId": "b", "traits": {"plan": "free"}}),
        json!({"type": "group", "userId": "u", "groupId": "g", "traits": {"name": "G"}}),
        json!({"type": "alias", "userId": "u", "previousId": "p"}),
    ]);
    assert_eq!(
        loaded.events(),
        [
            "$pageview",
            "$screen",
            "$identify",
            "$set",
            "$groupidentify",
            "$create_alias"
        ]
    );
    assert_eq!(
        loaded.properties(0),
        json!({"url": "http://x", "$current_url": "http://x", "name": "Home"})
    );
    assert!(loaded.same_person("u", "a") && loaded.same_person("u", "p"));
    assert_eq!(loaded.person_properties("b"), json!({"plan": "free"}));
    assert_eq!(loaded.declared(), [(0, "g", json!({"name": "G"}))]);
    assert!(
        segment(&[json!({"type": "track", "userId": "u"})])
            .refusal()
            .contains("`event`")
    );
    assert!(
        segment(&[json!({"type": "dance", "userId": "u"})])
            .refusal()
            .contains("`type`")
    );
}
