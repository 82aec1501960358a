//! Experiments from figures to conclusions: what is told of arms goes to `quintet_behavior::experiments`, what it says comes back in
//! the words of `quintet_query::experiments`.

use quintet_behavior::experiments as statistics;
use quintet_behavior::experiments::{Bounds, Compared, Totals};
use quintet_query::experiments::{
    Arm, Comparison, CovariedNode, CupedArm, Difference, Experiment, Method, Metric, RatioSums,
    Statistic, StatisticsQuestion, Sums, ValidationFailure, cuped_result, effect_result,
    statistics_result,
};
use serde_json::{Value, json};

use crate::plan::experiments::{Observed, Torn};
use crate::{Error, Result};

/// Fewer entities are no sample.
const LEAST_EXPOSURES: u64 = 50;
/// Fewer conversions say nothing.
const LEAST_CONVERSIONS: f64 = 5.0;

impl From<statistics::Error> for Error {
    fn from(error: statistics::Error) -> Self {
        match error {
            statistics::Error::CupedOfRatio { side } => Self::unsupported(
                &format!("CUPED of a ratio ({side}.type)"),
                "adjust its numerator or its denominator",
            ),
            other => Self::invalid(&other.place(), other),
        }
    }
}

/// The answer to a question that reads no events.
pub(crate) fn answer(question: &StatisticsQuestion) -> Result<Value> {
    Ok(match question {
        StatisticsQuestion::Statistics {
            method,
            treatment,
            control,
        } => {
            let arms = Compared::of(&told(treatment), &told(control))?;
            statistics_result(&judge(*method, &arms)?)
        }
        StatisticsQuestion::Effect {
            difference,
            treatment,
            control,
        } => {
            let arms = Compared::of(&told(treatment), &told(control))?;
            let effect = arms.effect(of(*difference))?;
            effect_result(effect.size, effect.variance)
        }
        StatisticsQuestion::Cuped { treatment, control } => {
            let cuped = statistics::Cuped::of(&covaried(treatment), &covaried(control))?;
            let arm = |arm: statistics::Adjusted| CupedArm {
                mean: arm.moments.mean,
                variance: arm.moments.variance,
                variance_reduction: arm.variance_reduction,
            };
            cuped_result(cuped.theta, arm(cuped.treatment), arm(cuped.control))
        }
    })
}

/// The arms of an experiment, in the order of its variants, judged against the baseline.
pub(crate) fn arms(experiment: &Experiment, observed: Observed) -> Vec<Arm> {
    let Observed {
        mut observations,
        step_counts,
    } = observed;
    if let Metric::Mean { bounds, .. } = &experiment.metric {
        let bounds = Bounds {
            lower: bounds.lower,
            upper: bounds.upper,
            ignore_zeros: bounds.ignore_zeros,
        };
        bounds.clip(&mut observations);
    }
    let totals = Totals::of(experiment.exposures.variants.len(), &observations);
    let arm = |(totals, step_counts): (&Totals, Vec<u64>)| {
        let figures = figures(&experiment.metric, totals);
        Arm {
            failures: failures(&experiment.metric, &figures),
            figures,
            step_counts,
            comparison: None,
        }
    };
    let mut arms: Vec<Arm> = totals.iter().zip(step_counts).map(arm).collect();
    let baseline = experiment.exposures.baseline;
    let Some(control) = arms.get_mut(baseline) else {
        return arms;
    };
    control
        .failures
        .extend(of_baseline(control, experiment.method));
    let control = control.clone();
    for (at, arm) in arms.iter_mut().enumerate() {
        if at != baseline && control.failures.is_empty() && arm.failures.is_empty() {
            compare(arm, &control, experiment.method);
        }
    }
    arms
}

/// What an arm says against the baseline, or why it says nothing.
fn compare(arm: &mut Arm, control: &Arm, method: Method) {
    let arms = Compared::of(&told(&arm.figures), &told(&control.figures));
    match arms.and_then(|arms| judge(method, &arms)) {
        Ok(comparison) => arm.comparison = Some(comparison),
        Err(_) => arm.failures.push(ValidationFailure::NoVariance),
    }
}

fn figures(metric: &Metric, totals: &Totals) -> Statistic {
    let sums = |sums: statistics::Sums| Sums {
        n: sums.n,
        sum: sums.sum,
        sum_squares: sums.sum_squares,
    };
    let all = sums(totals.sums());
    match metric {
        Metric::Mean { .. } => Statistic::Mean(all),
        Metric::Funnel { .. } | Metric::Retention { .. } => Statistic::Proportion {
            n: all.n,
            sum: all.sum,
        },
        Metric::Ratio { .. } => {
            let ratio = totals.ratio();
            Statistic::Ratio(RatioSums {
                n: ratio.n,
                numerator: sums(ratio.numerator),
                denominator: sums(ratio.denominator),
                sum_of_products: ratio.sum_of_products,
            })
        }
    }
}

/// Why an arm is not judged, whatever it is compared with.
fn failures(metric: &Metric, figures: &Statistic) -> Vec<ValidationFailure> {
    let mut failures = Vec::new();
    let (n, sum) = match figures {
        Statistic::Mean(Sums { n, sum, .. }) | Statistic::Proportion { n, sum } => (*n, *sum),
        Statistic::Ratio(ratio) => (ratio.n, ratio.numerator.sum),
    };
    if n < LEAST_EXPOSURES {
        failures.push(ValidationFailure::NotEnoughExposures);
    }
    let converts = matches!(metric, Metric::Funnel { .. } | Metric::Retention { .. });
    if converts && sum < LEAST_CONVERSIONS {
        failures.push(ValidationFailure::NotEnoughMetricData);
    }
    if matches!(figures, Statistic::Ratio(ratio) if n > 0 && ratio.denominator.sum == 0.0) {
        failures.push(ValidationFailure::DenominatorIsZero);
    }
    failures
}

/// Why nothing can be said relative to the baseline.
fn of_baseline(baseline: &Arm, method: Method) -> Option<ValidationFailure> {
    if method.difference() == Difference::Absolute {
        return None;
    }
    match told(&baseline.figures).moments().ok()?.mean {
        0.0 => Some(ValidationFailure::BaselineMeanIsZero),
        mean if mean < 0.0 => Some(ValidationFailure::BaselineMeanIsNegative),
        _ => None,
    }
}

/// What people are told whose flag gives variants to persons while they look at groups.
pub(crate) fn warning(torn: Torn) -> Value {
    let Torn { groups, of } = torn;
    json!({
        "code": "flag_not_aggregated_by_group",
        "message": format!(
            "{groups} of {of} groups were exposed to several variants though none of their persons was: the flag gives variants to \
             persons; let it aggregate by the same group type as this experiment, or look at persons"
        ),
    })
}

fn judge(method: Method, arms: &Compared) -> Result<Comparison, statistics::Error> {
    Ok(match method {
        Method::Frequentist { difference, alpha } => {
            let difference = of(difference);
            let test = statistics::Frequentist { difference, alpha }.test(arms)?;
            Comparison::Frequentist {
                point_estimate: test.point_estimate,
                confidence_interval: test.confidence_interval,
                p_value: test.p_value,
                test_statistic: test.test_statistic,
                degrees_of_freedom: test.degrees_of_freedom,
                is_significant: test.is_significant,
            }
        }
        Method::Bayesian {
            difference,
            level,
            prior,
            inverse,
        } => {
            let judged = statistics::Bayesian {
                difference: of(difference),
                level,
                prior: prior.map(|prior| statistics::Prior {
                    mean: prior.mean,
                    variance: prior.variance,
                }),
                inverse,
            };
            let posterior = judged.infer(arms)?;
            let loss = posterior.expected_loss;
            Comparison::Bayesian {
                effect_size: posterior.effect_size,
                credible_interval: posterior.credible_interval,
                chance_to_win: posterior.chance_to_win,
                expected_loss: [loss.treatment, loss.control],
                is_significant: posterior.is_significant,
            }
        }
    })
}

const fn of(difference: Difference) -> statistics::Difference {
    match difference {
        Difference::Relative => statistics::Difference::Relative,
        Difference::Absolute => statistics::Difference::Absolute,
    }
}

const fn summed(sums: &Sums) -> statistics::Sums {
    statistics::Sums {
        n: sums.n,
        sum: sums.sum,
        sum_squares: sums.sum_squares,
    }
}

const fn told(statistic: &Statistic) -> statistics::Statistic {
    match statistic {
        Statistic::Mean(sums) => statistics::Statistic::Mean(summed(sums)),
        Statistic::Proportion { n, sum } => statistics::Statistic::Proportion { n: *n, sum: *sum },
        Statistic::Ratio(ratio) => statistics::Statistic::Ratio(statistics::Ratio {
            n: ratio.n,
            numerator: summed(&ratio.numerator),
            denominator: summed(&ratio.denominator),
            sum_of_products: ratio.sum_of_products,
        }),
    }
}

const fn covaried(arm: &CovariedNode) -> statistics::Covaried {
    statistics::Covaried {
        metric: told(&arm.metric),
        covariate: told(&arm.covariate),
        sum_of_products: arm.sum_of_products,
    }
}
