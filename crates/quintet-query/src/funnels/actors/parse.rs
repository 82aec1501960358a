//! Reading a `FunnelsActorsQuery` from JSON.

use serde_json::Value;

use crate::error::Result;
use crate::insight::{ACTORS_HARMLESS, NODE_HARMLESS, parse_source};
use crate::reader::{Field, value_text};
use crate::{ActorsPage, compare};

use super::{FunnelsActorsQuery, FunnelsQuery};

/// How many actors PostHog lists where nothing is said.
const USUAL_PAGE: usize = 100;

impl FunnelsActorsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            source: parse_source(
                &object.require("source")?,
                "FunnelsQuery",
                FunnelsQuery::parse,
            )?,
            step: object.integer("funnelStep")?,
            breakdown: object
                .get("funnelStepBreakdown")
                .map(|field| parse_value(&field))
                .transpose()?,
            drop_off: object
                .get("funnelTrendsDropOff")
                .map(|field| field.flag())
                .transpose()?,
            entrance_period_start: object.filled_text("funnelTrendsEntrancePeriodStart")?,
            previous: compare::parse_previous(&mut object)?,
            pending: object.flag("funnelPending")?,
            page: ActorsPage::default(),
        };
        object.refuse("funnelCustomSteps", "name one step with `funnelStep`")?;
        object.finish(&[NODE_HARMLESS, ACTORS_HARMLESS])?;
        Ok(query.on_page(ActorsPage::default()))
    }

    /// The same with this page of the list, or the first hundred where it has no end.
    pub(crate) fn on_page(self, page: ActorsPage) -> Self {
        Self {
            page: usual_page(page),
            ..self
        }
    }
}

/// The page, of at most a hundred rows where it does not say how many.
pub(crate) fn usual_page(page: ActorsPage) -> ActorsPage {
    ActorsPage {
        limit: page.limit.or(Some(USUAL_PAGE)),
        ..page
    }
}

/// A single value is a list of one.
fn parse_value(field: &Field<'_>) -> Result<Vec<String>> {
    match field.value {
        Value::Array(items) => Ok(items.iter().map(part_text).collect()),
        Value::Object(_) => {
            Err(field.invalid("must be a value as rows show it, or a list of them"))
        }
        other => Ok(vec![part_text(other)]),
    }
}

/// A part as runs name it: a missing one is empty, and a number without a fraction has no point.
fn part_text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if !number.is_i64() && float.fract() == 0.0 => format!("{float:.0}"),
            _ => number.to_string(),
        },
        other => value_text(other),
    }
}
