//! The rules from capture messages to rows, each as a sentence of the note on groups and ingestion.

#![allow(clippy::unwrap_used, reason = "tests")]

mod events;
mod exports;
mod files;
mod groups;
mod hostile;
mod openpanel;
mod parquet;
mod persons;

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::entities::{EntityState, Person, PersonState};

/// A store's state in memory, with all that was loaded so far.
#[derive(Default)]
struct Loaded {
    state: EntityState,
    learned: Learned,
    report: LoadReport,
    staged: StagedEvents,
}

static OURS: LazyLock<Columns> = LazyLock::new(Columns::default);

/// How a source of this format is read.
fn options(format: Format, received_at: Option<&str>) -> ReadOptions<'static> {
    ReadOptions {
        format,
        received_at: received_at.map(micros),
        columns: &OURS,
        flush_bytes: usize::MAX,
    }
}

fn source(data: impl Into<Bytes>) -> Source {
    Source::Bytes {
        name: "test".into(),
        data: data.into(),
    }
}

fn micros(text: &str) -> i64 {
    timestamp::parse(text).unwrap()
}

impl Loaded {
    fn read(
        &mut self,
        data: impl Into<Bytes>,
        received_at: Option<&str>,
    ) -> crate::error::Result<()> {
        self.read_as(data, &options(Format::Auto, received_at))
    }

    fn read_as(
        &mut self,
        data: impl Into<Bytes>,
        options: &ReadOptions<'_>,
    ) -> crate::error::Result<()> {
        let Self {
            state,
            learned,
            report,
            staged,
        } = self;
        read_source(
            &source(data),
            options,
            state,
            learned,
            report,
            staged,
            &mut |_, _| Ok(()),
        )
    }

    /// Loads messages that were received at the same time.
    fn of(messages: &[Value]) -> Self {
        let mut loaded = Self::default();
        for message in messages {
            loaded.then(message);
        }
        loaded
    }

    fn then(&mut self, message: &Value) {
        self.read(message.to_string(), Some("2024-03-01T10:00:00Z"))
            .unwrap();
    }

    /// Ends the load.
    fn finish(mut self) -> Self {
        std::mem::take(&mut self.learned).finish(&mut self.state, &mut self.report);
        self
    }

    fn events(&self) -> Vec<&str> {
        let names = &self.staged.names;
        self.staged.events.iter().map(|&n| names.get(n)).collect()
    }

    fn properties(&self, row: usize) -> Value {
        serde_json::from_str(&self.staged.properties_of(row)).unwrap()
    }

    /// The keys of a row's five groups.
    fn groups(&self, row: usize) -> [&str; GROUP_TYPES] {
        std::array::from_fn(|index| {
            let group = self.state.groups.get(index, self.staged.groups[index][row]);
            group.map_or("", |group| group.key.as_str())
        })
    }

    fn types(&self) -> Vec<&str> {
        let types = self.state.groups.types().iter().flatten();
        types.map(|t| t.name.as_str()).collect()
    }

    /// The declared groups as (index, key, properties).
    fn declared(&self) -> Vec<(usize, &str, Value)> {
        let groups =
            (0..GROUP_TYPES).flat_map(|i| self.state.groups.iter(i).map(move |(_, g)| (i, g)));
        groups
            .filter_map(|(i, g)| {
                Some((
                    i,
                    g.key.as_str(),
                    serde_json::from_str(g.properties.as_deref()?).unwrap(),
                ))
            })
            .collect()
    }

    fn person(&self, distinct_id: &str) -> &Person {
        let persons = &self.state.persons;
        persons.get(persons.find(distinct_id).unwrap()).unwrap()
    }

    /// A person's properties, but for the id of the event that made it.
    fn person_properties(&self, distinct_id: &str) -> Value {
        let mut value: Value = serde_json::from_str(&self.person(distinct_id).properties).unwrap();
        value
            .as_object_mut()
            .unwrap()
            .shift_remove("$creator_event_uuid");
        value
    }

    fn persons(&self) -> usize {
        let real = |p: &Person| p.state == PersonState::Real;
        self.state.persons.iter().filter(|(_, p)| real(p)).count()
    }

    fn same_person(&self, a: &str, b: &str) -> bool {
        self.state.persons.find(a).unwrap() == self.state.persons.find(b).unwrap()
    }

    fn warnings(&self) -> Vec<&str> {
        self.report.warnings.iter().map(|w| w.code).collect()
    }

    /// The message of the only refused event.
    fn refusal(&self) -> &str {
        assert_eq!(self.report.rejected.len(), 1, "{:?}", self.report.rejected);
        &self.report.rejected[0].message
    }
}

/// An event of `u` with properties.
fn event(name: &str, properties: Value) -> Value {
    json!({"event": name, "distinct_id": "u", "timestamp": "2024-03-01T10:00:00Z", "properties": properties})
}
