//! Lists of rows as bytes; fixed numbers are little-endian, counts are of variable length (LEB128).

use bytes::{Buf, BufMut, TryGetError};
use xxhash_rust::xxh3::xxh3_64;

use super::{GroupRows, GroupRowsAt, TypeRows, gaps};
use crate::files::parquet::checksum;
use crate::schema::GROUP_TYPES;

/// Says what follows, and in which version.
const MAGIC: &[u8; 8] = b"QNTROWS1";
/// Groups of a page.
const PAGE_GROUPS: usize = 256;
/// Bytes of lists with which a page ends.
const PAGE_BYTES: usize = 16 << 10;

/// Some bytes of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) offset: u64,
    pub(super) length: u32,
    checksum: u64,
}

/// Some groups of one type, neighbours by ref.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Page {
    /// The ref of its first group.
    pub(super) first: u32,
    groups: u32,
    pub(super) counts: Block,
    pub(super) lists: Block,
}

/// What the head of a file says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// Rows of the file.
    pub(super) rows: u32,
    /// By type, by ascending refs.
    pub(super) pages: [Vec<Page>; GROUP_TYPES],
}

/// The bytes to write at `offset` of a file, and where their head then is.
pub(crate) fn encode(rows: &GroupRows, offset: u64) -> (Vec<u8>, GroupRowsAt) {
    let mut bytes = Vec::new();
    let pages = rows.by_type.each_ref();
    let pages = pages.map(|of_type| write_pages(of_type, rows.rows, offset, &mut bytes));
    let head = write_head(rows.rows, &pages);
    let at = GroupRowsAt {
        offset: offset + bytes.len() as u64,
        length: head.len() as u64,
        checksum: checksum(&head),
    };
    bytes.extend(head);
    (bytes, at)
}

fn write_pages(of_type: &TypeRows, end: u32, base: u64, bytes: &mut Vec<u8>) -> Vec<Page> {
    let (mut pages, mut counts) = (Vec::new(), Vec::new());
    let (mut groups, mut rows) = (of_type.groups.as_slice(), of_type.rows.as_slice());
    while let Some((first, _)) = groups.first() {
        let start = bytes.len();
        let (mut taken, mut last) = (0, *first);
        while taken < PAGE_GROUPS && bytes.len() - start < PAGE_BYTES {
            let Some((group, count)) = groups.get(taken) else {
                break;
            };
            let list = rows.split_off(..*count as usize).unwrap_or_default();
            gaps::write(list, end, bytes);
            put_count(&mut counts, group - last);
            put_count(&mut counts, *count);
            (taken, last) = (taken + 1, *group);
        }
        groups = groups.get(taken..).unwrap_or_default();
        pages.push((
            *first,
            taken as u32,
            block(bytes, start, base),
            counts.len(),
        ));
    }
    // All counts after all lists.
    let mut start = bytes.len();
    bytes.extend(&counts);
    let ends = bytes.len() - counts.len();
    let mut written = Vec::with_capacity(pages.len());
    for (first, groups, lists, end) in pages {
        let of_page = bytes.get(..ends + end).unwrap_or_default();
        written.push(Page {
            first,
            groups,
            counts: block(of_page, start, base),
            lists,
        });
        start = ends + end;
    }
    written
}

fn block(bytes: &[u8], start: usize, base: u64) -> Block {
    let written = bytes.get(start..).unwrap_or_default();
    Block {
        offset: base + start as u64,
        length: written.len() as u32,
        checksum: xxh3_64(written),
    }
}

fn write_head(rows: u32, pages: &[Vec<Page>; GROUP_TYPES]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.put_u32_le(rows);
    for of_type in pages {
        bytes.put_u32_le(of_type.len() as u32);
        for page in of_type {
            bytes.put_u32_le(page.first);
            bytes.put_u32_le(page.groups);
            for block in [page.counts, page.lists] {
                bytes.put_u64_le(block.offset);
                bytes.put_u32_le(block.length);
                bytes.put_u64_le(block.checksum);
            }
        }
    }
    bytes
}

/// A head back, or why it cannot be one.
pub(super) fn read_head(mut bytes: &[u8]) -> Result<Head, String> {
    match bytes.split_off(..MAGIC.len()) {
        Some(magic) if magic == MAGIC => {}
        _ => return Err("its rows by group are of a newer version, or none".into()),
    }
    head(bytes).map_err(|_| "its rows by group end too early".into())
}

fn head(mut bytes: &[u8]) -> Result<Head, TryGetError> {
    let mut head = Head {
        rows: bytes.try_get_u32_le()?,
        ..Head::default()
    };
    for pages in &mut head.pages {
        for _ in 0..bytes.try_get_u32_le()? {
            let mut page = Page {
                first: bytes.try_get_u32_le()?,
                groups: bytes.try_get_u32_le()?,
                ..Page::default()
            };
            for block in [&mut page.counts, &mut page.lists] {
                *block = Block {
                    offset: bytes.try_get_u64_le()?,
                    length: bytes.try_get_u32_le()?,
                    checksum: bytes.try_get_u64_le()?,
                };
            }
            pages.push(page);
        }
    }
    Ok(head)
}

/// Refs and rows of the groups of a page, out of its block of counts; or why they are not there.
pub(super) fn read_counts(page: &Page, bytes: &[u8]) -> Result<Vec<(u32, u32)>, String> {
    let mut rest = checked(page.counts, bytes)?;
    let mut group = page.first;
    let mut counts = Vec::with_capacity(page.groups.min(page.counts.length) as usize);
    for _ in 0..page.groups {
        let both = get_count(&mut rest).zip(get_count(&mut rest));
        let (gap, rows) = both.ok_or_else(damaged)?;
        group = group.checked_add(gap).ok_or_else(damaged)?;
        counts.push((group, rows));
    }
    Ok(counts)
}

/// The rows of some groups of a page of a file with `end` rows, one list after the other; or why they are not there. A group that the page
/// does not have has none.
pub(super) fn read_lists(
    page: &Page,
    (counts, lists): (&[u8], &[u8]),
    end: u32,
    is_wanted: impl Fn(u32) -> bool,
) -> Result<Vec<u32>, String> {
    let mut rest = checked(page.lists, lists)?;
    let mut found = Vec::new();
    for (group, rows) in read_counts(page, counts)? {
        let list = gaps::read(&mut rest, rows, end).ok_or_else(damaged)?;
        if is_wanted(group) {
            found.extend(list);
        }
    }
    Ok(found)
}

fn checked(block: Block, bytes: &[u8]) -> Result<&[u8], String> {
    let is_whole = bytes.len() == block.length as usize && xxh3_64(bytes) == block.checksum;
    is_whole.then_some(bytes).ok_or_else(damaged)
}

fn damaged() -> String {
    "its rows by group are not what was written".into()
}

fn put_count(bytes: &mut Vec<u8>, mut count: u32) {
    while count >= 0x80 {
        bytes.push((count & 0x7f) as u8 | 0x80);
        count >>= 7;
    }
    bytes.push(count as u8);
}

fn get_count(bytes: &mut &[u8]) -> Option<u32> {
    let mut count = 0;
    for shift in (0..u32::BITS).step_by(7) {
        let byte = *bytes.split_off_first()?;
        count |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(count);
        }
    }
    None
}
