//! Entities with their values, folded into what is told of an arm. Rules: `spec/groups-and-ingestion.md` §6.1.

use super::{Ratio, Statistic, Sums};

/// A sum that hardly depends on the order of what is added up (Neumaier).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// Adds one.
    pub fn add(&mut self, value: f64) {
        let sum = self.sum + value;
        self.lost += match self.sum.abs() >= value.abs() {
            true => (self.sum - sum) + value,
            false => (value - sum) + self.sum,
        };
        self.sum = sum;
    }

    /// What it comes to.
    pub fn value(self) -> f64 {
        let sum = self.sum + self.lost;
        if sum.is_finite() { sum } else { self.sum }
    }
}

/// What an exposed entity came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Position of its arm.
    pub arm: usize,
    /// The value of the metric, of a ratio its numerator; 0 where it did nothing.
    pub value: f64,
    /// The denominator of a ratio, 1 otherwise.
    pub denominator: f64,
}

/// Where values are cut off, as shares of all entities.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bounds {
    /// Values below this percentile are raised to it, between 0 and 1.
    pub lower: Option<f64>,
    /// Values above this percentile are lowered to it, between 0 and 1.
    pub upper: Option<f64>,
    /// Zeros do not count when percentiles are taken.
    pub ignore_zeros: bool,
}

impl Bounds {
    /// Cuts off what lies outside. The percentiles are of all arms together.
    pub fn clip(&self, observations: &mut [Observation]) {
        let mut sorted: Vec<f64> = observations
            .iter()
            .map(|one| one.value)
            .filter(|value| !self.ignore_zeros || *value != 0.0)
            .collect();
        sorted.sort_by(f64::total_cmp);
        let bound = |share: Option<f64>| share.and_then(|share| percentile(&sorted, share));
        let (lower, upper) = (bound(self.lower), bound(self.upper));
        for one in observations {
            if let Some(lower) = lower {
                one.value = one.value.max(lower);
            }
            if let Some(upper) = upper {
                one.value = one.value.min(upper);
            }
        }
    }
}

/// Between the two values next to it, as far as it lies between them.
fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = share.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (
        sorted.get(at.floor() as usize)?,
        sorted.get(at.ceil() as usize)?,
    );
    Some(below + (above - below) * at.fract())
}

/// What the entities of an arm come to.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// Entities.
    pub n: u64,
    values: Sum,
    squares: Sum,
    denominators: Sum,
    denominator_squares: Sum,
    products: Sum,
}

impl Totals {
    /// The totals of so many arms.
    pub fn of(arms: usize, observations: &[Observation]) -> Vec<Self> {
        let mut totals = vec![Self::default(); arms];
        for one in observations {
            if let Some(arm) = totals.get_mut(one.arm) {
                arm.add(one);
            }
        }
        totals
    }

    fn add(&mut self, one: &Observation) {
        self.n += 1;
        self.values.add(one.value);
        self.squares.add(one.value * one.value);
        self.denominators.add(one.denominator);
        self.denominator_squares
            .add(one.denominator * one.denominator);
        self.products.add(one.value * one.denominator);
    }

    /// Of the values.
    pub fn sums(&self) -> Sums {
        Sums {
            n: self.n,
            sum: self.values.value(),
            sum_squares: self.squares.value(),
        }
    }

    /// Of numerators and denominators.
    pub fn ratio(&self) -> Ratio {
        Ratio {
            n: self.n,
            numerator: self.sums(),
            denominator: Sums {
                n: self.n,
                sum: self.denominators.value(),
                sum_squares: self.denominator_squares.value(),
            },
            sum_of_products: self.products.value(),
        }
    }

    /// Of values that are 0 or 1.
    pub fn proportion(&self) -> Statistic {
        Statistic::Proportion {
            n: self.n,
            sum: self.values.value(),
        }
    }
}
