//! Welch's t test, two-sided. Rules: `spec/groups-and-ingestion.md` §6.2, "Frequentist".

use super::distributions::T;
use super::effect::level;
use super::{Compared, Difference, Error, Side};

/// How a test is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frequentist {
    /// What is tested to be 0.
    pub difference: Difference,
    /// How often an effect may be seen where there is none, between 0 and 1.
    pub alpha: f64,
}

/// What a test says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Test {
    /// The difference as it was measured.
    pub point_estimate: f64,
    /// Holds the true difference in all but `alpha` of experiments.
    pub confidence_interval: [f64; 2],
    /// How often so large a difference is seen where there is none.
    pub p_value: f64,
    /// The estimate in its standard errors.
    pub test_statistic: f64,
    /// By Welch and Satterthwaite, of the metric itself, whatever the difference.
    pub degrees_of_freedom: f64,
    /// Whether the p value is below `alpha`.
    pub is_significant: bool,
}

impl Default for Frequentist {
    fn default() -> Self {
        Self {
            difference: Difference::default(),
            alpha: 0.05,
        }
    }
}

impl Frequentist {
    /// Entities that a side has at least.
    pub const LEAST: u64 = 5;

    /// Tests two arms.
    ///
    /// # Errors
    /// Where a side has fewer than [`Self::LEAST`] entities, nothing varies, `alpha` is no level, or the control mean is not positive
    /// under a relative difference.
    pub fn test(&self, arms: &Compared) -> Result<Test, Error> {
        let alpha = level("alpha", self.alpha)?;
        let sides = [
            (Side::Treatment, arms.treatment.n),
            (Side::Control, arms.control.n),
        ];
        if let Some((side, n)) = sides.into_iter().find(|(_, n)| *n < Self::LEAST) {
            return Err(Error::TooFew { side, n });
        }
        let effect = arms.effect(self.difference)?;
        let error = effect.standard_error()?;
        let freedom = degrees_of_freedom(arms)?;
        let (t, statistic) = (T::new(freedom), effect.size / error);
        let p_value = (2.0 * t.tail(statistic.abs())).min(1.0);
        let reach = t.above(alpha / 2.0) * error;
        Ok(Test {
            point_estimate: effect.size,
            confidence_interval: [effect.size - reach, effect.size + reach],
            p_value,
            test_statistic: statistic,
            degrees_of_freedom: freedom,
            is_significant: p_value < alpha,
        })
    }
}

/// As many as one sample would have whose variance is known as well as that of the difference.
fn degrees_of_freedom(arms: &Compared) -> Result<f64, Error> {
    let (a, b) = (arms.treatment.of_mean(), arms.control.of_mean());
    // By the larger of the two, so that squares of small variances are not lost.
    let largest = a.max(b);
    let (a, b) = (a / largest, b / largest);
    let part = |share: f64, n: u64| share * share / (n - 1) as f64;
    let freedom = (a + b) * (a + b) / (part(a, arms.treatment.n) + part(b, arms.control.n));
    match freedom.is_finite() {
        true => Ok(freedom),
        false => Err(Error::NoVariance),
    }
}
