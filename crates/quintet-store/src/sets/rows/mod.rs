//! Which rows are whose: for each group of each type the numbers of its rows in a file, beside the sets of actors.
//!
//! What is asked about one group needs a few thousand rows out of millions, which lie in no order of groups: these lists say which
//! ones, and how many rows each group has without reading any. They are exact, and hold the refs that the rows hold.
//!
//! ```text
//! file of events   [ row groups … ][ sets of actors ][ lists │ counts of type 0 ][ … of type 4 ][ head ][ Parquet footer ]
//! page             up to 256 groups by ascending ref, in two blocks: their counts (ref and rows of each), and their lists
//! list             gaps between row numbers, Rice coded: about as small as such numbers can be
//! head             for each type its pages: first ref, places and checksums of both blocks
//! log              place and checksum of the head
//! ```
//! The counts of all pages of a type lie together, so that counting reads one range; a list costs the head, one block of counts and one of
//! lists, some kilobytes, however many groups there are.

mod builder;
mod codec;
mod gaps;
mod read;

use serde::{Deserialize, Serialize};

pub(crate) use builder::GroupRowsBuilder;
pub(crate) use codec::encode;
pub(crate) use read::rows_of;

use crate::schema::GROUP_TYPES;

/// Where the head of a file's lists is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GroupRowsAt {
    /// Bytes from the start of the file.
    pub(crate) offset: u64,
    /// Bytes.
    pub(crate) length: u64,
    /// xxh3 of the head, as the checksums of files.
    pub(crate) checksum: String,
}

/// The rows of a file by group, before it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct GroupRows {
    /// Rows of the file.
    rows: u32,
    by_type: [TypeRows; GROUP_TYPES],
}

/// The rows of the groups of one type.
#[derive(Debug, Default, PartialEq, Eq)]
struct TypeRows {
    /// Ascending refs, each with the number of its rows.
    groups: Vec<(u32, u32)>,
    /// The row numbers of one group after the other, ascending within each.
    rows: Vec<u32>,
}

#[cfg(test)]
mod tests;
