//! Real storage that fails: files that may grow no further, folders that may not be written to, and disks that are full.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::program::Place;

fn events(from: usize, number: usize) -> String {
    let event = |at: usize| {
        json!({
            "event": "seen", "distinct_id": format!("person {at}"), "timestamp": "2024-01-01T10:00:00Z",
            "uuid": format!("018bcfe5-0000-7000-8000-{at:012x}"), "properties": {"at": at, "note": format!("{:x}", at * 7_919_777)},
        })
        .to_string()
            + "\n"
    };
    (from..from + number).map(event).collect()
}

fn rows(place: &Place, store: &str) -> u64 {
    assert_eq!(place.json(&["verify", store])["problems"], json!([]));
    place.json(&["stats", store])["rows"].as_u64().unwrap()
}

/// Runs a line of the shell in the place; its status and what it said.
fn shell(place: &Place, line: &str) -> (i32, String) {
    let ended = Command::new("bash")
        .args(["-c", line])
        .env("QUINTET", env!("CARGO_BIN_EXE_quintet"))
        .current_dir(place.path(""))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    (ended.status.code().unwrap_or(-1), said)
}

/// Whether a load was refused with one sentence of the right kind, and left nothing to be seen.
fn refused(place: &Place, store: &str, (status, said): (i32, String)) {
    assert!(status > 0, "{status}: {said}");
    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
    assert!(
        !said.contains("panicked") && !said.contains("internal error"),
        "{said}"
    );
    assert_eq!(rows(place, store), 10);
}

#[test]
fn a_write_that_is_cut_short_leaves_nothing_half_there() {
    let place = Place::new();
    place.file("first.jsonl", events(0, 10));
    place.file("more.jsonl", events(10, 5000));
    place.done(&["init", "store"]);
    place.done(&["ingest", "store", "first.jsonl"]);
    // In blocks of a kibibyte: every file of the load in turn is the one that cannot grow.
    let mut cut_short = 0;
    for blocks in [0, 1, 2, 4, 8, 16, 32, 64, 128] {
        let line =
            format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$QUINTET\" ingest store more.jsonl");
        let ended = shell(&place, &line);
        if ended.0 == 0 {
            break;
        }
        cut_short += 1;
        refused(&place, "store", ended);
    }
    assert!(cut_short > 2, "{cut_short}");
    place.done(&["ingest", "store", "more.jsonl"]);
    assert_eq!(rows(&place, "store"), 5010);
}

/// Needs a mount namespace of its own; where there is none, it says so and passes.
fn in_a_namespace(place: &Place, line: &str) -> Option<(i32, String)> {
    let (status, said) = shell(place, "unshare --user --map-root-user --mount true");
    if status != 0 {
        println!("not tried, for there are no namespaces here: {said}");
        return None;
    }
    let line = line.replace('\'', "'\\''");
    Some(shell(
        place,
        &format!("unshare --user --map-root-user --mount bash -c '{line}'"),
    ))
}

#[test]
fn a_full_disk_is_told_and_leaves_nothing_half_there() {
    let place = Place::new();
    place.file("first.jsonl", events(0, 10));
    place.file("more.jsonl", events(10, 20_000));
    place.done(&["init", "disk"]);
    place.done(&["ingest", "disk", "first.jsonl"]);
    let line = "set -e; cp -a disk saved; mount -t tmpfs -o size=200k tmpfs disk; cp -a saved/. disk/; \
                \"$QUINTET\" ingest disk more.jsonl && exit 9; status=$?; \
                \"$QUINTET\" verify disk >&2; \"$QUINTET\" stats disk | grep -q '\"rows\": *10,' || exit 8; exit $status";
    let line = line.replace("set -e; ", "");
    if let Some((status, said)) = in_a_namespace(&place, &line) {
        assert!(status > 0 && status != 9 && status != 8, "{status}: {said}");
        assert!(said.contains("free some space"), "{status}: {said}");
    }
}

#[test]
fn a_read_only_folder_answers_and_takes_nothing() {
    let place = Place::new();
    place.file("first.jsonl", events(0, 10));
    place.file("more.jsonl", events(10, 100));
    place.done(&["init", "store"]);
    place.done(&["ingest", "store", "first.jsonl"]);
    let line = "mount --bind store store && mount -o remount,bind,ro store || exit 7; \
                \"$QUINTET\" sql store 'select count(*) from events' >/dev/null || exit 8; \
                for words in 'ingest store more.jsonl' 'compact store' 'vacuum store'; do \"$QUINTET\" $words && exit 9; done; exit 1";
    if let Some((status, said)) = in_a_namespace(&place, line) {
        if status == 7 {
            println!("not tried, for nothing can be mounted here: {said}");
            return;
        }
        assert_eq!(status, 1, "{said}");
        assert_eq!(said.trim_end().lines().count(), 3, "{said}");
        assert!(
            !said.contains("panicked") && !said.contains("internal"),
            "{said}"
        );
    }
    assert_eq!(rows(&place, "store"), 10);
}
