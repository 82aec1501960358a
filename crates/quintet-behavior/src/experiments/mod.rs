//! Experiments: what entities came to, arm by arm, and what two arms say of each other. Rules: `spec/groups-and-ingestion.md` §6.
//!
//! - `statistic`: what is told of an arm, and its mean and variance.
//! - `effect`: the difference of two arms with its variance.
//! - `frequentist`, `bayesian`: what is concluded from it.
//! - `cuped`: arms adjusted by what was known of them before.
//! - `totals`: entities with their values, folded into what is told of an arm.
//! - `distributions`: the normal and the t distribution.
//!
//! Nothing here knows events: an entity, a person or a group, is one observation, however much it did. That is why experiments whose
//! variants are given to companies are to be read by company; `tests/it/experiments.rs` shows what happens otherwise.
//!
//! ```
//! use quintet_behavior::experiments::{Compared, Difference, Frequentist, Sums, Statistic};
//!
//! let treatment = Statistic::Mean(Sums { n: 100, sum: 550.0, sum_squares: 3050.0 });
//! let control = Statistic::Mean(Sums { n: 100, sum: 500.0, sum_squares: 2550.0 });
//! let arms = Compared::of(&treatment, &control)?;
//! let test = Frequentist { difference: Difference::Absolute, alpha: 0.05 }.test(&arms)?;
//! assert_eq!(test.point_estimate, 0.5);
//! assert!(test.is_significant);
//! # Ok::<(), quintet_behavior::experiments::Error>(())
//! ```

mod bayesian;
mod cuped;
mod distributions;
mod effect;
mod error;
mod frequentist;
mod statistic;
#[cfg(test)]
mod tests;
mod totals;

pub use bayesian::{Bayesian, ExpectedLoss, Posterior, Prior};
pub use cuped::{Adjusted, Covaried, Cuped};
pub use effect::{Compared, Difference, Effect};
pub use error::{Error, Problem, Side};
pub use frequentist::{Frequentist, Test};
pub use statistic::{Moments, Ratio, Statistic, Sums};
pub use totals::{Bounds, Observation, Sum, Totals};
