//! Reading a `FunnelsQuery` from JSON. Rules: `spec/funnels.md` section 1, `spec/funnels-more.md` section 1.

use chrono::Weekday;

use crate::breakdown::BreakdownFilter;
use crate::compare::CompareFilter;
use crate::error::Result;
use crate::insight::{
    DISPLAY_HARMLESS, EDITOR_HARMLESS, NODE_HARMLESS, parse_group_type, parse_interval,
};
use crate::reader::{Field, Object};
use crate::{DateRange, funnels::window};

use super::{Attribution, ExclusionNode, FunnelsQuery, Order, StepNode, VizType, Window};

/// Fields of `funnelsFilter` that only change how a chart is drawn.
const FUNNELS_HARMLESS: &[&str] = &[
    "breakdownSorting",
    "funnelStepReference",
    "hiddenLegendBreakdowns",
    "layout",
    "useUdf",
];

const ORDERS: &[(&str, Order)] = &[
    ("ordered", Order::Ordered),
    ("strict", Order::Strict),
    ("unordered", Order::Unordered),
];

const VIZ_TYPES: &[(&str, VizType)] = &[
    ("steps", VizType::Steps),
    ("flow", VizType::Flow),
    ("trends", VizType::Trends),
    ("time_to_convert", VizType::TimeToConvert),
];

const MOST_BINS: i64 = 90;

impl FunnelsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let mut query = Self {
            series: object
                .list("series")?
                .iter()
                .map(StepNode::parse)
                .collect::<Result<_>>()?,
            interval: parse_interval(&mut object)?,
            group_type: parse_group_type(&mut object)?,
            breakdown: BreakdownFilter::parse_field_of_funnel(&mut object)?,
            compare: CompareFilter::parse_field(&mut object)?,
            ..Self::default()
        };
        query.parse_conditions(&mut object)?;
        if let Some(range) = object.object("dateRange")? {
            query.parse_date_range(range)?;
        }
        if let Some(filter) = object.object("funnelsFilter")? {
            query.parse_funnels_filter(filter)?;
        }
        object.finish(&[NODE_HARMLESS, EDITOR_HARMLESS])?;
        Ok(query)
    }

    fn parse_date_range(&mut self, mut object: Object<'_>) -> Result<()> {
        self.date_range = DateRange::parse_fields(&mut object)?;
        self.days_of_week = object
            .list("daysOfWeek")?
            .iter()
            .map(parse_weekday)
            .collect::<Result<_>>()?;
        object.finish(&[])
    }

    fn parse_funnels_filter(&mut self, mut object: Object<'_>) -> Result<()> {
        self.refuse_expressions(&mut object)?;
        self.order = object
            .one_of("funnelOrderType", ORDERS)?
            .unwrap_or_default();
        self.viz = object
            .one_of("funnelVizType", VIZ_TYPES)?
            .unwrap_or_default();
        self.window = parse_window(&mut object)?;
        self.exclusions = object
            .list("exclusions")?
            .iter()
            .map(ExclusionNode::parse)
            .collect::<Result<_>>()?;
        self.from_step = object.count("funnelFromStep")?;
        self.to_step = object.count("funnelToStep")?;
        self.bins = parse_bins(&mut object)?;
        self.hide_incomplete_periods = object.flag("hideIncompleteConversionWindowPeriods")?;
        self.attribution = parse_attribution(&mut object)?;
        self.simultaneity_ms = object
            .count("simultaneityWindowMs")?
            .map(|length| length as u64);
        self.complete_after_range = object.flag("funnelCompleteAfterDateRange")?;
        self.show_pending = object.flag("funnelShowPending")?;
        object.finish(&[DISPLAY_HARMLESS, FUNNELS_HARMLESS])
    }

    /// An expression says whose path is followed, but a group type goes before it.
    fn refuse_expressions(&self, object: &mut Object<'_>) -> Result<()> {
        let expression = object.get("funnelAggregateByHogQL");
        if self.group_type.is_some() || expression.is_none_or(|field| field.value == "") {
            return Ok(());
        }
        object.refuse(
            "funnelAggregateByHogQL",
            "follow persons, or groups with `aggregation_group_type_index`",
        )
    }
}

/// Monday is 1 and Sunday 7.
fn parse_weekday(field: &Field<'_>) -> Result<Weekday> {
    let from_monday = field.integer()?.checked_sub(1);
    from_monday
        .and_then(|days| u8::try_from(days).ok())
        .and_then(|days| Weekday::try_from(days).ok())
        .ok_or_else(|| field.invalid("must be a day of the week, 1 (Monday) to 7 (Sunday)"))
}

fn parse_window(object: &mut Object<'_>) -> Result<Window> {
    let default = Window::default();
    let length = object.integer("funnelWindowInterval")?;
    let unit = object.one_of("funnelWindowIntervalUnit", window::UNITS)?;
    Ok(Window {
        length: length.unwrap_or(default.length),
        unit: unit.unwrap_or(default.unit),
    })
}

fn parse_bins(object: &mut Object<'_>) -> Result<Option<u32>> {
    let Some(field) = object.get("binCount").filter(|field| field.value != "auto") else {
        return Ok(None);
    };
    Ok(u32::try_from(field.integer()?.clamp(1, MOST_BINS)).ok())
}

fn parse_attribution(object: &mut Object<'_>) -> Result<Attribution> {
    let step = object
        .get("breakdownAttributionValue")
        .filter(|field| field.value != "");
    let kind = object.one_of(
        "breakdownAttributionType",
        &[
            ("first_touch", Attribution::FirstTouch),
            ("last_touch", Attribution::LastTouch),
            ("all_events", Attribution::AllEvents),
            ("step", Attribution::Step(0)),
        ],
    )?;
    match (kind, step) {
        (Some(Attribution::Step(_)), Some(step)) => Ok(Attribution::Step(step.count()?)),
        (kind, _) => Ok(kind.unwrap_or_default()),
    }
}
