use serde_json::json;

use super::*;
use crate::testing::{asked, defining, with_fields};

fn ask(fields: Value, source: Value, around: Value) -> Result<RetentionActors> {
    let insight = json!({"kind": "RetentionQuery", "retentionFilter": {"totalIntervals": 3}});
    let question = json!({"kind": "InsightActorsQuery", "source": with_fields(insight, source)});
    let query = json!({"kind": "ActorsQuery", "source": with_fields(question, fields)});
    let cohorts = json!([{"id": 1, "name": "some", "distinct_ids": ["ann"]}]);
    let context = defining("2024-01-25T12:00:00Z", json!({ "cohorts": cohorts }));
    asked!(RetentionActors, with_fields(query, around))?.resolve(&context)
}

fn by_plan() -> Value {
    json!({"breakdownFilter": {"breakdown": "plan", "breakdown_type": "event"}})
}

fn by_cohorts() -> Value {
    json!({"breakdownFilter": {"breakdown": [1, 2], "breakdown_type": "cohort"}})
}

#[test]
fn actors_are_those_of_the_row_that_is_asked_for() {
    let actors = ask(json!({"interval": 1}), json!({}), json!({})).unwrap();
    assert!(actors.counts(None, 1));
    assert!(!actors.counts(None, 0));
    let all = ask(json!({}), json!({}), json!({})).unwrap();
    assert!(all.counts(None, 0) && all.counts(None, 2));
    let beyond = ask(json!({"interval": 3}), json!({}), json!({})).unwrap_err();
    assert_eq!(beyond.path(), "interval");
}

#[test]
fn actors_are_those_of_the_value_that_is_asked_for() {
    let of = |value: Value| {
        ask(
            json!({"interval": 0, "breakdown": value}),
            by_plan(),
            json!({}),
        )
    };
    let pro = of(json!(["pro"])).unwrap();
    assert!(pro.counts(Some("pro"), 0));
    assert!(!pro.counts(Some("free"), 0) && !pro.counts(None, 0));
    for missing in [json!([""]), json!([null])] {
        let none = of(missing).unwrap();
        assert!(none.counts(None, 0) && none.counts(Some(""), 0));
    }
    assert!(of(json!([])).unwrap().counts(Some("pro"), 0));
    assert_eq!(of(json!("pro")).unwrap_err().path(), "breakdown");
    assert_eq!(of(json!([OTHER_LABEL])).unwrap_err().code(), "unsupported");
    let none = ask(json!({"breakdown": ["pro"]}), json!({}), json!({}));
    assert_eq!(none.unwrap_err().path(), "breakdown");
}

#[test]
fn a_cohort_that_is_asked_for_becomes_a_condition() {
    let of = |value: Value| {
        ask(
            json!({"interval": 0, "breakdown": value}),
            by_cohorts(),
            json!({}),
        )
    };
    let some = of(json!(["1"])).unwrap();
    assert!(matches!(&some.retention.filter, Filter::Cohort { cohort, .. } if cohort.id == 1));
    assert_eq!(some.retention.breakdown, None);
    assert!(some.counts(None, 0));
    assert_eq!(
        of(json!(["all"])).unwrap().retention.filter,
        Filter::always()
    );
    for missing in [json!(null), json!([])] {
        assert_eq!(of(missing).unwrap_err().path(), "breakdown");
    }
}

#[test]
fn appearances_are_never_cumulative() {
    let source = json!({"retentionFilter": {"cumulative": true, "minimumOccurrences": 2}});
    let actors = ask(json!({"interval": 0}), source, json!({})).unwrap();
    let counts = Mode::Counts {
        minimum: 2,
        cumulative: false,
    };
    assert_eq!(actors.retention.mode, counts);
}

#[test]
fn columns_that_are_selected_stand_beside_the_appearances() {
    let select = json!({"select": ["person", "appearances", "day_0", "day_2", "week_0", "day_x"],
        "orderBy": ["length(appearances) DESC", "actor_id"]});
    let actors = ask(json!({"interval": 0}), json!({}), select).unwrap();
    assert!(!actors.page.ascending);
    let expected = [
        ("appearances", json!([0, 1])),
        ("day_0", json!(1)),
        ("day_2", json!(0)),
    ];
    let columns = actors.columns(&BTreeSet::from([0, 1]));
    assert_eq!(
        columns,
        expected.map(|(name, value)| (name.to_owned(), value))
    );
}

#[test]
fn errors_in_the_source_name_their_place_in_the_question() {
    let source = json!({"aggregation_group_type_index": 7});
    let error = ask(json!({"interval": 0}), source, json!({})).unwrap_err();
    assert_eq!(error.path(), "source.aggregation_group_type_index");
}
