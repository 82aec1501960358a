//! What property values, operators and one actor's events mean.
//!
//! Pure functions, free of Arrow and DataFusion: quick to compile, quick to test, pleasant to read.
//! `quintet-functions` feeds columns to them; a service may call them on single values.
//!
//! - [`property`]: a JSON property as text or number, and the operators that compare it.
//! - [`experiments`]: what two arms of an experiment say of each other.
//! - [`figures`]: aggregates that are defined over a handful of numbers, such as sliding windows.
//! - [`flags`]: what a feature flag is to a person and its groups.
//! - [`funnel`]: how far an actor came in a sequence of steps.
//! - [`lifecycle`]: what an interval is to an actor, new, returning, resurrecting or dormant.
//! - [`masks`]: in which periods every actor was active, as bits over dense ids.
//! - [`paths`]: the steps that a person takes one after another.
//! - [`retention`]: which cohorts an actor belongs to, and when it comes back.
//! - [`stickiness`]: in how many intervals an actor was active.

pub mod experiments;
pub mod figures;
pub mod flags;
pub mod funnel;
pub mod lifecycle;
pub mod masks;
pub mod paths;
pub mod property;
pub mod retention;
pub mod stickiness;
