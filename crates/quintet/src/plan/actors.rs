//! What lists of actors have in common: how an actor is named, what restricts a figure, and the order of the list.

use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::prelude::{DataFrame, lit};
use quintet_functions::expr_fn::normalize_url;
use quintet_query::filter::Property;
use quintet_query::trends::Actor;
use quintet_store::schema;

use super::matching::Matching;
use crate::Result;
use crate::actors::{DISTINCT_ID, EVENT_COUNT, REAL_KEY};
use crate::data::{Data, column};

/// What names an actor even where nothing else is known of it: aggregates over its events.
pub(super) fn identity(actor: Actor) -> Vec<Expr> {
    vec![
        min(column(Data::key_column(actor))).alias(REAL_KEY),
        min(column(schema::DISTINCT_ID)).alias(DISTINCT_ID),
    ]
}

/// The numeric bins and normalised URLs that a figure is restricted to, as a condition.
pub(super) fn restriction(
    bins: &[(Property, f64, f64)],
    urls: &[(Property, String)],
    events: &mut Matching<'_>,
) -> Result<Expr> {
    let mut conditions = vec![lit(true)];
    for (property, from, to) in bins {
        let number = events.number(property)?;
        conditions.push(number.clone().gt_eq(lit(*from)).and(number.lt(lit(*to))));
    }
    for (property, url) in urls {
        conditions.push(normalize_url(events.text(property)?).eq(lit(url.as_str())));
    }
    Ok(conjunction(conditions).unwrap_or_else(|| lit(true)))
}

/// By number of events, the most active first unless `ascending`, then by key.
pub(super) fn ranked(actors: DataFrame, ascending: bool) -> Result<DataFrame> {
    let by_events = column(EVENT_COUNT).sort(ascending, false);
    Ok(actors.sort(vec![by_events, column(REAL_KEY).sort(true, false)])?)
}
