//! The properties of a JSON object, each as `name::value`.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Which properties of an object are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entries {
    /// These, in this order; one that is missing has the empty text.
    Only(Vec<String>),
    /// All that are there and not null, but for these.
    Except(BTreeSet<String>),
}

impl Entries {
    /// The wanted properties of an object, given as JSON text; that which is no object has none.
    pub fn of(&self, json: Option<&str>) -> Vec<String> {
        let entry = |name: &str, value: &str| format!("{name}::{value}");
        match self {
            Self::Only(names) => {
                let value = |name: &String| {
                    let found = json.and_then(|json| super::from_json(json, name));
                    entry(name, found.as_deref().unwrap_or_default())
                };
                names.iter().map(value).collect()
            }
            Self::Except(names) => {
                let properties: Map<String, Value> = json
                    .and_then(|json| serde_json::from_str(json).ok())
                    .unwrap_or_default();
                let is_wanted =
                    |(name, value): &(&String, &Value)| !value.is_null() && !names.contains(*name);
                let text = |value: &Value| match value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                properties
                    .iter()
                    .filter(is_wanted)
                    .map(|(name, value)| entry(name, &text(value)))
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Entries;

    const JSON: &str =
        r#"{"plan": "pro", "seats": 10, "trial": false, "gone": null, "tags": ["a", 1]}"#;

    #[test]
    fn named_properties_come_in_order_and_missing_ones_are_empty() {
        let only = Entries::Only(["seats", "gone", "none"].map(str::to_owned).to_vec());
        assert_eq!(only.of(Some(JSON)), ["seats::10", "gone::", "none::"]);
        assert_eq!(only.of(None), ["seats::", "gone::", "none::"]);
    }

    #[test]
    fn all_others_are_those_that_are_there() {
        let except = Entries::Except(["plan".to_owned()].into());
        assert_eq!(
            except.of(Some(JSON)),
            ["seats::10", "trial::false", r#"tags::["a",1]"#]
        );
        assert!(except.of(None).is_empty());
        assert!(except.of(Some("[1]")).is_empty());
    }
}
