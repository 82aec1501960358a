//! Where feature flags compare properties in another way than insights do; all other operators are the same.
//!
//! Rules: `spec/groups-and-ingestion.md` section 5.5.

use serde_json::Value;

use super::matcher::{Condition, TextTest, misfit};
use super::{Matcher, MatcherError, equal_texts, number, value_text};

impl Matcher {
    /// Compiles an operator as flags mean it: equality regardless of case, `icontains` without wildcards, sizes of numbers only.
    /// An empty list of values is none of them, so that nothing equals it.
    ///
    /// # Errors
    /// As [`Matcher::new`], and for sizes compared with what is no number.
    pub fn for_flags(operator: &str, values: &[String]) -> Result<Self, MatcherError> {
        let positive = |test, values: &[String]| Ok(Self::positive(Condition::text(test, values)));
        let negative = |test, values: &[String]| Ok(Self::negative(Condition::text(test, values)));
        match operator {
            "exact" | "in" => positive(TextTest::Equals, &equal_texts(values)),
            "is_not" | "not_in" => negative(TextTest::Equals, &equal_texts(values)),
            "icontains" => positive(TextTest::Contains, values),
            "not_icontains" => negative(TextTest::Contains, values),
            "gt" | "gte" | "lt" | "lte" | "min" | "max" => {
                match values.iter().find(|value| number(value).is_none()) {
                    Some(value) => Err(misfit(operator, "a number", value)),
                    None if values.is_empty() => Err(misfit(operator, "a number", "")),
                    None => Self::new(operator, values),
                }
            }
            "is_set" | "is_not_set" => Self::new(operator, values),
            _ if values.is_empty() => {
                // What an operator says to an absent value is what tells the negative ones.
                let is_negative = match Self::new(operator, &["1".to_owned()]) {
                    Err(error @ MatcherError::Operator(_)) => return Err(error),
                    known => known.is_ok_and(|matcher| matcher.on_null),
                };
                let none = Condition::Equals(Vec::new());
                Ok(if is_negative {
                    Self::negative(none)
                } else {
                    Self::positive(none)
                })
            }
            _ => Self::new(operator, values),
        }
    }

    /// Whether a property satisfies the condition; `None` where it is absent.
    ///
    /// A null is a value that is there (`is_set`), but otherwise as good as none.
    pub fn matches_json(&self, value: Option<&Value>) -> bool {
        match (value, &self.condition) {
            (Some(_), Condition::IsSet) => true,
            (Some(_), Condition::Not(inner)) if matches!(**inner, Condition::IsSet) => false,
            (Some(value), _) => self.matches(value_text(value).as_deref()),
            (None, _) => self.matches(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn matches(operator: &str, values: &[&str], x: Option<Value>) -> bool {
        let values: Vec<String> = values.iter().map(|&v| v.to_owned()).collect();
        let matcher = Matcher::for_flags(operator, &values).unwrap();
        matcher.matches_json(x.as_ref())
    }

    #[test]
    fn equality_disregards_case_and_types() {
        assert!(matches("exact", &["USA"], Some(json!("usa"))));
        assert!(matches("exact", &["Ärger"], Some(json!("äRGER"))));
        assert!(matches("exact", &["True"], Some(json!(true))));
        assert!(matches("exact", &["5"], Some(json!(5.0))));
        assert!(matches("exact", &["5.0"], Some(json!(5))));
        assert!(matches("exact", &["a", "B"], Some(json!("b"))));
        assert!(!matches("is_not", &["VALUE"], Some(json!("value"))));
        assert!(matches("is_not", &["a"], None));
    }

    #[test]
    fn text_is_contained_as_it_is_written() {
        assert!(matches("icontains", &["50%"], Some(json!("over 50% OFF"))));
        assert!(!matches("icontains", &["a%z"], Some(json!("abcz"))));
        assert!(matches("icontains", &["2"], Some(json!(123))));
        assert!(matches("not_icontains", &["x"], None));
    }

    #[test]
    fn sizes_are_of_numbers_only() {
        assert!(matches("gt", &["1"], Some(json!("23"))));
        assert!(!matches("lt", &["1"], Some(json!("a"))));
        for operator in ["gt", "gte", "lt", "lte"] {
            assert!(Matcher::for_flags(operator, &["a".into()]).is_err());
            assert!(Matcher::for_flags(operator, &[]).is_err());
        }
    }

    #[test]
    fn a_null_is_set_and_satisfies_only_what_nothing_satisfies() {
        let null = || Some(json!(null));
        assert!(matches("is_set", &[], null()));
        assert!(!matches("is_not_set", &[], null()));
        assert!(matches("is_not_set", &[], None));
        assert!(matches("is_not", &["a"], null()));
        assert!(matches("not_icontains", &["a"], null()));
        for (operator, value) in [
            ("exact", "null"),
            ("icontains", "n"),
            ("regex", "."),
            ("gt", "0"),
            ("is_date_before", "2022-01-01"),
            ("semver_gt", "0.0.0"),
        ] {
            assert!(!matches(operator, &[value], null()), "{operator}");
        }
    }

    #[test]
    fn nothing_is_any_of_no_values() {
        let x = || Some(json!("a"));
        for operator in ["exact", "icontains", "regex", "ends_with", "is_date_before"] {
            assert!(!matches(operator, &[], x()), "{operator}");
        }
        for operator in ["is_not", "not_icontains", "not_regex", "not_ends_with"] {
            assert!(matches(operator, &[], x()), "{operator}");
        }
    }
}
