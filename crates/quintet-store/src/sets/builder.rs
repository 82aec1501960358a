//! Gathers the sets of a file from its rows, which come in the order (event, timestamp).

use std::collections::BTreeMap;

use datafusion::arrow::record_batch::RecordBatch;
use roaring::RoaringBitmap;

use super::{DAY, DaySets, EventSets, FileSets, KINDS};
use crate::files::batch::{refs, texts, timestamps};
use crate::schema;

/// The property by which a message says that nobody is to become a person by it.
const PERSONLESS: &str = "$process_person_profile";

/// The sets of the rows so far.
#[derive(Default)]
pub(crate) struct SetsBuilder {
    done: Vec<EventSets>,
    /// The event at hand.
    event: EventSets,
    /// Its last day, whose ids are gathered with repeats: sorting them once is cheaper than a set at every row.
    day: i32,
    rows: u64,
    ids: [Vec<u32>; KINDS],
    personless: u64,
}

impl SetsBuilder {
    /// Takes the next rows of a file in, or says why they are no events.
    pub(crate) fn note(&mut self, batch: &RecordBatch) -> Result<(), String> {
        let events = texts(batch, schema::EVENT)?;
        let times = timestamps(batch)?.values();
        let mut kinds: [&[u32]; KINDS] = [&[]; KINDS];
        for (kind, name) in kinds
            .iter_mut()
            .zip(std::iter::once(schema::PERSON_REF).chain(schema::GROUP_REFS))
        {
            *kind = refs(batch, name)?.values();
        }
        let properties = texts(batch, schema::PROPERTIES)?.iter().flatten();
        let personless = properties.filter(|text| text.contains(PERSONLESS));
        self.personless += personless.count() as u64;
        let mut start = 0;
        for (row, (event, time)) in events.iter().zip(times).enumerate() {
            let (event, day) = (event.unwrap_or_default(), day_of(*time));
            let is_new = event != self.event.name;
            if is_new || day != self.day {
                self.take(&kinds, start, row);
                start = row;
                self.end_day();
                if is_new {
                    self.end_event(event);
                }
                self.day = day;
            }
        }
        self.take(&kinds, start, batch.num_rows());
        Ok(())
    }

    /// The sets of all rows.
    pub(crate) fn finish(mut self) -> FileSets {
        self.end_day();
        self.end_event("");
        let mut all: BTreeMap<i32, DaySets> = BTreeMap::new();
        for of_event in self.done.iter().flat_map(|event| &event.days) {
            let sum = all.entry(of_event.day).or_insert_with(|| DaySets {
                day: of_event.day,
                ..DaySets::default()
            });
            sum.rows += of_event.rows;
            for (sum, actors) in sum.actors.iter_mut().zip(&of_event.actors) {
                *sum |= actors;
            }
        }
        let all = EventSets {
            name: String::new(),
            days: all.into_values().collect(),
        };
        let mut events = vec![all];
        events.append(&mut self.done);
        FileSets {
            events,
            personless: self.personless,
        }
    }

    fn take(&mut self, kinds: &[&[u32]; KINDS], from: usize, to: usize) {
        self.rows += (to - from) as u64;
        for (ids, kind) in self.ids.iter_mut().zip(kinds) {
            let rows = kind.get(from..to).unwrap_or_default();
            ids.extend(rows.iter().filter(|id| **id != 0));
        }
    }

    fn end_day(&mut self) {
        if self.rows == 0 {
            return;
        }
        let mut day = DaySets {
            day: self.day,
            rows: std::mem::take(&mut self.rows),
            ..DaySets::default()
        };
        for (actors, ids) in day.actors.iter_mut().zip(&mut self.ids) {
            ids.sort_unstable();
            ids.dedup();
            // Sorted ids are always taken.
            *actors = RoaringBitmap::from_sorted_iter(ids.drain(..)).unwrap_or_default();
        }
        self.event.days.push(day);
    }

    fn end_event(&mut self, next: &str) {
        let next = EventSets {
            name: next.to_owned(),
            days: Vec::new(),
        };
        let event = std::mem::replace(&mut self.event, next);
        if !event.days.is_empty() {
            self.done.push(event);
        }
    }
}

fn day_of(time: i64) -> i32 {
    // All instants that chrono knows are within 96 million days.
    time.div_euclid(DAY) as i32
}
