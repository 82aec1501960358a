//! From the figures of arms to results. Pure: nothing is counted and nothing judged here.
//!
//! Rules: `spec/groups-and-ingestion.md` §6.1, "Result".

use serde_json::{Map, Value, json};

use crate::numbers::json_number;

use super::{Experiment, Exposures, Goal, RatioSums, Statistic};

/// The name of those that saw several variants.
pub const MULTIPLE: &str = "$multiple";

/// Why an arm is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidationFailure {
    /// It has fewer than 50 entities.
    NotEnoughExposures,
    /// Nothing can be relative to a baseline of 0.
    BaselineMeanIsZero,
    /// Nothing can be relative to a baseline below 0.
    BaselineMeanIsNegative,
    /// Fewer than 5 of its entities converted.
    NotEnoughMetricData,
    /// Its denominators come to 0.
    DenominatorIsZero,
    /// All values of both arms are the same.
    NoVariance,
}

impl ValidationFailure {
    /// Its wire name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotEnoughExposures => "not-enough-exposures",
            Self::BaselineMeanIsZero => "baseline-mean-is-zero",
            Self::BaselineMeanIsNegative => "baseline-mean-is-negative",
            Self::NotEnoughMetricData => "not-enough-metric-data",
            Self::DenominatorIsZero => "denominator-is-zero",
            Self::NoVariance => "no-variance",
        }
    }
}

/// What an arm came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Its sums.
    pub figures: ArmFigures,
    /// How many entities took each step of a funnel after the exposure; empty for other metrics.
    pub step_counts: Vec<u64>,
    /// Why it is not judged.
    pub failures: Vec<ValidationFailure>,
    /// What it says against the baseline; none of the baseline itself, and where either may not be judged.
    pub comparison: Option<Comparison>,
}

/// The sums of an arm.
pub type ArmFigures = Statistic;

/// What an arm says against another.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(
    missing_docs,
    reason = "each is its wire name; see `spec/groups-and-ingestion.md` section 6.2"
)]
pub enum Comparison {
    /// A test.
    Frequentist {
        point_estimate: f64,
        confidence_interval: [f64; 2],
        p_value: f64,
        test_statistic: f64,
        degrees_of_freedom: f64,
        is_significant: bool,
    },
    /// A posterior.
    Bayesian {
        effect_size: f64,
        credible_interval: [f64; 2],
        chance_to_win: f64,
        /// By taking the treatment, by staying with the control.
        expected_loss: [f64; 2],
        is_significant: bool,
    },
}

impl Comparison {
    fn fields(&self) -> Vec<(&'static str, Value)> {
        match self {
            Self::Frequentist {
                point_estimate,
                confidence_interval,
                p_value,
                test_statistic,
                degrees_of_freedom,
                ..
            } => vec![
                ("point_estimate", json!(point_estimate)),
                ("confidence_interval", json!(confidence_interval)),
                ("p_value", json!(p_value)),
                ("test_statistic", json!(test_statistic)),
                ("degrees_of_freedom", json!(degrees_of_freedom)),
            ],
            Self::Bayesian {
                effect_size,
                credible_interval,
                chance_to_win,
                expected_loss: [treatment, control],
                ..
            } => vec![
                ("effect_size", json!(effect_size)),
                ("credible_interval", json!(credible_interval)),
                ("chance_to_win", json!(chance_to_win)),
                (
                    "expected_loss",
                    json!({"treatment": treatment, "control": control}),
                ),
            ],
        }
    }

    const fn is_significant(&self) -> bool {
        match self {
            Self::Frequentist { is_significant, .. } | Self::Bayesian { is_significant, .. } => {
                *is_significant
            }
        }
    }
}

/// The result of an `ExperimentStatistics`.
pub fn statistics_result(comparison: &Comparison) -> Value {
    let mut result = object(comparison.fields());
    result.insert("is_significant".into(), comparison.is_significant().into());
    Value::Object(result)
}

/// The result of an `ExperimentEffect`.
pub fn effect_result(size: f64, variance: f64) -> Value {
    json!({"effect_size": size, "effect_variance": variance})
}

/// An arm adjusted by CUPED.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CupedArm {
    /// Its mean.
    pub mean: f64,
    /// The variance of one observation.
    pub variance: f64,
    /// Share of the variance that was taken off.
    pub variance_reduction: f64,
}

/// The result of an `ExperimentCuped`.
pub fn cuped_result(theta: f64, treatment: CupedArm, control: CupedArm) -> Value {
    json!({
        "theta": theta,
        "variance_reduction_treatment": treatment.variance_reduction,
        "variance_reduction_control": control.variance_reduction,
        "treatment_adjusted_mean": treatment.mean,
        "control_adjusted_mean": control.mean,
        "treatment_adjusted_variance": treatment.variance,
        "control_adjusted_variance": control.variance,
    })
}

/// The result of an `ExperimentQuery` from its arms, in the order of the variants.
pub fn result(experiment: &Experiment, arms: &[Arm]) -> Value {
    let exposures = &experiment.exposures;
    let (mut baseline, mut others) = (Value::Null, Vec::new());
    for (at, (key, arm)) in exposures.variants.iter().zip(arms).enumerate() {
        let row = row(key, arm, experiment);
        match at == exposures.baseline {
            true => baseline = row,
            false => others.push(row),
        }
    }
    json!({
        "kind": "ExperimentQuery",
        "metric": metric(experiment),
        "difference_type": experiment.method.difference().name(),
        "baseline": baseline,
        "variant_results": others,
    })
}

fn metric(experiment: &Experiment) -> Value {
    let mut metric = object([
        ("kind", json!("ExperimentMetric")),
        ("metric_type", json!(experiment.metric.name())),
    ]);
    if let Some(name) = &experiment.name {
        metric.insert("name".into(), json!(name));
    }
    let goal = match experiment.goal {
        Goal::Increase => "increase",
        Goal::Decrease => "decrease",
    };
    metric.insert("goal".into(), json!(goal));
    Value::Object(metric)
}

fn row(key: &str, arm: &Arm, experiment: &Experiment) -> Value {
    let mut row = object([("key", json!(key))]);
    row.extend(object(sums(&arm.figures)));
    if !arm.step_counts.is_empty() {
        row.insert("step_counts".into(), json!(arm.step_counts));
    }
    let failures: Vec<&str> = arm.failures.iter().map(|failure| failure.name()).collect();
    row.insert("validation_failures".into(), json!(failures));
    if let Some(comparison) = &arm.comparison {
        row.insert("method".into(), json!(experiment.method.name()));
        row.extend(object(comparison.fields()));
        row.insert("significant".into(), comparison.is_significant().into());
    }
    Value::Object(row)
}

/// Sums of squares of a proportion are its sums.
fn sums(figures: &Statistic) -> Vec<(&'static str, Value)> {
    let number = json_number;
    let (n, sum, sum_squares) = match figures {
        Statistic::Mean(sums) => (sums.n, sums.sum, sums.sum_squares),
        Statistic::Proportion { n, sum } => (*n, *sum, *sum),
        Statistic::Ratio(RatioSums { n, numerator, .. }) => {
            (*n, numerator.sum, numerator.sum_squares)
        }
    };
    let mut fields = vec![
        ("number_of_samples", json!(n)),
        ("sum", number(sum)),
        ("sum_squares", number(sum_squares)),
    ];
    if let Statistic::Ratio(ratio) = figures {
        fields.extend([
            ("denominator_sum", number(ratio.denominator.sum)),
            (
                "denominator_sum_squares",
                number(ratio.denominator.sum_squares),
            ),
            (
                "numerator_denominator_sum_product",
                number(ratio.sum_of_products),
            ),
        ]);
    }
    fields
}

/// How many entities were exposed to a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExposureFigures {
    /// The variant, or [`MULTIPLE`].
    pub variant: String,
    /// By the day of their first exposure, as [`Exposures::days`] has them.
    pub by_day: Vec<u64>,
}

/// The result of an `ExperimentExposureQuery`; days are added up.
pub fn exposures_result(exposures: &Exposures, figures: &[ExposureFigures]) -> Value {
    let days = &exposures.days.names;
    let mut total = Map::new();
    let mut series = Vec::new();
    for figure in figures {
        let mut so_far = 0;
        let counts = figure.by_day.iter().map(|of_day| {
            so_far += of_day;
            so_far
        });
        let counts: Vec<u64> = counts.collect();
        total.insert(figure.variant.clone(), json!(so_far));
        series.push(json!({"variant": figure.variant, "days": days, "exposure_counts": counts}));
    }
    json!({
        "kind": "ExperimentExposureQuery",
        "timeseries": series,
        "total_exposures": total,
        "date_range": {"date_from": days.first(), "date_to": days.last()},
    })
}

fn object(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Map<String, Value> {
    let fields = fields.into_iter();
    fields.map(|(key, value)| (key.to_owned(), value)).collect()
}
