//! From validated insights to DataFusion plans.
//!
//! A plan reads like the specification: [`matching`] says which events count and what is known of them, [`trends`] what is
//! counted of them. No plan knows calendars, actions or definitions: those are resolved before.

mod filter;
pub(crate) mod matching;
mod property;
pub(crate) mod trends;
pub(crate) mod trends_actors;

pub(crate) use filter::CohortMembership;
