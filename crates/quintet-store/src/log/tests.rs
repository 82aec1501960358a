#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::memory::InMemory;

use super::*;

fn location() -> Location {
    Location::with_object_store("memory://test/store", Arc::new(InMemory::new())).unwrap()
}

fn metadata() -> Action {
    Action::Metadata(Metadata {
        timezone: "UTC".into(),
        ..Metadata::default()
    })
}

fn add(path: &str) -> Action {
    Action::Add(Add {
        path: file(path),
        table: Table::Persons,
        size: 1,
        rows: 1,
        checksum: String::new(),
        blocks: None,
        events: None,
    })
}

fn file(name: &str) -> String {
    format!("persons/{name}")
}

fn paths(state: &LogState) -> Vec<&str> {
    state
        .files(Table::Persons)
        .filter_map(|file| file.path.strip_prefix("persons/"))
        .collect()
}

#[tokio::test]
async fn live_files_are_those_added_and_not_removed_in_the_order_of_the_log() {
    let place = location();
    commit(
        &place,
        0,
        &[Action::Protocol(Protocol { version: 1 }), metadata()],
    )
    .await
    .unwrap();
    commit(&place, 1, &[add("a"), add("b")]).await.unwrap();
    let before = replay(&place).await.unwrap();
    assert_eq!((before.version, paths(&before)), (1, vec!["a", "b"]));

    commit(
        &place,
        2,
        &[Action::Remove(Remove { path: file("a") }), add("c")],
    )
    .await
    .unwrap();
    let after = advance(&place, &before).await.unwrap().unwrap();
    assert_eq!((after.version, paths(&after)), (2, vec!["b", "c"]));
    assert_eq!(paths(&replay(&place).await.unwrap()), paths(&after));
    assert!(advance(&place, &after).await.unwrap().is_none());
}

#[tokio::test]
async fn of_two_writers_of_a_version_one_wins() {
    let place = location();
    commit(&place, 0, &[metadata()]).await.unwrap();
    assert!(matches!(
        commit(&place, 0, &[metadata()]).await,
        Err(Error::Conflict(_))
    ));
}

#[tokio::test]
async fn a_missing_store_is_not_found_with_the_way_out() {
    let message = replay(&location()).await.unwrap_err().to_string();
    assert!(message.contains("quintet init"), "{message}");
}

#[tokio::test]
async fn a_missing_entry_is_damage_and_named() {
    let place = location();
    commit(&place, 0, &[metadata()]).await.unwrap();
    commit(&place, 2, &[add("a")]).await.unwrap();
    match replay(&place).await {
        Err(Error::Corrupt { file, .. }) => {
            assert!(file.ends_with("00000000000000000001.json"), "{file}")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn garbage_and_cut_entries_are_damage() {
    let long = "x".repeat(100_000);
    for bytes in [
        &b"{"[..],
        b"",
        b"nonsense\n",
        b"{\"add\":{}}\n",
        b"\xff\xfe\n",
        b"{\"metadata\":",
        long.as_bytes(),
    ] {
        assert!(matches!(decode("f", bytes), Err(Error::Corrupt { .. })));
    }
}

#[test]
fn a_newer_protocol_is_refused_even_if_its_actions_are_unknown() {
    let error = decode("f", b"{\"protocol\":{\"version\":7}}\n{\"vector\":{}}\n").unwrap_err();
    assert!(matches!(error, Error::Unsupported { .. }), "{error}");
}

#[test]
fn an_action_survives_the_way_through_text() {
    let info = Action::CommitInfo(CommitInfo {
        operation: "ingest".into(),
        time: 5,
        counts: BTreeMap::from([("events".into(), 3)]),
    });
    for action in [
        metadata(),
        add("x"),
        info,
        Action::Txn(Txn {
            source: "ab".into(),
            rows: 3,
        }),
    ] {
        let text = serde_json::to_string(&action).unwrap();
        assert_eq!(serde_json::from_str::<Action>(&text).unwrap(), action);
    }
}

/// A store with one file added by every commit up to `last`, and the checkpoints that were due.
async fn long_log(last: u64) -> Location {
    let place = location();
    commit(&place, 0, &[metadata()]).await.unwrap();
    let mut state = replay(&place).await.unwrap();
    for version in 1..=last {
        let mut actions = vec![add(&format!("file-{version}"))];
        if version % 10 == 0 {
            actions.push(Action::Remove(Remove {
                path: file(&format!("file-{}", version - 1)),
            }));
        }
        commit(&place, version, &actions).await.unwrap();
        state.apply(actions);
        checkpoint::write_if_due(&place, &state).await;
    }
    place
}

async fn overwrite(place: &Location, path: &str, content: &'static str) {
    use object_store::ObjectStoreExt;
    let key = place.key(path);
    place
        .object_store()
        .put(&key, content.into())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_long_log_is_read_from_its_last_checkpoint() {
    let place = long_log(130).await;
    let whole = replay(&place).await.unwrap();
    assert_eq!((whole.version, whole.all_files().len()), (130, 117));
    let (audited, wrong) = audit(&place).await.unwrap();
    assert!(audited == whole && wrong.is_empty(), "{wrong:?}");
    // Nobody looks at an entry that the checkpoint sums up.
    overwrite(&place, &entry_path(100), "garbage").await;
    assert_eq!(replay(&place).await.unwrap(), whole);
    overwrite(&place, &entry_path(129), "garbage").await;
    assert!(replay(&place).await.is_err());
}

#[tokio::test]
async fn a_damaged_checkpoint_is_passed_over_and_found_by_the_audit() {
    let place = long_log(70).await;
    let whole = replay(&place).await.unwrap();
    overwrite(&place, &checkpoint::path(64), "{}\n{}\n").await;
    assert_eq!(replay(&place).await.unwrap(), whole);
    let (state, wrong) = audit(&place).await.unwrap();
    assert_eq!((state, wrong.len()), (whole, 1));
}

#[tokio::test]
async fn an_entry_that_contradicts_the_others_is_found_by_the_audit() {
    let place = location();
    let gone = Action::Remove(Remove { path: file("b") });
    commit(&place, 0, &[metadata(), add("a")]).await.unwrap();
    commit(&place, 1, &[add("a"), gone]).await.unwrap();
    let (_, wrong) = audit(&place).await.unwrap();
    assert_eq!(wrong.len(), 2, "{wrong:?}");
}

#[tokio::test]
async fn a_file_that_was_live_is_remembered_with_the_time_of_its_removal() {
    let info = |time| {
        Action::CommitInfo(CommitInfo {
            operation: "test".into(),
            time,
            counts: BTreeMap::new(),
        })
    };
    let mut state = LogState::default();
    state.apply(vec![metadata(), add("a"), add("b"), info(1)]);
    let remove = Action::Remove(Remove { path: file("a") });
    state.apply(vec![remove, info(7)]);
    assert_eq!(
        (state.removed_at(&file("a")), state.removed_at(&file("b"))),
        (Some(7), None)
    );
}

#[test]
fn a_flipped_bit_of_an_entry_is_damage_wherever_it_is() {
    let info = Action::CommitInfo(CommitInfo {
        operation: "test".into(),
        time: 7,
        counts: BTreeMap::new(),
    });
    let mut entry = Vec::new();
    for action in [metadata(), add("a"), info] {
        serde_json::to_writer(&mut entry, &action).unwrap();
        entry.push(b'\n');
    }
    // That of an older version.
    assert_eq!(decode("f", &entry).unwrap().len(), 3);
    seal::close(&mut entry).unwrap();
    assert_eq!(decode("f", &entry).unwrap().len(), 3);
    for at in 0..entry.len() {
        for bit in 0..8 {
            let mut flipped = entry.clone();
            flipped[at] ^= 1 << bit;
            assert!(decode("f", &flipped).is_err(), "bit {bit} of byte {at}");
        }
        let cut = decode("f", &entry[..at]);
        // Nothing is missing but what proves it.
        assert!(cut.is_err() || cut.unwrap().len() == 3, "cut at {at}");
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_known_again() {
    let place = location();
    commit(&place, 0, &[metadata()]).await.unwrap();
    let again = commit(&place, 0, &[metadata()]).await;
    assert!(
        matches!(again, Err(Error::Conflict(_))),
        "the same words of another: {again:?}"
    );
}

#[test]
fn paths_out_of_the_store_are_damage() {
    let of = |path: &str| Add {
        path: path.into(),
        table: Table::Events,
        size: 1,
        rows: 1,
        checksum: String::new(),
        blocks: None,
        events: None,
    };
    for path in [
        "../events/a.parquet",
        "/etc/passwd",
        "events/../../a.parquet",
        "events/..",
        "events/%2e%2e/a",
        "events/%2E%2E%2Fa",
        "events//a",
        "events/./a",
        "events\\..\\a",
        "events/a\0",
        "events/a b",
        "events",
        "eventsa/b",
        "persons/a.parquet",
        "_log/00000000000000000000.json",
        "file:///etc/passwd",
        "",
    ] {
        assert!(!of(path).is_in_place(), "{path}");
        let mut entry = serde_json::to_vec(&Action::Add(of(path))).unwrap();
        entry.push(b'\n');
        seal::close(&mut entry).unwrap();
        let read = decode("f", &entry);
        assert!(
            matches!(read, Err(Error::Corrupt { .. })),
            "{path}: {read:?}"
        );
        // Even so, a key never leaves the place.
        let key = location().key(path);
        let text = key.as_ref();
        assert!(text == "store" || text.starts_with("store/"), "{text}");
        assert!(
            !text.split('/').any(|part| part == ".." || part == "."),
            "{text}"
        );
    }
    assert!(of("events/2024-01/0190.parquet").is_in_place());
    assert!(of("events/-001-12/0190.parquet").is_in_place());
}

/// What happens to a store whose log says anything at all, well sealed.
#[test]
fn any_entry_is_applied_or_refused() {
    let target = quintet_fuzz::Target::new("log").with_inputs(4000);
    target.run(|input| {
        let mut sealed = input.to_vec();
        seal::close(&mut sealed).unwrap();
        let (bare, read) = (decode("f", input), decode("f", &sealed));
        let told = |error: &Error| {
            assert!(
                matches!(error, Error::Corrupt { .. } | Error::Unsupported { .. }),
                "{error}"
            );
            quintet_fuzz::skeleton(&error.to_string())
        };
        let outcome = match read {
            Err(error) => told(&error),
            Ok(actions) => {
                let kinds: Vec<String> = actions
                    .iter()
                    .map(|action| serde_json::to_string(action).unwrap())
                    .map(|text| text.chars().take(12).collect())
                    .collect();
                let mut state = LogState::default();
                state.apply(actions.clone());
                state.apply(actions);
                let files = state.all_files().len();
                format!("{kinds:?} {files} {}", state.checked("f").is_ok())
            }
        };
        (outcome, bare.err().map(|error| told(&error)))
    });
}

#[test]
fn any_checkpoint_is_read_or_passed_over() {
    let target = quintet_fuzz::Target::new("checkpoint").with_seeds([{
        let mut state = LogState::default();
        state.apply(vec![metadata(), add("a"), add("b")]);
        checkpoint::encode(&state).unwrap().to_vec()
    }]);
    target.with_inputs(4000).run(|input| {
        // As it is, and as if its writer had meant it.
        let as_it_is = checkpoint::decode("f", input).is_ok();
        let text = String::from_utf8_lossy(input);
        let sum = text.split_once('\n').map_or("", |(_, sum)| sum.trim_end());
        let header = format!(
            r#"{{"protocol":1,"checksum":"{}"}}"#,
            crate::files::parquet::checksum(sum.as_bytes())
        );
        let meant = checkpoint::decode("f", format!("{header}\n{sum}\n").as_bytes());
        let outcome = match meant {
            Ok(state) => format!("{} files", state.all_files().len()),
            Err(error) => quintet_fuzz::skeleton(&error.to_string()),
        };
        (as_it_is, outcome)
    });
}
