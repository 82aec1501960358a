//! The stateful half of the rules: messages meet persons and groups in the order of receipt and become staged rows.

use super::json;
use super::learned::Learned;
use super::message::{Action, Message, Parsed, Span, Tag, TagType};
use super::report::{LoadReport, code};
use super::staged::{GROUP_TYPES, StagedEvents};
use crate::entities::{
    ClaimRefusal, Creation, EntityState, GroupChange, Merge, MergeKind, MergeRefusal, Update,
};

/// Where messages go.
pub(super) struct Stage<'a> {
    /// What the report calls their source.
    pub(super) file: &'a str,
    pub(super) state: &'a mut EntityState,
    pub(super) learned: &'a mut Learned,
    pub(super) report: &'a mut LoadReport,
    pub(super) staged: &'a mut StagedEvents,
}

impl Stage<'_> {
    /// Stages all messages of a block.
    pub(super) fn take(&mut self, parsed: &Parsed) {
        for problem in &parsed.problems {
            match problem.code {
                Some(code) => self.warn(code, problem.line, &problem.text),
                None => {
                    self.report.events.read += 1;
                    self.report.events.rejected += 1;
                    self.report
                        .reject(self.file, problem.line, problem.text.clone());
                }
            }
        }
        for message in &parsed.messages {
            if message.is_event {
                self.report.events.read += 1;
                self.event(parsed, message);
            } else {
                self.change(parsed, message);
            }
        }
    }

    fn warn(&mut self, code: &'static str, line: u64, text: &str) {
        let file = self.file;
        self.report.warn(code, || format!("{file}:{line}: {text}"));
    }

    fn event(&mut self, parsed: &Parsed, message: &Message) {
        let person = self.person(parsed, message);
        let groups = self.groups(parsed, message);
        let staged = &mut *self.staged;
        staged.uuids.push(message.uuid);
        staged.uuid_given.push(message.uuid_given);
        staged
            .events
            .push(staged.names.intern(parsed.text(message.event)));
        let (hash, id) = (message.distinct_id_hash, parsed.text(message.distinct_id));
        let number = match self.state.persons.number(hash, id) {
            Some(number) => staged.distinct_id(number, hash, id),
            None => staged.ids.intern_hashed(hash, id),
        };
        staged.distinct_ids.push(number);
        staged.timestamps.push(message.timestamp);
        staged.received.push(if message.exported {
            message.now.unwrap_or_default()
        } else {
            0
        });
        if let (Some(batch), Some(row)) = (&parsed.typed, message.row) {
            staged.typed.push(batch, row);
            staged.properties.push("");
        } else {
            staged.typed.push_none();
            staged.properties.push(parsed.text(message.properties));
        }
        staged.persons.push(person);
        for (column, group) in staged.groups.iter_mut().zip(groups) {
            column.push(group);
        }
    }

    /// The ref of the event's person, after what the event does to it.
    fn person(&mut self, parsed: &Parsed, message: &Message) -> u32 {
        let distinct_id = parsed.text(message.distinct_id);
        let hash = message.distinct_id_hash;
        if message.personless {
            return self.state.persons.personless(hash, distinct_id);
        }
        let creation = Creation {
            at: message.timestamp,
            event: Some(message.uuid),
            id: message.person_id,
        };
        if let Some(Action::Merge { other, kind }) = message.action.as_deref() {
            self.merge(parsed, message, *other, *kind, creation);
        }
        let persons = &mut self.state.persons;
        let (person, created) = persons.ensure(hash, distinct_id, creation);
        self.report.persons.created += u64::from(created);
        if message.exported
            && persons
                .get(person)
                .is_some_and(|known| known.created_at > message.timestamp)
        {
            persons.set_created_at(person, message.timestamp);
        }
        if let Some(spans) = &message.update {
            let update = parsed.update(spans);
            if message.exported {
                let whole = spans.whole.map(|span| parsed.text(span));
                let replay = &mut self.learned.replay;
                replay.update(persons, person, message.timestamp, whole, update);
            } else {
                persons.update(person, &update);
            }
        }
        person
    }

    /// What a message does that is no event.
    fn change(&mut self, parsed: &Parsed, message: &Message) {
        match message.action.as_deref() {
            Some(Action::GroupUpsert {
                group_type,
                key,
                set,
            }) => {
                let key = parsed.text(*key);
                let known = self.learned.ids.type_of(key).map(str::to_owned);
                let name = known.as_deref().unwrap_or(parsed.text(*group_type));
                if let Some(index) = self.claim(name, message) {
                    let (groups, set) = (&mut self.state.groups, parsed.text(*set));
                    count(
                        self.report,
                        groups.declare(index, key, set, message.timestamp),
                    );
                }
            }
            Some(Action::AddToList { property, values }) => {
                let person = self.person(parsed, message);
                let (property, values) = (parsed.text(*property), parsed.text(*values));
                self.set(person, property, |old| Some(union(old, values)));
            }
            Some(Action::AddToNumber { property, by }) => {
                let person = self.person(parsed, message);
                let property = parsed.text(*property);
                if !self.set(person, property, |old| sum(old, *by)) {
                    let text = format!("`{property}` is no number that can be added to");
                    self.warn(code::PROPERTY_NOT_CHANGED, message.line, &text);
                }
            }
            _ => {
                let person = self.person(parsed, message);
                self.state.persons.identify(person);
            }
        }
    }

    /// Sets a person's property to what becomes of its JSON text; false if nothing does.
    fn set(
        &mut self,
        person: u32,
        property: &str,
        new: impl FnOnce(Option<&str>) -> Option<String>,
    ) -> bool {
        let persons = &mut self.state.persons;
        let known = persons
            .get(person)
            .map_or("{}", |known| known.properties.as_str());
        let json::Entries(entries) = json::entries(known).unwrap_or_default();
        let old = entries.iter().rfind(|(key, _)| key == property);
        let Some(value) = new(old.map(|(_, value)| *value)) else {
            return false;
        };
        let set = json::object([(property, value.as_str())].into_iter());
        let set = Some(set.as_str());
        persons.update(
            person,
            &Update {
                set,
                ..Update::default()
            },
        );
        true
    }

    fn merge(
        &mut self,
        parsed: &Parsed,
        message: &Message,
        other: Span,
        kind: MergeKind,
        creation: Creation,
    ) {
        let (other, distinct_id) = (parsed.text(other), parsed.text(message.distinct_id));
        let code = match self.state.persons.merge(other, distinct_id, kind, creation) {
            Merge::Nothing => return,
            Merge::Joined { created, merged } => {
                self.report.persons.created += u64::from(created);
                self.report.persons.merged += u64::from(merged);
                return;
            }
            Merge::Refused(MergeRefusal::IllegalId) => code::CANNOT_MERGE_ILLEGAL,
            Merge::Refused(MergeRefusal::AlreadyIdentified) => {
                code::CANNOT_MERGE_ALREADY_IDENTIFIED
            }
        };
        self.warn(
            code,
            message.line,
            &format!("`{other}` into `{distinct_id}`"),
        );
    }

    /// The refs of the event's groups, after what the event does to groups.
    fn groups(&mut self, parsed: &Parsed, message: &Message) -> [u32; GROUP_TYPES] {
        let mut refs = [0; GROUP_TYPES];
        for tag in &parsed.tags[message.tags.clone()] {
            if let Some(index) = self.index(parsed, message, tag) {
                let key = parsed.text(tag.key);
                if matches!(tag.of, TagType::Unsaid) && self.is_taken(refs[index], index, key) {
                    self.warn(
                        code::SEVERAL_GROUPS,
                        message.line,
                        &format!("`{key}` beside another group of type {index}"),
                    );
                    continue;
                }
                refs[index] = self.state.groups.reference(index, tag.key_hash, key);
                if tag.several {
                    self.warn(
                        code::SEVERAL_GROUPS,
                        message.line,
                        &format!("{key} for type {index}"),
                    );
                }
            }
        }
        match message.action.as_deref() {
            Some(Action::GroupIdentify {
                group_type,
                key,
                set,
            }) => {
                let created_at = message
                    .now
                    .map_or(message.timestamp, |now| now.min(message.timestamp));
                if let Some(index) = self.claim(parsed.text(*group_type), message) {
                    let (key, set) = (parsed.text(*key), set.map_or("{}", |set| parsed.text(set)));
                    if message.exported {
                        let replay = &mut self.learned.replay;
                        replay.declare(index, key, set, stamp(message), created_at);
                    } else {
                        let groups = &mut self.state.groups;
                        count(self.report, groups.declare(index, key, set, created_at));
                    }
                }
            }
            Some(Action::GroupUnset {
                group_type,
                key,
                unset,
            }) => {
                let name = parsed.text(*group_type);
                match self.state.groups.index_of(name) {
                    Some(index) if message.exported => {
                        let (key, unset) = (parsed.text(*key), parsed.text(*unset));
                        self.learned.replay.unset(index, key, unset, stamp(message));
                    }
                    Some(index) => {
                        let change =
                            self.state
                                .groups
                                .unset(index, parsed.text(*key), parsed.text(*unset));
                        count(self.report, change);
                    }
                    None => self.warn(
                        code::UNKNOWN_GROUP_TYPE,
                        message.line,
                        &format!("type `{name}`"),
                    ),
                }
            }
            _ => {}
        }
        refs
    }

    /// Is the index taken by another group than this one?
    fn is_taken(&self, by: u32, index: usize, key: &str) -> bool {
        self.state
            .groups
            .get(index, by)
            .is_some_and(|group| group.key != key)
    }

    fn index(&mut self, parsed: &Parsed, message: &Message, tag: &Tag) -> Option<usize> {
        match tag.of {
            TagType::Index(index) => {
                let (indexes, groups) = (&mut self.learned.indexes, &mut self.state.groups);
                match indexes.place(parsed, message, index, groups) {
                    Ok(index) => Some(index),
                    Err(refusal) => {
                        let name = format!("in `$group_{index}`");
                        self.refused(refusal, message.line, &name);
                        None
                    }
                }
            }
            TagType::Name(name) => self.claim(parsed.text(name), message),
            TagType::Unsaid => {
                let key = parsed.text(tag.key);
                match self.learned.ids.type_of(key).map(str::to_owned) {
                    Some(name) => self.claim(&name, message),
                    None => {
                        let text = format!("nothing says which type the group `{key}` has");
                        self.warn(code::UNKNOWN_GROUP_TYPE, message.line, &text);
                        None
                    }
                }
            }
        }
    }

    fn claim(&mut self, name: &str, message: &Message) -> Option<usize> {
        match self.state.groups.claim(name, message.timestamp) {
            Ok(index) => Some(index),
            Err(refusal) => {
                let shown: String = name.chars().take(60).collect();
                self.refused(refusal, message.line, &format!("type `{shown}`"));
                None
            }
        }
    }

    fn refused(&mut self, refusal: ClaimRefusal, line: u64, what: &str) {
        let code = match refusal {
            ClaimRefusal::Limit => code::GROUP_TYPE_LIMIT,
            ClaimRefusal::Name => code::INVALID_GROUP_TYPE,
        };
        self.warn(code, line, what);
    }
}

/// What orders what is said of one group.
fn stamp(message: &Message) -> (i64, i64) {
    (message.timestamp, message.now.unwrap_or_default())
}

/// A list with the texts of another that it lacks.
fn union(old: Option<&str>, values: &str) -> String {
    let list = |text: &str| match serde_json::from_str(text) {
        Ok(serde_json::Value::Array(items)) => items,
        _ => Vec::new(),
    };
    let mut items = old.map(list).unwrap_or_default();
    for item in list(values) {
        if !items.contains(&item) {
            items.push(item);
        }
    }
    serde_json::Value::Array(items).to_string()
}

/// A number and what is added to it; nothing if there is no number, or none that JSON can write.
fn sum(old: Option<&str>, by: f64) -> Option<String> {
    let sum = old.map_or(Some(0.0), |old| old.parse::<f64>().ok())? + by;
    let whole = sum.fract() == 0.0 && sum.abs() < 1e15;
    if whole {
        return Some(format!("{sum:.0}"));
    }
    serde_json::Number::from_f64(sum).map(|number| number.to_string())
}

/// Counts what declaring a group did.
pub(super) fn count(report: &mut LoadReport, change: GroupChange) {
    match change {
        GroupChange::Created => report.groups.created += 1,
        GroupChange::Updated => report.groups.updated += 1,
        GroupChange::Unchanged => {}
    }
}
