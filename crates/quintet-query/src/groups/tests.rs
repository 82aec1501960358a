#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use serde_json::{Value, json};

use super::*;
use crate::filter::{Filter, PropertySource};
use crate::{Context, Error, GroupIndex, Query};

fn context() -> Context {
    Context::new("2025-01-31T12:00:00Z".parse().unwrap())
}

fn question(definition: &Value) -> Result<GroupsQuestion, Error> {
    match Query::from_value(definition)? {
        Query::Groups(question) => Ok(question),
        other => panic!("{other:?}"),
    }
}

/// A `GroupsQuery` of type 0 with these fields more.
fn list(fields: Value) -> Result<Groups, Error> {
    let mut definition = json!({"kind": "GroupsQuery", "group_type_index": 0});
    for (name, value) in fields.as_object().unwrap() {
        definition[name.as_str()] = value.clone();
    }
    match question(&definition)? {
        GroupsQuestion::Table(query) => query.resolve(&context()),
        other => panic!("{other:?}"),
    }
}

fn acme() -> GroupRow {
    GroupRow {
        key: "acme".into(),
        created_at: Some("2025-01-01T00:00:00Z".into()),
        properties: json!({"name": "Acme", "arr": 150}),
    }
}

fn order_keys(groups: &Groups) -> Vec<&OrderKey> {
    groups.order.iter().map(|order| &order.key).collect()
}

#[test]
fn columns_follow_select_and_repeats_come_once() {
    let select = json!([
        "properties.arr",
        "key",
        "properties.arr",
        "created_at -- since",
        "group_name"
    ]);
    let groups = list(json!({"select": select})).unwrap();
    assert_eq!(
        groups.columns(),
        ["properties.arr", "key", "created_at -- since", "group_name"]
    );
    let named = json!({"display_name": "Acme", "key": "acme"});
    assert_eq!(
        shape(&groups, vec![acme()]),
        [json!([150, "acme", "2025-01-01T00:00:00Z", named])]
    );
}

#[test]
fn without_select_a_group_is_its_name() {
    assert_eq!(list(json!({})).unwrap().columns(), ["group_name"]);
    assert_eq!(
        list(json!({"select": []})).unwrap().columns(),
        ["group_name"]
    );
}

#[test]
fn a_group_is_called_by_its_name_as_text_or_else_by_its_key() {
    let called = |properties| display_name(&properties, "key");
    assert_eq!(called(json!({"name": 10})), "10");
    assert_eq!(called(json!({"name": null})), "key");
    assert_eq!(called(json!({})), "key");
}

#[test]
fn figures_over_all_groups_stand_alone() {
    let groups = list(
        json!({"select": ["count()", "COUNT(DISTINCT properties.plan)", "avg(properties.`a b`)"]}),
    )
    .unwrap();
    assert!(groups.is_aggregate());
    let columns: Vec<&Column> = groups.select.iter().map(|select| &select.column).collect();
    let expected = [
        Aggregate::Count,
        Aggregate::CountDistinct("plan".into()),
        Aggregate::Average("a b".into()),
    ];
    assert_eq!(columns, expected.map(Column::Aggregate).each_ref());
    let mixed = list(json!({"select": ["key", "count(*)"]})).unwrap_err();
    assert!(matches!(mixed, Error::Unsupported { .. }), "{mixed}");
}

#[test]
fn what_is_no_column_is_refused_at_its_place() {
    for text in [
        "",
        "nonsense",
        "properties.",
        "upper(key)",
        "sum(key)",
        "properties.a + 1",
    ] {
        let error = list(json!({"select": ["key", text]})).unwrap_err();
        assert_eq!(error.path(), "select[1]", "{text}");
        let error = list(json!({"orderBy": [text]})).unwrap_err();
        assert_eq!(error.path(), "orderBy[0]", "{text}");
    }
}

#[test]
fn the_wanted_order_comes_before_rank_and_age() {
    let groups =
        list(json!({"search": "a", "orderBy": ["properties.arr desc", "count(*)", "group_name"]}))
            .unwrap();
    let property = OrderKey::Property("arr".into());
    assert_eq!(
        order_keys(&groups),
        [
            &property,
            &OrderKey::Name,
            &OrderKey::Rank,
            &OrderKey::CreatedAt,
            &OrderKey::Key
        ]
    );
    let descending: Vec<bool> = groups.order.iter().map(|order| order.descending).collect();
    assert_eq!(descending, [true, false, false, true, false]);
}

#[test]
fn a_property_may_end_like_a_direction() {
    let groups =
        list(json!({"orderBy": ["properties.order by asc", "properties.\"by desc\" DESC"]}))
            .unwrap();
    assert_eq!(groups.order[0].key, OrderKey::Property("order by".into()));
    assert_eq!(
        groups.order[1],
        GroupOrder {
            key: OrderKey::Property("by desc".into()),
            descending: true
        }
    );
}

#[test]
fn a_plain_list_is_newest_first_whatever_is_searched() {
    let definition = json!({"kind": "GroupsList", "group_type_index": 1, "search": "x"});
    let GroupsQuestion::List(query) = question(&definition).unwrap() else {
        panic!("no list");
    };
    let groups = query.resolve(&context()).unwrap();
    assert_eq!(order_keys(&groups), [&OrderKey::CreatedAt, &OrderKey::Key]);
    assert_eq!(groups.search.as_deref(), Some("x"));
}

#[test]
fn filters_mean_the_listed_groups_where_they_do_not_say() {
    let bare = json!({"key": "arr", "operator": "gt", "value": 1});
    let typed = json!({"type": "group", "key": "arr", "operator": "gt", "value": 1});
    for properties in [
        json!([bare]),
        json!([typed]),
        json!({"type": "AND", "values": [{"type": "OR", "values": [bare]}]}),
    ] {
        let groups = list(json!({"properties": properties})).unwrap();
        let Filter::Property(filter) = &groups.filter else {
            panic!("{:?}", groups.filter);
        };
        let own = GroupIndex::new(0).unwrap();
        assert_eq!(filter.property.source, PropertySource::Group(own));
    }
}

#[test]
fn filters_on_anything_else_are_refused() {
    for properties in [
        json!([{"type": "event", "key": "a", "value": 1}]),
        json!([{"type": "person", "key": "a", "value": 1}]),
        json!([{"type": "group", "group_type_index": 1, "key": "a", "value": 1}]),
    ] {
        let error = list(json!({"properties": properties})).unwrap_err();
        assert_eq!(error.path(), "properties");
    }
}

#[test]
fn the_type_and_the_id_are_required() {
    for (definition, path) in [
        (json!({"kind": "GroupsQuery"}), "group_type_index"),
        (json!({"kind": "GroupsList"}), "group_type_index"),
        (
            json!({"kind": "GroupFind", "group_type_index": 0}),
            "group_key",
        ),
        (
            json!({"kind": "GroupPropertyValues", "group_type_index": 0}),
            "key",
        ),
        (
            json!({"kind": "GroupPropertyValues", "key": "x"}),
            "group_type_index",
        ),
        (
            json!({"kind": "RelatedGroups", "group_type_index": 0}),
            "id",
        ),
        (
            json!({"kind": "RelatedGroups", "id": "x"}),
            "group_type_index",
        ),
        (
            json!({"kind": "RelatedGroups", "person": "x", "id": "y"}),
            "id",
        ),
        (
            json!({"kind": "GroupsQuery", "group_type_index": 5}),
            "group_type_index",
        ),
        (json!({"kind": "GroupTypes", "what": 1}), "what"),
    ] {
        assert_eq!(
            question(&definition).unwrap_err().path(),
            path,
            "{definition}"
        );
    }
}

#[test]
fn company_is_looked_for_in_the_last_90_days_among_the_other_types() {
    let definition = json!({"kind": "RelatedGroups", "group_type_index": 2, "id": 7});
    let GroupsQuestion::Related(query) = question(&definition).unwrap() else {
        panic!("not related");
    };
    let related = query.resolve(&context()).unwrap();
    assert_eq!(
        related.of,
        RelatedTo::Group(GroupIndex::new(2).unwrap(), "7".into())
    );
    assert_eq!(related.before - related.after, 90 * 86_400_000_000);
    let types: Vec<u8> = related.types().map(GroupIndex::get).collect();
    assert_eq!(types, [0, 1, 3, 4]);
}

#[test]
fn impossible_numbers_of_days_are_refused() {
    let related = |days: u64| {
        let definition = json!({"kind": "RelatedGroups", "person": "x", "days": days});
        let GroupsQuestion::Related(query) = question(&definition).unwrap() else {
            panic!("not related");
        };
        query.resolve(&context())
    };
    assert!(related(0).is_ok());
    for days in [1_000_000_000, u64::try_from(i64::MAX).unwrap()] {
        assert_eq!(related(days).unwrap_err().path(), "days");
    }
    for days in [0, 1_000_000] {
        let query = GroupPageQuery {
            days,
            ..GroupPageQuery::of(0, "acme")
        };
        assert_eq!(query.resolve(&context()).unwrap_err().path(), "days");
    }
}

#[test]
fn a_page_shows_whole_days_up_to_today() {
    let days = |days| {
        let query = GroupPageQuery {
            days,
            ..GroupPageQuery::of(0, "acme")
        };
        query.resolve(&context()).unwrap().days.days
    };
    assert_eq!(days(1), ["2025-01-31"]);
    assert_eq!(days(2), ["2025-01-30", "2025-01-31"]);
    assert_eq!(days(30).first().unwrap(), "2025-01-02");
}
