#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, UInt32Array};
use datafusion::arrow::record_batch::RecordBatch;
use proptest::prelude::*;

use super::codec::{read_counts, read_head, read_lists};
use super::*;
use crate::schema::GROUP_REFS;

/// The refs of rows by type: a few groups of the first one, many of the last, none of others.
type Row = (u32, u32);

fn batch(rows: &[Row]) -> RecordBatch {
    let columns = GROUP_REFS.iter().enumerate().map(|(index, name)| {
        let refs = rows.iter().map(|row| match index {
            0 => row.0,
            4 => row.1,
            _ => 0,
        });
        let column: ArrayRef = Arc::new(UInt32Array::from_iter_values(refs));
        (*name, column)
    });
    RecordBatch::try_from_iter(columns).unwrap()
}

fn rows_of(rows: &[Row], batches_of: usize) -> GroupRows {
    let mut builder = GroupRowsBuilder::default();
    for part in rows.chunks(batches_of.max(1)) {
        builder.note(&batch(part)).unwrap();
    }
    builder.finish()
}

proptest! {
    #[test]
    fn lists_are_those_of_the_rows_and_come_back_from_bytes(
        rows in prop::collection::vec((0u32..5, prop_oneof![Just(0u32), 1..2000u32, 5_000_000..5_000_200u32]), 0..3000),
        batches_of in 1usize..700,
        offset in 0u64..1000,
    ) {
        let (bytes, at) = encode(&rows_of(&rows, batches_of), offset);
        let part = |from: u64, length: u64| {
            let from = (from - offset) as usize;
            &bytes[from..from + length as usize]
        };
        let head = read_head(part(at.offset, at.length)).unwrap();
        prop_assert_eq!(head.rows as usize, rows.len());
        for (index, pages) in head.pages.iter().enumerate() {
            let mut wanted: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for (number, row) in (0u32..).zip(&rows) {
                match index {
                    0 if row.0 > 0 => wanted.entry(row.0).or_default().push(number),
                    4 if row.1 > 0 => wanted.entry(row.1).or_default().push(number),
                    _ => {}
                }
            }
            let mut found = BTreeMap::new();
            for page in pages {
                let counts = part(page.counts.offset, u64::from(page.counts.length));
                let lists = part(page.lists.offset, u64::from(page.lists.length));
                for (group, rows) in read_counts(page, counts).unwrap() {
                    let list = read_lists(page, (counts, lists), head.rows, |other| other == group).unwrap();
                    prop_assert_eq!(list.len(), rows as usize);
                    found.insert(group, list);
                }
            }
            prop_assert_eq!(found, wanted);
        }
    }
}

#[test]
fn damaged_bytes_are_refused() {
    let rows: Vec<Row> = (0..1000).map(|n| (n % 7, n % 300)).collect();
    let (mut bytes, at) = encode(&rows_of(&rows, 64), 0);
    let head = bytes.split_off(at.offset as usize);
    for cut in 0..head.len() {
        assert!(read_head(&head[..cut]).is_err(), "cut at {cut}");
    }
    let head = read_head(&head).unwrap();
    let page = head.pages[4][1];
    let range =
        |block: codec::Block| block.offset as usize..block.offset as usize + block.length as usize;
    let read = |bytes: &[u8]| {
        let blocks = (&bytes[range(page.counts)], &bytes[range(page.lists)]);
        read_lists(&page, blocks, head.rows, |_| true)
    };
    assert!(read(&bytes).is_ok());
    for block in [page.counts, page.lists] {
        let mut bytes = bytes.clone();
        bytes[block.offset as usize] ^= 1;
        assert!(read(&bytes).is_err());
    }
}

#[test]
fn any_bytes_are_lists_or_refused() {
    let rows: Vec<Row> = (0..3000u32).map(|n| (n % 5, n * 7 % 900)).collect();
    let (bytes, at) = encode(&rows_of(&rows, 700), 0);
    let head = bytes[at.offset as usize..].to_vec();
    let lists = bytes[..at.offset as usize].to_vec();
    let target = quintet_fuzz::Target::new("rows").with_seeds([head, lists]);
    target.with_inputs(4000).run(|input| {
        // As lists, under a head that says anything.
        let (mut rest, number) = (input, |at: usize| {
            let bytes = input.get(at..at + 4).and_then(|four| four.try_into().ok());
            u32::from_le_bytes(bytes.unwrap_or_default())
        });
        let list = super::gaps::read(&mut rest, number(0), number(4));
        let Ok(head) = read_head(input) else {
            return (0, list.is_some());
        };
        let pages = head.pages.iter().flatten();
        let read = pages.map(|page| {
            let part = |offset: u64, length: u32| {
                let end = offset.saturating_add(u64::from(length)) as usize;
                bytes.get(offset as usize..end).unwrap_or_default()
            };
            let counts = part(page.counts.offset, page.counts.length);
            let lists = part(page.lists.offset, page.lists.length);
            let _ = read_counts(page, counts);
            read_lists(page, (counts, lists), head.rows, |group| group % 2 == 0).is_ok()
        });
        (1 + read.filter(|is_read| *is_read).count(), list.is_some())
    });
}
