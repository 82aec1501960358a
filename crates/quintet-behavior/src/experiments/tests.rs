//! Published vectors, the same to full precision, and what holds of any figures.
#![allow(clippy::unwrap_used, reason = "tests")]

use proptest::prelude::*;

use super::*;

fn mean(n: u64, sum: f64, sum_squares: f64) -> Statistic {
    Statistic::Mean(Sums {
        n,
        sum,
        sum_squares,
    })
}

fn share(n: u64, sum: f64) -> Statistic {
    Statistic::Proportion { n, sum }
}

/// The realistic example that PostHog's tests publish.
fn realistic() -> Compared {
    let treatment = mean(2461, 1922.7, 94698.29);
    Compared::of(&treatment, &mean(2507, 1196.87, 37377.9767)).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64, absolute: f64) {
    assert!(
        (found - expected).abs() <= absolute,
        "{found} is not {expected}"
    );
}

#[test]
fn a_test_of_two_means_relative_to_the_control() {
    let test = Frequentist::default().test(&realistic()).unwrap();
    close(test.point_estimate, 0.636_467_049_685_437_4, 1e-12);
    close(
        test.confidence_interval[0],
        -0.087_547_447_917_515_68,
        1e-10,
    );
    close(test.confidence_interval[1], 1.360_481_547_288_390_7, 1e-10);
    close(test.p_value, 0.084_878_080_302_539_11, 1e-11);
    close(test.test_statistic, 1.723_474_339_530_774, 1e-12);
    close(test.degrees_of_freedom, 4_105.070_480_863_958, 1e-8);
    assert!(!test.is_significant);
}

#[test]
fn a_test_of_the_absolute_difference_at_another_level() {
    let test = Frequentist {
        difference: Difference::Absolute,
        alpha: 0.01,
    };
    let test = test.test(&realistic()).unwrap();
    close(test.point_estimate, 0.303_856_528_822_101_9, 1e-12);
    close(
        test.confidence_interval[0],
        -0.071_829_005_354_701_05,
        1e-10,
    );
    close(test.confidence_interval[1], 0.679_542_062_998_904_8, 1e-10);
    close(test.p_value, 0.037_193_288_663_765_714, 1e-11);
    assert!(!test.is_significant);
}

#[test]
fn a_test_of_two_ratios_goes_by_the_delta_method() {
    let ratio = |n, sum, sum_squares, below| {
        let denominator = Sums {
            n,
            sum: below,
            sum_squares: below,
        };
        let numerator = Sums {
            n,
            sum,
            sum_squares,
        };
        Statistic::Ratio(Ratio {
            n,
            numerator,
            denominator,
            sum_of_products: sum,
        })
    };
    let treatment = ratio(2034, 99_673.936_426_956_9, 11_298_745.182_728_939, 947.0);
    let control = ratio(1966, 94_605.798_587_801_27, 10_463_129.505_392_816, 936.0);
    let arms = Compared::of(&treatment, &control).unwrap();
    let test = Frequentist::default().test(&arms).unwrap();
    close(test.point_estimate, 0.041_333, 5e-5);
    close(test.confidence_interval[0], 0.013_786_09, 5e-5);
    close(test.confidence_interval[1], 0.0689, 5e-5);
    close(test.p_value, 0.003_282_6, 5e-5);
    assert!(test.is_significant);
}

#[test]
fn a_posterior_without_a_prior_is_the_effect_itself() {
    let posterior = Bayesian::default().infer(&realistic()).unwrap();
    close(posterior.effect_size, 0.63646, 5e-5);
    close(posterior.credible_interval[0], -0.0873, 5e-5);
    close(posterior.credible_interval[1], 1.36026, 5e-5);
    close(posterior.chance_to_win, 0.95759, 5e-5);
    assert!(!posterior.is_significant);
}

#[test]
fn a_prior_pulls_the_posterior_towards_it() {
    let prior = Prior {
        mean: 0.05,
        variance: 0.01,
    };
    let judged = Bayesian {
        prior: Some(prior),
        ..Bayesian::default()
    };
    let arms = Compared::of(&share(1000, 110.0), &share(1000, 100.0)).unwrap();
    let posterior = judged.infer(&arms).unwrap();
    close(posterior.effect_size, 0.066_297_262_059_973_91, 1e-12);
    close(
        posterior.credible_interval[0],
        -0.094_617_423_373_802_27,
        1e-10,
    );
    close(
        posterior.credible_interval[1],
        0.227_211_947_493_750_1,
        1e-10,
    );
    close(posterior.chance_to_win, 0.790_313_692_834_437, 1e-10);
}

#[test]
fn the_variance_of_an_absolute_effect_is_that_of_both_means() {
    let arms = Compared::of(&mean(100, 550.0, 3050.0), &mean(100, 500.0, 2550.0)).unwrap();
    let effect = arms.effect(Difference::Absolute).unwrap();
    close(effect.size, 0.5, 1e-12);
    close(effect.variance, 0.007_575_757_575_757_576, 1e-15);
}

#[test]
fn where_less_is_better_chances_and_losses_are_turned_around() {
    let inverse = Bayesian {
        inverse: true,
        ..Bayesian::default()
    };
    let (more, less) = (
        Bayesian::default().infer(&realistic()).unwrap(),
        inverse.infer(&realistic()).unwrap(),
    );
    close(more.chance_to_win + less.chance_to_win, 1.0, 1e-12);
    assert_eq!(more.credible_interval, less.credible_interval);
    assert_eq!(more.expected_loss.treatment, less.expected_loss.control);
    assert_eq!(more.expected_loss.control, less.expected_loss.treatment);
}

#[test]
fn what_is_lost_by_either_choice_differs_by_the_effect() {
    // By E max(x, 0) - E max(-x, 0) = E x.
    let posterior = Bayesian::default().infer(&realistic()).unwrap();
    let loss = posterior.expected_loss;
    close(loss.control - loss.treatment, posterior.effect_size, 1e-12);
    // Of a standard normal effect, each choice loses 1 / sqrt(2 pi).
    let arms = Compared::of(&mean(2, 1.0, 1.5), &mean(2, 1.0, 1.5)).unwrap();
    let absolute = Bayesian {
        difference: Difference::Absolute,
        ..Bayesian::default()
    };
    let loss = absolute.infer(&arms).unwrap().expected_loss;
    close(
        loss.treatment,
        1.0 / (2.0 * std::f64::consts::PI).sqrt(),
        1e-12,
    );
}

#[test]
fn an_arm_that_cannot_be_names_its_field() {
    let good = share(10, 5.0);
    let refused = |treatment: Statistic| Compared::of(&treatment, &good).unwrap_err().place();
    assert_eq!(refused(share(10, 11.0)), "treatment.sum");
    assert_eq!(refused(share(10, -1.0)), "treatment.sum");
    assert_eq!(refused(share(0, 0.0)), "treatment.n");
    assert_eq!(refused(share(10, f64::NAN)), "treatment");
    assert_eq!(refused(mean(10, 5.0, 100.0)), "treatment.type");
    assert_eq!(refused(mean(10, 100.0, 5.0)), "treatment.sum_squares");
}

#[test]
fn a_relative_difference_needs_a_control_mean_above_zero() {
    for sum in [0.0, -100.0] {
        let control = mean(100, sum, 200.0);
        let arms = Compared::of(&mean(100, 100.0, 150.0), &control).unwrap();
        let refused = Bayesian::default().infer(&arms).unwrap_err();
        assert!(matches!(refused, Error::ControlMean { .. }), "{refused}");
        assert!(arms.effect(Difference::Absolute).is_ok());
    }
}

#[test]
fn welchs_test_takes_five_on_each_side() {
    let of = |n: u64| mean(n, n as f64, 2.0 * n as f64);
    let test = |treatment, control| {
        let arms = Compared::of(&of(treatment), &of(control)).unwrap();
        Frequentist::default().test(&arms)
    };
    assert!(test(5, 5).is_ok());
    assert_eq!(test(4, 5).unwrap_err().place(), "treatment.n");
    assert_eq!(test(5, 4).unwrap_err().place(), "control.n");
}

#[test]
fn levels_and_priors_are_checked() {
    for alpha in [0.0, 1.0, -0.1, f64::NAN] {
        let test = Frequentist {
            alpha,
            ..Frequentist::default()
        };
        assert_eq!(test.test(&realistic()).unwrap_err().place(), "alpha");
        let judged = Bayesian {
            level: alpha,
            ..Bayesian::default()
        };
        assert_eq!(judged.infer(&realistic()).unwrap_err().place(), "ci_level");
    }
    for (mean, variance) in [(0.0, 0.0), (0.0, -1.0), (f64::INFINITY, 1.0)] {
        let judged = Bayesian {
            prior: Some(Prior { mean, variance }),
            ..Bayesian::default()
        };
        assert_eq!(judged.infer(&realistic()), Err(Error::Prior));
    }
}

#[test]
fn nothing_can_be_said_where_nothing_varies() {
    let arms = Compared::of(&mean(10, 10.0, 10.0), &mean(10, 20.0, 40.0)).unwrap();
    assert_eq!(Frequentist::default().test(&arms), Err(Error::NoVariance));
    assert_eq!(Bayesian::default().infer(&arms), Err(Error::NoVariance));
    // One entity has no variance either, its neighbours may.
    let arms = Compared::of(&mean(1, 3.0, 9.0), &mean(10, 20.0, 50.0)).unwrap();
    assert_eq!(arms.treatment.variance, 0.0);
    assert!(Bayesian::default().infer(&arms).is_ok());
}

fn covaried(metric: Statistic, covariate: Statistic, sum_of_products: f64) -> Covaried {
    Covaried {
        metric,
        covariate,
        sum_of_products,
    }
}

#[test]
fn a_covariate_that_never_varies_changes_nothing() {
    let constant = mean(100, 500.0, 2500.0);
    let cuped = Cuped::of(
        &covaried(mean(100, 500.0, 3000.0), constant, 2500.0),
        &covaried(mean(100, 480.0, 2800.0), constant, 2400.0),
    )
    .unwrap();
    assert_eq!(cuped.theta, 0.0);
    assert_eq!(cuped.treatment.variance_reduction, 0.0);
    assert_eq!(cuped.control.variance_reduction, 0.0);
    assert_eq!(cuped.treatment.moments.mean, 5.0);
    assert_eq!(cuped.control.moments.mean, 4.8);
}

#[test]
fn a_covariate_that_is_the_metric_takes_all_variance_off() {
    let metric = mean(100, 500.0, 3000.0);
    let arm = covaried(metric, metric, 3000.0);
    let cuped = Cuped::of(&arm, &arm).unwrap();
    close(cuped.theta, 1.0, 1e-12);
    close(cuped.treatment.variance_reduction, 1.0, 1e-12);
    close(cuped.treatment.moments.mean, 0.0, 1e-12);
}

#[test]
fn a_covariate_is_of_the_same_entities_and_no_ratio() {
    let metric = mean(100, 500.0, 3000.0);
    let good = covaried(metric, metric, 3000.0);
    let fewer = covaried(metric, mean(99, 490.0, 2500.0), 2450.0);
    let refused = Cuped::of(&fewer, &good).unwrap_err();
    assert_eq!(refused.place(), "treatment_covariate.n");
    let sums = Sums {
        n: 10,
        sum: 5.0,
        sum_squares: 5.0,
    };
    let ratio = Statistic::Ratio(Ratio {
        n: 10,
        numerator: sums,
        denominator: sums,
        sum_of_products: 4.0,
    });
    let of_ratio = covaried(ratio, metric, 0.0);
    let refused = Cuped::of(&of_ratio, &of_ratio).unwrap_err();
    assert!(matches!(refused, Error::CupedOfRatio { .. }), "{refused}");
}

fn observations(values: &[f64]) -> Vec<Observation> {
    let one = |&value| Observation {
        arm: 0,
        value,
        denominator: 1.0,
    };
    values.iter().map(one).collect()
}

#[test]
fn outliers_are_moved_to_the_percentiles_of_all_entities() {
    let mut all = observations(&[0.0, 1.0, 2.0, 3.0, 100.0]);
    let bounds = Bounds {
        lower: Some(0.25),
        upper: Some(0.75),
        ignore_zeros: false,
    };
    bounds.clip(&mut all);
    let values: Vec<f64> = all.iter().map(|one| one.value).collect();
    assert_eq!(values, [1.0, 1.0, 2.0, 3.0, 3.0]);
}

#[test]
fn zeros_may_be_left_out_of_percentiles() {
    let mut all = observations(&[0.0, 0.0, 0.0, 1.0, 3.0]);
    let bounds = Bounds {
        upper: Some(0.5),
        ignore_zeros: true,
        ..Bounds::default()
    };
    bounds.clip(&mut all);
    assert_eq!(Totals::of(1, &all)[0].sums().sum, 3.0);
    bounds.clip(&mut []);
}

proptest! {
    #[test]
    fn the_variance_of_sums_is_that_of_the_values(values in prop::collection::vec(-1e3..1e3, 2..50)) {
        let totals = Totals::of(1, &observations(&values))[0];
        let found = Statistic::Mean(totals.sums()).moments().unwrap();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        prop_assert!((found.mean - mean).abs() < 1e-9 * 1e3);
        prop_assert!((found.variance - variance).abs() < 1e-7 * variance.max(1.0));
    }

    #[test]
    fn sums_do_not_depend_on_the_order(mut values in prop::collection::vec(-1e9..1e9, 0..50)) {
        let sum = |values: &[f64]| Totals::of(1, &observations(values))[0].sums().sum;
        let before = sum(&values);
        values.reverse();
        prop_assert!((before - sum(&values)).abs() <= 1e-6);
    }

    #[test]
    fn both_methods_agree_with_each_other(
        n in 5u64..5000, m in 5u64..5000, a in 0.05..0.95, b in 0.05..0.95, absolute in any::<bool>(),
    ) {
        let difference = if absolute { Difference::Absolute } else { Difference::Relative };
        let arms = Compared::of(&share(n, a * n as f64), &share(m, b * m as f64)).unwrap();
        let test = Frequentist { difference, alpha: 0.05 }.test(&arms).unwrap();
        let judged = Bayesian { difference, ..Bayesian::default() }.infer(&arms).unwrap();
        let [low, high] = test.confidence_interval;
        // The test is significant where its interval excludes 0, and more cautious than the posterior.
        prop_assert_eq!(test.is_significant, low > 0.0 || high < 0.0);
        prop_assert!(low <= judged.credible_interval[0] && judged.credible_interval[1] <= high);
        prop_assert!((0.0..=1.0).contains(&test.p_value) && (0.0..=1.0).contains(&judged.chance_to_win));
        prop_assert!(judged.expected_loss.treatment >= 0.0 && judged.expected_loss.control >= 0.0);
        prop_assert!(test.degrees_of_freedom >= (n.min(m) - 1) as f64 * (1.0 - 1e-12));
        prop_assert!(test.degrees_of_freedom <= (n + m - 2) as f64 * (1.0 + 1e-12));
        // Turned around, an absolute difference is the same with the other sign.
        if absolute {
            let turned = Compared { treatment: arms.control, control: arms.treatment };
            let turned = Frequentist { difference, alpha: 0.05 }.test(&turned).unwrap();
            prop_assert!((turned.point_estimate + test.point_estimate).abs() < 1e-12);
            prop_assert!((turned.p_value - test.p_value).abs() < 1e-9);
        }
    }

    #[test]
    fn no_figures_whatever_make_the_statistics_panic(
        n in 0u64..10, m in 0u64..10, a in any::<f64>(), b in any::<f64>(), c in any::<f64>(), d in any::<f64>(), level in any::<f64>(),
    ) {
        let (one, other) = (mean(n, a, b), mean(m, c, d));
        if let Ok(arms) = Compared::of(&one, &other) {
            for difference in [Difference::Relative, Difference::Absolute] {
                if let Ok(test) = (Frequentist { difference, alpha: level }).test(&arms) {
                    prop_assert!(test.p_value.is_finite());
                }
                let _ = Bayesian { difference, level, prior: Some(Prior { mean: a, variance: b }), inverse: true }.infer(&arms);
            }
        }
        let _ = Cuped::of(&covaried(one, other, a), &covaried(other, one, b));
        let numerator = Sums { n, sum: a, sum_squares: b };
        let denominator = Sums { n, sum: c, sum_squares: d };
        let _ = Statistic::Ratio(Ratio { n, numerator, denominator, sum_of_products: level }).moments();
    }
}
