//! The shapes of capture requests: a single event, a list of events, a batch; and blocks of them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::columns::{self, Columns};
use super::json::{self, Text};
use super::lines::Block;
use super::message::{Builder, Fields, Parsed};
use super::normalise::id_text;
use super::openpanel;
use super::segment;
use super::source::Format;
use super::timestamp::{self, Clock};
use crate::entities::id_from_text;

/// How a load reads messages.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect<'a> {
    pub(super) format: Format,
    /// The clock of receipt, for messages that do not carry one.
    pub(super) received_at: Option<i64>,
    /// How fields are called that are not called as ours are.
    pub(super) columns: &'a Columns,
}

/// The raw JSON values of a request's fields; of repeated keys the last.
#[derive(Clone, Debug, Default)]
struct Envelope<'a> {
    batch: Option<&'a str>,
    sent_at: Option<&'a str>,
    event: Option<&'a str>,
    distinct_id: Option<&'a str>,
    dollar_distinct_id: Option<&'a str>,
    properties: Option<&'a str>,
    timestamp: Option<&'a str>,
    offset: Option<&'a str>,
    uuid: Option<&'a str>,
    set: Option<&'a str>,
    set_once: Option<&'a str>,
    now: Option<&'a str>,
    received_at: Option<&'a str>,
    inserted_at: Option<&'a str>,
    created_at: Option<&'a str>,
    person_id: Option<&'a str>,
    person_properties: Option<&'a str>,
    others: Vec<(Cow<'a, str>, &'a str)>,
}

impl<'a> Envelope<'a> {
    /// Where the value of a key belongs; none for keys that capture does not know.
    fn slot(&mut self, key: &str) -> Option<&mut Option<&'a str>> {
        Some(match key {
            "batch" => &mut self.batch,
            "sent_at" => &mut self.sent_at,
            "event" => &mut self.event,
            "distinct_id" => &mut self.distinct_id,
            "$distinct_id" => &mut self.dollar_distinct_id,
            "properties" => &mut self.properties,
            "timestamp" => &mut self.timestamp,
            "offset" => &mut self.offset,
            "uuid" => &mut self.uuid,
            "$set" => &mut self.set,
            "$set_once" => &mut self.set_once,
            "now" => &mut self.now,
            "received_at" => &mut self.received_at,
            "_inserted_at" => &mut self.inserted_at,
            "created_at" => &mut self.created_at,
            "person_id" => &mut self.person_id,
            "person_properties" => &mut self.person_properties,
            _ => return None,
        })
    }

    /// Puts the fields that have other names where they belong.
    fn rename(&mut self, columns: &Columns) {
        for (ours, theirs) in columns.iter() {
            let Some(at) = self.others.iter().position(|(key, _)| key == theirs) else {
                continue;
            };
            let (_, value) = self.others.swap_remove(at);
            match self.slot(ours) {
                Some(slot) => *slot = Some(value),
                None => self.others.push((Cow::Owned(ours.to_owned()), value)),
            }
        }
    }

    /// Is this a row of an export rather than what a client sent?
    fn is_exported(&self) -> bool {
        self.inserted_at.is_some() || self.person_id.is_some() || self.person_properties.is_some()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Envelope<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Requests;
        impl<'de> Visitor<'de> for Requests {
            type Value = Envelope<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event, a list of events or a batch")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
                let mut found = Envelope::default();
                while let Some(Text(key)) = map.next_key::<Text<'de>>()? {
                    let value = map.next_value::<&RawValue>()?.get();
                    let given = (value != "null").then_some(value);
                    match (found.slot(&key), given) {
                        (Some(slot), given) => *slot = given,
                        (None, Some(value)) => found.others.push((key, value)),
                        (None, None) => {}
                    }
                }
                Ok(found)
            }
        }
        deserializer.deserialize_map(Requests)
    }
}

/// Parses all units of a block.
pub(super) fn parse(block: Block, dialect: Dialect<'_>) -> Parsed {
    let decoded = block.decode();
    let mut builder = Builder::new(&decoded.text);
    for &line in &decoded.damaged {
        builder.reject(line, "the line is not UTF-8 text".into());
    }
    for (line, unit) in decoded.units() {
        request(unit, line, dialect, &mut builder);
    }
    builder.finish().with(decoded.text)
}

/// Parses a unit; every event of it that is malformed is refused on its own.
fn request(unit: &str, line: u64, dialect: Dialect<'_>, out: &mut Builder<'_>) {
    if unit.is_empty() {
        return;
    }
    if let Err(reason) = json::check(unit).and_then(|()| values(unit, line, None, dialect, out)) {
        out.reject(line, reason);
    }
}

/// A list of values, or one.
fn values(
    text: &str,
    line: u64,
    sent_at: Option<i64>,
    dialect: Dialect<'_>,
    out: &mut Builder<'_>,
) -> Result<(), String> {
    if !text.starts_with('[') {
        return value(text, line, sent_at, dialect, out);
    }
    for (number, item) in (1..).zip(json::items(text)?) {
        if let Err(reason) = value(item, line, sent_at, dialect, out) {
            out.reject(line, format!("event {number} of the list: {reason}"));
        }
    }
    Ok(())
}

fn value(
    text: &str,
    line: u64,
    sent_at: Option<i64>,
    dialect: Dialect<'_>,
    out: &mut Builder<'_>,
) -> Result<(), String> {
    match dialect.format {
        Format::Segment => return segment::push(text, line, dialect, out),
        Format::OpenPanel => return openpanel::push(text, line, dialect, out),
        _ => {}
    }
    let mut envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| json::reason(&e))?;
    envelope.rename(dialect.columns);
    match envelope.batch.filter(|batch| batch.starts_with('[')) {
        Some(batch) => {
            let sent_at = envelope.sent_at.and_then(time).or(sent_at);
            values(batch, line, sent_at, dialect, out)
        }
        None => event(&envelope, line, sent_at, dialect, out),
    }
}

/// One event in the form of a capture message.
pub(super) fn message(
    text: &str,
    line: u64,
    dialect: Dialect<'_>,
    out: &mut Builder<'_>,
) -> Result<(), String> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| json::reason(&e))?;
    event(&envelope, line, None, dialect, out)
}

fn event(
    envelope: &Envelope<'_>,
    line: u64,
    sent_at: Option<i64>,
    dialect: Dialect<'_>,
    out: &mut Builder<'_>,
) -> Result<(), String> {
    let name = envelope
        .event
        .ok_or("`event` is missing; every event needs a name")?;
    let offset = match envelope.offset {
        None => None,
        Some(text) => Some(
            text.parse::<i64>()
                .map_err(|_| "`offset` is no whole number of milliseconds")?,
        ),
    };
    let receipt = [
        envelope.now,
        envelope.received_at,
        envelope.inserted_at,
        envelope.created_at,
    ];
    let receipt = receipt.into_iter().flatten().find_map(time);
    let uuid = match envelope.uuid {
        None => None,
        Some(value) => Some(json::string(value).ok_or("`uuid` is no text")?),
    };
    let exported = envelope.is_exported() || !dialect.columns.is_empty();
    let person_properties = envelope
        .person_properties
        .map(|text| properties(Some(text)));
    let person_properties = person_properties.transpose()?;
    out.push(&Fields {
        line,
        event: json::string(name).ok_or("`event` is no text; every event needs a name")?,
        distinct_id: envelope
            .distinct_id
            .or(envelope.dollar_distinct_id)
            .and_then(id_text),
        uuid,
        properties: match properties(envelope.properties)? {
            text if exported => columns::with_others(text, &envelope.others),
            text => text,
        },
        // An object was read with the line; the text of one was not.
        is_json: envelope
            .properties
            .is_none_or(|value| value.starts_with('{')),
        set: envelope.set,
        set_once: envelope.set_once,
        clock: Clock {
            now: receipt.or(dialect.received_at),
            sent_at,
            offset,
            timestamp: envelope.timestamp.and_then(time),
        },
        person_id: envelope
            .person_id
            .and_then(json::plain)
            .map(|id| id_from_text(&id)),
        exported,
        person_properties: person_properties.as_deref(),
        ..Fields::default()
    })
}

/// An object; exports have it as the text of one.
fn properties(value: Option<&str>) -> Result<Cow<'_, str>, String> {
    let Some(value) = value else {
        return Ok(Cow::Borrowed("{}"));
    };
    if value.starts_with('{') {
        return Ok(Cow::Borrowed(value));
    }
    match json::string(value) {
        Some(text) if text.trim_start().starts_with('{') => {
            json::check(&text)?;
            Ok(text)
        }
        _ => Err("`properties` is no object".into()),
    }
}

/// A time as text or number.
fn time(value: &str) -> Option<i64> {
    timestamp::parse(&json::plain(value)?)
}
