//! Reading a `RetentionQuery` from JSON. Rules: `spec/retention.md` section 1.

use crate::Interval;
use crate::breakdown::BreakdownFilter;
use crate::error::Result;
use crate::filter::{PropertyNode, PropertyScope};
use crate::insight::{
    DISPLAY_HARMLESS, EDITOR_HARMLESS, NODE_HARMLESS, parse_date_range, parse_group_type,
};
use crate::reader::{Field, Object};
use crate::series::{ActionsNode, EventsNode, MathProperty, SeriesNode, data_warehouse};

use super::{Aggregate, Measure, Reference, RetentionQuery, Starts, columns};

const PERIODS: &[(&str, Interval)] = &[
    ("Hour", Interval::Hour),
    ("Day", Interval::Day),
    ("Week", Interval::Week),
    ("Month", Interval::Month),
    ("hour", Interval::Hour),
    ("day", Interval::Day),
    ("week", Interval::Week),
    ("month", Interval::Month),
];

const TYPES: &[(&str, Starts)] = &[
    ("retention_recurring", Starts::Recurring),
    ("retention_first_time", Starts::FirstTime),
    ("retention_first_ever_occurrence", Starts::FirstEver),
];

/// Fields of a retention filter that only charts look at.
const RETENTION_HARMLESS: &[&str] = &[
    "customAggregationTarget",
    "dashboardDisplay",
    "display",
    "meanRetentionCalculation",
    "selectedInterval",
];

impl RetentionQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let mut query = Self {
            group_type: parse_group_type(&mut object)?,
            date_range: parse_date_range(&mut object)?,
            breakdown: BreakdownFilter::parse_field(&mut object)?,
            ..Self::default()
        };
        query.parse_conditions(&mut object)?;
        query.parse_filter(object.require("retentionFilter")?.object()?)?;
        object.finish(&[NODE_HARMLESS, EDITOR_HARMLESS])?;
        Ok(query)
    }

    fn parse_filter(&mut self, mut object: Object<'_>) -> Result<()> {
        if let Some(target) = object.get("targetEntity") {
            self.target = parse_entity(&target)?;
        }
        if let Some(returning) = object.get("returningEntity") {
            self.returning = parse_entity(&returning)?;
        }
        self.starts = object.one_of("retentionType", TYPES)?.unwrap_or_default();
        self.interval = object.one_of("period", PERIODS)?.unwrap_or_default();
        self.total_intervals = object.count("totalIntervals")?;
        self.brackets = object
            .list("retentionCustomBrackets")?
            .iter()
            .map(parse_bracket)
            .collect::<Result<_>>()?;
        self.cumulative = object.flag("cumulative")?;
        if let Some(minimum) = object.count("minimumOccurrences")? {
            self.minimum_occurrences = minimum as u64;
        }
        self.rolling = object
            .one_of(
                "timeWindowMode",
                &[("strict_calendar_dates", false), ("24_hour_windows", true)],
            )?
            .unwrap_or(false);
        self.aggregate = parse_aggregate(&mut object)?;
        self.reference = object
            .one_of(
                "retentionReference",
                &[
                    ("total", Reference::Total),
                    ("previous", Reference::Previous),
                ],
            )?
            .unwrap_or_default();
        object.finish(&[DISPLAY_HARMLESS, RETENTION_HARMLESS])
    }
}

/// Reads what starts a cohort or counts as coming back. Without an id it is every event.
fn parse_entity(field: &Field<'_>) -> Result<SeriesNode> {
    let mut object = field.object()?;
    let kind = object.get("type");
    let id = object.get("id");
    let mut entity = match kind.as_ref().map(Field::text).transpose()?.as_deref() {
        Some("actions") => ActionsNode::new(object.require("id")?.integer()?),
        Some("data_warehouse") => return Err(data_warehouse(&field.path)),
        None | Some("events") => match id.map(|id| id.text()).transpose()? {
            Some(event) if !event.is_empty() => EventsNode::new(event),
            _ => EventsNode::all(),
        },
        Some(other) => {
            let path = field.path.field("type");
            return Err(Field::new(path, field.value)
                .invalid(format!("'{other}' must be one of events, actions")));
        }
    };
    entity.name = object.text("name")?;
    entity.custom_name = object.text("custom_name")?;
    entity.properties = PropertyNode::parse_field(&mut object, "properties")?;
    object.finish(&[NODE_HARMLESS, &["order", "uuid"]])?;
    Ok(entity)
}

/// A whole number of periods; what stands behind the point is cut off.
fn parse_bracket(field: &Field<'_>) -> Result<usize> {
    let size = field.number()?.trunc();
    if (1.0..=columns::MOST as f64).contains(&size) {
        Ok(size as usize)
    } else {
        Err(columns::wrong_bracket(&field.path))
    }
}

/// Nothing is aggregated unless both a measure and a property are named.
fn parse_aggregate(object: &mut Object<'_>) -> Result<Option<Aggregate>> {
    let measure = object
        .one_of(
            "aggregationType",
            &[
                ("count", None),
                ("sum", Some(Measure::Sum)),
                ("avg", Some(Measure::Average)),
            ],
        )?
        .flatten();
    let key = object.filled_text("aggregationProperty")?;
    let of_person = object
        .one_of(
            "aggregationPropertyType",
            &[("event", false), ("person", true)],
        )?
        .unwrap_or(false);
    let scope = if of_person {
        PropertyScope::Person
    } else {
        PropertyScope::Event
    };
    Ok(measure.zip(key).map(|(measure, key)| Aggregate {
        measure,
        property: MathProperty { scope, key },
    }))
}
