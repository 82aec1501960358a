//! The last line of a log entry: by whom it is, and whether it is what was written.

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use crate::error::{Error, Result};

/// What the last line of an entry says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Last {
    Seal(Seal),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Seal {
    /// Different for every attempt to commit, so that a writer knows its own entry again.
    id: Uuid,
    /// xxh3 (64 bit, hexadecimal) of all lines before, and of the id.
    checksum: String,
}

/// How the last line of an entry begins that has one of these.
const BEGINS: &str = "{\"seal\":";
/// The last line of an entry of an older version.
const LAST_BEFORE: &str = "{\"commit_info\":";

/// Appends the last line.
pub(super) fn close(entry: &mut Vec<u8>) -> Result<()> {
    let id = Uuid::new_v4();
    let checksum = checksum(entry, id);
    serde_json::to_writer(&mut *entry, &Last::Seal(Seal { id, checksum }))
        .map_err(Error::internal)?;
    entry.push(b'\n');
    Ok(())
}

/// The lines of an entry without the last one, if they are those that were written; or why they are not.
pub(super) fn open(entry: &str) -> Result<&str, String> {
    let cut_off = || "the log entry is cut off".to_owned();
    let lines = entry.strip_suffix('\n').ok_or_else(cut_off)?;
    let start = lines.rfind('\n').map_or(0, |at| at + 1);
    let (before, last) = lines.split_at(start);
    if last.starts_with(LAST_BEFORE) {
        return Ok(entry);
    }
    if !last.starts_with(BEGINS) {
        return Err(cut_off());
    }
    let changed = || "the log entry is not what was written (its checksum differs)".to_owned();
    let seal: Last = serde_json::from_str(last).map_err(|_| changed())?;
    // To the letter: a number may be written in more than one way.
    let is_as_written = serde_json::to_string(&seal).is_ok_and(|written| written == last);
    let Last::Seal(Seal {
        id,
        checksum: known,
    }) = seal;
    match is_as_written && known == checksum(before.as_bytes(), id) {
        true => Ok(before),
        false => Err(changed()),
    }
}

fn checksum(lines: &[u8], id: Uuid) -> String {
    let mut hash = Xxh3::new();
    hash.update(lines);
    hash.update(id.as_bytes());
    format!("{:016x}", hash.digest())
}
