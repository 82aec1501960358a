//! What goes with converting, and what with dropping off.

use serde_json::Value;

use super::json::{Object, number, objects, text};

/// Events or properties against the outcome of a funnel.
#[derive(Debug, PartialEq)]
pub(crate) struct Correlation {
    pub(crate) rows: Vec<Correlated>,
    /// One outcome is so much rarer than the other that the odds say little.
    pub(crate) skewed: bool,
}

/// One event or property.
#[derive(Debug, PartialEq)]
pub(crate) struct Correlated {
    pub(crate) name: String,
    /// Those with it that converted.
    pub(crate) converted: f64,
    /// Those with it that did not.
    pub(crate) dropped: f64,
    /// How many times the odds of converting are with it what they are without.
    pub(crate) odds: f64,
    /// The outcome that it goes with: `success` or `failure`.
    pub(crate) goes_with: String,
}

impl Correlation {
    /// Nothing where the results are something else.
    pub(super) fn of(results: &Value) -> Option<Self> {
        let skewed = results.get("skewed")?.as_bool()?;
        let rows = objects(results.get("events")?)?;
        Some(Self {
            rows: rows.into_iter().map(Correlated::of).collect(),
            skewed,
        })
    }

    /// What a reader must know of skewed outcomes.
    pub(crate) fn warning(&self) -> Option<&'static str> {
        const SKEWED: &str = "skewed: one outcome is so rare that these odds say little";
        self.skewed.then_some(SKEWED)
    }
}

impl Correlated {
    fn of(row: &Object) -> Self {
        let event = row.get("event").and_then(Value::as_object);
        Self {
            name: event
                .and_then(|event| text(event, "event"))
                .unwrap_or_default(),
            converted: number(row.get("success_count")),
            dropped: number(row.get("failure_count")),
            odds: number(row.get("odds_ratio")),
            goes_with: text(row, "correlation_type").unwrap_or_default(),
        }
    }
}
