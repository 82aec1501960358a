//! Segment messages, rewritten as the capture messages that they mean.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::capture::{self, Dialect};
use super::json as text;
use super::message::Builder;

/// The type of the groups that Segment's `group` calls speak of.
const GROUP_TYPE: &str = "segment_group";
/// Keys of the context with a property of their own: path, name.
const CONTEXT: [(&str, &str); 20] = [
    ("/ip", "$ip"),
    ("/page/url", "$current_url"),
    ("/page/path", "$pathname"),
    ("/page/referrer", "$referrer"),
    ("/os/name", "$os"),
    ("/os/version", "$os_version"),
    ("/browser/name", "$browser"),
    ("/browser/version", "$browser_version"),
    ("/device/type", "$device_type"),
    ("/device/manufacturer", "$device_manufacturer"),
    ("/device/model", "$device_model"),
    ("/device/name", "$device_name"),
    ("/device/id", "$device_id"),
    ("/screen/height", "$screen_height"),
    ("/screen/width", "$screen_width"),
    ("/app/version", "$app_version"),
    ("/app/build", "$app_build"),
    ("/app/name", "$app_name"),
    ("/userAgent", "$useragent"),
    ("/locale", "$locale"),
];
/// Keys of the context that are spread over properties; the others stay whole.
const SPREAD: [&str; 11] = [
    "ip",
    "page",
    "os",
    "browser",
    "device",
    "screen",
    "app",
    "userAgent",
    "locale",
    "campaign",
    "groupId",
];

/// Takes in a Segment message, or says why it is refused.
pub(super) fn push(
    message: &str,
    line: u64,
    dialect: Dialect<'_>,
    out: &mut Builder<'_>,
) -> Result<(), String> {
    let parsed: Value = serde_json::from_str(message).map_err(|e| text::reason(&e))?;
    match parsed.get("batch").and_then(Value::as_array) {
        None => one(&parsed, line, dialect, out),
        Some(batch) => {
            for (number, item) in (1..).zip(batch) {
                if let Err(reason) = one(item, line, dialect, out) {
                    out.reject(line, format!("message {number} of the batch: {reason}"));
                }
            }
            Ok(())
        }
    }
}

fn one(
    message: &Value,
    line: u64,
    dialect: Dialect<'_>,
    out: &mut Builder<'_>,
) -> Result<(), String> {
    let captured = capture_message(message)?.to_string();
    capture::message(&captured, line, dialect, out)
}

/// The capture message that a Segment message means.
fn capture_message(message: &Value) -> Result<Value, String> {
    let field = |name: &str| message.get(name).filter(|value| !value.is_null());
    let user = field("userId").or_else(|| field("anonymousId"));
    let traits = field("traits").cloned().unwrap_or_else(|| json!({}));
    let mut properties = match field("properties") {
        Some(Value::Object(properties)) => properties.clone(),
        _ => Map::new(),
    };
    context(message.get("context"), &mut properties);
    let kind = field("type").and_then(Value::as_str);
    let event = match kind.ok_or("`type` is missing; Segment messages have one")? {
        "track" => field("event").cloned().unwrap_or(Value::Null),
        "page" => {
            if let Some(url) = properties.get("url").cloned() {
                properties.insert("$current_url".into(), url);
            }
            if let Some(name) = field("name") {
                properties.entry("name").or_insert_with(|| name.clone());
            }
            "$pageview".into()
        }
        "screen" => {
            if let Some(name) = field("name") {
                properties.insert("$screen_name".into(), name.clone());
            }
            "$screen".into()
        }
        "identify" => {
            properties.insert("$set".into(), traits);
            match (field("userId"), field("anonymousId")) {
                (Some(_), Some(anonymous)) => {
                    properties.insert("$anon_distinct_id".into(), anonymous.clone());
                    "$identify".into()
                }
                (Some(_), None) => "$identify".into(),
                (None, _) => "$set".into(),
            }
        }
        "group" => {
            let key = field("groupId").ok_or("`groupId` is missing; a group message needs one")?;
            properties.insert("$group_type".into(), GROUP_TYPE.into());
            properties.insert("$group_key".into(), key.clone());
            properties.insert("$group_set".into(), traits);
            "$groupidentify".into()
        }
        "alias" => {
            let alias =
                field("previousId").ok_or("`previousId` is missing; an alias message needs one")?;
            properties.insert("alias".into(), alias.clone());
            "$create_alias".into()
        }
        other => {
            return Err(format!(
                "`type`: `{other}` is none of track, page, screen, identify, group, alias"
            ));
        }
    };
    let mut captured = json!({"event": event, "properties": properties});
    let receipt = field("receivedAt");
    for (name, value) in [
        ("distinct_id", user),
        ("timestamp", field("timestamp")),
        ("received_at", receipt),
    ] {
        if let Some(value) = value {
            captured[name] = value.clone();
        }
    }
    if let Some(id) = field("messageId").and_then(Value::as_str) {
        captured["uuid"] = uuid_of(id).to_string().into();
    }
    Ok(captured)
}

/// What the context of a message says, as properties; those of the message itself win.
fn context(context: Option<&Value>, properties: &mut Map<String, Value>) {
    let Some(Value::Object(entries)) = context else {
        return;
    };
    let mut add = |name: String, value: &Value| {
        if !value.is_null() {
            properties.entry(name).or_insert_with(|| value.clone());
        }
    };
    for (path, name) in CONTEXT {
        if let Some(value) = context.and_then(|context| context.pointer(path)) {
            add(name.into(), value);
        }
    }
    if let Some(Value::Object(campaign)) = entries.get("campaign") {
        for (key, value) in campaign {
            let key = if key == "name" { "campaign" } else { key };
            add(format!("utm_{key}"), value);
        }
    }
    if let Some(key) = entries.get("groupId") {
        add("$groups".into(), &json!({GROUP_TYPE: key}));
    }
    for (key, value) in entries {
        if !SPREAD.contains(&key.as_str()) {
            add(format!("segment_{key}"), value);
        }
    }
}

/// The event id of a message id.
fn uuid_of(message_id: &str) -> Uuid {
    let namespace = Uuid::new_v5(&Uuid::nil(), b"PostHog");
    Uuid::new_v5(&namespace, message_id.as_bytes())
}
