//! What an event is before and after the stateless rules, and the text that messages point into. The rules are in `normalise`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use super::staged::GROUP_TYPES;
use super::timestamp::Clock;
use super::typed::TypedBatch;
use super::walk::Walk;
use crate::entities::{MergeKind, Update};

/// An event as its format gives it.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields<'a> {
    pub(super) line: u64,
    pub(super) event: Cow<'a, str>,
    /// None: look for it in the properties.
    pub(super) distinct_id: Option<Cow<'a, str>>,
    pub(super) uuid: Option<Cow<'a, str>>,
    /// A JSON object.
    pub(super) properties: Cow<'a, str>,
    /// `$set` and `$set_once` beside the properties.
    pub(super) set: Option<&'a str>,
    pub(super) set_once: Option<&'a str>,
    pub(super) clock: Clock,
    /// Keys of the five group columns, where the format has such columns.
    pub(super) groups: [Option<&'a str>; GROUP_TYPES],
    /// Keys of groups whose types the format does not give.
    pub(super) untyped_groups: Vec<Cow<'a, str>>,
    pub(super) person_id: Option<Uuid>,
    /// A row of an export: rows lie in no order, and their clock of receipt tells repeated ones apart.
    pub(super) exported: bool,
    /// All that was known of the person at the time of the event: a JSON object.
    pub(super) person_properties: Option<&'a str>,
    /// Are the properties known to be JSON, which need not be checked?
    pub(super) is_json: bool,
    /// What of the properties has a meaning to ingestion, where that is known.
    pub(super) walk: Option<Walk<'a>>,
    /// The row of the batch that has the properties in columns.
    pub(super) row: Option<u32>,
}

/// A message that changes a person or a group without being an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change<'a> {
    pub(super) line: u64,
    /// Whom it changes; blank if no person.
    pub(super) distinct_id: &'a str,
    pub(super) at: Option<i64>,
    /// The clock of receipt.
    pub(super) now: Option<i64>,
    /// A JSON object to lay over the person's properties.
    pub(super) set: Option<&'a str>,
}

/// A piece of a [`Parsed`]'s text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: usize,
    len: usize,
}

/// An event that has only to meet the persons and the groups.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) line: u64,
    /// Others only change persons and groups.
    pub(super) is_event: bool,
    pub(super) event: Span,
    pub(super) distinct_id: Span,
    pub(super) distinct_id_hash: u64,
    pub(super) uuid: Uuid,
    pub(super) uuid_given: bool,
    pub(super) timestamp: i64,
    pub(super) now: Option<i64>,
    pub(super) properties: Span,
    /// The row of [`Parsed::typed`] that says the same.
    pub(super) row: Option<u32>,
    pub(super) personless: bool,
    /// A row of an export, see [`Fields::exported`].
    pub(super) exported: bool,
    pub(super) person_id: Option<Uuid>,
    /// Places in [`Parsed::tags`]; later ones win.
    pub(super) tags: Range<usize>,
    pub(super) update: Option<Box<UpdateSpans>>,
    pub(super) action: Option<Box<Action>>,
}

/// A group of an event.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tag {
    pub(super) of: TagType,
    /// Empty for none.
    pub(super) key: Span,
    pub(super) key_hash: u64,
    /// Was the key a list?
    pub(super) several: bool,
}

/// How an event says which type its group has.
#[derive(Clone, Copy, Debug)]
pub(super) enum TagType {
    Index(usize),
    Name(Span),
    /// Not at all: the key is an id, whose type others declare.
    Unsaid,
}

/// An [`Update`] in a [`Parsed`]'s text.
#[derive(Debug)]
pub(super) struct UpdateSpans {
    pub(super) set_once: Option<Span>,
    pub(super) set: Option<Span>,
    pub(super) unset: Option<Span>,
    /// All that was known of the person.
    pub(super) whole: Option<Span>,
}

/// What some events do beside being counted.
#[derive(Debug)]
pub(super) enum Action {
    Merge {
        other: Span,
        kind: MergeKind,
    },
    GroupIdentify {
        group_type: Span,
        key: Span,
        set: Option<Span>,
    },
    GroupUnset {
        group_type: Span,
        key: Span,
        unset: Span,
    },
    /// A group whose type others may have declared differently.
    GroupUpsert {
        group_type: Span,
        key: Span,
        set: Span,
    },
    /// The person is known by name.
    Identify,
    /// A list among the person's properties gets those of these texts that it lacks.
    AddToList {
        property: Span,
        values: Span,
    },
    /// A number among the person's properties grows.
    AddToNumber {
        property: Span,
        by: f64,
    },
}

/// Something to report of a line.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) line: u64,
    /// The code of a warning; none for a refused event.
    pub(super) code: Option<&'static str>,
    pub(super) text: String,
}

/// The messages of a block, and the text that they point into: what was read, and behind it what was rewritten.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    source: String,
    extra: String,
    pub(super) messages: Vec<Message>,
    pub(super) tags: Vec<Tag>,
    /// The properties of all rows in columns, where they came so.
    pub(super) typed: Option<Arc<TypedBatch>>,
    pub(super) problems: Vec<Problem>,
}

impl Parsed {
    /// The text of a span.
    pub(super) fn text(&self, span: Span) -> &str {
        let Span { start, len } = span;
        match start.checked_sub(self.source.len()) {
            Some(start) => &self.extra[start..start + len],
            None => &self.source[start..start + len],
        }
    }

    /// The update of a message.
    pub(super) fn update<'a>(&'a self, spans: &UpdateSpans) -> Update<'a> {
        let text = |span: Option<Span>| span.map(|span| self.text(span));
        Update {
            set_once: text(spans.set_once),
            set: text(spans.set),
            unset: text(spans.unset),
        }
    }
}

/// Makes a [`Parsed`].
pub(super) struct Builder<'a> {
    source: &'a str,
    pub(super) out: Parsed,
}

impl<'a> Builder<'a> {
    /// For messages that were read from `source`.
    pub(super) fn new(source: &'a str) -> Self {
        Self {
            source,
            out: Parsed::default(),
        }
    }

    /// For messages that do not point into what was read: about so many, with about so much text.
    pub(super) fn with_capacity(messages: usize, text: usize) -> Self {
        let mut builder = Self::new("");
        builder.out.messages.reserve(messages);
        builder.out.extra.reserve(text);
        builder
    }

    /// The result; `source` goes to [`Parts::with`].
    pub(super) fn finish(self) -> Parts {
        Parts(self.out)
    }

    /// Refuses an event.
    pub(super) fn reject(&mut self, line: u64, message: String) {
        self.problem(line, None, message);
    }

    /// Warns of an event.
    pub(super) fn warn(&mut self, line: u64, code: &'static str, text: String) {
        self.problem(line, Some(code), text);
    }

    fn problem(&mut self, line: u64, code: Option<&'static str>, text: String) {
        self.out.problems.push(Problem { line, code, text });
    }

    /// Where a text is, if it is part of the source; else it is copied behind it.
    pub(super) fn span(&mut self, text: &str) -> Span {
        let len = text.len();
        let offset = (text.as_ptr() as usize).wrapping_sub(self.source.as_ptr() as usize);
        if offset < self.source.len() && len <= self.source.len() - offset {
            return Span { start: offset, len };
        }
        let start = self.source.len() + self.out.extra.len();
        self.out.extra.push_str(text);
        Span { start, len }
    }
}

/// A [`Parsed`] that still lacks the text that was read.
pub(super) struct Parts(Parsed);

impl Parts {
    /// Completes the result.
    pub(super) fn with(self, source: String) -> Parsed {
        Parsed { source, ..self.0 }
    }
}
