use serde_json::{Value, json};

use super::*;
use crate::Context;
use crate::error::Result;
use crate::reader::{Field, Path};
use crate::testing::defining;

fn context() -> Context {
    let definitions = json!({
        "cohorts": [
            {"id": 1, "name": "listed", "distinct_ids": ["p1"]},
            {"id": 2, "name": "described", "filters": {"properties": {"type": "OR", "values": [
                {"key": "email", "type": "person", "operator": "icontains", "value": "@acme"},
                {"key": "id", "type": "cohort", "value": 1},
            ]}}},
            {"id": 3, "name": "of itself", "filters": [{"key": "id", "type": "cohort", "value": 4}]},
            {"id": 4, "name": "of itself too", "filters": [{"key": "id", "type": "cohort", "value": 3}]},
            {"id": 5, "name": "behaviour", "filters": [{"key": "x", "type": "behavioral", "value": "performed_event"}]},
            {"id": 6, "name": "events", "filters": [{"key": "x", "type": "event", "value": "y"}]},
        ],
    });
    Context {
        group_types: vec![Some("company".to_owned()), None, Some("project".to_owned())],
        ..defining("2020-01-04T13:00:00Z", definitions)
    }
}

fn read(properties: &Value) -> Result<Filter> {
    let path = Path::root().field("properties");
    PropertyNode::parse(&Field::new(path.clone(), properties))?.resolve(&context(), &path)
}

fn refused(properties: Value) -> String {
    read(&properties).unwrap_err().to_string()
}

fn condition(source: PropertySource, key: &str, operator: Operator, values: &[&str]) -> Filter {
    Filter::Property(PropertyFilter {
        property: Property {
            source,
            key: key.to_owned(),
        },
        operator,
        values: values.iter().map(|value| (*value).to_owned()).collect(),
    })
}

#[test]
fn a_list_is_and_and_one_alone_stands_for_itself() {
    let one = condition(PropertySource::Event, "a", Operator::Exact, &["1"]);
    let two = condition(PropertySource::Person, "b", Operator::IsNot, &["x", "true"]);
    let first = json!({"key": "a", "value": 1});
    let second = json!({"key": "b", "value": ["x", true], "type": "person", "operator": "is_not"});
    assert_eq!(read(&json!([first])).unwrap(), one);
    assert_eq!(
        read(&json!([first, second])).unwrap(),
        Filter::All(vec![one.clone(), two.clone()])
    );
    assert_eq!(
        read(&json!({"type": "OR", "values": [{"type": "AND", "values": [first]}, second]}))
            .unwrap(),
        Filter::Any(vec![one, two])
    );
}

#[test]
fn what_is_empty_or_incomplete_is_true() {
    for properties in [
        json!([]),
        json!({}),
        json!({"type": "OR", "values": []}),
        json!([{"key": "a"}]),
        json!([{"key": "a", "value": null}]),
        json!([{"key": "a", "value": []}]),
        json!([{"value": "a"}]),
        json!([{"type": "empty"}, {"type": "flag", "key": "1", "operator": "flag_evaluates_to", "value": true}]),
    ] {
        assert_eq!(read(&properties).unwrap(), Filter::always(), "{properties}");
    }
}

#[test]
fn operators_have_their_wire_names_and_aliases() {
    for (name, operator) in operator::WIRE_NAMES {
        let value = match operator {
            Operator::Between | Operator::NotBetween => json!([1, 2]),
            _ => json!(["1"]),
        };
        match read(&json!([{"key": "a", "operator": name, "value": value}])).unwrap() {
            Filter::Property(filter) => assert_eq!(filter.operator, *operator),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(Operator::Gte.name(), "gte");
    assert!(
        refused(json!([{"key": "a", "operator": "equals", "value": 1}]))
            .starts_with("properties[0].operator: 'equals' must be one of exact, ")
    );
}

#[test]
fn is_set_ignores_its_value() {
    assert_eq!(
        read(&json!([{"key": "a", "operator": "is_set", "value": "is_set"}])).unwrap(),
        condition(PropertySource::Event, "a", Operator::IsSet, &[])
    );
}

#[test]
fn values_are_carried_as_text() {
    assert_eq!(
        read(&json!([{"key": "a", "value": ["x", 10, 1.5, true, {"b": 1}, null]}])).unwrap(),
        condition(
            PropertySource::Event,
            "a",
            Operator::Exact,
            &["x", "10", "1.5", "true", r#"{"b":1}"#]
        )
    );
}

#[test]
fn groups_need_the_index_of_their_type() {
    let group = |index: Value| json!([{"key": "a", "value": 1, "type": "group", "group_type_index": index}]);
    assert_eq!(
        read(&group(json!(4))).unwrap(),
        condition(
            PropertySource::Group(crate::GroupIndex::new(4).unwrap()),
            "a",
            Operator::Exact,
            &["1"]
        )
    );
    assert!(
        refused(group(json!(5)))
            .starts_with("properties[0].group_type_index: there is no group type 5")
    );
    assert!(refused(group(json!(-1))).starts_with("properties[0].group_type_index: "));
    assert!(refused(group(Value::Null)).starts_with("properties[0].group_type_index: is missing"));
}

#[test]
fn a_group_type_has_a_name_in_rust() {
    let path = Path::root().field("properties");
    let named = |name: &str| {
        PropertyNode::group(name, "a", Operator::Exact, "1").resolve(&context(), &path)
    };
    assert_eq!(
        named("project").unwrap(),
        condition(
            PropertySource::Group(crate::GroupIndex::new(2).unwrap()),
            "a",
            Operator::Exact,
            &["1"]
        )
    );
    assert_eq!(
        named("team").unwrap_err().to_string(),
        "properties.group_type_index: there is no group type 'team'; known are company, project"
    );
}

#[test]
fn a_feature_is_an_event_property() {
    assert_eq!(
        read(&json!([{"key": "beta", "type": "feature", "value": "on"}])).unwrap(),
        condition(
            PropertySource::Event,
            "$feature/beta",
            Operator::Exact,
            &["on"]
        )
    );
}

#[test]
fn cohorts_are_resolved_with_the_cohorts_they_refer_to() {
    match read(&json!([{"key": "id", "type": "cohort", "value": "2", "operator": "not_in"}]))
        .unwrap()
    {
        Filter::Cohort {
            cohort,
            negated: true,
        } => match &cohort.members {
            CohortMembers::Described(Filter::Any(conditions)) => assert_eq!(conditions.len(), 2),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_cohort_that_nobody_defined_has_no_members() {
    match read(&json!([{"key": "id", "type": "cohort", "value": 99}])).unwrap() {
        Filter::Cohort {
            cohort,
            negated: false,
        } => {
            assert_eq!(cohort.members, CohortMembers::Listed(Vec::new()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn cohorts_that_cannot_be_run_are_errors_for_those_who_use_them() {
    let cohort = |id: i64| json!([{"key": "id", "type": "cohort", "value": id}]);
    assert_eq!(
        refused(cohort(3)),
        "properties: cohort 3 refers to itself; take it out of its own filters"
    );
    assert!(refused(cohort(5)).contains("behavioral"));
    assert!(refused(cohort(6)).contains("not about a person"));
}

#[test]
fn ranges_lists_and_patterns_are_checked() {
    let filter =
        |operator: &str, value: Value| json!([{"key": "a", "operator": operator, "value": value}]);
    for value in [
        json!([2, 1]),
        json!([1]),
        json!(["a", "b"]),
        json!(5),
        json!([1, 2, 3]),
    ] {
        assert!(
            refused(filter("between", value))
                .starts_with("properties[0].value: the operator between")
        );
    }
    assert!(
        refused(filter("in", json!("x")))
            .starts_with("properties[0].value: the operator in compares with a list")
    );
    let regex = refused(filter("regex", json!("(a")));
    assert!(
        regex.starts_with("properties[0].value: '(a' is not a regular expression: "),
        "{regex}"
    );
    assert!(!regex.contains('\n'));
}

#[test]
fn what_this_version_does_not_filter_by_says_what_to_use() {
    for kind in [
        "element",
        "hogql",
        "recording",
        "data_warehouse",
        "behavioral",
    ] {
        let error = read(&json!([{"key": "a", "value": "b", "type": kind}])).unwrap_err();
        assert_eq!(error.code(), "unsupported", "{kind}");
    }
    assert!(
        refused(json!([{"key": "a", "value": "b", "type": "persn"}]))
            .starts_with("properties[0].type: there is no filter type 'persn'")
    );
}

#[test]
fn unknown_groups_and_fields_are_refused() {
    assert!(
        refused(json!({"type": "XOR", "values": []}))
            .starts_with("properties.type: 'XOR' must be one of AND, OR")
    );
    assert!(
        refused(json!([{"key": "a", "value": 1, "oprator": "gt"}]))
            .starts_with("properties[0].oprator: ")
    );
    assert!(refused(json!([5])).starts_with("properties[0]: must be an object, not a number"));
}

#[test]
fn relative_dates_become_instants() {
    assert_eq!(
        read(&json!([{"key": "a", "operator": "is_date_before", "value": "-1d"}])).unwrap(),
        condition(
            PropertySource::Event,
            "a",
            Operator::IsDateBefore,
            &["2020-01-03T13:00:00Z"]
        )
    );
    assert_eq!(
        read(&json!([{"key": "a", "operator": "is_date_after", "value": "2020-01-02"}])).unwrap(),
        condition(
            PropertySource::Event,
            "a",
            Operator::IsDateAfter,
            &["2020-01-02"]
        )
    );
}
