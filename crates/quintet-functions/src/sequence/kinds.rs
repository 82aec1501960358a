//! Events in 16 bytes: a time, an actor, and a number for everything else, which stands once.

use std::mem::size_of;
use std::sync::Arc;

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use hashbrown::HashMap;

use super::Event;

/// An event of an actor. What else is known of it stands once in the [`Kinds`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed {
    pub(super) time: i64,
    pub(super) actor: u32,
    pub(super) kind: u32,
}

const _: () = assert!(size_of::<Packed>() == 16);

/// All that events are besides their time, each combination once: events have few kinds.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    kinds: Vec<Kind>,
    positions: HashMap<Kind, u32>,
    texts: Vec<Arc<str>>,
    codes: HashMap<Arc<str>, u32>,
    text_bytes: usize,
}

/// What an `Arc` counts in front of its text.
const COUNTERS: usize = 2 * size_of::<usize>();

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    marks: [u64; 2],
    text: u32,
}

impl Kinds {
    /// The position of a kind.
    pub(super) fn position(&mut self, marks: [u64; 2], value: &str) -> Result<u32> {
        let text = self.code(value)?;
        let kind = Kind { marks, text };
        if let Some(&position) = self.positions.get(&kind) {
            return Ok(position);
        }
        let position = number(self.kinds.len())?;
        self.kinds.push(kind);
        self.positions.insert(kind, position);
        Ok(position)
    }

    fn code(&mut self, value: &str) -> Result<u32> {
        if let Some(&code) = self.codes.get(value) {
            return Ok(code);
        }
        let code = number(self.texts.len())?;
        let text: Arc<str> = value.into();
        self.texts.push(Arc::clone(&text));
        self.codes.insert(text, code);
        self.text_bytes += COUNTERS + value.len();
        Ok(code)
    }

    /// The texts in order of their arrival: the position of one is its code.
    pub(super) fn texts(&self) -> &[Arc<str>] {
        &self.texts
    }

    /// The rank of each code among texts that are sorted and hold all of these.
    pub(super) fn ranks(&self, sorted: &[Arc<str>]) -> Result<Vec<u32>> {
        let rank = |text: &Arc<str>| number(sorted.partition_point(|one| one < text));
        self.texts.iter().map(rank).collect()
    }

    /// All kinds, each as an event without a time; `ranks` are those of the texts.
    pub(super) fn events(&self, ranks: &[u32]) -> impl Iterator<Item = Event> {
        let kinds = (0..).zip(&self.kinds);
        kinds.map(move |(kind, _)| self.event(0, kind, ranks))
    }

    /// An event of a kind; `ranks` are those of the texts.
    pub(super) fn event(&self, time: i64, kind: u32, ranks: &[u32]) -> Event {
        let (marks, text) = self
            .kinds
            .get(kind as usize)
            .map_or(([0; 2], 0), |kind| (kind.marks, kind.text));
        let value = ranks.get(text as usize).copied().unwrap_or(0);
        Event { time, marks, value }
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        let hashed = size_of::<Kind>() + size_of::<u32>() + 1;
        let named = size_of::<Arc<str>>() + size_of::<u32>() + 1;
        self.kinds.capacity() * size_of::<Kind>()
            + self.positions.capacity() * hashed
            + self.texts.capacity() * size_of::<Arc<str>>()
            + self.codes.capacity() * named
            + self.text_bytes
    }
}

/// The number of a kind or a text.
pub(super) fn number(position: usize) -> Result<u32> {
    u32::try_from(position)
        .map_err(|_| exec_datafusion_err!("more than {} kinds of events", u32::MAX))
}

/// An actor's events by time, as times and kinds. Files hold the events of each name in order of time: they are mostly a few sorted
/// runs, which a stable sort merges.
pub(super) fn in_order(events: &mut [(i64, u32)]) -> &[(i64, u32)] {
    if !events.is_sorted_by_key(|(time, _)| *time) {
        events.sort_by_key(|(time, _)| *time);
    }
    events
}
