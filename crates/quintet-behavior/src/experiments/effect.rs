//! The difference of two arms. Rules: `spec/groups-and-ingestion.md` §6.2, "Effect".

use super::{Error, Moments, Side, Statistic};

/// How two means are set against each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Difference {
    /// By how much of the control mean: 0.1 is ten percent more.
    #[default]
    Relative,
    /// By how much, in the unit of the metric.
    Absolute,
}

/// Two arms of one type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Compared {
    /// What is judged.
    pub treatment: Moments,
    /// What it is judged against.
    pub control: Moments,
}

/// A difference as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effect {
    /// Treatment against control.
    pub size: f64,
    /// The variance of that estimate.
    pub variance: f64,
}

impl Compared {
    /// Two arms.
    ///
    /// # Errors
    /// Where they are of different types, or one of them is told wrong.
    pub fn of(treatment: &Statistic, control: &Statistic) -> Result<Self, Error> {
        let arms = Self {
            treatment: treatment.moments_of(Side::Treatment)?,
            control: control.moments_of(Side::Control)?,
        };
        match (treatment.name(), control.name()) {
            (one, other) if one == other => Ok(arms),
            (treatment, control) => Err(Error::Types { treatment, control }),
        }
    }

    /// Their difference. The two arms are independent; of a relative difference the variance is that of the delta method.
    ///
    /// # Errors
    /// A relative difference needs a control mean above 0.
    pub fn effect(&self, difference: Difference) -> Result<Effect, Error> {
        let Self { treatment, control } = self;
        let by = treatment.mean - control.mean;
        let effect = match difference {
            Difference::Absolute => Effect {
                size: by,
                variance: treatment.of_mean() + control.of_mean(),
            },
            Difference::Relative if control.mean > 0.0 => {
                let squared = control.mean * control.mean;
                let of_control = treatment.mean * treatment.mean / (squared * squared);
                Effect {
                    size: by / control.mean,
                    variance: treatment.of_mean() / squared + of_control * control.of_mean(),
                }
            }
            Difference::Relative => return Err(Error::ControlMean { mean: control.mean }),
        };
        match effect.size.is_finite() && effect.variance.is_finite() {
            true => Ok(effect),
            false => Err(Error::OutOfRange),
        }
    }
}

impl Effect {
    /// Its standard error, above 0.
    pub(super) fn standard_error(&self) -> Result<f64, Error> {
        match self.variance.sqrt() {
            error if error > 0.0 => Ok(error),
            _ => Err(Error::NoVariance),
        }
    }
}

/// A level as one between 0 and 1.
pub(super) fn level(name: &'static str, level: f64) -> Result<f64, Error> {
    match level > 0.0 && level < 1.0 {
        true => Ok(level),
        false => Err(Error::Level { name, level }),
    }
}
