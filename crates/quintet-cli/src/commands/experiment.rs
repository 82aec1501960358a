//! `quintet experiment`: who was exposed to which variant, and what became of them.

use quintet::query::Query as Asked;

use super::{query, text};
use crate::arguments::{Limits, Query};
use crate::failure::{Failure, Result};

/// As `quintet query`, of experiments only.
pub(super) async fn run(arguments: Query, limits: Limits) -> Result<()> {
    let definition = text(&arguments.definition)?;
    match Asked::parse(&definition).map_err(quintet::Error::from)? {
        Asked::Experiment(_) | Asked::ExperimentExposures(_) | Asked::ExperimentStatistics(_) => {
            query::ask(&definition, arguments, limits).await
        }
        _ => Err(Failure::invalid(
            "kind",
            "this is no experiment; ask it with `quintet query`",
        )),
    }
}
