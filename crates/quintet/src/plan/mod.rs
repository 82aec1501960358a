//! From validated insights to DataFusion plans.
//!
//! A plan reads like the specification: [`matching`] says which events count and what is known of them, [`trends`],
//! [`stickiness`] and [`lifecycle`] what is counted of them. No plan knows calendars, actions or definitions: those are resolved before.

mod actors;
mod breakdown;
mod filter;
pub(crate) mod lifecycle;
pub(crate) mod matching;
mod property;
pub(crate) mod stickiness;
pub(crate) mod trends;
pub(crate) mod trends_actors;

pub(crate) use filter::CohortMembership;

use crate::data::Data;
use crate::run::Run;
use matching::Matching;

/// Columns of intermediate results: position of a bucket, what tells actors apart, the number that is asked for.
const BUCKET: &str = "bucket";
const ACTOR: &str = "actor";
const FIGURE: &str = "figure";

/// What every plan reads from and runs with.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) data: &'a Data,
    pub(crate) cohorts: &'a CohortMembership,
    pub(crate) run: &'a Run,
}

impl<'a> Reading<'a> {
    /// All events, or a fixed share of the distinct ids.
    fn events(&self, share: Option<f64>) -> Matching<'a> {
        Matching::new(self.data, self.cohorts).sampled(share)
    }
}
