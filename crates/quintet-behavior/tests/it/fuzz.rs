//! Operators, their values and what they are held against, changed at random.

use quintet_behavior::paths::{Cleaning, ItemRules, Items};
use quintet_behavior::property::{
    Entries, GroupPlace, Matcher, from_json, normalize_url, number, parse_date,
};
use quintet_fuzz::{Target, skeleton};

/// An operator, a list of values and an object, each on a line of its own.
#[test]
fn any_operator_holds_against_any_value() {
    Target::new("properties").with_inputs(20_000).run(|input| {
        let text = String::from_utf8_lossy(input);
        let mut lines = text.splitn(3, '\n');
        let mut line = || lines.next().unwrap_or_default();
        let (operator, values, object) = (line(), line(), line());
        let values: Vec<String> = match serde_json::from_str(values) {
            Ok(values) => values,
            Err(_) => vec![values.to_owned()],
        };
        let property = from_json(object, "a").map(|found| found.into_owned());
        let place = GroupPlace {
            property: Some("$group_0"),
            name: Some("company"),
        };
        let group = place.key(object);
        let entries = Entries::Except(Default::default()).of(Some(object));
        for value in values.iter().chain(&property) {
            let _ = (normalize_url(value), number(value), parse_date(value));
        }
        let rules = ItemRules {
            cleaning: values
                .iter()
                .map(|value| Cleaning {
                    regex: value.clone(),
                    alias: operator.to_owned(),
                })
                .collect(),
            ..ItemRules::default()
        };
        let items = Items::new(&rules).is_ok();
        let matches = Matcher::new(operator, &values).map(|matcher| {
            let on = |value: Option<&str>| matcher.matches(value);
            (on(None), on(property.as_deref()), on(Some(object)))
        });
        let outcome = matches.map_err(|error| skeleton(&error.to_string()));
        (outcome, group.is_some(), entries.len().min(9), items)
    });
}
