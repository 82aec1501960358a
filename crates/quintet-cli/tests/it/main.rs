//! The program from end to end: what users type, what they see, and how it ends.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod bench;
mod experiments;
mod exports;
mod flags;
mod formats;
mod groups;
mod ingest;
mod killed;
mod program;
mod refusals;
mod storage;
mod upkeep;
