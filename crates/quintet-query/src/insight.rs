//! What the definitions of all insights share: how fields are read, which fields change no figure, and the builder's common words.

use crate::error::{Error, Result};
use crate::reader::{Field, Object, Path};
use crate::series::Actor;
use crate::{Context, DateRange, GroupType, Interval};

mod builders;

pub(crate) use builders::{
    breakdown_and_compare_builders, breakdown_builders, event_builders, group_builders,
    interval_builders, series_builders,
};

/// Fields of any node that only people and editors look at.
pub(crate) const NODE_HARMLESS: &[&str] = &[
    "kind",
    "name",
    "custom_name",
    "tags",
    "version",
    "modifiers",
    "response",
];

/// Fields of a question for actors that only say what else an editor shows of them.
pub(crate) const ACTORS_HARMLESS: &[&str] = &["includeRecordings"];

/// Fields of an insight that only change how it is coloured or opened.
pub(crate) const EDITOR_HARMLESS: &[&str] = &["dataColorTheme", "hidePersonsModal"];

/// Fields of an insight's own filter that only change how a chart is drawn.
pub(crate) const DISPLAY_HARMLESS: &[&str] = &[
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

const INTERVALS: &[(&str, Interval)] = &[
    ("minute", Interval::Minute),
    ("hour", Interval::Hour),
    ("day", Interval::Day),
    ("week", Interval::Week),
    ("month", Interval::Month),
    ("quarter", Interval::Quarter),
];

pub(crate) fn parse_interval(object: &mut Object<'_>) -> Result<Interval> {
    match object.get("interval") {
        Some(field) if *field.value == "second" => Err(Error::unsupported(
            "the interval second",
            "take minute, or ask with SQL",
        )),
        Some(field) => field.one_of(INTERVALS),
        None => Ok(Interval::default()),
    }
}

pub(crate) fn parse_date_range(object: &mut Object<'_>) -> Result<DateRange> {
    match object.get("dateRange") {
        Some(range) => DateRange::parse(&range),
        None => Ok(DateRange::default()),
    }
}

/// Name of the field that says which groups are followed.
const GROUP_TYPE: &str = "aggregation_group_type_index";

/// The group type whose groups are followed; persons without.
pub(crate) fn parse_group_type(object: &mut Object<'_>) -> Result<Option<GroupType>> {
    object
        .get(GROUP_TYPE)
        .map(|field| GroupType::parse(&field))
        .transpose()
}

/// Who is followed: groups of this type, persons without.
pub(crate) fn followed(group_type: Option<&GroupType>, context: &Context) -> Result<Actor> {
    match group_type {
        Some(group_type) => {
            let path = Path::root().field(GROUP_TYPE);
            group_type.resolve(context, &path).map(Actor::Group)
        }
        None => Ok(Actor::Person),
    }
}

/// Reads the query that another is about, which must be of this kind.
pub(crate) fn parse_source<T>(
    source: &Field<'_>,
    expected: &str,
    parse: impl FnOnce(&Field<'_>) -> Result<T>,
) -> Result<T> {
    let kind = source.object()?.require("kind")?;
    match kind.text()? {
        found if found == expected => parse(source),
        other => Err(kind.invalid(format!("must be {expected}, not '{other}'"))),
    }
}

pub(crate) fn at_least_one_series(series: usize) -> Result<()> {
    if series == 0 {
        return Err(Error::invalid(
            &Path::root().field("series"),
            "must hold at least one series",
        ));
    }
    Ok(())
}

/// The series at the position that an actors query names.
pub(crate) fn the_series<T>(series: Vec<T>, position: usize) -> Result<T> {
    let asked = series.len();
    series.into_iter().nth(position).ok_or_else(|| {
        Error::invalid(
            &Path::root().field("series"),
            format!("there is no series {position}; the query has {asked}, counted from 0"),
        )
    })
}

/// Refuses the position of a series in an actors query about an insight that has but one figure for all of them.
pub(crate) fn refuse_series(object: &mut Object<'_>, why: &str) -> Result<()> {
    match object.get("series").filter(|field| *field.value != 0) {
        Some(series) => Err(series.invalid(format!("must be 0 or left out: {why}"))),
        None => Ok(()),
    }
}

/// A share of ids as asked for, where 0 is an empty sample. A share of 1 reads everything.
pub(crate) fn sampling(factor: Option<f64>) -> Result<Option<f64>> {
    match factor {
        Some(factor) if (0.0..=1.0).contains(&factor) => {
            Ok(Some(factor).filter(|factor| *factor < 1.0))
        }
        Some(factor) => Err(Error::invalid(
            &Path::root().field("samplingFactor"),
            format!("must be a share between 0 and 1, not {factor}"),
        )),
        None => Ok(None),
    }
}

/// As [`sampling`], of figures that are scaled back: those of an empty sample cannot be.
pub(crate) fn sampling_to_scale(factor: Option<f64>) -> Result<Option<f64>> {
    match sampling(factor)? {
        Some(0.0) => Err(Error::invalid(
            &Path::root().field("samplingFactor"),
            "must be above 0",
        )),
        share => Ok(share),
    }
}
