#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray};
use object_store::memory::InMemory;
use uuid::Uuid;

use super::*;
use crate::entities::{Group, Person, PersonState};
use crate::log::Action;

fn person(id: u128, state: PersonState) -> Person {
    Person {
        id: Uuid::from_u128(id),
        properties: format!(r#"{{"n":{id}}}"#),
        created_at: 7,
        is_identified: id == 2,
        state,
        version: 3,
    }
}

fn group(key: &str, properties: Option<&str>) -> Group {
    Group {
        key: key.into(),
        properties: properties.map(Into::into),
        created_at: 9,
        version: 1,
        is_former: false,
    }
}

async fn stored(
    people: &[(u32, Person)],
    ids: &[(&str, u32)],
    groups: &[(u8, u32, Group)],
) -> (Location, LogState) {
    let location = Location::with_object_store("memory://test", Arc::new(InMemory::new())).unwrap();
    let mut log = LogState::default();
    let batches = [
        (
            Table::Persons,
            persons::batch(people.iter().map(|(r, person)| (*r, person))),
        ),
        (
            Table::PersonDistinctIds,
            persons::distinct_id_batch(ids.iter().copied()),
        ),
        (
            Table::Groups,
            groups::batch(groups.iter().map(|(index, r, group)| (*index, *r, group))),
        ),
    ];
    for (table, batch) in batches {
        let file = encode_batch(table, &batch.unwrap()).unwrap();
        location.create(&file.add.path, file.bytes).await.unwrap();
        log.apply(vec![Action::Add(file.add)]);
    }
    (location, log)
}

#[tokio::test]
async fn persons_and_groups_survive_the_way_through_files() {
    let people = [
        (
            1,
            person(
                1,
                PersonState::Merged {
                    into: 2,
                    squashed: false,
                },
            ),
        ),
        (2, person(2, PersonState::Real)),
        (3, person(3, PersonState::Personless)),
    ];
    let groups = [
        (0, 1, group("a", Some("{}"))),
        (0, 2, group("b", None)),
        (4, 1, group("c", Some(r#"{"x":1}"#))),
    ];
    let (location, log) = stored(&people, &[("x", 1), ("y", 2), ("z", 3)], &groups).await;
    let state = load(&location, &log).await.unwrap();
    for (r, expected) in &people {
        assert_eq!(state.persons.get(*r).unwrap(), expected);
    }
    for (index, r, expected) in &groups {
        assert_eq!(state.groups.get(usize::from(*index), *r).unwrap(), expected);
    }

    let entities = Entities::new(state);
    let shown = entities.persons().unwrap();
    assert_eq!(
        shown.num_rows(),
        1,
        "neither merged nor personless ones are persons"
    );
    assert_eq!(
        shown.column(1).as_string_view().value(0),
        Uuid::from_u128(2).to_string()
    );
    assert_eq!(entities.person_distinct_ids().unwrap().num_rows(), 2);
    assert_eq!(entities.person_overrides().unwrap().num_rows(), 1);
    assert_eq!(entities.final_person_refs(), [0, 2, 2, 3]);
    assert_eq!(
        entities.person_ids().value(0),
        Uuid::from_u128(2).to_string()
    );
    assert_eq!(
        entities.groups().unwrap().num_rows(),
        2,
        "a group that nobody declared has no row"
    );
    assert_eq!(entities.group_keys(0).value(1), "b");
    assert_eq!(entities.group_keys(9).len(), 0);
}

#[tokio::test]
async fn a_missing_person_is_damage() {
    let (location, log) = stored(&[(2, person(2, PersonState::Real))], &[], &[]).await;
    assert!(matches!(
        load(&location, &log).await,
        Err(Error::Corrupt { .. })
    ));
}

#[tokio::test]
async fn a_changed_file_is_damage_and_named() {
    let (location, mut log) = stored(&[(1, person(1, PersonState::Real))], &[("x", 1)], &[]).await;
    let mut add = log.files(Table::Groups).next().unwrap().as_ref().clone();
    add.checksum = "0".into();
    let path = add.path.clone();
    log.apply(vec![
        Action::Remove(Remove { path: path.clone() }),
        Action::Add(add),
    ]);
    match load(&location, &log).await {
        Err(Error::Corrupt { file, .. }) => assert!(file.ends_with(&path)),
        other => assert!(other.is_err(), "{other:?}"),
    }
}
