//! Why statistics cannot be computed, and which field of the request is to blame.

use std::fmt;

/// Which of two arms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The arm that is judged.
    Treatment,
    /// The arm that it is judged against.
    Control,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Treatment => "treatment",
            Self::Control => "control",
        })
    }
}

/// What is wrong with what is told of one arm.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// There is nobody in it.
    #[error("a sample has at least one entity; give an n of 1 or more")]
    Empty,
    /// A sum is infinite, or no number.
    #[error("sums are finite numbers")]
    NotFinite,
    /// A proportion has more successes than entities, or fewer than none.
    #[error("{successes} successes do not fit {n} entities; give a sum from 0 to n")]
    Successes {
        /// The sum.
        successes: f64,
        /// The entities.
        n: u64,
    },
    /// No values have such sums.
    #[error("no values have these sums: sum_squares is at least sum squared by n")]
    Squares,
    /// The parts of a ratio are of different samples.
    #[error("numerator and denominator are of the same entities; give all three the same n")]
    Parts,
    /// The denominators of a ratio come to nothing.
    #[error("a ratio needs a denominator whose sum is not 0")]
    NoDenominator,
}

impl Problem {
    /// The field of an arm that is to blame.
    fn field(self) -> Option<&'static str> {
        match self {
            Self::Empty | Self::Parts => Some("n"),
            Self::NotFinite => None,
            Self::Successes { .. } => Some("sum"),
            Self::Squares => Some("sum_squares"),
            Self::NoDenominator => Some("denominator"),
        }
    }
}

/// Why statistics cannot be computed. Whoever asks can repair it.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// One arm is told wrong.
    #[error("{problem}")]
    Arm {
        /// Which.
        side: Side,
        /// What is wrong.
        problem: Problem,
    },
    /// The covariate of one arm is told wrong.
    #[error("{problem}")]
    Covariate {
        /// Of which.
        side: Side,
        /// What is wrong.
        problem: Problem,
    },
    /// A mean cannot be compared with a proportion.
    #[error(
        "the statistics differ in type, {treatment} and {control}; give both arms the same type"
    )]
    Types {
        /// The wire name of the treatment's type.
        treatment: &'static str,
        /// The wire name of the control's.
        control: &'static str,
    },
    /// Nothing can be said relative to this mean.
    #[error(
        "the control mean must be positive for a relative difference, not {mean}; take the absolute difference"
    )]
    ControlMean {
        /// The mean.
        mean: f64,
    },
    /// Too few for Welch's test.
    #[error(
        "Welch's test takes at least {} entities on each side, not {n}",
        super::Frequentist::LEAST
    )]
    TooFew {
        /// Of which arm.
        side: Side,
        /// How many there are.
        n: u64,
    },
    /// Nothing varies, so that nothing can be due to chance.
    #[error("the values of neither arm vary, so that nothing can be said of chance")]
    NoVariance,
    /// A level is no probability.
    #[error("must lie between 0 and 1, not {level}")]
    Level {
        /// Wire name: `alpha` or `ci_level`.
        name: &'static str,
        /// The level.
        level: f64,
    },
    /// A prior is no normal distribution.
    #[error("a prior has a finite mean and a variance above 0")]
    Prior,
    /// The covariate is known of others than the metric.
    #[error(
        "n differs: the metric is of {metric} entities, the covariate of {covariate}; both must be of the same"
    )]
    CovariateCount {
        /// Of which arm.
        side: Side,
        /// Entities of the metric.
        metric: u64,
        /// Entities of the covariate.
        covariate: u64,
    },
    /// CUPED adjusts means and proportions.
    #[error("CUPED of a ratio is not supported; adjust its numerator or its denominator")]
    CupedOfRatio {
        /// Of which arm.
        side: Side,
    },
    /// The figures are beyond what a number can hold.
    #[error("the figures are too large or too small to be compared; scale them")]
    OutOfRange,
}

impl Error {
    /// Where in the request, like `treatment.n`; empty where no single field is to blame.
    pub fn place(&self) -> String {
        match self {
            Self::Arm { side, problem } => match problem.field() {
                Some(field) => format!("{side}.{field}"),
                None => side.to_string(),
            },
            Self::Covariate { side, problem } => match problem.field() {
                Some(field) => format!("{side}_covariate.{field}"),
                None => format!("{side}_covariate"),
            },
            Self::Types { .. } => "treatment.type".to_owned(),
            Self::ControlMean { .. } => "control".to_owned(),
            Self::TooFew { side, .. } => format!("{side}.n"),
            Self::Level { name, .. } => (*name).to_owned(),
            Self::Prior => "prior".to_owned(),
            Self::CovariateCount { side, .. } => format!("{side}_covariate.n"),
            Self::CupedOfRatio { side } => format!("{side}.type"),
            Self::NoVariance | Self::OutOfRange => String::new(),
        }
    }
}
