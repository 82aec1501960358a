//! The language from outside: definitions that nobody means well with.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

mod fuzz;
mod hostile;
mod read;
