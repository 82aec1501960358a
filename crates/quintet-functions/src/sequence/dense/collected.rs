//! What all inputs appended, to be taken range by range.

use std::mem::size_of;
use std::sync::{Arc, Mutex, PoisonError};
use std::vec;

use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryReservation;

use super::part::{ACTORS, Events, NO_EVENT, Part, first_actor, place};
use crate::sequence::kinds::{in_order, number};
use crate::sequence::{Event, Values};

/// The ranges that nobody took yet, and what their events' kinds stand for.
pub(super) struct Collected {
    ranges: Mutex<vec::IntoIter<Range>>,
    /// The kinds of all parts, one part after the other, as events without a time.
    kinds: Vec<Event>,
    /// The values of all parts, ascending and each once.
    texts: Vec<Arc<str>>,
    /// For kinds and texts.
    _held: Vec<MemoryReservation>,
}

/// The events of a range of actors.
pub(super) struct Range {
    first_actor: u32,
    pieces: Vec<Piece>,
}

/// The events of a range that came through one part.
struct Piece {
    events: Events,
    /// Where the part's kinds begin.
    first_kind: u32,
    _held: MemoryReservation,
}

/// The events of a range side by side by actor.
#[derive(Default)]
pub(super) struct ByActor {
    /// Times and kinds.
    events: Vec<(i64, u32)>,
    /// Where the events of each actor end.
    ends: Vec<usize>,
    is_present: Vec<bool>,
    /// The events of one actor.
    unpacked: Vec<Event>,
}

impl Collected {
    pub(super) fn of(parts: Vec<Part>) -> Result<Self> {
        let texts = parts.iter().flat_map(|part| part.kinds.texts());
        let mut texts: Vec<Arc<str>> = texts.cloned().collect();
        texts.sort_unstable();
        texts.dedup();
        let mut ranges: Vec<Range> = Vec::new();
        let mut kinds = Vec::new();
        let mut held = Vec::with_capacity(parts.len());
        for part in parts {
            let first_kind = number(kinds.len())?;
            for (range, events) in part.ranges.into_iter().enumerate() {
                if range == ranges.len() {
                    let (first_actor, pieces) = (first_actor(range)?, Vec::new());
                    ranges.push(Range {
                        first_actor,
                        pieces,
                    });
                }
                if let Some(range) = ranges.get_mut(range).filter(|_| !events.is_empty()) {
                    // More than there is cannot be split off.
                    let held = events.size().min(part.reservation.size());
                    range.pieces.push(Piece {
                        _held: part.reservation.split(held),
                        events,
                        first_kind,
                    });
                }
            }
            kinds.extend(part.kinds.events(&part.kinds.ranks(&texts)?));
            number(kinds.len())?;
            held.push(part.reservation);
        }
        ranges.retain(|range| !range.pieces.is_empty());
        Ok(Self {
            ranges: Mutex::new(ranges.into_iter()),
            kinds,
            texts,
            _held: held,
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
}

impl Range {
    /// Bytes that sorting takes besides the range itself.
    pub(super) fn bytes_to_sort(&self) -> usize {
        let events: usize = self.pieces.iter().map(|piece| piece.events.len()).sum();
        events * size_of::<(i64, u32)>() + ACTORS * (size_of::<usize>() + size_of::<bool>())
    }
}

impl ByActor {
    /// Sorts a range by actor: a counting sort.
    pub(super) fn sort(&mut self, range: &Range) {
        let total = self.count(range);
        self.events.clear();
        self.events.resize(total, (0, 0));
        for piece in &range.pieces {
            for event in piece.events.iter().filter(|event| event.kind != NO_EVENT) {
                let Some(end) = self.ends.get_mut(place(event.actor)) else {
                    continue;
                };
                if let Some(slot) = self.events.get_mut(*end) {
                    *slot = (event.time, piece.first_kind + event.kind);
                }
                *end += 1;
            }
        }
    }

    /// Counts the events of all actors, and leaves where those of each begin: that is moved on with every event that is put there.
    fn count(&mut self, range: &Range) -> usize {
        self.ends.clear();
        self.ends.resize(ACTORS, 0);
        self.is_present.clear();
        self.is_present.resize(ACTORS, false);
        for event in range.pieces.iter().flat_map(|piece| piece.events.iter()) {
            let place = place(event.actor);
            if let Some(count) = self.ends.get_mut(place) {
                *count += usize::from(event.kind != NO_EVENT);
            }
            if let Some(is_present) = self.is_present.get_mut(place) {
                *is_present = true;
            }
        }
        let mut total = 0;
        for end in &mut self.ends {
            total += std::mem::replace(end, total);
        }
        total
    }

    /// Hands over every actor of the range with its events by time.
    pub(super) fn each(
        &mut self,
        range: &Range,
        collected: &Collected,
        mut of_actor: impl FnMut(u32, &mut [Event]) -> Result<()>,
    ) -> Result<()> {
        let mut begin = 0;
        for ((place, &end), &is_present) in (0..).zip(&self.ends).zip(&self.is_present) {
            if is_present {
                let events = self.events.get_mut(begin..end).unwrap_or_default();
                self.unpacked.clear();
                for &(time, kind) in in_order(events) {
                    let kind = collected.kinds.get(kind as usize).copied();
                    let event = kind.unwrap_or_default();
                    self.unpacked.push(Event { time, ..event });
                }
                of_actor(range.first_actor + place, &mut self.unpacked)?;
            }
            begin = end;
        }
        Ok(())
    }
}
