//! The stateful half of the rules: messages meet persons and groups in the order of receipt and become staged rows.

use super::message::{Action, Message, Parsed, Span, Tag, TagType};
use super::report::{LoadReport, code};
use super::staged::{GROUP_TYPES, StagedEvents};
use crate::entities::{
    ClaimRefusal, Creation, EntityState, GroupChange, Merge, MergeKind, MergeRefusal,
};

/// Where messages go.
pub(super) struct Stage<'a> {
    /// What the report calls their source.
    pub(super) file: &'a str,
    pub(super) state: &'a mut EntityState,
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
        self.report.events.read += parsed.messages.len() as u64;
        for message in &parsed.messages {
            self.message(parsed, message);
        }
    }

    fn warn(&mut self, code: &'static str, line: u64, text: &str) {
        let file = self.file;
        self.report.warn(code, || format!("{file}:{line}: {text}"));
    }

    fn message(&mut self, parsed: &Parsed, message: &Message) {
        let person = self.person(parsed, message);
        let groups = self.groups(parsed, message);
        let staged = &mut *self.staged;
        staged.uuids.push(message.uuid);
        staged.uuid_given.push(message.uuid_given);
        staged
            .events
            .push(staged.names.intern(parsed.text(message.event)));
        let distinct_id = parsed.text(message.distinct_id);
        staged.distinct_ids.push(
            staged
                .ids
                .intern_hashed(message.distinct_id_hash, distinct_id),
        );
        staged.timestamps.push(message.timestamp);
        staged.properties.push(parsed.text(message.properties));
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
        if let Some(spans) = &message.update {
            persons.update(person, &parsed.update(spans));
        }
        person
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
                    let set = set.map_or("{}", |set| parsed.text(set));
                    let groups = &mut self.state.groups;
                    count(
                        self.report,
                        groups.declare(index, parsed.text(*key), set, created_at),
                    );
                }
            }
            Some(Action::GroupUnset {
                group_type,
                key,
                unset,
            }) => {
                let name = parsed.text(*group_type);
                match self.state.groups.index_of(name) {
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

    fn index(&mut self, parsed: &Parsed, message: &Message, tag: &Tag) -> Option<usize> {
        match tag.of {
            TagType::Index(index) => Some(index),
            TagType::Name(name) => self.claim(parsed.text(name), message),
        }
    }

    fn claim(&mut self, name: &str, message: &Message) -> Option<usize> {
        let code = match self.state.groups.claim(name, message.timestamp) {
            Ok(index) => return Some(index),
            Err(ClaimRefusal::Limit) => code::GROUP_TYPE_LIMIT,
            Err(ClaimRefusal::Name) => code::INVALID_GROUP_TYPE,
        };
        let shown: String = name.chars().take(60).collect();
        self.warn(code, message.line, &format!("type `{shown}`"));
        None
    }
}

/// Counts what declaring a group did.
pub(super) fn count(report: &mut LoadReport, change: GroupChange) {
    match change {
        GroupChange::Created => report.groups.created += 1,
        GroupChange::Updated => report.groups.updated += 1,
        GroupChange::Unchanged => {}
    }
}
