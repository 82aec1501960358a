//! Flags as PostHog writes them, read and resolved.

use serde_json::{Value, json};

use super::*;
use crate::testing::{asked, at, defining, with_fields};
use crate::trends::Actor;
use crate::{Context, Error, GroupIndex};

const NOW: &str = "2022-05-01T00:00:00Z";

fn company() -> GroupIndex {
    GroupIndex::new(0).unwrap()
}

fn flag(filters: Value) -> Value {
    json!({"id": 3, "key": "editor", "name": "New editor", "active": true, "deleted": false, "version": 4,
           "created_by": {"id": 1}, "ensure_experience_continuity": false, "tags": [], "filters": filters})
}

fn read(filters: Value) -> crate::Result<FeatureFlag> {
    let definitions = FlagDefinitions::from_value(&flag(filters))?;
    let first = definitions.flags().next().cloned();
    Ok(first.unwrap())
}

fn condition(filters: Value) -> crate::Result<FlagCondition> {
    let flag = read(json!({"groups": [filters]}))?;
    Ok(flag.conditions[0].clone())
}

fn filtered(filter: Value) -> crate::Result<FlagNode> {
    Ok(condition(json!({"properties": [filter]}))?.filter)
}

fn place_of(error: &Error) -> &str {
    error.path()
}

fn resolved(flag: Value, context: &Context) -> crate::Result<ResolvedFlags> {
    FlagDefinitions::from_value(&flag)?.resolve(context)
}

#[test]
fn a_flag_is_taken_as_it_lies() {
    let read = read(json!({
        "groups": [{"properties": [], "rollout_percentage": 0.5, "variant": null, "description": "a few", "sort_key": "x"}],
        "multivariate": {"variants": [{"key": "a", "name": "A", "rollout_percentage": 33.3}, {"key": "b", "rollout_percentage": 66.7}]},
        "payloads": {"a": "{\"n\": 1}", "b": "plain", "true": null},
        "aggregation_group_type_index": 0, "early_exit": true, "super_groups": null, "holdout_groups": null,
    }))
    .unwrap();
    assert_eq!(read.group_type, Some(company()));
    assert_eq!(read.conditions[0].by, Actor::Group(company()));
    assert_eq!(read.conditions[0].rollout, Some(0.5));
    assert!(read.early_exit && read.active && !read.by_device);
    let payloads = [
        ("a".to_owned(), json!({"n": 1})),
        ("b".to_owned(), json!("plain")),
    ];
    assert_eq!(read.payloads, payloads);
}

#[test]
fn a_condition_says_itself_whom_it_is_about_if_the_field_is_there() {
    let flag = read(json!({"aggregation_group_type_index": 0, "groups": [
        {}, {"aggregation_group_type_index": null}, {"aggregation_group_type_index": 1},
    ]}))
    .unwrap();
    let by: Vec<Actor> = flag
        .conditions
        .iter()
        .map(|condition| condition.by)
        .collect();
    let project = GroupIndex::new(1).unwrap();
    assert_eq!(
        by,
        [
            Actor::Group(company()),
            Actor::Person,
            Actor::Group(project)
        ]
    );
}

#[test]
fn a_filter_without_type_is_about_whom_the_condition_is_about() {
    let of = |condition: Value| {
        let flag = read(json!({"aggregation_group_type_index": 0, "groups": [condition]})).unwrap();
        match &flag.conditions[0].filter {
            FlagNode::All(nodes) => match &nodes[0] {
                FlagNode::Property(property) => property.of,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    };
    let filter = json!({"key": "plan", "value": "pro"});
    assert_eq!(of(json!({"properties": [filter]})), Actor::Group(company()));
    let person = json!({"properties": [filter], "aggregation_group_type_index": null});
    assert_eq!(of(person), Actor::Person);
    let untyped_index = with_fields(filter, json!({"type": "group"}));
    assert_eq!(
        of(json!({"properties": [untyped_index]})),
        Actor::Group(company())
    );
    let error = filtered(json!({"key": "plan", "value": "pro", "type": "group"})).unwrap_err();
    assert_eq!(
        place_of(&error),
        "filters.groups[0].properties[0].group_type_index"
    );
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (filters, place) in [
        (
            json!({"groups": [{"rollout_percentage": 101}]}),
            "filters.groups[0].rollout_percentage",
        ),
        (
            json!({"groups": [{"rollout_percentage": "ten"}]}),
            "filters.groups[0].rollout_percentage",
        ),
        (
            json!({"groups": [{"rolout_percentage": 1}]}),
            "filters.groups[0].rolout_percentage",
        ),
        (json!({"groups": {}}), "filters.groups"),
        (
            json!({"aggregation_group_type_index": 5, "groups": []}),
            "filters.aggregation_group_type_index",
        ),
        (
            json!({"groups": [{"properties": [{"key": "a", "value": 1, "operator": "like"}]}]}),
            "filters.groups[0].properties[0].operator",
        ),
        (
            json!({"groups": [{"properties": [{"key": "a", "operator": "gt"}]}]}),
            "filters.groups[0].properties[0].value",
        ),
        (
            json!({"groups": [{"properties": [{"key": "f", "type": "flag", "value": 3}]}]}),
            "filters.groups[0].properties[0].value",
        ),
        (
            json!({"groups": [{"properties": [{"key": "id", "type": "cohort"}]}]}),
            "filters.groups[0].properties[0].value",
        ),
        (
            json!({"multivariate": {"variants": [{"key": "a", "rollout_percentage": 60}, {"key": "b", "rollout_percentage": 60}]}}),
            "filters.multivariate.variants",
        ),
    ] {
        let error = read(filters.clone()).unwrap_err();
        assert_eq!(place_of(&error), place, "{filters}: {error}");
    }
    let error = FlagDefinitions::from_value(&json!({"key": "f"})).unwrap_err();
    assert_eq!(place_of(&error), "filters");
    let error = filtered(json!({"key": "a", "type": "event", "value": 1})).unwrap_err();
    assert_eq!(error.code(), "unsupported");
}

#[test]
fn what_persons_go_by_stands_beside_the_filters_or_within() {
    let by_device = json!({"bucketing_identifier": "device_id"});
    assert!(read(by_device.clone()).unwrap().by_device);
    let beside = with_fields(flag(json!({})), by_device);
    let read = FlagDefinitions::from_value(&beside).unwrap();
    assert!(read.flags().all(|flag| flag.by_device));
}

#[test]
fn a_deleted_flag_does_not_exist() {
    let deleted = with_fields(flag(json!({"groups": []})), json!({"deleted": true}));
    let error = FlagDefinitions::from_value(&deleted).unwrap_err();
    assert!(error.to_string().contains("unknown flag"), "{error}");
    let others = json!([deleted, flag(json!({}))]);
    assert_eq!(
        FlagDefinitions::from_value(&others)
            .unwrap()
            .flags()
            .count(),
        1
    );
}

#[test]
fn dependencies_cohorts_and_negation_are_read() {
    let node = filtered(
        json!({"key": 12, "type": "flag", "operator": "flag_evaluates_to", "value": false, "dependency_chain": ["a"]}),
    );
    let wanted = FlagNode::Flag {
        flag: "12".into(),
        wanted: FlagWanted::Off,
    };
    assert_eq!(node.unwrap(), FlagNode::All(vec![wanted]));
    for (filter, is_negated) in [
        (
            json!({"key": "id", "type": "cohort", "value": 7, "operator": null}),
            false,
        ),
        (
            json!({"key": "id", "type": "cohort", "value": 7, "operator": "not_in"}),
            true,
        ),
        (
            json!({"key": "id", "type": "cohort", "value": 7, "negation": true}),
            true,
        ),
    ] {
        let cohort = FlagNode::Cohort(7);
        let one = match is_negated {
            true => FlagNode::All(vec![FlagNode::Not(Box::new(cohort))]),
            false => FlagNode::Any(vec![cohort]),
        };
        assert_eq!(filtered(filter).unwrap(), FlagNode::All(vec![one]));
    }
}

#[test]
fn what_persons_decided_is_a_property_of_theirs() {
    let key = "$feature_enrollment/editor";
    let filter = json!([{"key": key, "type": "person", "operator": "exact", "value": ["true"]}]);
    let explicit = read(
        json!({"aggregation_group_type_index": 0, "super_groups": [{"properties": filter, "rollout_percentage": 100}]}),
    );
    let explicit = explicit.unwrap().enrollment.unwrap();
    assert_eq!(explicit.by, Actor::Person);
    let FlagNode::All(nodes) = explicit.filter else {
        panic!()
    };
    let short = read(json!({"feature_enrollment": true}))
        .unwrap()
        .enrollment
        .unwrap();
    assert_eq!(nodes, [short.filter]);
}

#[test]
fn holdouts_are_read_in_both_spellings() {
    let of = |filters| read(filters).unwrap().holdout.unwrap();
    let new = of(json!({"holdout": {"id": 7, "exclusion_percentage": 10}}));
    let old = of(
        json!({"holdout_groups": [{"properties": [], "rollout_percentage": 10, "variant": "holdout-7"}]}),
    );
    assert_eq!(new, old);
}

#[test]
fn dates_count_back_from_the_clock() {
    let value_of = |value: &str| {
        let filter = json!({"key": "at", "operator": "is_date_before", "value": value});
        let flag = flag(json!({"groups": [{"properties": [filter]}]}));
        let found = resolved(flag, &at("2022-03-31T10:00:00Z")).unwrap();
        let FlagFilter::All(filters) = &found.flags[0].conditions[0].filter else {
            panic!()
        };
        let FlagFilter::Property(property) = &filters[0] else {
            panic!()
        };
        property.values[0].clone()
    };
    for (text, expected) in [
        ("-6h", "2022-03-31T04:00:00Z"),
        ("2d", "2022-03-29T10:00:00Z"),
        ("-02w", "2022-03-17T10:00:00Z"),
        ("1m", "2022-02-28T10:00:00Z"),
        ("-1y", "2021-03-31T10:00:00Z"),
        // Not relative: left as they are, to match nothing.
        ("10000d", "10000d"),
        ("3s", "3s"),
        ("1q", "1q"),
        ("-1dStart", "-1dStart"),
        ("--1d", "--1d"),
        ("d", "d"),
    ] {
        assert_eq!(value_of(text), expected, "{text}");
    }
}

#[test]
fn cohorts_come_with_the_flags_or_from_the_definitions() {
    let in_cohort = |id: i64| json!({"groups": [{"properties": [{"key": "id", "type": "cohort", "value": id}]}]});
    let with_cohorts = |id: i64, cohorts: Value| {
        let definition = json!({"flags": [flag(in_cohort(id))], "cohorts": cohorts});
        let context = defining(
            NOW,
            json!({"cohorts": [{"id": 7, "name": "ours", "distinct_ids": ["a"]}]}),
        );
        resolved(definition, &context)
    };
    let listed = |ids: &[&str]| {
        let ids = ids.iter().map(|&id| id.to_owned()).collect();
        FlagFilter::All(vec![FlagFilter::Any(vec![FlagFilter::Listed(ids)])])
    };
    let filter_of = |found: &ResolvedFlags| found.flags[0].conditions[0].filter.clone();
    let found = with_cohorts(7, json!({})).unwrap();
    assert_eq!(filter_of(&found), listed(&["a"]));
    let found = with_cohorts(8, json!([{"id": 8, "distinct_ids": ["b"]}])).unwrap();
    assert_eq!(filter_of(&found), listed(&["b"]));
    let found = with_cohorts(9, json!({})).unwrap();
    assert_eq!(found.warnings[0].code, "unknown_cohort");
    let circle =
        json!({"1": {"type": "AND", "values": [{"key": "id", "value": 1, "type": "cohort"}]}});
    let error = with_cohorts(1, circle).unwrap_err();
    assert!(error.to_string().contains("refers to itself"), "{error}");
    assert_eq!(place_of(&error), "flags[0].filters");
    let behavioral = json!({"1": {"type": "AND", "values": [{"key": "paid", "type": "behavioral", "value": "performed_event"}]}});
    assert!(
        with_cohorts(9, behavioral.clone()).is_ok(),
        "it is not used"
    );
    assert_eq!(
        with_cohorts(1, behavioral).unwrap_err().code(),
        "unsupported"
    );
}

#[test]
fn contexts_are_laid_over_what_holds_for_all() {
    let query = asked!(
        Flags,
        json!({
            "kind": "FeatureFlagEvaluation", "flag": flag(json!({})), "distinct_id": 42, "groups": {"company": 7, "project": null},
            "contexts": [{}, {"distinct_id": "b", "groups": {"company": "acme"}, "person_properties": {"a": 1}}],
        })
    );
    let FlagsQuestion::Evaluation(query) = query.unwrap() else {
        panic!()
    };
    let [first, second] = query.contexts.as_slice() else {
        panic!()
    };
    assert_eq!(first.distinct_id.as_deref(), Some("42"));
    let groups = [
        ("company".to_owned(), "7".to_owned()),
        ("project".to_owned(), String::new()),
    ];
    assert_eq!(first.groups, groups);
    assert_eq!(second.distinct_id.as_deref(), Some("b"));
    assert_eq!(second.groups, [("company".to_owned(), "acme".to_owned())]);
    assert_eq!(second.person_properties["a"], 1);
}

#[test]
fn questions_name_what_is_missing_or_too_much() {
    for (fields, place) in [
        (json!({"kind": "FeatureFlagEvaluation"}), "flag"),
        (
            json!({"kind": "FeatureFlagAudience", "flag": flag(json!({})), "flags": []}),
            "flags",
        ),
        (
            json!({"kind": "FeatureFlagEvaluation", "flag": flag(json!({})), "person": {}}),
            "person",
        ),
        (
            json!({"kind": "FeatureFlagEvaluation", "flag": flag(json!({})), "groups": {"company": []}}),
            "groups.company",
        ),
        (
            json!({"kind": "FeatureFlagValues", "flag": flag(json!({})), "group_type_index": 9}),
            "group_type_index",
        ),
        (
            json!({"kind": "FeatureFlagValues", "flag": flag(json!({})), "group_types": {"5": "x"}}),
            "group_types.5",
        ),
        (json!({"kind": "FeatureFlagHash", "key": "f"}), "identifier"),
    ] {
        let error = crate::Query::from_value(&fields).unwrap_err();
        assert_eq!(place_of(&error), place, "{fields}: {error}");
    }
}
