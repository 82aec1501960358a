//! What one actor's events mean, from outside: random histories against slow, plain models of the notes.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod experiments;
mod flags;
mod funnel;
mod fuzz;
