//! The program killed at any moment of a load, a compaction, a purge or a vacuum, and programs that write at once: what was
//! acknowledged is there, once, and doing it again mends the rest.
//!
//! `QUINTET_KILLS=300` kills as many instead of the few of every day (`docs/RELIABILITY.md`).

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::Place;

/// Events of one load.
const EVENTS: usize = 400;

fn kills() -> usize {
    let asked = std::env::var("QUINTET_KILLS").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(12)
}

/// The same numbers in every run.
struct Noise(u64);

impl Noise {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % end.max(1)
    }
}

/// A file of events of its own, of persons and companies that other files have too.
fn load(number: usize) -> String {
    let event = |at: usize| {
        let person = (number * 7 + at) % 90;
        json!({
            "uuid": format!("018bcfe5-{number:04x}-7000-8000-{at:012x}"),
            "event": (["seen", "paid", "left"][at % 3]),
            "distinct_id": format!("person {person}"),
            "timestamp": format!("2024-0{}-{:02}T10:00:00Z", 1 + number % 6, 1 + at % 28),
            "properties": {"$groups": {"company": format!("company {}", at % 11)}, "price": at},
        })
        .to_string()
            + "\n"
    };
    (0..EVENTS).map(event).collect()
}

fn start(place: &Place, words: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_quintet"))
        .args(words)
        .current_dir(place.path(""))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Whether a command was done before it was killed, so many microseconds after its start.
fn killed_after(place: &Place, words: &[&str], micros: u64) -> bool {
    let mut child = start(place, words);
    std::thread::sleep(Duration::from_micros(micros));
    child.kill().unwrap();
    child.wait().unwrap().success()
}

fn store_of_companies() -> Place {
    let place = Place::new();
    place.done(&["init", "store", "--group-type", "company"]);
    place
}

fn counted(place: &Place) -> u64 {
    place.json(&["stats", "store"])["rows"].as_u64().unwrap()
}

/// The store is sound, and every event is there once.
fn sound(place: &Place) {
    assert_eq!(place.json(&["verify", "store"])["problems"], json!([]));
    let sql = "SELECT count(*) AS rows, count(DISTINCT uuid) AS uuids FROM events";
    let rows = place.json(&["sql", "store", sql])["results"][0].clone();
    assert_eq!(rows["rows"], rows["uuids"]);
}

/// About how long a command takes, in microseconds.
fn time(place: &Place, words: &[&str]) -> u64 {
    let begun = Instant::now();
    place.done(words);
    u64::try_from(begun.elapsed().as_micros()).unwrap()
}

#[test]
fn a_load_that_is_killed_is_all_there_or_not_at_all() {
    let (place, mut noise) = (store_of_companies(), Noise(7));
    place.file("0.jsonl", load(0));
    let whole = time(&place, &["ingest", "store", "0.jsonl"]);
    let mut events = EVENTS as u64;
    let mut acknowledged = 0;
    let kills = kills();
    for number in 1..=kills {
        let name = format!("{number}.jsonl");
        place.file(&name, load(number));
        let micros = noise.below(whole * 6 / 5);
        let is_done = killed_after(&place, &["ingest", "store", &name], micros);
        sound(&place);
        let now = counted(&place);
        assert!(
            now == events + EVENTS as u64 || (now == events && !is_done),
            "load {number}, done: {is_done}: {events} events before, {now} after"
        );
        acknowledged += usize::from(is_done);
        events = now;
        // Whoever is not sure does it again.
        if noise.below(2) == 0 {
            place.done(&["ingest", "store", &name]);
            events = counted(&place);
        }
    }
    let names: Vec<String> = (0..=kills)
        .map(|number| format!("{number}.jsonl"))
        .collect();
    for name in &names {
        place.done(&["ingest", "store", name]);
    }
    sound(&place);
    assert_eq!(counted(&place), ((kills + 1) * EVENTS) as u64);
    println!("{kills} loads killed, {acknowledged} of them done");
}

/// An event of a company that nobody else knows, to be purged.
fn doomed(number: usize) -> String {
    let event = |at: usize| {
        json!({
            "event": "seen", "distinct_id": format!("person {}", at % 90), "timestamp": format!("2024-0{}-02T10:00:00Z", 1 + at % 6),
            "properties": {"$groups": {"company": format!("doomed {number}")}},
        })
        .to_string()
            + "\n"
    };
    (0..EVENTS).map(event).collect()
}

/// What upkeep must leave as it is.
fn answer(place: &Place) -> Value {
    let sql = "SELECT event, \"$group_0\", count(*) AS events, count(DISTINCT person_id) AS persons, sum(length(properties)) AS bytes \
               FROM events WHERE \"$group_0\" NOT LIKE 'doomed %' GROUP BY 1, 2 ORDER BY 1, 2";
    place.json(&["sql", "store", sql])["results"].clone()
}

/// Gives each command of a round something to do: a small file to write together with others, which has a group to purge.
fn prepare(place: &Place, round: usize) {
    let name = format!("doomed {round}.jsonl");
    place.file(&name, doomed(round));
    place.done(&["ingest", "store", &name]);
}

#[test]
fn upkeep_that_is_killed_changes_no_answer() {
    let (place, mut noise) = (store_of_companies(), Noise(11));
    let purge = |company: &str| {
        ["groups", "delete", "store", "company", company, "--purge"].map(str::to_owned)
    };
    let words = |kind: usize, round: usize| -> Vec<String> {
        match kind {
            0 => ["compact", "store"].map(str::to_owned).into(),
            1 => purge(&format!("doomed {round}")).into(),
            _ => ["vacuum", "store", "--older-than", "0s"]
                .map(str::to_owned)
                .into(),
        }
    };
    for number in 0..6 {
        let name = format!("{number}.jsonl");
        place.file(&name, load(number));
        place.done(&["ingest", "store", &name]);
    }
    let before = answer(&place);
    // How long each takes, measured anew whenever one was done before it could be killed.
    let mut whole = [0; 3];
    let (mut killed, mut done) = ([0; 3], [0; 3]);
    for round in 0..kills() {
        prepare(&place, round);
        let kind = round % 3;
        if kind == 2 {
            // For vacuum to have something to delete.
            place.done(&["compact", "store"]);
        }
        let words = words(kind, round);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if whole[kind] == 0 {
            whole[kind] = time(&place, &words);
            assert_eq!(answer(&place), before, "{words:?}");
            continue;
        }
        let micros = noise.below(whole[kind]);
        match killed_after(&place, &words, micros) {
            true => {
                done[kind] += 1;
                whole[kind] = whole[kind] * 9 / 10;
            }
            false => killed[kind] += 1,
        }
        sound(&place);
        assert_eq!(answer(&place), before, "{words:?} killed after {micros} µs");
        // Whoever is not sure does it again; a purge that was done finds nothing.
        let again = place.run(&words);
        assert!(
            again.status == 0 || again.stderr.contains("there is no group"),
            "{again:?}"
        );
        sound(&place);
        assert_eq!(answer(&place), before, "{words:?} again");
        if kind == 1 {
            let sql =
                format!("SELECT count(*) AS n FROM events WHERE \"$group_0\" = 'doomed {round}'");
            assert_eq!(
                place.json(&["sql", "store", &sql])["results"][0]["n"],
                json!(0)
            );
        }
    }
    println!("compact, purge, vacuum: {killed:?} killed, {done:?} done before they could be");
}

#[test]
fn programs_that_write_at_once_lose_and_double_nothing() {
    let place = store_of_companies();
    let (writers, loads) = (4, kills().div_ceil(4).max(2));
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let place = &place;
            scope.spawn(move || {
                for number in 0..loads {
                    let name = format!("{writer} {number}.jsonl");
                    place.file(&name, load(writer * loads + number));
                    place.done(&["ingest", "store", &name]);
                }
            });
        }
        // A reader sees whole loads, and never fewer than before.
        let place = &place;
        scope.spawn(move || {
            let mut before = 0;
            for _ in 0..loads {
                let now = counted(place);
                assert!(
                    now >= before && now.is_multiple_of(EVENTS as u64),
                    "{before} {now}"
                );
                before = now;
            }
        });
    });
    sound(&place);
    assert_eq!(counted(&place), (writers * loads * EVENTS) as u64);
}

#[test]
fn group_types_that_are_claimed_at_once_do_not_collide() {
    let place = Place::new();
    place.done(&["init", "store"]);
    std::thread::scope(|scope| {
        for writer in 0..6 {
            let place = &place;
            scope.spawn(move || {
                let event = json!({
                    "event": "seen", "distinct_id": "a", "timestamp": "2024-01-01T10:00:00Z",
                    "properties": {"$groups": {(format!("type {writer}")): "one"}},
                });
                let name = format!("{writer}.jsonl");
                place.file(&name, event.to_string());
                place.done(&["ingest", "store", &name]);
            });
        }
    });
    let stats = place.json(&["stats", "store"]);
    let types = stats["groups"].as_array().unwrap();
    let mut indexes: Vec<u64> = types
        .iter()
        .map(|one| one["index"].as_u64().unwrap())
        .collect();
    indexes.sort_unstable();
    // A sixth type is told of, and its events are kept.
    assert_eq!(indexes, [0, 1, 2, 3, 4], "{types:?}");
    sound(&place);
}
