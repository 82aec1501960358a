//! Checkpoints: the sum of all log entries up to one of them, so that opening a store does not take longer with every load.
//! They are shortcuts only: the entries stay, and a checkpoint that is damaged is passed over.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::state::{LogState, Sum};
use super::{FOLDER, Protocol, version_of};
use crate::error::{Error, Result};
use crate::files::parquet::checksum;
use crate::location::Location;

/// A checkpoint is written with every so manieth commit: at most so many entries are read to open a store.
const EVERY: u64 = 64;
const SUFFIX: &str = ".checkpoint.json";

/// The first line; the second one is the state.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    protocol: u32,
    /// xxh3 (64 bit, hexadecimal) of the second line.
    checksum: String,
}

pub(super) fn path(version: u64) -> String {
    format!("{FOLDER}/{version:020}{SUFFIX}")
}

/// The version that a file of the log sums up, if it is a checkpoint.
pub(super) fn version(path: &str) -> Option<u64> {
    version_of(path, SUFFIX)
}

/// Writes the checkpoint of a version that is due for one. One that cannot be written is not missed.
pub(crate) async fn write_if_due(location: &Location, state: &LogState) {
    if state.version == 0 || !state.version.is_multiple_of(EVERY) {
        return;
    }
    let written = match encode(state) {
        Ok(bytes) => location.create(&path(state.version), bytes).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(()) | Err(Error::Conflict(_)) => {}
        Err(error) => tracing::warn!(version = state.version, %error, "no checkpoint was written"),
    }
}

/// The state that a checkpoint holds.
pub(super) async fn read(location: &Location, version: u64) -> Result<LogState> {
    let path = path(version);
    decode(&location.show(&path), &location.read(&path).await?)
}

pub(super) fn encode(state: &LogState) -> Result<Bytes> {
    let sum = serde_json::to_string(&Sum::from(state)).map_err(Error::internal)?;
    let header = Header {
        protocol: Protocol::CURRENT,
        checksum: checksum(sum.as_bytes()),
    };
    let header = serde_json::to_string(&header).map_err(Error::internal)?;
    Ok(Bytes::from(format!("{header}\n{sum}\n")))
}

pub(super) fn decode(file: &str, bytes: &[u8]) -> Result<LogState> {
    let damaged = |reason: &dyn ToString| Error::corrupt(file, reason.to_string());
    let text = std::str::from_utf8(bytes).map_err(|e| damaged(&e))?;
    let (header, sum) = text
        .strip_suffix('\n')
        .and_then(|text| text.split_once('\n'))
        .ok_or_else(|| damaged(&"the checkpoint is cut off"))?;
    let header: Header = serde_json::from_str(header).map_err(|e| damaged(&e))?;
    if header.protocol != Protocol::CURRENT || header.checksum != checksum(sum.as_bytes()) {
        return Err(damaged(&"its content is not what was written"));
    }
    let sum: Sum = serde_json::from_str(sum).map_err(|e| damaged(&e))?;
    let state = LogState::from(sum);
    match state.all_files().iter().all(|file| file.is_in_place()) {
        true => Ok(state),
        false => Err(damaged(&"it names what is no file of the store")),
    }
}
