use serde_json::json;

use super::*;
use crate::filter::{Operator, Property, PropertyFilter, PropertySource};
use crate::testing::defining;

fn context(definitions: Value) -> Context {
    defining("2020-01-04T13:00:00Z", definitions)
}

fn lowered(steps: Value) -> Result<Filter> {
    let context = context(json!({"actions": [{"id": 7, "name": "a", "steps": steps}]}));
    context
        .definitions
        .action(7)
        .unwrap()
        .resolve(&context, &Path::root())
}

fn event(key: &str, operator: Operator, value: &str) -> Filter {
    Filter::Property(PropertyFilter {
        property: Property {
            source: PropertySource::Event,
            key: key.to_owned(),
        },
        operator,
        values: vec![value.to_owned()],
    })
}

#[test]
fn an_action_is_any_of_its_steps_and_a_step_is_all_of_its_conditions() {
    assert_eq!(
        lowered(json!([
            {"event": "$pageview", "url": "/a", "properties": [{"key": "b", "value": "c"}]},
            {"event": "sign up", "url": "/x", "url_matching": "exact"},
            {"url": "^/y", "url_matching": "regex"},
        ]))
        .unwrap(),
        Filter::Any(vec![
            Filter::All(vec![
                Filter::Event("$pageview".to_owned()),
                event("$current_url", Operator::Contains, "/a"),
                event("b", Operator::Exact, "c"),
            ]),
            Filter::All(vec![
                Filter::Event("sign up".to_owned()),
                event("$current_url", Operator::Exact, "/x"),
            ]),
            event("$current_url", Operator::Regex, "^/y"),
        ])
    );
}

#[test]
fn an_action_without_steps_is_everything() {
    assert_eq!(lowered(json!([])).unwrap(), Filter::always());
    assert_eq!(lowered(json!([{}])).unwrap(), Filter::always());
}

#[test]
fn a_step_on_an_element_is_not_run_yet() {
    let error = lowered(json!([{"event": "$autocapture", "selector": "button"}])).unwrap_err();
    assert_eq!(error.code(), "unsupported");
}

#[test]
fn wrong_definitions_name_their_place() {
    let refused = |definitions: Value| {
        Definitions::parse(&definitions)
            .unwrap_err()
            .path()
            .to_owned()
    };
    assert_eq!(refused(json!({"actons": []})), "actons");
    assert_eq!(
        refused(json!({"actions": [{"name": "a"}]})),
        "actions[0].id"
    );
    assert_eq!(
        refused(json!({"actions": [{"id": 1, "steps": [{"url": "(", "url_matching": "regex"}]}]})),
        "actions[0].steps[0].url"
    );
    assert_eq!(
        refused(
            json!({"cohorts": [{"id": 1, "filters": {"properties": {"type": "NOT", "values": []}}}]})
        ),
        "cohorts[0].filters.properties.type"
    );
    assert_eq!(
        refused(json!({"path_cleaning_filters": [{"regex": "(", "alias": "x"}]})),
        "path_cleaning_filters[0].regex"
    );
    assert_eq!(
        refused(json!({"path_cleaning_filters": [{"regex": "/(a)", "alias": r"/\\2\1\2"}]})),
        "path_cleaning_filters[0].alias"
    );
    assert_eq!(refused(json!([])), "");
}
