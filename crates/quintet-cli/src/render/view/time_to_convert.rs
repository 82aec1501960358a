//! Histograms of the time that conversions take.

use serde_json::Value;

use super::super::words::duration;
use super::json::{Object, list, number, objects, text};

/// The conversions of one period by the time they took. Times are seconds.
#[derive(Debug, PartialEq)]
pub(crate) struct TimeToConvert {
    /// `current` or `previous`, in a comparison.
    pub(crate) period: Option<String>,
    /// The shortest time of each bin.
    pub(crate) from: Vec<f64>,
    /// The conversions of each bin.
    pub(crate) counts: Vec<f64>,
    /// Not a number where nobody converted.
    pub(crate) average: f64,
    /// Not a number where nobody converted.
    pub(crate) median: f64,
}

impl TimeToConvert {
    /// The histogram of each period; nothing where the results are something else.
    pub(super) fn all_of(results: &Value) -> Option<Vec<Self>> {
        let periods = match results {
            Value::Object(only) => vec![only],
            several => objects(several).filter(|periods| !periods.is_empty())?,
        };
        periods.into_iter().map(Self::of).collect()
    }

    fn of(period: &Object) -> Option<Self> {
        let bins = period.get("bins")?.as_array()?;
        period.get("average_conversion_time")?;
        let side = |i: usize| {
            bins.iter()
                .map(|bin| number(list(Some(bin)).get(i)))
                .collect()
        };
        Some(Self {
            period: text(period, "compare_label"),
            from: side(0),
            counts: side(1),
            average: number(period.get("average_conversion_time")),
            median: number(period.get("median_conversion_time")),
        })
    }

    /// Mean and median in words.
    pub(crate) fn middle(&self) -> String {
        if self.average.is_finite() {
            let (mean, median) = (duration(self.average), duration(self.median));
            format!("mean {mean}, median {median}")
        } else {
            "nobody converted".into()
        }
    }

    /// The same with the period, if there are several.
    pub(crate) fn summary(&self) -> String {
        match &self.period {
            Some(period) => format!("{period}: {}", self.middle()),
            None => self.middle(),
        }
    }
}
