//! Benches only; see `contributions.rs`.
