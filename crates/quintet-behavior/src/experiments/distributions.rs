//! The normal and the t distribution: tails and the points that cut them off.
//!
//! Tails are those of `statrs`. Its inverse of the t distribution is right to 3e-13 up to some thousand degrees of freedom, but off by 6e-7
//! at 250,000 (see the tests), which large experiments have: points are found here.

use statrs::distribution::{Continuous, ContinuousCDF, Normal, StudentsT};

/// Steps of Newton's method at most; a handful are needed.
const STEPS: usize = 500;

/// The probability that a standard normal variable is below `x`.
pub(super) fn normal_below(x: f64) -> f64 {
    Normal::standard().cdf(x)
}

/// The density of a standard normal variable.
pub(super) fn normal_density(x: f64) -> f64 {
    Normal::standard().pdf(x)
}

/// The point above which a standard normal variable lies with this probability, at most 1/2.
pub(super) fn normal_above(tail: f64) -> f64 {
    -Normal::standard().inverse_cdf(tail)
}

/// The t distribution with some degrees of freedom; where these are beyond all measure, the normal one.
#[derive(Debug, Clone, Copy)]
pub(super) struct T(Option<StudentsT>);

impl T {
    /// `freedom` is above 0.
    pub(super) fn new(freedom: f64) -> Self {
        Self(StudentsT::new(0.0, 1.0, freedom).ok())
    }

    /// The probability of a value above `t`, which is 0 or more.
    pub(super) fn tail(&self, t: f64) -> f64 {
        match &self.0 {
            Some(distribution) => distribution.sf(t),
            None => Normal::standard().sf(t),
        }
    }

    /// The point above which a value lies with this probability, at most 1/2.
    ///
    /// The tail is convex and heavier than the normal one: from the normal point on, Newton's method never leaps too far.
    pub(super) fn above(&self, tail: f64) -> f64 {
        let mut point = normal_above(tail).max(0.0);
        let Some(distribution) = &self.0 else {
            return point;
        };
        for _ in 0..STEPS {
            let step = (distribution.sf(point) - tail) / distribution.pdf(point);
            if !step.is_finite() || step <= point * f64::EPSILON {
                break;
            }
            point += step;
        }
        point
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64, relative: f64) {
        assert!(
            (found - expected).abs() <= relative * expected.abs(),
            "{found} is not {expected}"
        );
    }

    // Computed with mpmath 50 digits: quantiles by root finding over the regularised incomplete beta function.
    const POINTS: &[(f64, f64, f64)] = &[
        (4.0, 0.025, 2.7764451051977943),
        (4.0, 0.0005, 8.610301581379275),
        (7.5, 0.025, 2.3330396268649746),
        (30.0, 0.05, 1.6972608865939578),
        (98.0, 0.025, 1.9844674545084818),
        (1000.0, 0.025, 1.9623390808264085),
        (4105.070480863958, 0.025, 1.9605420401318),
        (4105.070480863958, 0.005, 2.5770275047736595),
        (250000.0, 0.025, 1.9599734736701355),
        (5.0, 0.4, 0.26718086570414507),
    ];

    #[test]
    fn points_of_t_are_those_of_arithmetic_with_fifty_digits() {
        for &(freedom, tail, point) in POINTS {
            close(T::new(freedom).above(tail), point, 1e-10);
            close(T::new(freedom).tail(point), tail, 1e-9);
        }
    }

    /// Why points of t are found here.
    #[test]
    fn the_inverse_of_the_crate_is_off_where_there_are_many_degrees_of_freedom() {
        let error = |freedom: f64, tail: f64, point: f64| {
            let t = StudentsT::new(0.0, 1.0, freedom).unwrap();
            (t.inverse_cdf(1.0 - tail) - point).abs() / point
        };
        for &(freedom, tail, point) in POINTS {
            let error = error(freedom, tail, point);
            match freedom < 10_000.0 {
                true => assert!(error < 1e-12, "{freedom}: {error:e}"),
                false => assert!(error > 1e-7, "{freedom}: {error:e}"),
            }
        }
    }

    #[test]
    fn many_degrees_of_freedom_are_normal() {
        close(T::new(1e12).above(0.025), normal_above(0.025), 1e-9);
        close(
            T::new(f64::INFINITY).above(0.025),
            normal_above(0.025),
            1e-12,
        );
    }

    #[test]
    fn points_of_the_normal_distribution() {
        close(normal_above(0.025), 1.959_963_984_540_054, 1e-12);
        close(normal_above(0.005), 2.575_829_303_548_900_4, 1e-12);
        close(normal_below(1.959_963_984_540_054), 0.975, 1e-11);
    }
}
