//! The breakdown value of a figure, from the way rows show it to the way runs name it.

use crate::breakdown::Breakdown;
use crate::error::{Error, Result};
use crate::reader::Path;

use super::super::{Funnels, Viz, cohorts};
use super::FunnelsActorsQuery;

impl FunnelsActorsQuery {
    pub(super) fn resolve_value(&self, funnels: &Funnels) -> Result<Option<Vec<String>>> {
        let Some(value) = &self.breakdown else {
            return Ok(None);
        };
        let refused = |reason: String| {
            let path = Path::root().field("funnelStepBreakdown");
            Err(Error::invalid(&path, reason))
        };
        let parts = match (&funnels.breakdown, value.as_slice()) {
            // Times to convert leave the breakdown aside, and so do lists of those behind them.
            (None, _) if matches!(funnels.viz, Viz::TimeToConvert { .. }) => return Ok(None),
            (None, _) => return refused("the query has no breakdown; leave it out".to_owned()),
            (Some(Breakdown::Cohorts(all)), [cohort]) => {
                return match cohorts::position(all, cohort) {
                    Some(position) => Ok(Some(vec![position.to_string()])),
                    None => refused(format!(
                        "'{cohort}' is not the number of a cohort of the breakdown"
                    )),
                };
            }
            (Some(Breakdown::Cohorts(_)), _) => 1,
            (Some(Breakdown::Properties { parts, .. }), _) => parts.len(),
        };
        if value.len() != parts {
            return refused(format!(
                "has {} values, but the query is broken down by {parts}",
                value.len()
            ));
        }
        Ok(Some(value.clone()))
    }
}
