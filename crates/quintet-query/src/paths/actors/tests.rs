use serde_json::{Value, json};

use super::*;
use crate::testing::{asked, at, with_fields};

/// The question with these fields about the paths with these in their filter.
fn ask(fields: Value, filter: Value) -> Result<PathsActors> {
    let query = json!({"kind": "InsightActorsQuery", "source": {"kind": "PathsQuery", "pathsFilter": filter}});
    asked!(PathsActors, with_fields(query, fields))?.resolve(&at("2020-01-25T12:00:00Z"))
}

#[test]
fn keys_in_the_source_name_what_is_asked_for() {
    let filter =
        json!({"pathStartKey": "1_/", "pathEndKey": "", "pathDropoffKey": "3_/b", "stepLimit": 3});
    let actors = ask(json!({}), filter).unwrap();
    let keys = PathKeys {
        start: Some("1_/".to_owned()),
        end: None,
        dropoff: Some("3_/b".to_owned()),
    };
    assert_eq!((actors.keys, actors.paths.step_limit), (keys, 3));
    assert_eq!(ask(json!({}), json!({})).unwrap().keys, PathKeys::default());
}

#[test]
fn a_page_of_the_list_can_be_asked_for() {
    let question = json!({"kind": "ActorsQuery", "limit": 7, "source": {
        "kind": "InsightActorsQuery", "source": {"kind": "PathsQuery"}}});
    let query = asked!(PathsActors, question).unwrap();
    assert_eq!(query.page.limit, Some(7));
}

#[test]
fn what_paths_have_not_cannot_be_asked_for() {
    let refused = |fields| ask(fields, json!({})).unwrap_err();
    assert!(ask(json!({"series": 0, "compare": "current"}), json!({})).is_ok());
    assert_eq!(refused(json!({"series": 1})).path(), "series");
    assert_eq!(refused(json!({"compare": "previous"})).path(), "compare");
    for name in ["breakdown", "day", "status"] {
        assert_eq!(refused(json!({name: "a"})).code(), "unsupported");
    }
}

#[test]
fn errors_of_the_paths_are_those_within_the_source() {
    let wrong = ask(json!({}), json!({"pathGroupings": [""]})).unwrap_err();
    assert_eq!(wrong.path(), "source.pathsFilter.pathGroupings[0]");
}
