//! Reading a `StickinessQuery` from JSON. Rules: `spec/stickiness.md` sections 1 and 7.

use crate::breakdown::BreakdownFilter;
use crate::compare::CompareFilter;
use crate::error::Result;
use crate::insight::{
    DISPLAY_HARMLESS, EDITOR_HARMLESS, NODE_HARMLESS, parse_date_range, parse_interval,
};
use crate::reader::{Field, Object};
use crate::series::parse_series;

use super::{Bound, StickinessQuery, bound};

impl StickinessQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        object.refuse(
            "aggregation_group_type_index",
            "give each series the math unique_group and its math_group_type_index",
        )?;
        let mut query = Self {
            series: parse_series(&mut object)?,
            interval: parse_interval(&mut object)?,
            interval_count: object
                .get("intervalCount")
                .map(|field| parse_interval_count(&field))
                .transpose()?,
            date_range: parse_date_range(&mut object)?,
            breakdown: BreakdownFilter::parse_field(&mut object)?,
            compare: CompareFilter::parse_field(&mut object)?,
            ..Self::default()
        };
        query.parse_conditions(&mut object)?;
        if let Some(filter) = object.object("stickinessFilter")? {
            query.parse_stickiness_filter(filter)?;
        }
        object.finish(&[NODE_HARMLESS, EDITOR_HARMLESS])?;
        Ok(query)
    }

    fn parse_stickiness_filter(&mut self, mut object: Object<'_>) -> Result<()> {
        if let Some(criteria) = object.object("stickinessCriteria")? {
            self.criterion = parse_criteria(criteria)?;
        }
        self.cumulative = object
            .one_of(
                "computedAs",
                &[("non_cumulative", false), ("cumulative", true)],
            )?
            .unwrap_or(false);
        object.finish(&[DISPLAY_HARMLESS, &["display"]])
    }
}

fn parse_interval_count(field: &Field<'_>) -> Result<u32> {
    u32::try_from(field.integer()?).map_err(|_| super::resolve::wrong_interval_count(&field.path))
}

fn parse_criteria(mut object: Object<'_>) -> Result<Bound> {
    let comparison = object.require("operator")?.one_of(bound::WIRE_NAMES)?;
    let value = object.require("value")?.count()?;
    object.finish(&[])?;
    Ok(Bound::new(comparison, value as u64))
}
