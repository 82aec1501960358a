//! OpenPanel messages `{type, payload}`: tracked events, and what is said of profiles and groups without an event.
//!
//! Groups are ids without a type there. Which type an id has is learned from the `group` messages of the whole load
//! before its rows are staged (`group_ids`).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::capture::Dialect;
use super::json;
use super::message::{Action, Builder, Change, Fields};
use super::normalise::MAX_GROUP_KEY;
use super::report::code;
use super::timestamp::{self, Clock};
use crate::entities::overlay;

/// What a profile says of itself beside its properties.
const PROFILE: [&str; 4] = ["firstName", "lastName", "email", "avatar"];

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    payload: &'a RawValue,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "deviceId")]
    device_id: Option<&'a RawValue>,
}

/// The payloads of all types; what a type needs is asked for where it is read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Payload<'a> {
    #[serde(borrow, default)]
    profile_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    device_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow, default)]
    properties: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    groups: Option<&'a RawValue>,
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "type")]
    group_type: Option<&'a RawValue>,
    #[serde(borrow, default)]
    group_ids: Option<&'a RawValue>,
    #[serde(borrow, default)]
    property: Option<&'a RawValue>,
    #[serde(borrow, default)]
    value: Option<&'a RawValue>,
}

/// Takes in a message, or says why it is refused.
pub(super) fn push(
    text: &str,
    line: u64,
    dialect: Dialect<'_>,
    out: &mut Builder<'_>,
) -> Result<(), String> {
    let envelope: Envelope<'_> = serde_json::from_str(text).map_err(|e| json::reason(&e))?;
    let payload = payload(&envelope)?;
    let message = Message {
        line,
        now: dialect.received_at,
        envelope: &envelope,
        payload: &payload,
    };
    match envelope.kind.as_ref() {
        "track" => message.track(out),
        "identify" => message.identify(out),
        "group" => message.group(out),
        "assign_group" => message.assign_group(out),
        "increment" => message.add(out, 1.0),
        "decrement" => message.add(out, -1.0),
        "replay" => {
            out.warn(line, code::REPLAY_LEFT_OUT, "a piece of a session replay".into());
            Ok(())
        }
        "alias" => Err("`type`: `alias` is no message that OpenPanel takes; it links devices to profiles by `identify`".into()),
        other => Err(format!(
            "`type`: `{other}` is none of track, identify, group, assign_group, increment, decrement"
        )),
    }
}

/// The id and the type of a valid `group` message; nothing for any other text.
pub(super) fn group_of(text: &str) -> Option<(Cow<'_, str>, Cow<'_, str>)> {
    let envelope: Envelope<'_> = serde_json::from_str(text).ok()?;
    if envelope.kind != "group" {
        return None;
    }
    let payload: Payload<'_> = serde_json::from_str(envelope.payload.get()).ok()?;
    let Group { id, group_type, .. } = group(&payload).ok()?;
    Some((id, group_type))
}

fn payload<'a>(envelope: &Envelope<'a>) -> Result<Payload<'a>, String> {
    let text = envelope.payload.get();
    serde_json::from_str(text).map_err(|e| format!("`payload`: {}", json::reason(&e)))
}

/// A valid group.
struct Group<'a> {
    id: Cow<'a, str>,
    group_type: Cow<'a, str>,
    name: &'a str,
}

fn group<'a>(payload: &Payload<'a>) -> Result<Group<'a>, String> {
    let id = required(payload.id, "id")?;
    if id.chars().count() > MAX_GROUP_KEY {
        return Err(format!("`id` is longer than {MAX_GROUP_KEY} characters"));
    }
    required(payload.name, "name")?;
    Ok(Group {
        id,
        group_type: required(payload.group_type, "type")?,
        name: payload.name.map_or("null", RawValue::get),
    })
}

/// A message with what is around it.
struct Message<'a, 'e> {
    line: u64,
    now: Option<i64>,
    envelope: &'e Envelope<'a>,
    payload: &'e Payload<'a>,
}

impl<'a> Message<'a, '_> {
    fn track(&self, out: &mut Builder<'_>) -> Result<(), String> {
        let name = required(self.payload.name, "name")?;
        let given = self.properties()?;
        let groups = match self.payload.groups {
            None => Vec::new(),
            Some(groups) => texts(groups, "groups")?,
        };
        let sent_at = json::entries(given)
            .and_then(|json::Entries(all)| all.into_iter().rfind(|(key, _)| key == "__timestamp"));
        let times = [
            sent_at.map(|(_, value)| value),
            self.payload.timestamp.map(RawValue::get),
            self.envelope.timestamp.map(RawValue::get),
        ];
        let properties = match self.payload.groups {
            None => Cow::Borrowed(given),
            Some(groups) => Cow::Owned(with(given, &[("groups", groups.get())])),
        };
        out.push(&Fields {
            line: self.line,
            event: name,
            distinct_id: Some(self.actor()?),
            properties,
            clock: Clock {
                now: self.now,
                timestamp: times.into_iter().flatten().find_map(time),
                ..Clock::default()
            },
            untyped_groups: groups,
            ..Fields::default()
        })
    }

    fn identify(&self, out: &mut Builder<'_>) -> Result<(), String> {
        let profile = text(self.payload.profile_id).ok_or("`profileId` is missing or blank")?;
        let named: json::Entries<'_> =
            json::entries(self.envelope.payload.get()).unwrap_or_default();
        let named: Vec<(&str, &str)> = named
            .0
            .iter()
            .filter(|(key, value)| PROFILE.contains(&key.as_ref()) && *value != "null")
            .map(|(key, value)| (key.as_ref(), *value))
            .collect();
        let set = with(self.properties()?, &named);
        self.change(out, &profile, Some(&set), Action::Identify);
        Ok(())
    }

    fn group(&self, out: &mut Builder<'_>) -> Result<(), String> {
        let Group {
            id,
            group_type,
            name,
        } = group(self.payload)?;
        let set = with(self.properties()?, &[("name", name)]);
        let action = Action::GroupUpsert {
            group_type: out.span(&group_type),
            key: out.span(&id),
            set: out.span(&set),
        };
        self.change(out, "", None, action);
        Ok(())
    }

    fn assign_group(&self, out: &mut Builder<'_>) -> Result<(), String> {
        let ids = self
            .payload
            .group_ids
            .ok_or("`groupIds` is missing; it lists the groups")?;
        texts(ids, "groupIds")?;
        let action = Action::AddToList {
            property: out.span("groups"),
            values: out.span(ids.get()),
        };
        self.change(out, &self.actor()?, None, action);
        Ok(())
    }

    fn add(&self, out: &mut Builder<'_>, sign: f64) -> Result<(), String> {
        let profile = text(self.payload.profile_id).ok_or("`profileId` is missing or blank")?;
        let property = required(self.payload.property, "property")?;
        let by: f64 = match self.payload.value.map(RawValue::get) {
            None | Some("null") => 1.0,
            Some(number) => number
                .parse()
                .ok()
                .filter(|by: &f64| by.is_finite())
                .ok_or("`value` is no number")?,
        };
        let action = Action::AddToNumber {
            property: out.span(&property),
            by: sign * by,
        };
        self.change(out, &profile, None, action);
        Ok(())
    }

    fn change(&self, out: &mut Builder<'_>, distinct_id: &str, set: Option<&str>, action: Action) {
        let times = [self.payload.timestamp, self.envelope.timestamp];
        let sent = times.into_iter().flatten().find_map(|at| time(at.get()));
        out.push_change(
            &Change {
                line: self.line,
                distinct_id,
                at: sent.or(self.now),
                now: self.now,
                set,
            },
            action,
        );
    }

    /// The profile, or the device where there is none.
    fn actor(&self) -> Result<Cow<'a, str>, String> {
        let ids = [
            self.payload.profile_id,
            self.payload.device_id,
            self.envelope.device_id,
        ];
        ids.into_iter()
            .find_map(text)
            .ok_or_else(|| "`profileId` is missing or blank, and so is `deviceId`; every message needs the id of who did it".into())
    }

    fn properties(&self) -> Result<&'a str, String> {
        match self.payload.properties.map(RawValue::get) {
            None | Some("null") => Ok("{}"),
            Some(text) if text.starts_with('{') => Ok(text),
            Some(_) => Err("`properties` is no object".into()),
        }
    }
}

/// An object with further values, which win.
fn with(object: &str, values: &[(&str, &str)]) -> String {
    let further = json::object(values.iter().copied());
    overlay(object, &further).unwrap_or_else(|| object.to_owned())
}

/// A text or a number as text; nothing if it is blank.
fn text(value: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let value = value?.get();
    let plain = match value.as_bytes().first()? {
        b'"' => json::string(value)?,
        b'-' | b'0'..=b'9' => Cow::Borrowed(value),
        _ => return None,
    };
    (!plain.trim().is_empty()).then_some(plain)
}

fn required<'a>(value: Option<&'a RawValue>, name: &str) -> Result<Cow<'a, str>, String> {
    text(value).ok_or_else(|| format!("`{name}` is missing or blank"))
}

/// A list of texts none of which is empty.
fn texts<'a>(list: &'a RawValue, name: &str) -> Result<Vec<Cow<'a, str>>, String> {
    let wrong = || format!("`{name}` is no list of ids that are not empty");
    let items: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| wrong())?;
    let ids = items.into_iter().map(|item| {
        let id = json::string(item.get());
        id.filter(|id| !id.is_empty()).ok_or_else(wrong)
    });
    ids.collect()
}

fn time(value: &str) -> Option<i64> {
    timestamp::parse(&json::plain(value)?)
}
