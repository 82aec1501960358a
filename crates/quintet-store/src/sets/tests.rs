#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, StringViewArray, TimestampMicrosecondArray, UInt32Array};
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::record_batch::RecordBatch;
use proptest::prelude::*;

use super::codec::{read_block, read_directory};
use super::*;
use crate::schema;

/// An event: name, time, person, group of type 0.
type Row = (&'static str, i64, u32, u32);

fn batch(rows: &[Row]) -> RecordBatch {
    let ids = |of: fn(&Row) -> u32| Arc::new(UInt32Array::from_iter_values(rows.iter().map(of)));
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.1));
    let mut columns: Vec<(&str, ArrayRef)> = vec![
        (
            schema::EVENT,
            Arc::new(StringViewArray::from_iter_values(
                rows.iter().map(|row| row.0),
            )),
        ),
        (schema::TIMESTAMP, Arc::new(times.with_timezone("UTC"))),
        (schema::PERSON_REF, ids(|row| row.2)),
    ];
    for (index, name) in schema::GROUP_REFS.iter().enumerate() {
        let column = if index == 0 {
            ids(|row| row.3)
        } else {
            ids(|_| 0)
        };
        columns.push((name, column));
    }
    let nothing = StringViewArray::from_iter_values(rows.iter().map(|_| "{}"));
    columns.push((schema::PROPERTIES, Arc::new(nothing)));
    RecordBatch::try_from_iter(columns)
        .unwrap_or_else(|_| RecordBatch::new_empty(Arc::new(Schema::empty())))
}

fn sets_of(rows: &[Row], batches_of: usize) -> FileSets {
    let mut builder = SetsBuilder::default();
    for part in rows.chunks(batches_of.max(1)) {
        builder.note(&batch(part)).unwrap();
    }
    builder.finish()
}

/// Rows and actors by event and day, as slowly as can be.
fn expected(rows: &[Row], event: Option<&str>, kind: usize) -> Vec<(i32, u32, Vec<u32>)> {
    let rows = || {
        rows.iter()
            .filter(|row| event.is_none_or(|event| row.0 == event))
    };
    let mut days: Vec<i32> = rows().map(|row| row.1.div_euclid(DAY) as i32).collect();
    days.sort_unstable();
    days.dedup();
    let of_day = |day: i32| {
        let on_day = || rows().filter(move |row| row.1.div_euclid(DAY) as i32 == day);
        let id = |row: &Row| [row.2, row.3, 0, 0, 0, 0][kind];
        let mut ids: Vec<u32> = on_day().map(id).filter(|id| *id != 0).collect();
        ids.sort_unstable();
        ids.dedup();
        (day, on_day().count() as u32, ids)
    };
    days.into_iter().map(of_day).collect()
}

fn row() -> impl Strategy<Value = Row> {
    (
        prop::sample::select(vec!["", "a", "b", "c"]),
        -3 * DAY..3 * DAY,
        1u32..70_000,
        0u32..4,
    )
}

proptest! {
    #[test]
    fn sets_are_those_of_the_rows_and_come_back_from_bytes(
        mut rows in prop::collection::vec(row(), 0..200),
        batches_of in 1usize..50,
        offset in 0u64..1000,
    ) {
        rows.sort_by_key(|row| (row.0, row.1));
        let (bytes, at) = encode(&sets_of(&rows, batches_of), offset);
        let part = |from: u64, length: u64| {
            let from = (from - offset) as usize;
            &bytes[from..from + length as usize]
        };
        let directory = read_directory(part(at.offset, at.length)).unwrap();
        for (number, entry) in directory.events.iter().enumerate() {
            let event = (number > 0).then_some(entry.name.as_str());
            for kind in 0..KINDS {
                let block = entry.blocks[kind];
                let read = read_block(entry, kind, part(block.offset, u64::from(block.length))).unwrap();
                let wanted = expected(&rows, event, kind);
                let counts: Vec<_> = wanted.iter().map(|(day, rows, _)| (*day, *rows)).collect();
                prop_assert_eq!(entry.days.iter().map(|day| (day.day, day.rows)).collect::<Vec<_>>(), counts);
                let actors: Vec<_> = read.iter().map(|day| (day.day, day.actors.iter().collect::<Vec<_>>())).collect();
                let wanted: Vec<_> = wanted.into_iter().filter(|(_, _, ids)| !ids.is_empty()).map(|(day, _, ids)| (day, ids)).collect();
                prop_assert_eq!(actors, wanted);
            }
        }
        let names = rows.iter().map(|row| row.0).collect::<std::collections::BTreeSet<_>>();
        prop_assert_eq!(directory.events.len(), 1 + names.len());
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let rows = [("a", 0, 1, 1), ("a", DAY, 2, 0), ("b", 0, 70_000, 1)];
    let (mut bytes, at) = encode(&sets_of(&rows, 10), 0);
    let directory = bytes.split_off(at.offset as usize);
    for cut in 0..directory.len() {
        assert!(read_directory(&directory[..cut]).is_err(), "cut at {cut}");
    }
    let directory = read_directory(&directory).unwrap();
    let entry = &directory.events[1];
    let block = entry.blocks[0];
    let range = block.offset as usize..block.offset as usize + block.length as usize;
    assert!(read_block(entry, 0, &bytes[range.clone()]).is_ok());
    bytes[range.start + 9] ^= 1;
    assert!(read_block(entry, 0, &bytes[range]).is_err());
}

/// Bytes that are read before anything vouches for them: no checksum keeps a newer, or a malicious, writer from writing what it likes.
#[test]
fn any_bytes_are_sets_or_refused() {
    let rows: Vec<Row> = (0..300)
        .map(|n| {
            (
                ["a", "b"][n as usize % 2],
                i64::from(n) * DAY / 50,
                n % 40,
                n % 7,
            )
        })
        .collect();
    let (bytes, at) = encode(&sets_of(&rows, 100), 0);
    let directory = bytes[at.offset as usize..].to_vec();
    let target = quintet_fuzz::Target::new("sets").with_seeds([directory]);
    target.with_inputs(4000).run(|input| {
        let read = read_directory(input);
        let (events, days) = match &read {
            Ok(directory) => {
                let days = directory
                    .events
                    .iter()
                    .map(|event| event.days.len())
                    .sum::<usize>();
                for event in &directory.events {
                    for kind in 0..KINDS {
                        // The blocks of what was read are not those that were written, or they are all there.
                        let _ = read_block(event, kind, &bytes);
                        let block = event.blocks[kind];
                        let end = block.offset.saturating_add(u64::from(block.length));
                        let part = bytes.get(block.offset as usize..end as usize);
                        let _ = read_block(event, kind, part.unwrap_or_default());
                    }
                }
                (directory.events.len(), days)
            }
            Err(reason) => (quintet_fuzz::skeleton(reason).len(), 0),
        };
        (read.is_ok(), events, days)
    });
}
