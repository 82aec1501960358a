//! A normal posterior of the effect. Rules: `spec/groups-and-ingestion.md` §6.2, "Bayesian".

use super::distributions::{normal_above, normal_below, normal_density};
use super::effect::level;
use super::{Compared, Difference, Effect, Error};

/// What is held to be likely before the experiment: a normal distribution of the effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prior {
    /// Its mean.
    pub mean: f64,
    /// Its variance, above 0.
    pub variance: f64,
}

/// How effects are judged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bayesian {
    /// What is judged.
    pub difference: Difference,
    /// How likely the interval holds the effect, between 0 and 1.
    pub level: f64,
    /// None says nothing: every effect is as likely as any other.
    pub prior: Option<Prior>,
    /// Less is better.
    pub inverse: bool,
}

/// What is likely after the experiment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Posterior {
    /// The mean of the effect.
    pub effect_size: f64,
    /// Holds the effect with the probability asked for, as likely below it as above.
    pub credible_interval: [f64; 2],
    /// The probability that the treatment is better.
    pub chance_to_win: f64,
    /// What is lost on average by a choice that turns out wrong.
    pub expected_loss: ExpectedLoss,
    /// Whether 0 lies outside of the interval.
    pub is_significant: bool,
}

/// What is lost on average by a choice that turns out wrong, in the unit of the effect.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExpectedLoss {
    /// By taking the treatment.
    pub treatment: f64,
    /// By staying with the control.
    pub control: f64,
}

impl Default for Bayesian {
    fn default() -> Self {
        Self {
            difference: Difference::default(),
            level: 0.95,
            prior: None,
            inverse: false,
        }
    }
}

impl Bayesian {
    /// Judges two arms.
    ///
    /// # Errors
    /// Where nothing varies, the level or the prior is none, or the control mean is not positive under a relative difference.
    pub fn infer(&self, arms: &Compared) -> Result<Posterior, Error> {
        let level = level("ci_level", self.level)?;
        let Effect { size, variance } = self.posterior(arms.effect(self.difference)?)?;
        let deviation = Effect { size, variance }.standard_error()?;
        let reach = normal_above((1.0 - level) / 2.0) * deviation;
        let interval = [size - reach, size + reach];
        let scaled = size / deviation;
        let gained = |towards: f64| {
            // The mean of a normal distribution cut off at 0, times the probability of what is left of it.
            let gain = towards * size * normal_below(towards * scaled)
                + deviation * normal_density(scaled);
            gain.max(0.0)
        };
        let better = if self.inverse { -1.0 } else { 1.0 };
        Ok(Posterior {
            effect_size: size,
            credible_interval: interval,
            chance_to_win: normal_below(better * scaled),
            expected_loss: ExpectedLoss {
                treatment: gained(-better),
                control: gained(better),
            },
            is_significant: interval[0] > 0.0 || interval[1] < 0.0,
        })
    }

    /// Prior and effect, each by its precision.
    fn posterior(&self, effect: Effect) -> Result<Effect, Error> {
        let Some(prior) = self.prior else {
            return Ok(effect);
        };
        if !(prior.mean.is_finite() && prior.variance.is_finite() && prior.variance > 0.0) {
            return Err(Error::Prior);
        }
        effect.standard_error()?;
        let (known, seen) = (1.0 / prior.variance, 1.0 / effect.variance);
        let precision = known + seen;
        let size = (prior.mean * known + effect.size * seen) / precision;
        match size.is_finite() {
            true => Ok(Effect {
                size,
                variance: 1.0 / precision,
            }),
            false => Err(Error::OutOfRange),
        }
    }
}
