//! Compaction, vacuum and verification from the command line.

use serde_json::json;

use crate::program::{Place, events};

/// A place whose store has the events of [`events`] in a file each.
fn in_pieces() -> Place {
    let place = Place::new();
    for (number, line) in events().lines().enumerate() {
        let name = format!("{number}.jsonl");
        place.file(&name, line);
        place.done(&["ingest", "store", &name]);
    }
    place
}

#[test]
fn a_store_is_compacted_swept_and_sound() {
    let place = in_pieces();
    let rows = [
        "sql",
        "store",
        "SELECT uuid, event, distinct_id, person_id, timestamp, properties, \"$group_1\" FROM events ORDER BY uuid",
    ];
    let before = place.json(&rows)["results"].clone();
    let compacted = place.json(&["compact", "store", "--promote-frequent"]);
    assert_eq!(compacted["events_rewritten"], 7);
    assert!(compacted["files_after"].as_u64() < compacted["files_before"].as_u64());
    assert_eq!(place.json(&rows)["results"], before);
    let kept = place.json(&["vacuum", "store"]);
    assert_eq!(kept["deleted_files"], 0);
    let deleted = place.json(&["vacuum", "store", "--older-than", "0s"]);
    assert_eq!(deleted["deleted_files"], kept["kept_files"]);
    let found = place.json(&["verify", "store"]);
    assert_eq!(
        (&found["problems"], &found["events"]),
        (&json!([]), &json!(7))
    );
}

#[test]
fn damage_ends_with_three_and_names_the_file() {
    let place = in_pieces();
    let folder = place.path("store").join("person_distinct_ids");
    let file = std::fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::write(&file, "PAR1").unwrap();
    let ended = place.run(&["verify", "store", "--format", "json"]);
    assert_eq!(ended.status, 3);
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(
        ended.stdout.contains(name) && ended.stderr.contains(name),
        "{ended:?}"
    );
}

#[test]
fn what_cannot_be_done_is_refused() {
    let place = in_pieces();
    place
        .run(&["compact", "store", "--promote", "nowhere"])
        .refused(2, &["nowhere"]);
    let vague = place.run(&["vacuum", "store", "--older-than", "soon"]);
    assert!(
        vague.status == 2 && vague.stderr.contains("such as 7d"),
        "{vague:?}"
    );
    place.run(&["verify", "nowhere"]).refused(1, &["nowhere"]);
}
