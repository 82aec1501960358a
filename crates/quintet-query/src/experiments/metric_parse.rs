//! Reading a metric from JSON.

use crate::error::{Error, Result};
use crate::funnels::{Order, StepNode, UNITS};
use crate::insight::NODE_HARMLESS;
use crate::reader::{Field, Object};
use crate::series::{SeriesNode, data_warehouse};

use super::StartHandling;
use super::metric::{Clipping, ConversionWindow, Goal, MetricKind, MetricNode, RetentionNode};

/// Fields of a metric that only people and editors look at.
const METRIC_HARMLESS: &[&str] = &["uuid", "fingerprint", "isSharedMetric", "sharedMetricId"];

#[derive(Clone, Copy)]
enum Kind {
    Mean,
    Funnel,
    Ratio,
    Retention,
}

const KINDS: &[(&str, Kind)] = &[
    ("mean", Kind::Mean),
    ("funnel", Kind::Funnel),
    ("ratio", Kind::Ratio),
    ("retention", Kind::Retention),
];

impl MetricNode {
    pub(super) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        if let Some(kind) = object
            .get("kind")
            .filter(|kind| kind.value != "ExperimentMetric")
        {
            return Err(kind.invalid("must be ExperimentMetric"));
        }
        object.refuse(
            "breakdownFilter",
            "ask for one value at a time with `properties` of the metric's events",
        )?;
        let kind = match object.require("metric_type")?.one_of(KINDS)? {
            Kind::Mean => MetricKind::Mean {
                source: parse_source(&object.require("source")?)?,
                clipping: parse_clipping(&mut object)?,
            },
            Kind::Funnel => parse_funnel(&mut object)?,
            Kind::Ratio => MetricKind::Ratio {
                numerator: parse_source(&object.require("numerator")?)?,
                denominator: parse_source(&object.require("denominator")?)?,
            },
            Kind::Retention => MetricKind::Retention(parse_retention(&mut object)?),
        };
        let goals = [("increase", Goal::Increase), ("decrease", Goal::Decrease)];
        let metric = Self {
            name: object.text("name")?,
            goal: object.one_of("goal", &goals)?.unwrap_or_default(),
            window: parse_window(&mut object)?,
            kind,
        };
        object.finish(&[NODE_HARMLESS, METRIC_HARMLESS])?;
        Ok(metric)
    }
}

fn parse_source(field: &Field<'_>) -> Result<SeriesNode> {
    let kind = field.object()?.require("kind")?;
    match kind.value.as_str() {
        Some("ExperimentDataWarehouseNode") => Err(data_warehouse(&kind.path)),
        _ => SeriesNode::parse(field),
    }
}

fn parse_funnel(object: &mut Object<'_>) -> Result<MetricKind> {
    let steps = object.require("series")?.list()?;
    let orders = [
        ("ordered", Order::Ordered),
        ("unordered", Order::Unordered),
        ("strict", Order::Strict),
    ];
    let order = object.get("funnel_order_type");
    Ok(MetricKind::Funnel {
        series: steps.iter().map(StepNode::parse).collect::<Result<_>>()?,
        order: match order {
            Some(field) if *field.value == "strict" => return Err(strict(&field.path.to_string())),
            Some(field) => field.one_of(&orders)?,
            None => Order::default(),
        },
    })
}

/// Between exposure and goal other events always lie: further exposures among them.
pub(super) fn strict(place: &str) -> Error {
    Error::unsupported(
        format!("the order strict in an experiment ({place})"),
        "take ordered or unordered",
    )
}

fn parse_clipping(object: &mut Object<'_>) -> Result<Clipping> {
    let mut percentile = |name: &'static str| {
        let Some(field) = object.get(name) else {
            return Ok(None);
        };
        match field.number()? {
            share if (0.0..=1.0).contains(&share) => Ok(Some(share)),
            share => Err(field.invalid(format!(
                "must be a share between 0 and 1, not {share}; 0.95 is the 95th percentile"
            ))),
        }
    };
    let (lower, upper) = (
        percentile("lower_bound_percentile")?,
        percentile("upper_bound_percentile")?,
    );
    if lower.zip(upper).is_some_and(|(lower, upper)| lower > upper) {
        return Err(Error::invalid(
            &object.path.field("lower_bound_percentile"),
            "must not be above `upper_bound_percentile`",
        ));
    }
    Ok(Clipping {
        lower,
        upper,
        ignore_zeros: object.flag("ignore_zeros")?,
    })
}

fn parse_window(object: &mut Object<'_>) -> Result<Option<ConversionWindow>> {
    let length = object.get("conversion_window");
    let unit = object.one_of("conversion_window_unit", UNITS)?;
    let Some(field) = length else {
        return Ok(None);
    };
    match field.integer()? {
        length if length > 0 => Ok(Some(ConversionWindow {
            length,
            unit: unit.unwrap_or_default(),
        })),
        _ => Err(field.invalid("must be a whole number, 1 or more")),
    }
}

fn parse_retention(object: &mut Object<'_>) -> Result<RetentionNode> {
    let starts = [
        ("first_seen", StartHandling::FirstSeen),
        ("last_seen", StartHandling::LastSeen),
    ];
    let (from, to) = (
        object.require("retention_window_start")?,
        object.require("retention_window_end")?,
    );
    let (first, last) = (from.count()?, to.count()?);
    if first > last {
        return Err(from.invalid("must not be above `retention_window_end`"));
    }
    let units = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    Ok(RetentionNode {
        start: parse_source(&object.require("start_event")?)?,
        completion: parse_source(&object.require("completion_event")?)?,
        from: units(first),
        to: units(last),
        unit: object
            .one_of("retention_window_unit", UNITS)?
            .unwrap_or_default(),
        handling: object
            .one_of("start_handling", &starts)?
            .unwrap_or_default(),
    })
}
