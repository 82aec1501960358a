//! What the definitions of all insights share: how fields are read, which fields change no figure, and the builder's common words.

use crate::error::{Error, Result};
use crate::reader::{Field, Object, Path};
use crate::{DateRange, Interval};

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

/// Methods of every insight: which events it is about.
macro_rules! event_builders {
    () => {
        /// From and to, as absolute (`2024-01-31`) or relative (`-7d`, `mStart`) dates; no end is now.
        #[must_use]
        pub fn date_range(mut self, from: impl Into<String>, to: Option<&str>) -> Self {
            self.date_range = $crate::DateRange {
                date_from: Some(from.into()),
                date_to: to.map(str::to_owned),
                explicit: false,
            };
            self
        }

        /// Counts only events that satisfy this too, whatever they count for.
        #[must_use]
        pub fn filter(mut self, condition: $crate::filter::PropertyNode) -> Self {
            self.properties.and(condition);
            self
        }

        /// Leaves out the project's test accounts.
        #[must_use]
        pub fn without_test_accounts(mut self) -> Self {
            self.filter_test_accounts = true;
            self
        }

        /// What it asks of every event.
        pub(super) fn conditions(&self) -> $crate::series::Conditions<'_> {
            $crate::series::Conditions {
                properties: &self.properties,
                filter_test_accounts: self.filter_test_accounts,
            }
        }
    };
}

/// Methods of insights that cut their range into intervals.
macro_rules! interval_builders {
    () => {
        $crate::insight::event_builders!();

        /// Cuts time into buckets of this size.
        #[must_use]
        pub fn interval(mut self, interval: $crate::Interval) -> Self {
            self.interval = interval;
            self
        }

        /// True when [`Context::earliest`](crate::Context::earliest) is needed to resolve it: its range starts with the first event.
        pub fn needs_earliest(&self) -> bool {
            self.date_range.starts_with_first_event()
        }
    };
}

/// Methods of insights about series; `$node` is what these are.
macro_rules! series_builders {
    () => {
        $crate::insight::series_builders!($crate::series::SeriesNode);
    };
    ($node:ty) => {
        /// Adds a series.
        #[must_use]
        pub fn series(mut self, series: impl Into<$node>) -> Self {
            self.series.push(series.into());
            self
        }

        $crate::insight::interval_builders!();
    };
}

/// Methods of insights that can be broken down.
macro_rules! breakdown_builders {
    () => {
        /// Adds a property to break down by: one row per value. A single one gives plain values, several give lists.
        #[must_use]
        pub fn breakdown(mut self, property: $crate::breakdown::BreakdownProperty) -> Self {
            self.breakdown.add(property);
            self
        }

        /// Keeps a row of their own for this many values.
        #[must_use]
        pub fn breakdown_limit(mut self, limit: usize) -> Self {
            self.breakdown.limit = Some(limit);
            self
        }
    };
}

/// Methods of insights that can be broken down and compared.
macro_rules! breakdown_and_compare_builders {
    () => {
        $crate::insight::breakdown_builders!();

        /// Compares with the range before, or with the range this much earlier (`-1w`).
        #[must_use]
        pub fn compare(mut self, to: Option<&str>) -> Self {
            self.compare = $crate::compare::CompareFilter {
                compare: true,
                compare_to: to.map(str::to_owned),
            };
            self
        }
    };
}

pub(crate) use {
    breakdown_and_compare_builders, breakdown_builders, event_builders, interval_builders,
    series_builders,
};
