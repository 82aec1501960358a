//! What is told of an arm, and the mean and variance that follow. Rules: `spec/groups-and-ingestion.md` §6.2, the first table.

use super::{Error, Problem, Side};

/// Of sums in doubles, so much may be rounding.
const ROUNDING: f64 = 1e-9;

/// One value per entity, summed up.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sums {
    /// Entities.
    pub n: u64,
    /// Of their values.
    pub sum: f64,
    /// Of the squares of their values.
    pub sum_squares: f64,
}

/// Two values per entity, of which the sums are divided.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// Entities.
    pub n: u64,
    /// What is divided.
    pub numerator: Sums,
    /// By what.
    pub denominator: Sums,
    /// Of each entity's numerator times its denominator.
    pub sum_of_products: f64,
}

/// What is told of an arm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Statistic {
    /// Any values.
    Mean(Sums),
    /// Values of 0 and 1: those who did something.
    Proportion {
        /// Entities.
        n: u64,
        /// How many of them did it.
        sum: f64,
    },
    /// A sum by another.
    Ratio(Ratio),
}

/// What all comparisons go by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// Entities.
    pub n: u64,
    /// The mean of the metric.
    pub mean: f64,
    /// The variance of one observation.
    pub variance: f64,
}

impl Moments {
    /// The variance of the mean.
    pub fn of_mean(&self) -> f64 {
        self.variance / self.n as f64
    }
}

impl Sums {
    fn mean(&self) -> f64 {
        self.sum / self.n as f64
    }

    pub(super) fn moments(&self) -> Result<Moments, Problem> {
        if self.n == 0 {
            return Err(Problem::Empty);
        }
        if !(self.sum.is_finite() && self.sum_squares.is_finite()) {
            return Err(Problem::NotFinite);
        }
        let of_mean = self.sum * self.mean();
        let deviations = self.sum_squares - of_mean;
        if deviations < -ROUNDING * of_mean.abs().max(self.sum_squares.abs()) {
            return Err(Problem::Squares);
        }
        Ok(Moments {
            n: self.n,
            mean: self.mean(),
            variance: by_freedom(deviations.max(0.0), self.n),
        })
    }
}

impl Ratio {
    /// By the delta method: a ratio is nearly a linear function of its parts around their means.
    fn moments(&self) -> Result<Moments, Problem> {
        let Self {
            n,
            numerator,
            denominator,
            sum_of_products,
        } = self;
        if *n == 0 {
            return Err(Problem::Empty);
        }
        if numerator.n != *n || denominator.n != *n {
            return Err(Problem::Parts);
        }
        if !sum_of_products.is_finite() {
            return Err(Problem::NotFinite);
        }
        let (above, below) = (numerator.moments()?, denominator.moments()?);
        if below.mean == 0.0 {
            return Err(Problem::NoDenominator);
        }
        let covariance = covariance(*n, *sum_of_products, numerator.sum, denominator.sum);
        let squared = below.mean * below.mean;
        let terms = [
            above.variance / squared,
            above.mean * above.mean * below.variance / (squared * squared),
            -2.0 * above.mean * covariance / (squared * below.mean),
        ];
        let variance: f64 = terms.iter().sum();
        let largest = terms
            .iter()
            .fold(0.0_f64, |most, term| most.max(term.abs()));
        if variance < -ROUNDING * largest {
            return Err(Problem::Squares);
        }
        Ok(Moments {
            n: *n,
            mean: above.mean / below.mean,
            variance: variance.max(0.0),
        })
    }
}

impl Statistic {
    /// Its wire name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Mean(_) => "sample_mean",
            Self::Proportion { .. } => "proportion",
            Self::Ratio(_) => "ratio",
        }
    }

    /// Entities.
    pub const fn n(&self) -> u64 {
        match self {
            Self::Mean(Sums { n, .. })
            | Self::Proportion { n, .. }
            | Self::Ratio(Ratio { n, .. }) => *n,
        }
    }

    /// The sums of single values; a ratio has none.
    pub(super) const fn sums(&self) -> Option<Sums> {
        match *self {
            Self::Mean(sums) => Some(sums),
            Self::Proportion { n, sum } => Some(Sums {
                n,
                sum,
                sum_squares: sum,
            }),
            Self::Ratio(_) => None,
        }
    }

    /// Mean and variance.
    ///
    /// # Errors
    /// Says what is wrong with what is told.
    pub fn moments(&self) -> Result<Moments, Problem> {
        match self {
            Self::Mean(sums) => sums.moments(),
            Self::Ratio(ratio) => ratio.moments(),
            Self::Proportion { n: 0, .. } => Err(Problem::Empty),
            Self::Proportion { sum, .. } if !sum.is_finite() => Err(Problem::NotFinite),
            Self::Proportion { n, sum } if *sum < 0.0 || *sum > *n as f64 => {
                Err(Problem::Successes {
                    successes: *sum,
                    n: *n,
                })
            }
            Self::Proportion { n, sum } => {
                let share = sum / *n as f64;
                Ok(Moments {
                    n: *n,
                    mean: share,
                    variance: share * (1.0 - share),
                })
            }
        }
    }

    pub(super) fn moments_of(&self, side: Side) -> Result<Moments, Error> {
        self.moments()
            .map_err(|problem| Error::Arm { side, problem })
    }
}

/// The covariance of one observation; that of a single one is 0.
pub(super) fn covariance(n: u64, sum_of_products: f64, one: f64, other: f64) -> f64 {
    by_freedom(sum_of_products - one * other / n as f64, n)
}

fn by_freedom(deviations: f64, n: u64) -> f64 {
    match n {
        0 | 1 => 0.0,
        n => deviations / (n - 1) as f64,
    }
}
