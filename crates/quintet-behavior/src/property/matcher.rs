//! The operators of property filters over one value.
//!
//! Table "Operators" of `spec/filters-and-dates.md` section 1, in its order.

use regex::{Regex, RegexBuilder};

use super::semver::{self, Version};
use super::{number, number_text, parse_date};
use TextTest::{Ends, Starts};

/// A compiled condition on one property: an operator and the values it compares with.
///
/// ```
/// use quintet_behavior::property::Matcher;
/// let large = Matcher::new("gt", &["50".into()])?;
/// assert!(large.matches(Some("120")));
/// assert!(!large.matches(None));
/// # Ok::<(), quintet_behavior::property::MatcherError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Matcher {
    pub(super) condition: Condition,
    /// What an absent value gives: negative operators match it.
    pub(super) on_null: bool,
}

/// Why a condition cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// No operator of this name.
    #[error("there is no operator \"{0}\"")]
    Operator(String),
    /// The value does not fit the operator.
    #[error("\"{operator}\" takes {expected}, not \"{value}\"")]
    Value {
        /// The operator's wire name.
        operator: String,
        /// What it takes.
        expected: &'static str,
        /// What was given.
        value: String,
    },
}

#[derive(Debug, Clone)]
pub(super) enum Condition {
    Always,
    IsSet,
    Equals(Vec<String>),
    /// Compared in lower case, which the texts are in.
    Text(TextTest, Vec<String>),
    Contains(Vec<Regex>),
    Compare(Vec<(Comparison, Operand)>),
    Dates(Vec<(Comparison, i64)>),
    Between(f64, f64),
    Version(Vec<VersionTest>),
    Not(Box<Condition>),
}

/// How a text lies to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextTest {
    Equals,
    Contains,
    Starts,
    Ends,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// Numbers compare as numbers if the filter's value is one, else text compares as text.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Number(f64),
    Text(String),
}

#[derive(Debug, Clone)]
pub(super) enum VersionTest {
    Compare(Comparison, Version),
    /// From, inclusive, to, exclusive.
    Range(Version, Version),
}

impl Matcher {
    /// Compiles an operator's wire name and its values, given as text. An empty list of values is true.
    ///
    /// # Errors
    /// An unknown operator, or a value that does not fit it (a broken pattern, a bound that is no number).
    pub fn new(operator: &str, values: &[String]) -> Result<Self, MatcherError> {
        let plain = |condition| Ok(Self::positive(condition));
        let negated = |condition| Ok(Self::negative(condition));
        match operator {
            "is_set" => return plain(Condition::IsSet),
            "is_not_set" => return negated(Condition::IsSet),
            _ if values.is_empty() => {
                return Ok(Self {
                    condition: Condition::Always,
                    on_null: true,
                });
            }
            _ => {}
        }
        match operator {
            "exact" | "in" | "is_cleaned_path_exact" => plain(equals(values)),
            "is_not" | "not_in" => negated(equals(values)),
            "icontains" => plain(like(operator, values, true)?),
            "not_icontains" => negated(like(operator, values, true)?),
            "contains" => plain(like(operator, values, false)?),
            "starts_with" => plain(Condition::text(Starts, values)),
            "not_starts_with" => negated(Condition::text(Starts, values)),
            "ends_with" => plain(Condition::text(Ends, values)),
            "not_ends_with" => negated(Condition::text(Ends, values)),
            "regex" => plain(patterns(operator, values)?),
            "not_regex" => negated(patterns(operator, values)?),
            "gt" => plain(compare(Comparison::Greater, values)),
            "gte" | "min" => plain(compare(Comparison::GreaterOrEqual, values)),
            "lt" => plain(compare(Comparison::Less, values)),
            "lte" | "max" => plain(compare(Comparison::LessOrEqual, values)),
            "is_date_exact" => plain(dates(operator, Comparison::Equal, values)?),
            "is_date_before" => plain(dates(operator, Comparison::Less, values)?),
            "is_date_after" => plain(dates(operator, Comparison::Greater, values)?),
            "between" => plain(between(operator, values)?),
            "not_between" => plain(Condition::Not(Box::new(between(operator, values)?))),
            "semver_eq" => plain(versions(operator, values, compared(Comparison::Equal))?),
            "semver_neq" => negated(versions(operator, values, compared(Comparison::Equal))?),
            "semver_gt" => plain(versions(operator, values, compared(Comparison::Greater))?),
            "semver_gte" => plain(versions(
                operator,
                values,
                compared(Comparison::GreaterOrEqual),
            )?),
            "semver_lt" => plain(versions(operator, values, compared(Comparison::Less))?),
            "semver_lte" => plain(versions(
                operator,
                values,
                compared(Comparison::LessOrEqual),
            )?),
            "semver_tilde" => plain(versions(operator, values, within(semver::tilde))?),
            "semver_caret" => plain(versions(operator, values, within(semver::caret))?),
            "semver_wildcard" => plain(versions(operator, values, within(semver::wildcard))?),
            _ => Err(MatcherError::Operator(operator.to_owned())),
        }
    }

    /// A condition that an absent value does not satisfy.
    pub(super) fn positive(condition: Condition) -> Self {
        Self {
            condition,
            on_null: false,
        }
    }

    /// The opposite of a condition, which an absent value satisfies.
    pub(super) fn negative(condition: Condition) -> Self {
        Self {
            condition: Condition::Not(Box::new(condition)),
            on_null: true,
        }
    }

    /// Whether a property's value, `None` where it is absent or null, satisfies the condition.
    pub fn matches(&self, value: Option<&str>) -> bool {
        match value {
            Some(text) => self.condition.holds(text).unwrap_or(false),
            None => self.on_null,
        }
    }
}

impl Condition {
    pub(super) fn text(test: TextTest, values: &[String]) -> Self {
        Self::Text(test, values.iter().map(|v| v.to_lowercase()).collect())
    }

    /// `None` where the value cannot be compared (it is no number, no date, no version): neither the condition nor its
    /// negation holds then.
    fn holds(&self, x: &str) -> Option<bool> {
        Some(match self {
            Self::Always | Self::IsSet => true,
            Self::Equals(values) => values.iter().any(|v| v == x),
            Self::Text(test, values) => test.any(values, x),
            Self::Contains(patterns) => patterns.iter().any(|p| p.is_match(x)),
            Self::Compare(tests) => {
                return any(tests.iter().map(|(comparison, operand)| match operand {
                    Operand::Number(v) => Some(comparison.of(&number(x)?, v)),
                    Operand::Text(v) => Some(comparison.of(&x, &v.as_str())),
                }));
            }
            Self::Dates(tests) => {
                let at = parse_date(x)?;
                tests.iter().any(|(comparison, v)| comparison.of(&at, v))
            }
            Self::Between(low, high) => {
                let x = number(x)?;
                *low <= x && x <= *high
            }
            Self::Version(tests) => {
                let x = semver::parse(x)?;
                tests.iter().any(|test| match test {
                    VersionTest::Compare(comparison, v) => comparison.of(&x, v),
                    VersionTest::Range(from, to) => *from <= x && x < *to,
                })
            }
            Self::Not(condition) => !condition.holds(x)?,
        })
    }
}

impl TextTest {
    /// Whether a text lies so to one of these, which are in lower case.
    fn any(self, values: &[String], x: &str) -> bool {
        // Most texts are ASCII, and equality needs no copy of them.
        if self == Self::Equals && x.is_ascii() {
            return values.iter().any(|v| v.eq_ignore_ascii_case(x));
        }
        let x = x.to_lowercase();
        values.iter().any(|v| match self {
            Self::Equals => x == *v,
            Self::Contains => x.contains(v),
            Self::Starts => x.starts_with(v),
            Self::Ends => x.ends_with(v),
        })
    }
}

impl Comparison {
    fn of<T: PartialOrd>(self, x: &T, v: &T) -> bool {
        match self {
            Self::Equal => x == v,
            Self::Greater => x > v,
            Self::GreaterOrEqual => x >= v,
            Self::Less => x < v,
            Self::LessOrEqual => x <= v,
        }
    }
}

/// True if one is true, unknown if none could be told.
fn any(results: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    results.fold(None, |found, result| match (found, result) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (None, other) | (other, None) => other,
        _ => Some(false),
    })
}

fn equals(values: &[String]) -> Condition {
    Condition::Equals(equal_texts(values))
}

/// The texts that a property may have to equal one of the values.
///
/// 10, 10.0 and "10" are equal: a whole number written with a fraction is looked for in its short form too.
pub fn equal_texts(values: &[String]) -> Vec<String> {
    let short_form = |value: &String| {
        number(value)
            .filter(|n| value.contains('.') && n.fract() == 0.0)
            .map(number_text)
    };
    values
        .iter()
        .cloned()
        .chain(values.iter().filter_map(short_form))
        .collect()
}

/// SQL's LIKE with `%value%`: `%` and `_` in the value are wildcards, as upstream.
fn like(operator: &str, values: &[String], ignore_case: bool) -> Result<Condition, MatcherError> {
    let compile = |value: &str| {
        let mut pattern = String::with_capacity(value.len() + 8);
        let mut letter = [0; 4];
        for c in value.chars() {
            match c {
                '%' => pattern.push_str(".*"),
                '_' => pattern.push('.'),
                _ => pattern.push_str(&regex::escape(c.encode_utf8(&mut letter))),
            }
        }
        let pattern = RegexBuilder::new(&pattern)
            .case_insensitive(ignore_case)
            .dot_matches_new_line(true)
            .build();
        pattern.ok()
    };
    each(operator, values, "a shorter text", compile).map(Condition::Contains)
}

fn patterns(operator: &str, values: &[String]) -> Result<Condition, MatcherError> {
    each(
        operator,
        values,
        "a regular expression (RE2 syntax)",
        |value| Regex::new(value).ok(),
    )
    .map(Condition::Contains)
}

fn compare(comparison: Comparison, values: &[String]) -> Condition {
    let operand = |value: &String| {
        number(value).map_or_else(|| Operand::Text(value.clone()), Operand::Number)
    };
    Condition::Compare(values.iter().map(|v| (comparison, operand(v))).collect())
}

fn dates(
    operator: &str,
    comparison: Comparison,
    values: &[String],
) -> Result<Condition, MatcherError> {
    each(operator, values, "a date", |value| {
        Some((comparison, parse_date(value)?))
    })
    .map(Condition::Dates)
}

fn between(operator: &str, values: &[String]) -> Result<Condition, MatcherError> {
    let expected = "two numbers, the smaller first";
    match each(operator, values, expected, number)?.as_slice() {
        &[low, high] if low <= high => Ok(Condition::Between(low, high)),
        _ => Err(misfit(operator, expected, &values.join(", "))),
    }
}

fn compared(comparison: Comparison) -> impl Fn(&str) -> Option<VersionTest> {
    move |value| Some(VersionTest::Compare(comparison, semver::parse(value)?))
}

fn within(range: fn(&str) -> Option<(Version, Version)>) -> impl Fn(&str) -> Option<VersionTest> {
    move |value| range(value).map(|(from, to)| VersionTest::Range(from, to))
}

fn versions(
    operator: &str,
    values: &[String],
    test: impl Fn(&str) -> Option<VersionTest>,
) -> Result<Condition, MatcherError> {
    each(operator, values, "a version such as 1.2.3", test).map(Condition::Version)
}

/// Every value made into what the operator compares with.
fn each<T>(
    operator: &str,
    values: &[String],
    expected: &'static str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<T>, MatcherError> {
    values
        .iter()
        .map(|value| parse(value).ok_or_else(|| misfit(operator, expected, value)))
        .collect()
}

pub(super) fn misfit(operator: &str, expected: &'static str, value: &str) -> MatcherError {
    MatcherError::Value {
        operator: operator.to_owned(),
        expected,
        value: value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(operator: &str, values: &[&str], x: Option<&str>) -> bool {
        let values: Vec<String> = values.iter().map(|&v| v.to_owned()).collect();
        Matcher::new(operator, &values).unwrap().matches(x)
    }

    #[test]
    fn negative_operators_match_what_is_absent_and_positive_ones_never_do() {
        for (operator, value) in [
            ("is_not", "a"),
            ("not_icontains", "a"),
            ("not_regex", "a"),
            ("is_not_set", ""),
            ("not_in", "a"),
            ("semver_neq", "1.0.0"),
        ] {
            assert!(matches(operator, &[value], None), "{operator}");
        }
        for (operator, values) in [
            ("exact", &["a"][..]),
            ("icontains", &["a"]),
            ("regex", &["."]),
            ("gt", &["1"]),
            ("lte", &["1"]),
            ("is_set", &[]),
            ("is_date_before", &["2020-01-01"]),
            ("in", &["a"]),
            ("between", &["1", "2"]),
            ("not_between", &["1", "2"]),
            ("semver_gt", &["1.0"]),
        ] {
            assert!(!matches(operator, values, None), "{operator}");
        }
    }

    #[test]
    fn equality_is_of_text_and_numbers_have_one_text() {
        assert!(matches("exact", &["10"], Some("10")));
        assert!(matches("exact", &["10.0"], Some("10")));
        assert!(matches("exact", &["a", "b"], Some("b")));
        assert!(!matches("exact", &["1.1"], Some("1.10")));
        assert!(!matches("is_not", &["a", "b"], Some("b")));
        assert!(matches("is_not", &["a", "b"], Some("c")));
        assert!(matches("is_set", &[], Some("")));
        assert!(!matches("is_not_set", &[], Some("")));
    }

    #[test]
    fn contains_takes_sql_wildcards_in_any_case() {
        assert!(matches(
            "icontains",
            &["EXAMPLE.c_m"],
            Some("me@example.com")
        ));
        assert!(matches("icontains", &["a%z"], Some("xAbcZx")));
        assert!(!matches("icontains", &["a.z"], Some("abz")));
        assert!(matches("icontains", &["x", "y"], Some("why")));
        assert!(!matches("not_icontains", &["x", "y"], Some("why")));
        assert!(matches("contains", &["/Docs"], Some("/Docs/1")));
        assert!(!matches("contains", &["/docs"], Some("/Docs/1")));
    }

    #[test]
    fn beginnings_and_ends_are_compared_in_any_case() {
        assert!(matches("starts_with", &["Val"], Some("VALUE")));
        assert!(!matches("starts_with", &["al"], Some("value")));
        assert!(matches("ends_with", &["x", "\u{c4}"], Some("b\u{e4}")));
        assert!(matches("not_starts_with", &["3"], Some("val3")));
        assert!(!matches("not_ends_with", &["3"], Some("val3")));
        assert!(matches("not_ends_with", &["3"], None));
    }

    #[test]
    fn patterns_search_unanchored_and_case_sensitive() {
        assert!(matches("regex", &["b+"], Some("abbc")));
        assert!(!matches("regex", &["B"], Some("abbc")));
        assert!(matches("not_regex", &["B", "^c"], Some("abbc")));
        assert!(Matcher::new("regex", &["(".into()]).is_err());
    }

    #[test]
    fn numbers_compare_as_numbers_and_other_text_as_text() {
        assert!(matches("gt", &["9"], Some("10")));
        assert!(!matches("gt", &["9"], Some("ten")));
        assert!(!matches("lt", &["9"], Some("ten")));
        assert!(matches("gt", &["apple"], Some("banana")));
        assert!(matches("between", &["1", "3"], Some("3")));
        assert!(matches("not_between", &["1", "3"], Some("3.5")));
        assert!(!matches("not_between", &["1", "3"], Some("x")));
        assert!(Matcher::new("between", &["3".into(), "1".into()]).is_err());
    }

    #[test]
    fn dates_compare_as_instants() {
        assert!(matches(
            "is_date_before",
            &["2021-02-02"],
            Some("2021-02-01T23:59:59Z")
        ));
        assert!(matches(
            "is_date_exact",
            &["2021-02-02"],
            Some("1612224000")
        ));
        assert!(!matches("is_date_after", &["2021-02-02"], Some("soon")));
    }

    #[test]
    fn versions_compare_by_their_parts() {
        assert!(matches("semver_gt", &["1.9.0"], Some("1.10.0")));
        assert!(matches("semver_tilde", &["1.2.3"], Some("1.2.9")));
        assert!(!matches("semver_tilde", &["1.2.3"], Some("1.3.0")));
        assert!(matches("semver_caret", &["1.2.3"], Some("1.9.0")));
        assert!(!matches("semver_caret", &["0.2.3"], Some("0.3.0")));
        assert!(!matches("semver_caret", &["0.0.3"], Some("0.0.4")));
        assert!(matches("semver_wildcard", &["1.2.*"], Some("1.2.77")));
        assert!(!matches("semver_wildcard", &["1.2.*"], Some("1.3.0")));
    }

    #[test]
    fn an_empty_list_of_values_is_true() {
        assert!(matches("exact", &[], Some("a")));
        assert!(matches("icontains", &[], None));
    }
}
