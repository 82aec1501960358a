//! The engine from outside: what an embedding service relies on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod dependencies;
mod embedding;
mod groups;
mod oracle;
mod properties;
mod same_answers;
mod sample;
