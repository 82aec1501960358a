//! The engine from outside: what an embedding service relies on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod dense;
mod dependencies;
mod embedding;
mod exports;
mod fast_path;
mod flags;
mod funnels;
mod groups;
mod loading;
mod oracle;
mod properties;
mod retention;
mod same_answers;
mod sample;
mod sql_by_group;
mod upkeep;
