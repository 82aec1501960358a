//! CUPED: what was known of entities before the experiment explains a part of their variance, which is taken off.
//! Rules: `spec/groups-and-ingestion.md` §6.2, "CUPED" (controlled experiments using pre-experiment data, Deng et al. 2013).

use super::statistic::covariance;
use super::{Compared, Error, Moments, Side, Statistic, Sums};

/// A covariate that varies less explains nothing.
const CONSTANT: f64 = 1e-10;

/// An arm with what was known of it before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Covaried {
    /// What is measured.
    pub metric: Statistic,
    /// What was known of the same entities before.
    pub covariate: Statistic,
    /// Of each entity's metric times its covariate.
    pub sum_of_products: f64,
}

/// Two arms adjusted by one factor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cuped {
    /// By how much the metric grows with the covariate.
    pub theta: f64,
    /// The arm that is judged.
    pub treatment: Adjusted,
    /// The arm that it is judged against.
    pub control: Adjusted,
}

/// An adjusted arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Adjusted {
    /// To go on with.
    pub moments: Moments,
    /// Share of the variance that was taken off; below 0 where some was added.
    pub variance_reduction: f64,
}

/// An arm as it is computed with.
struct Arm {
    metric: Sums,
    covariate: Sums,
    moments: Moments,
    covariate_variance: f64,
    sum_of_products: f64,
}

impl Cuped {
    /// Adjusts two arms.
    ///
    /// # Errors
    /// Where metric and covariate are of different entities or types, of a ratio, or told wrong.
    pub fn of(treatment: &Covaried, control: &Covaried) -> Result<Self, Error> {
        Compared::of(&treatment.metric, &control.metric)?;
        let treatment = Arm::of(treatment, Side::Treatment)?;
        let control = Arm::of(control, Side::Control)?;
        let theta = theta(&treatment, &control);
        let adjusted = Self {
            theta,
            treatment: treatment.adjusted(theta),
            control: control.adjusted(theta),
        };
        let figures = [adjusted.treatment, adjusted.control]
            .map(|arm| arm.moments.mean + arm.moments.variance + arm.variance_reduction);
        match figures.iter().all(|figure| figure.is_finite()) {
            true => Ok(adjusted),
            false => Err(Error::OutOfRange),
        }
    }

    /// The adjusted arms, to be compared as any others.
    pub fn arms(&self) -> Compared {
        Compared {
            treatment: self.treatment.moments,
            control: self.control.moments,
        }
    }
}

/// Over the entities of both arms together.
fn theta(one: &Arm, other: &Arm) -> f64 {
    let n = one.metric.n + other.metric.n;
    let known = Sums {
        n,
        sum: one.covariate.sum + other.covariate.sum,
        sum_squares: one.covariate.sum_squares + other.covariate.sum_squares,
    };
    let variance = covariance(n, known.sum_squares, known.sum, known.sum);
    if variance < CONSTANT {
        return 0.0;
    }
    let products = one.sum_of_products + other.sum_of_products;
    covariance(n, products, one.metric.sum + other.metric.sum, known.sum) / variance
}

impl Arm {
    fn of(arm: &Covaried, side: Side) -> Result<Self, Error> {
        let (Some(metric), Some(covariate)) = (arm.metric.sums(), arm.covariate.sums()) else {
            return Err(Error::CupedOfRatio { side });
        };
        if metric.n != covariate.n {
            return Err(Error::CovariateCount {
                side,
                metric: metric.n,
                covariate: covariate.n,
            });
        }
        let of_covariate = arm.covariate.moments();
        Ok(Self {
            metric,
            covariate,
            moments: arm.metric.moments_of(side)?,
            covariate_variance: of_covariate
                .map_err(|problem| Error::Covariate { side, problem })?
                .variance,
            sum_of_products: arm.sum_of_products,
        })
    }

    fn adjusted(&self, theta: f64) -> Adjusted {
        let Moments { n, mean, variance } = self.moments;
        let explained = covariance(n, self.sum_of_products, self.metric.sum, self.covariate.sum);
        let left = variance + theta * theta * self.covariate_variance - 2.0 * theta * explained;
        let left = left.max(0.0);
        Adjusted {
            moments: Moments {
                n,
                mean: mean - theta * self.covariate.sum / n as f64,
                variance: left,
            },
            variance_reduction: match variance > 0.0 {
                true => 1.0 - left / variance,
                false => 0.0,
            },
        }
    }
}
