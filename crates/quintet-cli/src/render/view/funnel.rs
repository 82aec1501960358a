//! Funnels: how many reached each step.

use serde_json::Value;

use super::super::words::share;
use super::json::{Object, breakdown, have, heading, number, objects, text};

/// The steps of one breakdown value in one period.
#[derive(Debug, PartialEq)]
pub(crate) struct Funnel {
    /// The breakdown value.
    pub(crate) value: Option<String>,
    /// `current` or `previous`, in a comparison.
    pub(crate) period: Option<String>,
    pub(crate) steps: Vec<Step>,
}

/// One step. What is unknown is not a number.
#[derive(Debug, PartialEq)]
pub(crate) struct Step {
    pub(crate) name: String,
    /// Who reached it.
    pub(crate) count: f64,
    /// Who got no further so far and still may.
    pub(crate) pending: f64,
    /// Seconds from the step before, on average.
    pub(crate) average: f64,
    /// Seconds from the step before, in the middle.
    pub(crate) median: f64,
}

impl Funnel {
    /// The funnels of a list of steps, or of a list of such lists; nothing where the results are something else.
    pub(super) fn all_of(results: &Value) -> Option<Vec<Self>> {
        if let Some(rows) = steps(results) {
            let of_a_period =
                rows.chunk_by(|a, b| a.get("compare_label") == b.get("compare_label"));
            return Some(of_a_period.map(Self::of).collect());
        }
        let lists = results.as_array()?.iter();
        lists.map(|list| Some(Self::of(&steps(list)?))).collect()
    }

    fn of(rows: &[&Object]) -> Self {
        let of_first = |fact: fn(&Object) -> Option<String>| rows.first().and_then(|row| fact(row));
        Self {
            value: of_first(breakdown),
            period: of_first(|row| text(row, "compare_label")),
            steps: rows.iter().map(|row| Step::of(row)).collect(),
        }
    }

    /// What tells the funnel from the others.
    pub(crate) fn heading(&self) -> Option<String> {
        heading(self.value.as_deref(), self.period.as_deref())
    }

    /// The share of those at the first step that reached each step, in percent.
    pub(crate) fn of_first(&self) -> impl Iterator<Item = f64> {
        let first = self.steps.first().map_or(f64::NAN, |step| step.count);
        self.steps.iter().map(move |step| share(step.count, first))
    }

    /// The share of those at the step before that reached each step, in percent; no figure for the first.
    pub(crate) fn of_previous(&self) -> impl Iterator<Item = f64> {
        let before = self.steps.iter().map(|step| step.count);
        std::iter::once(f64::NAN)
            .chain(before)
            .zip(&self.steps)
            .map(|(before, step)| share(step.count, before))
    }
}

impl Step {
    fn of(row: &Object) -> Self {
        let own = |key| text(row, key).filter(|name| !name.is_empty());
        Self {
            name: own("custom_name")
                .or_else(|| own("name"))
                .unwrap_or_else(|| "any event".into()),
            count: number(row.get("count")),
            pending: number(row.get("pending")),
            average: number(row.get("average_conversion_time")),
            median: number(row.get("median_conversion_time")),
        }
    }
}

/// The rows of a list of steps.
fn steps(results: &Value) -> Option<Vec<&Object>> {
    objects(results).filter(|rows| have(rows, &["order", "count", "median_conversion_time"]))
}
