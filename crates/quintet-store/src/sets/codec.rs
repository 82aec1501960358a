//! Sets as bytes, all numbers little-endian.

use bytes::{Buf, BufMut, TryGetError};
use roaring::RoaringBitmap;
use xxhash_rust::xxh3::xxh3_64;

use super::{DayOfActors, EventSets, FileSets, KINDS, SetsAt};
use crate::files::parquet::checksum;

/// Says what follows, and in which version.
const MAGIC: &[u8; 8] = b"QNTSETS1";

/// Where the sets of one event and one actor type lie.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) offset: u64,
    pub(super) length: u32,
    checksum: u64,
}

/// What the directory says of an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EventEntry {
    pub(super) name: String,
    pub(super) days: Vec<DayEntry>,
    pub(super) blocks: [Block; KINDS],
}

/// What the directory says of a day.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct DayEntry {
    pub(super) day: i32,
    pub(super) rows: u32,
    /// Bytes of each set; 0 for an empty one, which is not written.
    lengths: [u32; KINDS],
}

/// The directory of a file: all events first, then each by name in byte order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Directory {
    pub(super) events: Vec<EventEntry>,
}

/// The bytes to write at `offset` of a file, and where its directory then is.
pub(crate) fn encode(sets: &FileSets, offset: u64) -> (Vec<u8>, SetsAt) {
    let mut bytes = Vec::new();
    let entries = sets
        .events
        .iter()
        .map(|event| write_event(event, offset, &mut bytes));
    let directory = write_directory(&entries.collect::<Vec<_>>());
    let at = SetsAt {
        offset: offset + bytes.len() as u64,
        length: directory.len() as u64,
        checksum: checksum(&directory),
        personless: sets.personless,
    };
    bytes.extend(directory);
    (bytes, at)
}

fn write_event(event: &EventSets, base: u64, bytes: &mut Vec<u8>) -> EventEntry {
    let days = event.days.iter().map(|day| DayEntry {
        day: day.day,
        rows: day.rows as u32,
        lengths: [0; KINDS],
    });
    let mut entry = EventEntry {
        name: event.name.clone(),
        days: days.collect(),
        blocks: Default::default(),
    };
    for (kind, block) in entry.blocks.iter_mut().enumerate() {
        let start = bytes.len();
        for (day, written) in event.days.iter().zip(&mut entry.days) {
            let Some(actors) = day.actors.get(kind).filter(|actors| !actors.is_empty()) else {
                continue;
            };
            // Memory takes whatever is written to it.
            let _ = actors.serialize_into(&mut *bytes);
            written.lengths[kind] = actors.serialized_size() as u32;
        }
        let written = &bytes[start..];
        *block = Block {
            offset: base + start as u64,
            length: written.len() as u32,
            checksum: xxh3_64(written),
        };
    }
    entry
}

fn write_directory(events: &[EventEntry]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.put_u32_le(events.len() as u32);
    for event in events {
        bytes.put_u32_le(event.name.len() as u32);
        bytes.put_slice(event.name.as_bytes());
        for block in &event.blocks {
            bytes.put_u64_le(block.offset);
            bytes.put_u32_le(block.length);
            bytes.put_u64_le(block.checksum);
        }
        bytes.put_u32_le(event.days.len() as u32);
        for day in &event.days {
            bytes.put_i32_le(day.day);
            bytes.put_u32_le(day.rows);
            day.lengths
                .iter()
                .for_each(|length| bytes.put_u32_le(*length));
        }
    }
    bytes
}

/// A directory back, or why it cannot be one.
pub(super) fn read_directory(mut bytes: &[u8]) -> Result<Directory, String> {
    match bytes.split_off(..MAGIC.len()) {
        Some(magic) if magic == MAGIC => {}
        _ => return Err("its sets of actors are of a newer version, or none".into()),
    }
    directory(bytes).map_err(|_| "its sets of actors end too early".into())
}

fn directory(mut bytes: &[u8]) -> Result<Directory, TryGetError> {
    let mut events = Vec::new();
    for _ in 0..bytes.try_get_u32_le()? {
        let length = bytes.try_get_u32_le()? as usize;
        let name = bytes.split_off(..length).ok_or(TryGetError {
            requested: length,
            available: bytes.len(),
        })?;
        let mut event = EventEntry {
            name: String::from_utf8_lossy(name).into_owned(),
            ..EventEntry::default()
        };
        for block in &mut event.blocks {
            *block = Block {
                offset: bytes.try_get_u64_le()?,
                length: bytes.try_get_u32_le()?,
                checksum: bytes.try_get_u64_le()?,
            };
        }
        for _ in 0..bytes.try_get_u32_le()? {
            let mut day = DayEntry {
                day: bytes.try_get_i32_le()?,
                rows: bytes.try_get_u32_le()?,
                lengths: [0; KINDS],
            };
            for length in &mut day.lengths {
                *length = bytes.try_get_u32_le()?;
            }
            event.days.push(day);
        }
        events.push(event);
    }
    Ok(Directory { events })
}

/// The sets of an event's days for one actor type, out of the bytes of their block; or why they are not.
pub(super) fn read_block(
    event: &EventEntry,
    kind: usize,
    bytes: &[u8],
) -> Result<Vec<DayOfActors>, String> {
    let damaged = || "its sets of actors are not what was written".to_owned();
    let block = event.blocks.get(kind).ok_or_else(damaged)?;
    if bytes.len() != block.length as usize || xxh3_64(bytes) != block.checksum {
        return Err(damaged());
    }
    let mut rest = bytes;
    let mut days = Vec::with_capacity(event.days.len());
    for day in &event.days {
        let length = day.lengths.get(kind).map_or(0, |length| *length as usize);
        let set = rest.split_off(..length).ok_or_else(damaged)?;
        if !set.is_empty() {
            days.push(DayOfActors {
                day: day.day,
                // The checksum held, so the bytes are those that were written.
                actors: RoaringBitmap::deserialize_unchecked_from(set).map_err(|_| damaged())?,
            });
        }
    }
    Ok(days)
}
