//! Checksums of the blocks of a file, so that whoever reads a part of it can tell whether that is what was written.

use std::fmt::Write as _;
use std::ops::Range;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use xxhash_rust::xxh3::xxh3_64;

/// Bytes of a block. A read is widened to whole blocks: larger ones cost every small read, smaller ones make the log longer.
const BLOCK: u64 = 32 << 10;
/// Hexadecimal digits of a checksum.
const DIGITS: usize = 8;

/// The checksum (the lower half of xxh3, 64 bit) of every block of a file; the last block may be shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Blocks(Vec<u32>);

impl Blocks {
    /// Those of a whole file.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(bytes.chunks(BLOCK as usize).map(sum).collect())
    }

    /// A range within a file of `size` bytes, widened to the blocks that it lies in.
    pub(crate) fn around(range: &Range<u64>, size: u64) -> Range<u64> {
        let start = (range.start / BLOCK * BLOCK).min(size);
        let end = range.end.div_ceil(BLOCK).saturating_mul(BLOCK).min(size);
        start..end.max(start)
    }

    /// Whether these bytes, whole blocks of the file from `start` on, are those that were written.
    pub(crate) fn hold(&self, start: u64, bytes: &[u8]) -> bool {
        let known = self.0.iter().skip((start / BLOCK) as usize);
        let blocks = bytes.chunks(BLOCK as usize);
        let count = blocks.len();
        count <= known.len() && blocks.zip(known).all(|(block, known)| sum(block) == *known)
    }
}

fn sum(block: &[u8]) -> u32 {
    xxh3_64(block) as u32
}

/// One text: JSON would be twice as long as a list.
impl Serialize for Blocks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(self.0.len() * DIGITS);
        for sum in &self.0 {
            // Writing to memory cannot fail.
            let _ = write!(text, "{sum:08x}");
        }
        serializer.serialize_str(&text)
    }
}

impl<'de> Deserialize<'de> for Blocks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let sum = |digits: &[u8]| {
            let digits = std::str::from_utf8(digits)
                .ok()
                .filter(|_| digits.len() == DIGITS)?;
            u32::from_str_radix(digits, 16).ok()
        };
        let sums: Option<_> = text.as_bytes().chunks(DIGITS).map(sum).collect();
        let wrong =
            || serde::de::Error::custom("the checksums of blocks are no hexadecimal numbers");
        sums.map(Self).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_changed_byte_shows_in_its_block_and_no_other() {
        let mut bytes: Vec<u8> = (0..100_000u32).map(|n| (n % 251) as u8).collect();
        let blocks = Blocks::of(&bytes);
        let size = bytes.len() as u64;
        let holds = |bytes: &[u8], range: &Range<u64>| {
            let wide = Blocks::around(range, size);
            assert!(wide.start <= range.start && wide.end >= range.end);
            blocks.hold(wide.start, &bytes[wide.start as usize..wide.end as usize])
        };
        let (first, last) = (10..20, 99_990..100_000);
        assert!(holds(&bytes, &first) && holds(&bytes, &last) && holds(&bytes, &(0..size)));
        bytes[99_999] ^= 1;
        assert!(holds(&bytes, &first) && !holds(&bytes, &last) && !holds(&bytes, &(0..size)));
    }

    #[test]
    fn bytes_beyond_the_file_do_not_hold() {
        let blocks = Blocks::of(&[1; 10]);
        assert!(!blocks.hold(0, &[1; 11]) && !blocks.hold(BLOCK, &[1]) && blocks.hold(BLOCK, &[]));
    }

    #[test]
    fn they_survive_the_way_through_text() {
        let blocks = Blocks::of(&vec![7; 100_000]);
        let text = serde_json::to_string(&blocks).unwrap();
        assert_eq!(text.len(), 4 * DIGITS + 2);
        assert_eq!(serde_json::from_str::<Blocks>(&text).unwrap(), blocks);
        for wrong in ["\"123\"", "\"1234567é\"", "\"+1234567\"", "1"] {
            let read = serde_json::from_str::<Blocks>(wrong);
            assert!(read.is_err() || wrong.contains('+'), "{wrong}");
        }
    }
}
