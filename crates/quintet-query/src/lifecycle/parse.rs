//! Reading a `LifecycleQuery` from JSON. Rules: `spec/lifecycle.md` sections 1 and 5.

use crate::error::Result;
use crate::insight::{
    DISPLAY_HARMLESS, EDITOR_HARMLESS, NODE_HARMLESS, parse_date_range, parse_interval,
};
use crate::reader::{Field, Object};
use crate::series::parse_series;

use super::LifecycleQuery;
use super::resolve::by_group;

/// Fields of `lifecycleFilter` that only change how a chart is drawn: all four statuses are always returned.
const LIFECYCLE_HARMLESS: &[&str] = &["display", "stacked", "toggledLifecycles"];

impl LifecycleQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        refuse_what_lifecycle_has_not(&mut object)?;
        let mut query = Self {
            series: parse_series(&mut object)?,
            interval: parse_interval(&mut object)?,
            date_range: parse_date_range(&mut object)?,
            ..Self::default()
        };
        query.parse_conditions(&mut object)?;
        if let Some(filter) = object.object("lifecycleFilter")? {
            filter.finish(&[DISPLAY_HARMLESS, LIFECYCLE_HARMLESS])?;
        }
        object.finish(&[NODE_HARMLESS, EDITOR_HARMLESS])?;
        Ok(query)
    }
}

fn refuse_what_lifecycle_has_not(object: &mut Object<'_>) -> Result<()> {
    if let Some(field) = object.get("aggregation_group_type_index") {
        return Err(by_group(&field.path));
    }
    object.refuse(
        "customAggregationTarget",
        "leave it out: it is not supported without a data warehouse series",
    )?;
    object.refuse(
        "breakdownFilter",
        "ask for one value at a time with `properties`",
    )?;
    if let Some(mut compare) = object.object("compareFilter")? {
        compare.refuse("compare", "ask for the earlier range with `dateRange`")?;
    }
    object.refuse("intervalCount", "take a larger `interval`")
}
