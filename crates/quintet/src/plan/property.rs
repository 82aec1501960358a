//! Where a property's value is read from, and as what.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::{max, min};
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, cast, coalesce, lit, nullif};
use quintet_functions::expr_fn::{json_property, number_text, property_number};
use quintet_query::filter::{Property, PropertySource};
use quintet_query::trends::Actor;
use quintet_store::schema::{self, PropertyType};

use super::matching::micros;
use crate::data::{Data, OwnColumn, column};
use crate::{Error, Result};

/// The event property that names a session.
const SESSION_ID: &str = "$session_id";
/// The only property of a session: its length in seconds.
const SESSION_DURATION: &str = "$session_duration";

/// An expression for a property's value, and what it yields.
pub(super) struct Value {
    expr: Expr,
    kind: PropertyType,
}

impl Value {
    /// The value as text, the way filters and breakdowns see it.
    pub(super) fn text(self) -> Expr {
        match self.kind {
            PropertyType::Text => self.expr,
            PropertyType::Number => number_text(self.expr),
            PropertyType::Bool => cast(self.expr, DataType::Utf8View),
        }
    }

    /// The value as a number; null where it is none.
    pub(super) fn number(self) -> Expr {
        match self.kind {
            PropertyType::Number => self.expr,
            _ => property_number(self.text()),
        }
    }

    /// The column itself, if it holds numbers.
    pub(super) fn as_number(&self) -> Option<&Expr> {
        (self.kind == PropertyType::Number).then_some(&self.expr)
    }

    /// Whether there is a value.
    pub(super) fn is_set(&self) -> Expr {
        self.expr.clone().is_not_null()
    }
}

/// The value of a property of an event; those of persons, groups and sessions must have been [joined](join).
pub(super) fn value(data: &Data, property: &Property) -> Result<Value> {
    let text = |expr| Value {
        expr,
        kind: PropertyType::Text,
    };
    Ok(match property.source {
        PropertySource::Event => match data.own_column(&property.key) {
            Some(own) if !own.is_beside => of_column(own),
            Some(own) => text(coalesce(vec![
                json_property(column(schema::PROPERTIES), &property.key),
                // An empty text in a column beside `properties` is how exports write that there is nothing.
                nullif(of_column(own).text(), crate::data::text("")),
            ])),
            None if data.has_column(schema::PROPERTIES) => {
                text(json_property(column(schema::PROPERTIES), &property.key))
            }
            None => text(cast(
                lit(datafusion::scalar::ScalarValue::Null),
                DataType::Utf8View,
            )),
        },
        PropertySource::EventMetadata => {
            if !data.has_column(&property.key) {
                return Err(Error::invalid(
                    "",
                    format!("events have no column \"{}\"", property.key),
                ));
            }
            text(cast(column(&property.key), DataType::Utf8View))
        }
        PropertySource::Person | PropertySource::Group(_) => text(column(joined_column(property))),
        PropertySource::Session => {
            if property.key != SESSION_DURATION {
                return Err(Error::unsupported(
                    &format!("the session property \"{}\"", property.key),
                    "of sessions only $session_duration is known",
                ));
            }
            Value {
                expr: column(joined_column(property)),
                kind: PropertyType::Number,
            }
        }
    })
}

/// The value in a column of its own.
fn of_column(own: &OwnColumn) -> Value {
    let expr = match own.is_foreign {
        true => cast(column(&own.name), own.kind.data_type()),
        false => column(&own.name),
    };
    Value {
        expr,
        kind: own.kind,
    }
}

/// The session of an event as text; null where it has none.
pub(super) fn session_id(data: &Data) -> Result<Expr> {
    let property = Property {
        source: PropertySource::Event,
        key: SESSION_ID.to_owned(),
    };
    Ok(value(data, &property)?.text())
}

/// Name of the column that a property of a person, group or session is joined as.
pub(super) fn joined_column(property: &Property) -> String {
    match property.source {
        PropertySource::Group(index) => format!("group_{}.{}", index.get(), property.key),
        PropertySource::Session => format!("session.{}", property.key),
        _ => format!("person.{}", property.key),
    }
}

/// Lays the wanted properties of persons, groups and sessions beside the events: one left join per source, so that events
/// without one keep their row and have null there.
pub(super) fn join(
    data: &Data,
    mut events: DataFrame,
    wanted: &BTreeSet<Wanted>,
) -> Result<DataFrame> {
    let mut sources: Vec<PropertySource> = wanted.iter().map(|w| w.0.source).collect();
    sources.dedup();
    for source in sources {
        let properties: Vec<&Property> = wanted
            .iter()
            .map(|w| &w.0)
            .filter(|p| p.source == source)
            .collect();
        events = match source {
            PropertySource::Person => {
                join_entities(data, events, Actor::Person, data.persons()?, &properties)?
            }
            PropertySource::Group(index) => join_entities(
                data,
                events,
                Actor::Group(index),
                data.groups(index)?,
                &properties,
            )?,
            PropertySource::Session => join_sessions(data, events)?,
            PropertySource::Event | PropertySource::EventMetadata => events,
        };
    }
    Ok(events)
}

fn join_entities(
    data: &Data,
    events: DataFrame,
    actor: Actor,
    entities: Option<(DataFrame, &'static str)>,
    properties: &[&Property],
) -> Result<DataFrame> {
    let Some((entities, key)) = entities else {
        return nothing_known(events, properties);
    };
    let entity_key = format!("{key} of {}", data.joined_by(actor));
    let mut columns = vec![column(key).alias(&entity_key)];
    columns.extend(
        properties
            .iter()
            .map(|p| json_property(column(schema::PROPERTIES), &p.key).alias(joined_column(p))),
    );
    Ok(events.join(
        entities.select(columns)?,
        JoinType::Left,
        &[data.joined_by(actor)],
        &[&entity_key],
        None,
    )?)
}

/// A folder knows no persons and groups: their properties are absent.
fn nothing_known(mut events: DataFrame, properties: &[&Property]) -> Result<DataFrame> {
    for property in properties {
        let absent = cast(
            lit(datafusion::scalar::ScalarValue::Null),
            DataType::Utf8View,
        );
        events = events.with_column(&joined_column(property), absent)?;
    }
    Ok(events)
}

/// A session lasts from its first to its last event, whatever these are.
fn join_sessions(data: &Data, events: DataFrame) -> Result<DataFrame> {
    let seconds = cast(
        micros(max(column(schema::TIMESTAMP))) - micros(min(column(schema::TIMESTAMP))),
        DataType::Float64,
    ) / lit(1e6);
    let duration = Property {
        source: PropertySource::Session,
        key: SESSION_DURATION.to_owned(),
    };
    let sessions = data
        .events(false)?
        .select(vec![
            session_id(data)?.alias("session"),
            column(schema::TIMESTAMP),
        ])?
        .filter(column("session").is_not_null())?
        .aggregate(
            vec![column("session")],
            vec![seconds.alias(joined_column(&duration))],
        )?;
    let keyed = events.with_column("event session", session_id(data)?)?;
    Ok(keyed.join(
        sessions,
        JoinType::Left,
        &["event session"],
        &["session"],
        None,
    )?)
}

/// A property that has to be joined, in a fixed order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted(pub(super) Property);

impl Wanted {
    /// The length of a session.
    pub(super) fn session_duration() -> Self {
        Self(Property {
            source: PropertySource::Session,
            key: SESSION_DURATION.to_owned(),
        })
    }

    /// Wraps a property that is not on the event itself.
    pub(super) fn of(property: &Property) -> Option<Self> {
        let on_event = matches!(
            property.source,
            PropertySource::Event | PropertySource::EventMetadata
        );
        (!on_event).then(|| Self(property.clone()))
    }

    /// True when the event's person must be known to find it.
    pub(super) fn is_of_person(&self) -> bool {
        self.0.source == PropertySource::Person
    }

    fn rank(&self) -> (u8, u8, &str) {
        let source = match self.0.source {
            PropertySource::Group(index) => (1, index.get()),
            PropertySource::Session => (2, 0),
            _ => (0, 0),
        };
        (source.0, source.1, &self.0.key)
    }
}

impl Ord for Wanted {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Wanted {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
