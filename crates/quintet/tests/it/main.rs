//! The engine from outside: what an embedding service relies on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod at_once;
mod dense;
mod dependencies;
mod embedding;
mod experiments;
mod exports;
mod fast_path;
mod flags;
mod flips;
mod funnels;
mod given_up;
mod groups;
mod limits;
mod loading;
mod oracle;
mod properties;
mod retention;
mod safety;
mod same_answers;
mod sample;
mod sql_by_group;
mod upkeep;
mod world;
