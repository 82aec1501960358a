//! The events of many actors, kept in 16 bytes each until they are asked for.

use std::mem::size_of;

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::EmitTo;
use hashbrown::HashMap;

use super::{Event, Values};

/// An event of an actor. What else is known of it stands once in the [`Kinds`].
#[derive(Debug, Clone, Copy)]
struct Packed {
    time: i64,
    actor: u32,
    kind: u32,
}

const _: () = assert!(size_of::<Packed>() == 16);

/// The events of many actors in the order of their arrival. Actors are numbered from 0 without gaps.
#[derive(Debug, Default)]
pub(super) struct Log {
    events: Vec<Packed>,
    kinds: Kinds,
}

/// All that events are besides their time, each combination once: events have few kinds.
#[derive(Debug, Default)]
struct Kinds {
    kinds: Vec<Kind>,
    positions: HashMap<Kind, u32>,
    texts: Vec<Box<str>>,
    codes: HashMap<Box<str>, u32>,
    text_bytes: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    marks: [u64; 2],
    text: u32,
}

impl Log {
    /// Adds an event of an actor.
    pub(super) fn push(
        &mut self,
        actor: usize,
        time: i64,
        marks: [u64; 2],
        value: &str,
    ) -> Result<()> {
        let actor = u32::try_from(actor)
            .map_err(|_| exec_datafusion_err!("more than {} actors in one partition", u32::MAX))?;
        let kind = self.kinds.position(marks, value, self.events.last())?;
        self.events.push(Packed { time, actor, kind });
        Ok(())
    }

    /// Hands over the events of each actor that `emit_to` means, actor by actor, in no order of time. Nothing is removed.
    pub(super) fn read(
        &self,
        emit_to: EmitTo,
        actors: usize,
        mut of_actor: impl FnMut(&mut [Event], &Values<'_>) -> Result<()>,
    ) -> Result<()> {
        let actors = match emit_to {
            EmitTo::All => actors,
            EmitTo::First(first) => first,
        };
        let (texts, ranks) = self.kinds.ranked();
        let values = Values { texts };
        let (starts, events) = self.by_actor(actors);
        let mut unpacked = Vec::new();
        for bounds in starts.windows(2) {
            let &[from, to] = bounds else { continue };
            unpacked.clear();
            for &(time, kind) in events.get(from as usize..to as usize).unwrap_or_default() {
                unpacked.push(self.kinds.event(time, kind, &ranks));
            }
            of_actor(&mut unpacked, &values)?;
        }
        Ok(())
    }

    /// Forgets the actors that `emit_to` means; those that are left are numbered from 0 again.
    pub(super) fn forget(&mut self, emit_to: EmitTo) {
        match emit_to {
            EmitTo::All => *self = Self::default(),
            EmitTo::First(first) => {
                let first = u32::try_from(first).unwrap_or(u32::MAX);
                self.events.retain_mut(|event| {
                    let is_left = event.actor >= first;
                    event.actor = event.actor.wrapping_sub(first);
                    is_left
                });
            }
        }
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.events.capacity() * size_of::<Packed>() + self.kinds.size()
    }

    /// The first `actors` actors' events side by side (a counting sort), and where those of each begin.
    fn by_actor(&self, actors: usize) -> (Vec<u32>, Vec<(i64, u32)>) {
        let mut next = vec![0u32; actors + 1];
        for event in &self.events {
            if let Some(count) = next.get_mut(event.actor as usize + 1) {
                *count += 1;
            }
        }
        let mut total = 0;
        for count in &mut next {
            total += *count;
            *count = total;
        }
        let starts = next.clone();
        let mut events = vec![(0, 0); total as usize];
        for event in &self.events {
            let Some(position) = next
                .get_mut(event.actor as usize)
                .filter(|_| (event.actor as usize) < actors)
            else {
                continue;
            };
            if let Some(slot) = events.get_mut(*position as usize) {
                *slot = (event.time, event.kind);
            }
            *position += 1;
        }
        (starts, events)
    }
}

impl Kinds {
    /// The position of a kind. Events come mostly in runs of one kind, so that of the `last` event is tried first.
    fn position(&mut self, marks: [u64; 2], value: &str, last: Option<&Packed>) -> Result<u32> {
        if let Some(last) = last
            && let Some(kind) = self.kinds.get(last.kind as usize)
            && kind.marks == marks
            && self.text(kind.text) == value
        {
            return Ok(last.kind);
        }
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
        self.texts.push(value.into());
        self.codes.insert(value.into(), code);
        self.text_bytes += 2 * value.len();
        Ok(code)
    }

    fn text(&self, code: u32) -> &str {
        self.texts.get(code as usize).map_or("", AsRef::as_ref)
    }

    /// The texts ascending, and the rank of each code.
    fn ranked(&self) -> (Vec<&str>, Vec<u32>) {
        let mut codes: Vec<usize> = (0..self.texts.len()).collect();
        codes.sort_unstable_by_key(|&code| self.texts.get(code));
        let mut ranks = vec![0; codes.len()];
        for (rank, &code) in (0..).zip(&codes) {
            if let Some(slot) = ranks.get_mut(code) {
                *slot = rank;
            }
        }
        let texts = codes
            .into_iter()
            .filter_map(|code| self.texts.get(code).map(AsRef::as_ref))
            .collect();
        (texts, ranks)
    }

    fn event(&self, time: i64, kind: u32, ranks: &[u32]) -> Event {
        let (marks, text) = self
            .kinds
            .get(kind as usize)
            .map_or(([0; 2], 0), |kind| (kind.marks, kind.text));
        let value = ranks.get(text as usize).copied().unwrap_or(0);
        Event { time, marks, value }
    }

    fn size(&self) -> usize {
        let hashed = size_of::<Kind>() + size_of::<u32>() + 1;
        let named = size_of::<Box<str>>() + size_of::<u32>() + 1;
        self.kinds.capacity() * size_of::<Kind>()
            + self.positions.capacity() * hashed
            + self.texts.capacity() * size_of::<Box<str>>()
            + self.codes.capacity() * named
            + self.text_bytes
    }
}

fn number(position: usize) -> Result<u32> {
    u32::try_from(position)
        .map_err(|_| exec_datafusion_err!("more than {} kinds of events", u32::MAX))
}
