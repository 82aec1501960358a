//! The breakdown value of a figure, from the way rows show it to the way runs name it.
//!
//! Runs name a cohort by its position; the rest of a single cohort comes after it.

use std::sync::Arc;

use crate::breakdown::Breakdown;
use crate::error::{Error, Result};
use crate::filter::Cohort;
use crate::reader::Path;

use super::super::{Funnels, Viz};
use super::FunnelsActorsQuery;

/// The number that rows give to those who are not in the only cohort: 2^52.
const REST_OF_COHORT: &str = "4503599627370496";

impl FunnelsActorsQuery {
    pub(super) fn resolve_value(&self, funnels: &Funnels) -> Result<Option<Vec<String>>> {
        let path = Path::root().field("funnelStepBreakdown");
        let Some(value) = &self.breakdown else {
            return Ok(None);
        };
        let parts = match &funnels.breakdown {
            // Times to convert leave the breakdown aside, and so do lists of those behind them.
            None if matches!(funnels.viz, Viz::TimeToConvert { .. }) => return Ok(None),
            None => {
                return Err(Error::invalid(
                    &path,
                    "the query has no breakdown; leave it out",
                ));
            }
            Some(Breakdown::Properties { parts, .. }) => parts.len(),
            Some(Breakdown::Cohorts(_)) => 1,
        };
        if value.len() != parts {
            let reason = format!(
                "has {} values, but the query is broken down by {parts}",
                value.len()
            );
            return Err(Error::invalid(&path, reason));
        }
        match (&funnels.breakdown, value.as_slice()) {
            (Some(Breakdown::Cohorts(cohorts)), [cohort]) => {
                let position = cohort_position(cohorts, cohort).ok_or_else(|| {
                    Error::invalid(
                        &path,
                        format!("'{cohort}' is not the number of a cohort of the breakdown"),
                    )
                })?;
                Ok(Some(vec![position.to_string()]))
            }
            _ => Ok(Some(value.clone())),
        }
    }
}

/// Where the cohort of this number or name stands.
fn cohort_position(cohorts: &[Option<Arc<Cohort>>], asked: &str) -> Option<usize> {
    if let [Some(cohort)] = cohorts
        && is_rest_of(cohort, asked)
    {
        return Some(1);
    }
    let position = |is: fn(Option<&Cohort>, &str) -> bool| {
        cohorts
            .iter()
            .position(|cohort| is(cohort.as_deref(), asked))
    };
    position(has_number).or_else(|| position(has_name))
}

fn is_rest_of(cohort: &Cohort, asked: &str) -> bool {
    asked == REST_OF_COHORT || asked.strip_prefix("Not in ") == Some(&cohort.name)
}

fn has_number(cohort: Option<&Cohort>, asked: &str) -> bool {
    match cohort {
        Some(cohort) => cohort.id.to_string() == asked,
        None => asked == "0" || asked == "all",
    }
}

fn has_name(cohort: Option<&Cohort>, asked: &str) -> bool {
    match cohort {
        Some(cohort) => cohort.name == asked,
        None => asked == "all users",
    }
}
