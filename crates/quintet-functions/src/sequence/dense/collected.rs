//! What all inputs appended, to be taken range by range.

use std::mem::size_of;
use std::sync::{Arc, Mutex, PoisonError};
use std::vec;

use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use super::part::{ACTORS, NO_EVENT, Part, first_actor, place};
use crate::sequence::kinds::{Kinds, Packed};
use crate::sequence::{Event, Values};

/// The ranges that nobody took yet, and what their events' kinds stand for.
pub(super) struct Collected {
    ranges: Mutex<vec::IntoIter<Range>>,
    known: Vec<Known>,
    /// The values of all parts, ascending and each once.
    texts: Vec<Arc<str>>,
}

/// What the kinds of one part stand for.
struct Known {
    kinds: Kinds,
    ranks: Vec<u32>,
    _held: MemoryReservation,
}

/// The events of a range of actors.
pub(super) struct Range {
    first_actor: u32,
    pieces: Vec<Piece>,
}

/// The events of a range that came through one part.
struct Piece {
    part: usize,
    events: Vec<Packed>,
    _held: MemoryReservation,
}

/// The events of a range side by side by actor.
#[derive(Default)]
pub(super) struct ByActor {
    events: Vec<Event>,
    /// Where the events of each actor end.
    ends: Vec<usize>,
    is_present: Vec<bool>,
}

impl Collected {
    pub(super) fn of(parts: Vec<Part>) -> Result<Self> {
        let texts = parts.iter().flat_map(|part| part.kinds.texts());
        let mut texts: Vec<Arc<str>> = texts.cloned().collect();
        texts.sort_unstable();
        texts.dedup();
        let mut ranges: Vec<Range> = Vec::new();
        let mut known = Vec::with_capacity(parts.len());
        for (position, part) in parts.into_iter().enumerate() {
            for (range, events) in part.ranges.into_iter().enumerate() {
                if range == ranges.len() {
                    let (first_actor, pieces) = (first_actor(range)?, Vec::new());
                    ranges.push(Range {
                        first_actor,
                        pieces,
                    });
                }
                if let Some(range) = ranges.get_mut(range).filter(|_| !events.is_empty()) {
                    let bytes = events.capacity() * size_of::<Packed>();
                    range.pieces.push(Piece {
                        part: position,
                        events,
                        _held: part.reservation.split(bytes),
                    });
                }
            }
            known.push(Known {
                ranks: part.kinds.ranks(&texts)?,
                kinds: part.kinds,
                _held: part.reservation,
            });
        }
        ranges.retain(|range| !range.pieces.is_empty());
        Ok(Self {
            ranges: Mutex::new(ranges.into_iter()),
            known,
            texts,
        })
    }

    /// A range that nobody took yet.
    pub(super) fn take(&self) -> Option<Range> {
        let mut ranges = self.ranges.lock().unwrap_or_else(PoisonError::into_inner);
        ranges.next()
    }

    /// The values of all events.
    pub(super) fn values(&self) -> Values<'_> {
        Values { texts: &self.texts }
    }

    fn event(&self, part: usize, event: &Packed) -> Event {
        match self.known.get(part) {
            Some(known) => known.kinds.event(event.time, event.kind, &known.ranks),
            None => Event::default(),
        }
    }
}

impl Range {
    fn events(&self) -> impl Iterator<Item = (usize, &Packed)> {
        let pieces = self.pieces.iter();
        pieces.flat_map(|piece| piece.events.iter().map(|event| (piece.part, event)))
    }

    /// Bytes that sorting takes besides the range itself.
    pub(super) fn bytes_to_sort(&self) -> usize {
        let events: usize = self.pieces.iter().map(|piece| piece.events.len()).sum();
        events * size_of::<Event>() + ACTORS * (size_of::<usize>() + size_of::<bool>())
    }
}

impl ByActor {
    /// Sorts a range by actor: a counting sort, stable by part and row.
    pub(super) fn sort(&mut self, range: &Range, collected: &Collected) {
        let Self {
            events,
            ends,
            is_present,
        } = self;
        ends.clear();
        ends.resize(ACTORS, 0);
        is_present.clear();
        is_present.resize(ACTORS, false);
        for (_, event) in range.events() {
            let place = place(event.actor);
            if let (Some(count), Some(present)) = (ends.get_mut(place), is_present.get_mut(place)) {
                *count += usize::from(event.kind != NO_EVENT);
                *present = true;
            }
        }
        // From counts to beginnings; every event then moves the end of its actor on.
        let mut total = 0;
        for end in ends.iter_mut() {
            total += std::mem::replace(end, total);
        }
        events.clear();
        events.resize(total, Event::default());
        for (part, event) in range.events().filter(|(_, event)| event.kind != NO_EVENT) {
            let Some(end) = ends.get_mut(place(event.actor)) else {
                continue;
            };
            if let Some(slot) = events.get_mut(*end) {
                *slot = collected.event(part, event);
            }
            *end += 1;
        }
    }

    /// Hands over every actor of the range with its events.
    pub(super) fn each(
        &mut self,
        range: &Range,
        mut of_actor: impl FnMut(u32, &mut [Event]) -> Result<()>,
    ) -> Result<()> {
        let mut begin = 0;
        for ((place, &end), &is_present) in (0..).zip(&self.ends).zip(&self.is_present) {
            if is_present {
                let events = self.events.get_mut(begin..end);
                of_actor(range.first_actor + place, events.unwrap_or_default())?;
            }
            begin = end;
        }
        Ok(())
    }
}
