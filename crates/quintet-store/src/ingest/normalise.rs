//! The stateless half of the rules: from the fields of an event to a message that needs only persons and groups.

use std::borrow::Cow;
use std::ops::Range;

use uuid::Uuid;

use super::json;
use super::message::{Action, Builder, Change, Fields, Message, Tag, TagType, UpdateSpans};
use super::report::code;
use super::staged::GROUP_TYPES;
use super::strings::StringTable;
use super::walk::Walk;
use crate::entities::{MergeKind, Update, overlay};

/// The longest event name and distinct id, in characters.
const MAX_NAME: usize = 200;
/// The longest key of a group that is declared, in characters.
pub(super) const MAX_GROUP_KEY: usize = 400;
/// When persons and groups began of which nobody says it.
pub(super) const UNKNOWN: i64 = 0;
/// Events whose `$set` and the like say nothing about the person.
const NO_PERSON_UPDATE: [&str; 2] = ["$exception", "$$heatmap"];
/// Events that make no sense without a person.
const PERSON_EVENTS: [&str; 4] = [
    "$identify",
    "$create_alias",
    "$merge_dangerously",
    "$groupidentify",
];
/// Events that do more than be counted, see [`Builder::action`].
pub(super) const TELLING: [&str; 5] = [
    "$identify",
    "$create_alias",
    "$merge_dangerously",
    "$groupidentify",
    "$delete_group_property",
];
const UPDATE_KEYS: [&str; 3] = ["$set", "$set_once", "$unset"];
const DIRECT_KEYS: [&str; GROUP_TYPES] =
    ["$group_0", "$group_1", "$group_2", "$group_3", "$group_4"];

impl Builder<'_> {
    /// Takes an event in, or says why it is refused.
    pub(super) fn push(&mut self, fields: &Fields<'_>) -> Result<(), String> {
        let line = fields.line;
        let walk: Walk<'_> = match (&fields.walk, fields.properties.as_ref()) {
            (Some(walk), _) => *walk,
            (None, "{}") => Walk::default(),
            (None, text) if fields.is_json => Walk::of_known(text),
            (None, text) => serde_json::from_str(text)
                .map_err(|e| format!("properties: {}", json::reason(&e)))?,
        };
        if fields.event.is_empty() {
            return Err("`event` is empty; every event needs a name".into());
        }
        let event = cut(&fields.event, MAX_NAME);
        if event.len() < fields.event.len() {
            self.warn(line, code::EVENT_NAME_TRUNCATED, format!("`{event}…`"));
        }
        let distinct_id = self.distinct_id(fields, &walk)?;
        let uuid = match fields.uuid.as_deref() {
            None | Some("") => None,
            Some(text) => Some(
                Uuid::try_parse(text)
                    .map_err(|_| format!("`uuid`: `{}` is no UUID", cut(text, 60)))?,
            ),
        };
        let personless = walk.process_person_profile == Some("false");
        self.refuse_impossible(line, event, personless, &walk)?;
        let mut clock = fields.clock;
        if walk.ignore_sent_at == Some("true") {
            clock.sent_at = None;
        }
        let time = clock.resolve().ok_or(
            "`timestamp` is missing or unreadable, and there is no clock of receipt to take instead; give --received-at",
        )?;
        if time.replaced {
            self.warn(
                line,
                code::TIMESTAMP_REPLACED,
                "the timestamp lies in the future of its receipt, or in no year from 0 to 9999"
                    .into(),
            );
        }
        let is_group_identify = event == "$groupidentify";
        let drop_update = personless || is_group_identify;
        let (set, set_once) = if drop_update {
            (None, None)
        } else {
            (
                self.merged(line, "$set", walk.set, fields.set),
                self.merged(line, "$set_once", walk.set_once, fields.set_once),
            )
        };
        let rebuilt = rebuild(
            &fields.properties,
            &walk,
            personless,
            drop_update,
            &set,
            &set_once,
        );
        let update = Update {
            set: set.as_deref().or(walk.set),
            set_once: set_once.as_deref().or(walk.set_once),
            unset: walk.unset,
        };
        let update = (!drop_update && !NO_PERSON_UPDATE.contains(&event))
            .then(|| self.update(&update, fields.person_properties))
            .flatten();
        let action = if personless {
            None
        } else {
            self.action(line, event, &walk)?
        };
        let tags = self.tags(fields, personless, &walk);
        let message = Message {
            line,
            is_event: true,
            event: self.span(event),
            distinct_id: self.span(&distinct_id),
            distinct_id_hash: StringTable::hash(&distinct_id),
            uuid: uuid.unwrap_or_else(Uuid::now_v7),
            uuid_given: uuid.is_some(),
            timestamp: time.timestamp,
            now: clock.now,
            properties: self.span(rebuilt.as_deref().unwrap_or(&fields.properties)),
            row: fields.row.filter(|_| rebuilt.is_none()),
            personless,
            exported: fields.exported,
            person_id: fields.person_id,
            tags,
            update,
            action,
        };
        self.out.messages.push(message);
        Ok(())
    }

    /// Takes in what changes a person or a group without being an event.
    pub(super) fn push_change(&mut self, change: &Change<'_>, action: Action) {
        let distinct_id = clean_id(change.distinct_id);
        let update = Update {
            set: change.set,
            ..Update::default()
        };
        let message = Message {
            line: change.line,
            is_event: false,
            event: self.span(""),
            distinct_id: self.span(&distinct_id),
            distinct_id_hash: StringTable::hash(&distinct_id),
            uuid: Uuid::nil(),
            uuid_given: false,
            timestamp: change.at.unwrap_or(UNKNOWN),
            now: change.now,
            properties: self.span("{}"),
            row: None,
            personless: false,
            exported: false,
            person_id: None,
            tags: 0..0,
            update: self.update(&update, None),
            action: Some(Box::new(action)),
        };
        self.out.messages.push(message);
    }

    /// Top level first, then the property; NUL becomes U+FFFD; cut to 200 characters.
    fn distinct_id<'b>(
        &mut self,
        fields: &'b Fields<'_>,
        walk: &Walk<'b>,
    ) -> Result<Cow<'b, str>, String> {
        let given = match &fields.distinct_id {
            Some(id) => Some(Cow::Borrowed(id.as_ref())),
            None => walk.distinct_id.and_then(id_text),
        };
        let id = given
            .filter(|id| !id.trim().is_empty())
            .ok_or("`distinct_id` is missing or blank; every event needs the id of who did it")?;
        if id.len() <= MAX_NAME && !id.contains('\0') {
            return Ok(id);
        }
        let kept = clean_id(&id).into_owned();
        if kept.chars().count() < id.chars().count() {
            self.warn(
                fields.line,
                code::DISTINCT_ID_TRUNCATED,
                format!("`{kept}…`"),
            );
        }
        Ok(if kept == id { id } else { Cow::Owned(kept) })
    }

    fn refuse_impossible(
        &mut self,
        line: u64,
        event: &str,
        personless: bool,
        walk: &Walk<'_>,
    ) -> Result<(), String> {
        let key = walk.group_key.and_then(json::plain);
        if event == "$groupidentify"
            && let Some(key) = key.filter(|key| cut(key, MAX_GROUP_KEY).len() < key.len())
        {
            let shown = cut(&key, 60);
            self.warn(line, code::GROUP_KEY_TOO_LONG, format!("key `{shown}…`"));
            return Err(format!(
                "`$group_key`: `{shown}…` is longer than {MAX_GROUP_KEY} characters"
            ));
        }
        if personless && PERSON_EVENTS.contains(&event) {
            self.warn(line, code::PERSONLESS_REFUSED, format!("`{event}`"));
            return Err(format!(
                "`{event}` needs a person, yet `$process_person_profile` is false"
            ));
        }
        Ok(())
    }

    /// The value at the top level laid over that of the properties; none if there is no top level one.
    fn merged(
        &mut self,
        line: u64,
        key: &str,
        property: Option<&str>,
        top: Option<&str>,
    ) -> Option<String> {
        for value in [property, top].into_iter().flatten() {
            if !value.starts_with('{') && value != "null" {
                self.warn(
                    line,
                    code::INVALID_PERSON_UPDATE,
                    format!("`{key}` is no object"),
                );
            }
        }
        let top = top.filter(|value| value.starts_with('{'))?;
        let below = property
            .filter(|value| value.starts_with('{'))
            .unwrap_or("{}");
        Some(overlay(below, top).unwrap_or_else(|| below.to_owned()))
    }

    fn update(&mut self, update: &Update<'_>, whole: Option<&str>) -> Option<Box<UpdateSpans>> {
        if update.is_empty() && whole.is_none() {
            return None;
        }
        let mut span = |text: Option<&str>| text.map(|text| self.span(text));
        let spans = UpdateSpans {
            set_once: span(update.set_once),
            set: span(update.set),
            unset: span(update.unset),
            whole: span(whole),
        };
        Some(Box::new(spans))
    }

    fn action(
        &mut self,
        line: u64,
        event: &str,
        walk: &Walk<'_>,
    ) -> Result<Option<Box<Action>>, String> {
        let (other, kind) = match event {
            "$identify" => (walk.anon_distinct_id, MergeKind::Identify),
            "$create_alias" => (walk.alias, MergeKind::Alias),
            "$merge_dangerously" => (walk.alias, MergeKind::Dangerously),
            "$groupidentify" | "$delete_group_property" => {
                return Ok(self.group_action(line, event, walk));
            }
            _ => return Ok(None),
        };
        Ok(other.and_then(id_text).map(|other| {
            let other = self.span(&clean_id(&other));
            Box::new(Action::Merge { other, kind })
        }))
    }

    fn group_action(&mut self, line: u64, event: &str, walk: &Walk<'_>) -> Option<Box<Action>> {
        let text = |value: Option<&'_ str>| {
            let value = value.filter(|value| json::truthy(value))?;
            json::plain(value).map(Cow::into_owned)
        };
        let (Some(group_type), Some(key)) = (text(walk.group_type), text(walk.group_key)) else {
            self.warn(line, code::GROUP_IDENTIFY_INCOMPLETE, format!("`{event}`"));
            return None;
        };
        let (group_type, key) = (self.span(&group_type), self.span(&key));
        Some(Box::new(if event == "$groupidentify" {
            let set = walk.group_set.filter(|set| set.starts_with('{'));
            let set = set.map(|set| self.span(set));
            Action::GroupIdentify {
                group_type,
                key,
                set,
            }
        } else {
            let unset = self.span(walk.group_unset.unwrap_or("[]"));
            Action::GroupUnset {
                group_type,
                key,
                unset,
            }
        }))
    }

    /// The groups of an event: columns first, then `$group_N`, then the entries of `$groups`.
    fn tags(&mut self, fields: &Fields<'_>, personless: bool, walk: &Walk<'_>) -> Range<usize> {
        let start = self.out.tags.len();
        let line = fields.line;
        if walk.groups.is_none()
            && walk
                .groups_without_dollar
                .is_some_and(|g| g.starts_with('{'))
        {
            self.warn(
                line,
                code::DID_YOU_MEAN_GROUPS,
                "`groups` is a property like any other; `$groups` tags the event".into(),
            );
        }
        let direct =
            walk.direct.iter().any(Option::is_some) || fields.groups.iter().any(Option::is_some);
        if personless {
            if walk.groups.is_some() || direct {
                self.warn(
                    line,
                    code::PERSONLESS_GROUPS,
                    "`$process_person_profile` is false".into(),
                );
            }
            return start..start;
        }
        if direct {
            for (index, (column, property)) in fields.groups.iter().zip(walk.direct).enumerate() {
                if let Some(key) = column {
                    self.tag(TagType::Index(index), key, false);
                }
                if let Some(value) = property {
                    self.tag_value(TagType::Index(index), value);
                }
            }
        }
        match walk.groups.map(|groups| (groups, json::entries(groups))) {
            None => {}
            Some((_, Some(json::Entries(entries)))) => {
                for (name, value) in entries {
                    let name = TagType::Name(self.span(&name));
                    self.tag_value(name, value);
                }
            }
            Some(("null", None)) => {}
            Some((groups, None)) => self.warn(
                line,
                code::INVALID_GROUPS,
                format!("`$groups` is no object but {}", cut(groups, 60)),
            ),
        }
        for key in &fields.untyped_groups {
            self.tag(TagType::Unsaid, key, false);
        }
        start..self.out.tags.len()
    }

    fn tag_value(&mut self, of: TagType, value: &str) {
        let key = json::plain(value).unwrap_or_default();
        self.tag(of, &key, value.starts_with('['));
    }

    fn tag(&mut self, of: TagType, key: &str, several: bool) {
        let tag = Tag {
            of,
            key: self.span(key),
            key_hash: StringTable::hash(key),
            several,
        };
        self.out.tags.push(tag);
    }
}

/// The properties' text where normalising changes it; none where it stays as sent.
fn rebuild(
    properties: &str,
    walk: &Walk<'_>,
    personless: bool,
    drop_update: bool,
    set: &Option<String>,
    set_once: &Option<String>,
) -> Option<String> {
    if !walk.changes_properties() && set.is_none() && set_once.is_none() {
        return None;
    }
    let session = walk.session_id.and_then(|id| {
        let lower = id.to_lowercase();
        (id.starts_with('"') && !id.contains('\\') && lower != id).then_some(lower)
    });
    let drop_flag = walk.process_person_profile == Some("true");
    let updates = [walk.set, walk.set_once, walk.unset];
    let drops = drop_flag
        || (drop_update && updates.iter().any(Option::is_some))
        || (personless && walk.direct.iter().any(Option::is_some));
    if !drops && session.is_none() && set.is_none() && set_once.is_none() {
        return None;
    }
    let kept = |key: &str| match key {
        "$process_person_profile" => !drop_flag,
        "$set" if set.is_some() => false,
        "$set_once" if set_once.is_some() => false,
        key if UPDATE_KEYS.contains(&key) => !drop_update,
        key if DIRECT_KEYS.contains(&key) => !personless,
        _ => true,
    };
    let json::Entries(entries) = json::entries(properties)?;
    let rows = entries
        .iter()
        .filter(|(key, _)| kept(key))
        .map(|(key, value)| match key.as_ref() {
            "$session_id" => (key.as_ref(), session.as_deref().unwrap_or(value)),
            key => (key, *value),
        });
    let merged = [("$set", set), ("$set_once", set_once)];
    let merged = merged
        .iter()
        .filter_map(|(key, value)| Some((*key, value.as_deref()?)));
    Some(json::object(rows.chain(merged)))
}

/// A distinct id as text: other values than texts become compact JSON with sorted keys. None for null.
pub(super) fn id_text(value: &str) -> Option<Cow<'_, str>> {
    if value.starts_with(['{', '[']) {
        let mut value: serde_json::Value = serde_json::from_str(value).ok()?;
        value.sort_all_objects();
        return Some(Cow::Owned(value.to_string()));
    }
    json::plain(value)
}

/// A distinct id without NUL and not longer than is kept.
pub(super) fn clean_id(id: &str) -> Cow<'_, str> {
    let kept = cut(id, MAX_NAME);
    if kept.contains('\0') {
        Cow::Owned(kept.replace('\0', "\u{FFFD}"))
    } else {
        Cow::Borrowed(kept)
    }
}

/// The first characters of a text.
fn cut(text: &str, characters: usize) -> &str {
    if text.len() <= characters {
        return text;
    }
    match text.char_indices().nth(characters) {
        Some((at, _)) => &text[..at],
        None => text,
    }
}
