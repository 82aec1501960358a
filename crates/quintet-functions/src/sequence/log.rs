//! The events of many actors, kept in 16 bytes each until they are asked for.

use std::mem::size_of;

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::EmitTo;

use super::kinds::{Kinds, Packed, in_order};
use super::{Event, Values};

/// The events of many actors in the order of their arrival. Actors are numbered from 0 without gaps.
#[derive(Debug, Default)]
pub(super) struct Log {
    events: Vec<Packed>,
    kinds: Kinds,
}

impl Log {
    /// Adds an event of an actor. `is_alike`: marks and value are those of the event before.
    pub(super) fn push(
        &mut self,
        actor: usize,
        time: i64,
        marks: [u64; 2],
        value: &str,
        is_alike: bool,
    ) -> Result<()> {
        let actor = u32::try_from(actor)
            .map_err(|_| exec_datafusion_err!("more than {} actors in one partition", u32::MAX))?;
        let kind = match self.events.last().filter(|_| is_alike) {
            Some(last) => last.kind,
            None => self.kinds.position(marks, value)?,
        };
        self.events.push(Packed { time, actor, kind });
        Ok(())
    }

    /// Hands over the events of each actor that `emit_to` means, actor by actor, in order of time. Nothing is removed.
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
        let mut texts = self.kinds.texts().to_vec();
        texts.sort_unstable();
        let ranks = self.kinds.ranks(&texts)?;
        let values = Values { texts: &texts };
        let (starts, mut events) = self.by_actor(actors);
        let mut unpacked = Vec::new();
        for bounds in starts.windows(2) {
            let &[from, to] = bounds else { continue };
            unpacked.clear();
            let events = events.get_mut(from as usize..to as usize);
            for &(time, kind) in in_order(events.unwrap_or_default()) {
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
