//! Groups as a relation of their own, narrowed down by what is known of them.

use std::collections::BTreeSet;

use datafusion::prelude::DataFrame;
use quintet_functions::expr_fn::json_property;
use quintet_query::filter::Filter;
use quintet_store::schema;

use super::filter::{self, CohortMembership};
use super::property;
use crate::Result;
use crate::data::{Data, column};

/// The groups, given with their properties as JSON text, that satisfy a filter on properties of their own.
pub(crate) fn that(data: &Data, mut groups: DataFrame, filter: &Filter) -> Result<DataFrame> {
    let mut wanted = BTreeSet::new();
    filter::wanted(filter, &mut wanted, &mut false);
    for property in wanted.iter().map(|wanted| &wanted.0) {
        let value = json_property(column(schema::PROPERTIES), &property.key);
        groups = groups.with_column(&property::joined_column(property), value)?;
    }
    let condition = filter::expr(data, &CohortMembership::default(), filter)?;
    Ok(groups.filter(condition)?)
}
