//! From validated insights to DataFusion plans.
//!
//! A plan reads like the specification: [`matching`] says which events count and what is known of them, [`trends`],
//! [`stickiness`], [`lifecycle`], [`funnels`], [`retention`], [`paths`] and [`experiments`] what is counted of them. No plan knows calendars, actions or definitions: those are resolved before.

mod actors;
pub(crate) mod breakdown;
pub(crate) mod experiments;
mod filter;
pub(crate) mod funnels;
pub(crate) mod groups;
pub(crate) mod lifecycle;
pub(crate) mod matching;
pub(crate) mod paths;
mod property;
pub(crate) mod retention;
mod sets;
pub(crate) mod stickiness;
pub(crate) mod trends;
pub(crate) mod trends_actors;

use quintet_query::filter::Filter;

use crate::Result;
use crate::data::Data;
use crate::run::Run;
use filter::CohortMembership;
use matching::Matching;

/// Columns of intermediate results: position of a bucket, what tells actors apart, the number that is asked for.
const BUCKET: &str = "bucket";
const ACTOR: &str = "actor";
const FIGURE: &str = "figure";

/// What every plan reads from and runs with.
pub(crate) struct Reading<'a> {
    data: &'a Data,
    run: &'a Run,
    cohorts: CohortMembership,
}

impl<'a> Reading<'a> {
    /// The data, with the listed cohorts of these filters looked up.
    pub(crate) async fn of<'f>(
        filters: impl IntoIterator<Item = &'f Filter>,
        data: &'a Data,
        run: &'a Run,
    ) -> Result<Self> {
        let cohorts = CohortMembership::of(filters, data, run).await?;
        Ok(Self { data, run, cohorts })
    }

    /// All events, or a fixed share of the distinct ids.
    pub(crate) fn events(&self, share: Option<f64>) -> Matching<'_> {
        Matching::new(self.data, &self.cohorts).sampled(share)
    }
}
