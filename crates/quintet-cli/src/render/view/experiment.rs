//! The arms of an experiment, and what each says against the baseline.

use serde_json::Value;

use super::super::words::Unit;
use super::json::{Object, list, number, objects, text};

/// An experiment.
#[derive(Debug, PartialEq)]
pub(crate) struct Experiment {
    /// What the mean of an arm is called.
    pub(crate) measured: &'static str,
    /// What means are measured in: shares in percent.
    pub(crate) unit: Unit,
    /// What effects are measured in: those relative to the baseline in percent.
    pub(crate) effect_unit: Unit,
    /// The baseline first.
    pub(crate) arms: Vec<Arm>,
}

/// One arm. What is not known is not a number.
#[derive(Debug, PartialEq)]
pub(crate) struct Arm {
    pub(crate) name: String,
    pub(crate) entities: f64,
    pub(crate) mean: f64,
    pub(crate) effect: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// The chance to win, or the p value.
    pub(crate) chance: Option<(Chance, f64)>,
    /// What is to be known of it in words.
    pub(crate) verdict: String,
}

/// What the certainty of an effect is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chance {
    /// The probability that the arm is better than the baseline.
    ToWin,
    /// How often so large an effect is seen where there is none.
    PValue,
}

impl Experiment {
    /// Nothing where the results are something else.
    pub(super) fn of(results: &Value) -> Option<Self> {
        let baseline = results.get("baseline")?.as_object()?;
        let others = objects(results.get("variant_results")?)?;
        let metric = results.get("metric")?.get("metric_type")?.as_str()?;
        let is_relative = results.get("difference_type")? == "relative";
        let (measured, unit) = match metric {
            "funnel" => ("conversion", Unit::Percent),
            "retention" => ("retention", Unit::Percent),
            "ratio" => ("ratio", Unit::Plain),
            _ => ("mean", Unit::Plain),
        };
        let scale = |unit| if unit == Unit::Percent { 100.0 } else { 1.0 };
        let effect_unit = if is_relative { Unit::Percent } else { unit };
        let arm = |row| Arm::of(row, scale(unit), scale(effect_unit));
        Some(Self {
            measured,
            unit,
            effect_unit,
            arms: std::iter::once(baseline).chain(others).map(arm).collect(),
        })
    }

    /// How certainty is measured, if any arm was judged.
    pub(crate) fn chance(&self) -> Option<Chance> {
        self.arms
            .iter()
            .find_map(|arm| arm.chance)
            .map(|(chance, _)| chance)
    }
}

impl Arm {
    fn of(row: &Object, scale: f64, of_effect: f64) -> Self {
        let [entities, sum] = ["number_of_samples", "sum"].map(|key| number(row.get(key)));
        let divisor = row
            .get("denominator_sum")
            .map_or(entities, |sum| number(Some(sum)));
        let bounds = list(
            row.get("credible_interval")
                .or(row.get("confidence_interval")),
        );
        let effect = number(row.get("effect_size").or(row.get("point_estimate")));
        let [low, high] = [0, 1].map(|at| number(bounds.get(at)) * of_effect);
        let chance = |key, chance| row.get(key).map(|value| (chance, number(Some(value))));
        Self {
            name: text(row, "key").unwrap_or_default(),
            entities,
            mean: if divisor == 0.0 {
                f64::NAN
            } else {
                sum / divisor * scale
            },
            effect: effect * of_effect,
            low,
            high,
            chance: chance("chance_to_win", Chance::ToWin)
                .or_else(|| chance("p_value", Chance::PValue)),
            verdict: verdict(row),
        }
    }
}

fn verdict(row: &Object) -> String {
    let failures = list(row.get("validation_failures")).iter();
    let failures: Vec<&str> = failures.filter_map(Value::as_str).collect();
    match row.get("significant").and_then(Value::as_bool) {
        Some(true) => "significant".into(),
        Some(false) => "not significant".into(),
        None => failures.join(", "),
    }
}
