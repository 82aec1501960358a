//! What the tests of all insights need: contexts, definitions and the queries that they are read as, instants and columns.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde_json::{Value, json};

use crate::{Context, Definitions};

/// A context of which nothing but the clock is set.
pub(crate) fn at(now: &str) -> Context {
    Context::new(now.parse().unwrap())
}

/// The same in a time zone.
pub(crate) fn at_in(now: &str, zone: &str) -> Context {
    Context {
        timezone: zone.parse().unwrap(),
        ..at(now)
    }
}

/// The same with these definitions.
pub(crate) fn defining(now: &str, definitions: Value) -> Context {
    Context {
        definitions: Definitions::parse(&definitions).unwrap(),
        ..at(now)
    }
}

/// The same in a project that has groups, an action, a cohort and test accounts.
pub(crate) fn in_project(now: &str) -> Context {
    let definitions = json!({
        "actions": [{"id": 1, "name": "signs up", "steps": [{"event": "sign up"}]}],
        "cohorts": [{"id": 7, "name": "ours", "distinct_ids": ["a"]}],
        "test_account_filters": [{"key": "email", "type": "person", "operator": "not_icontains", "value": "@us"}],
    });
    Context {
        group_types: vec![Some("company".to_owned()), Some("project".to_owned())],
        ..defining(now, definitions)
    }
}

/// The definition with these fields, which take the place of those that have the same names.
pub(crate) fn with_fields(mut definition: Value, fields: Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        definition[name] = value.clone();
    }
    definition
}

/// The query of this kind that a definition is read as.
macro_rules! asked {
    ($kind:ident, $definition:expr) => {
        match $crate::Query::from_value(&$definition) {
            Ok($crate::Query::$kind(query)) => Ok(query),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error),
        }
    };
}

pub(crate) use asked;

/// An instant such as `2024-01-31T12:00:00Z` in microseconds.
pub(crate) fn micros(instant: &str) -> i64 {
    let instant: DateTime<Utc> = instant.parse().unwrap();
    instant.timestamp_micros()
}

/// Microseconds as the clock of a zone shows them.
pub(crate) fn local(micros: i64, zone: Tz, format: &str) -> String {
    let instant = DateTime::from_timestamp_micros(micros).unwrap();
    instant.with_timezone(&zone).format(format).to_string()
}

/// One column of rows.
pub(crate) fn column(rows: &[Value], name: &str) -> Value {
    rows.iter().map(|row| row[name].clone()).collect()
}
