//! Reading a `TrendsQuery` from JSON. Rules: `spec/trends.md` sections 1 and 4.

mod breakdown;

use serde_json::Value;

use crate::error::{Error, Result};
use crate::filter::{PropertyNode, PropertyScope};
use crate::reader::{Field, Object, Path};
use crate::{DateRange, GroupType, Interval};

pub(super) use breakdown::at_most_three;

use super::query::{
    BreakdownFilter, CompareFilter, FormulaNode, MathProperty, SeriesNode, SeriesSource,
    TrendsQuery,
};
use super::{display, math};

const INTERVALS: &[(&str, Interval)] = &[
    ("minute", Interval::Minute),
    ("hour", Interval::Hour),
    ("day", Interval::Day),
    ("week", Interval::Week),
    ("month", Interval::Month),
    ("quarter", Interval::Quarter),
];

/// Fields of any node that only people and editors look at.
pub(super) const NODE_HARMLESS: &[&str] = &[
    "kind",
    "name",
    "custom_name",
    "tags",
    "version",
    "modifiers",
    "response",
];

/// Fields of a trend that do not change its figures. The group type of the query as a whole is one of them: series say theirs.
const QUERY_HARMLESS: &[&str] = &[
    "aggregation_group_type_index",
    "dataColorTheme",
    "hidePersonsModal",
];

/// Fields of a series that other insights or editors use.
const SERIES_HARMLESS: &[&str] = &[
    "optionalInFunnel",
    "orderBy",
    "limit",
    "uuid",
    "order",
    "type",
];

/// Fields of `trendsFilter` that only change how a chart is drawn.
const DISPLAY_HARMLESS: &[&str] = &[
    "aggregationAxisFormat",
    "aggregationAxisPostfix",
    "aggregationAxisPrefix",
    "breakdown_histogram_bin_count",
    "confidenceLevel",
    "decimalPlaces",
    "detailedResultsAggregationType",
    "goalLines",
    "hiddenLegendIndexes",
    "hidden_legend_indexes",
    "hideWeekends",
    "minDecimalPlaces",
    "movingAverageIntervals",
    "resultCustomizationBy",
    "resultCustomizations",
    "showAlertThresholdLines",
    "showConfidenceIntervals",
    "showLabelsOnSeries",
    "showLegend",
    "showMovingAverage",
    "showMultipleYAxes",
    "showPercentStackView",
    "showTrendLines",
    "showValuesOnSeries",
    "show_legend",
    "show_values_on_series",
    "xAxisLabel",
    "yAxisLabel",
    "yAxisScaleType",
    "yAxisFloor",
];

impl TrendsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        refuse(
            &mut object,
            "conversionGoal",
            "leave it out: it belongs to web analytics",
        )?;
        let mut query = Self {
            series: object
                .list("series")?
                .iter()
                .map(SeriesNode::parse)
                .collect::<Result<_>>()?,
            interval: parse_interval(&mut object)?,
            date_range: match object.get("dateRange") {
                Some(range) => DateRange::parse(&range)?,
                None => DateRange::default(),
            },
            properties: PropertyNode::parse_field(&mut object, "properties")?,
            filter_test_accounts: object.flag("filterTestAccounts")?,
            sampling_factor: object.number("samplingFactor")?,
            ..Self::default()
        };
        if let Some(filter) = object.object("trendsFilter")? {
            query.parse_trends_filter(filter)?;
        }
        if let Some(filter) = object.object("breakdownFilter")? {
            query.breakdown = BreakdownFilter::parse(filter)?;
        }
        if let Some(filter) = object.object("compareFilter")? {
            query.compare = CompareFilter::parse(filter)?;
        }
        object.finish(&[NODE_HARMLESS, QUERY_HARMLESS])?;
        Ok(query)
    }

    fn parse_trends_filter(&mut self, mut object: Object<'_>) -> Result<()> {
        refuse(
            &mut object,
            "excludeIncompletePeriods",
            "end the range with `date_to`",
        )?;
        self.display = object
            .one_of("display", display::WIRE_NAMES)?
            .unwrap_or_default();
        self.smoothing_intervals = object.count("smoothingIntervals")?.unwrap_or(1);
        self.formulas = parse_formulas(&mut object)?;
        object.finish(&[DISPLAY_HARMLESS])
    }
}

/// Refuses a switch that would change the figures. Off or absent it does nothing.
fn refuse(object: &mut Object<'_>, name: &'static str, instead: &str) -> Result<()> {
    match object.get(name) {
        Some(field) if *field.value != Value::Bool(false) => Err(Error::unsupported(
            format!("the field `{}`", field.path),
            instead,
        )),
        _ => Ok(()),
    }
}

fn parse_interval(object: &mut Object<'_>) -> Result<Interval> {
    match object.get("interval") {
        Some(field) if *field.value == "second" => Err(Error::unsupported(
            "the interval second",
            "take minute, or ask with SQL",
        )),
        Some(field) => field.one_of(INTERVALS),
        None => Ok(Interval::default()),
    }
}

/// `formulaNodes` goes before `formulas`, and that before `formula`; empty ones do not count.
fn parse_formulas(object: &mut Object<'_>) -> Result<Vec<FormulaNode>> {
    let nodes: Vec<FormulaNode> = object
        .list("formulaNodes")?
        .iter()
        .map(FormulaNode::parse)
        .collect::<Result<_>>()?;
    let texts: Vec<String> = object
        .list("formulas")?
        .iter()
        .map(Field::text)
        .collect::<Result<_>>()?;
    let single = object.text("formula")?;
    let chosen = if !nodes.is_empty() {
        nodes
    } else if !texts.is_empty() {
        texts.into_iter().map(FormulaNode::from).collect()
    } else {
        single.into_iter().map(FormulaNode::from).collect()
    };
    Ok(chosen
        .into_iter()
        .filter(|node| !node.formula.trim().is_empty())
        .collect())
}

impl From<String> for FormulaNode {
    fn from(formula: String) -> Self {
        Self {
            formula,
            custom_name: None,
        }
    }
}

impl FormulaNode {
    fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let node = Self {
            formula: object.require("formula")?.text()?,
            custom_name: object.text("custom_name")?,
        };
        object.finish(&[])?;
        Ok(node)
    }
}

impl SeriesNode {
    fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        refuse(&mut object, "math_hogql", "ask with SQL")?;
        refuse(
            &mut object,
            "math_property_revenue_currency",
            "store the amount in one currency as a property of its own",
        )?;
        let mut series = Self::new(parse_source(&mut object)?);
        series.name = object.text("name")?;
        series.custom_name = object.text("custom_name")?;
        series.properties = PropertyNode::parse_field(&mut object, "properties")?;
        let fixed = PropertyNode::parse_field(&mut object, "fixedProperties")?;
        if fixed != PropertyNode::default() {
            series.properties.and(fixed);
        }
        series.parse_math(&mut object)?;
        object.finish(&[NODE_HARMLESS, SERIES_HARMLESS])?;
        Ok(series)
    }

    fn parse_math(&mut self, object: &mut Object<'_>) -> Result<()> {
        self.math = match object.get("math") {
            Some(field) if *field.value == "hogql" => {
                return Err(Error::unsupported(
                    format!("the math hogql ({})", field.path),
                    "take a math over a property, or ask with SQL",
                ));
            }
            Some(field) => field.one_of(math::WIRE_NAMES)?,
            None => super::Math::default(),
        };
        self.math_group_type = object
            .get("math_group_type_index")
            .map(|field| GroupType::parse(&field))
            .transpose()?;
        self.math_multiplier = object.number("math_multiplier")?;
        self.math_property = parse_math_property(object)?;
        Ok(())
    }
}

fn parse_math_property(object: &mut Object<'_>) -> Result<Option<MathProperty>> {
    let key = object.text("math_property")?.filter(|key| !key.is_empty());
    let Some(field) = object.get("math_property_type") else {
        return Ok(key.map(|key| MathProperty {
            scope: PropertyScope::Event,
            key,
        }));
    };
    if field.value == "data_warehouse_properties" {
        return Err(data_warehouse(&field.path));
    }
    const EVENT: usize = 0;
    const PERSON: usize = 1;
    const SESSION: usize = 2;
    let scope = match field.one_of(&[
        ("event_properties", EVENT),
        ("numerical_event_properties", EVENT),
        ("event", EVENT),
        ("person_properties", PERSON),
        ("person", PERSON),
        ("session_properties", SESSION),
        ("session", SESSION),
    ])? {
        PERSON => PropertyScope::Person,
        SESSION => PropertyScope::Session,
        _ => PropertyScope::Event,
    };
    Ok(key.map(|key| MathProperty { scope, key }))
}

fn parse_source(object: &mut Object<'_>) -> Result<SeriesSource> {
    let kind = object.require("kind")?;
    match kind.text()?.as_str() {
        "EventsNode" => Ok(SeriesSource::Event(
            object.text("event")?.filter(|event| !event.is_empty()),
        )),
        "ActionsNode" => Ok(SeriesSource::Action(object.require("id")?.integer()?)),
        "DataWarehouseNode" => Err(data_warehouse(&kind.path)),
        "GroupNode" => Err(Error::unsupported(
            format!("a GroupNode ({})", kind.path),
            "define an action with one step for each of its events",
        )),
        other => Err(kind.invalid(format!("'{other}' must be one of EventsNode, ActionsNode"))),
    }
}

fn data_warehouse(path: &Path) -> Error {
    Error::unsupported(
        format!("the data warehouse ({path})"),
        "load the rows as events, or ask with SQL",
    )
}

impl CompareFilter {
    fn parse(mut object: Object<'_>) -> Result<Self> {
        let filter = Self {
            compare: object.flag("compare")?,
            compare_to: object
                .text("compare_to")?
                .filter(|text| !text.trim().is_empty()),
        };
        object.finish(&[])?;
        Ok(filter)
    }
}
