//! Experiments that are known to have an effect or none, in numbers: how often they are judged right. By group, as variants are given.
//!
//! The long form prints the table of `docs/guide/experiments.md`:
//! `cargo test -p quintet-behavior --test it -- --ignored --nocapture rates_of_many`

use quintet_behavior::experiments::{
    Bayesian, Compared, Difference, Frequentist, Observation, Statistic, Totals,
};

/// Companies of each arm.
const COMPANIES: usize = 100;
/// What a treatment does that does something: so much more.
const EFFECT: f64 = 0.2;

/// Numbers that look random and are the same every time (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly between 0 and 1.
    fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Around 0 with a variance of 1 (Box and Muller).
    fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }
}

/// What the persons of every company do, and the arm of each. Companies differ, and their people resemble each other.
fn world(numbers: &mut Numbers, effect: f64) -> Vec<(usize, Vec<f64>)> {
    let company = |at: usize, numbers: &mut Numbers| {
        let arm = at % 2;
        let people = 4 + (numbers.next() % 13) as usize;
        let level = (10.0 + 3.0 * numbers.normal()) * if arm == 1 { 1.0 + effect } else { 1.0 };
        let person = |_| level + 4.0 * numbers.normal();
        (arm, (0..people).map(person).collect())
    };
    (0..2 * COMPANIES).map(|at| company(at, numbers)).collect()
}

fn observation(arm: usize, value: f64) -> Observation {
    Observation {
        arm,
        value,
        denominator: 1.0,
    }
}

/// The value of a company is what its average person does.
fn by_company(world: &[(usize, Vec<f64>)]) -> Vec<Observation> {
    let one = |(arm, people): &(usize, Vec<f64>)| {
        observation(*arm, people.iter().sum::<f64>() / people.len() as f64)
    };
    world.iter().map(one).collect()
}

/// As if every person had got a variant of its own.
fn by_person(world: &[(usize, Vec<f64>)]) -> Vec<Observation> {
    let of = |(arm, people): &(usize, Vec<f64>)| {
        let arm = *arm;
        people
            .iter()
            .map(move |value| observation(arm, *value))
            .collect::<Vec<_>>()
    };
    world.iter().flat_map(of).collect()
}

fn arms(observations: &[Observation]) -> Compared {
    let totals = Totals::of(2, observations);
    let [control, treatment] = [0, 1].map(|arm| Statistic::Mean(totals[arm].sums()));
    Compared::of(&treatment, &control).unwrap()
}

/// Shares of experiments.
#[derive(Debug, Default, Clone, Copy)]
struct Rates {
    /// Seen as having an effect.
    significant: f64,
    /// The interval holds the true effect.
    covered: f64,
}

impl Rates {
    fn add(&mut self, is_significant: bool, [low, high]: [f64; 2], truth: f64, each: f64) {
        self.significant += f64::from(u8::from(is_significant)) * each;
        self.covered += f64::from(u8::from(low <= truth && truth <= high)) * each;
    }
}

/// Rates of the test, of the posterior, and of the test by person.
fn rates(experiments: usize, effect: f64, seed: u64) -> [Rates; 3] {
    let (mut numbers, mut rates) = (Numbers(seed), [Rates::default(); 3]);
    let each = 1.0 / experiments as f64;
    let test = Frequentist {
        difference: Difference::Relative,
        alpha: 0.05,
    };
    for _ in 0..experiments {
        let world = world(&mut numbers, effect);
        let companies = arms(&by_company(&world));
        let tested = test.test(&companies).unwrap();
        let judged = Bayesian::default().infer(&companies).unwrap();
        let people = test.test(&arms(&by_person(&world))).unwrap();
        rates[0].add(
            tested.is_significant,
            tested.confidence_interval,
            effect,
            each,
        );
        rates[1].add(
            judged.is_significant,
            judged.credible_interval,
            effect,
            each,
        );
        rates[2].add(
            people.is_significant,
            people.confidence_interval,
            effect,
            each,
        );
    }
    rates
}

/// So far from a share of experiments chance takes a rate hardly ever: 3.5 standard deviations.
fn bound(share: f64, experiments: usize) -> f64 {
    3.5 * (share * (1.0 - share) / experiments as f64).sqrt()
}

fn check(experiments: usize) -> [[Rates; 3]; 2] {
    let found = [rates(experiments, 0.0, 1), rates(experiments, EFFECT, 2)];
    let near = bound(0.05, experiments);
    // The posterior takes the variances as known: with 100 companies a side its intervals are 0.6% narrower than those of t.
    for (method, slack) in [(0, 0.0), (1, 0.003)] {
        let [none, real] = [found[0][method], found[1][method]];
        assert!((none.significant - 0.05).abs() < near + slack, "{none:?}");
        assert!((none.covered - 0.95).abs() < near + slack, "{none:?}");
        assert!((real.covered - 0.95).abs() < near + slack, "{real:?}");
        assert!(real.significant > 0.9, "{real:?}");
    }
    // People of a company are no independent observations.
    assert!(found[0][2].significant > 0.15, "{:?}", found[0][2]);
    found
}

#[test]
fn both_methods_keep_what_they_promise_by_group() {
    check(2_000);
}

#[test]
#[ignore = "ten times as many; prints the figures of the guide"]
fn rates_of_many_experiments() {
    let found = check(20_000);
    for (what, of) in ["no effect", "an effect of 20%"].iter().zip(found) {
        for (method, rates) in ["Welch's t", "posterior", "Welch's t by person"]
            .iter()
            .zip(of)
        {
            println!(
                "{what}, {method}: significant {:.2}%, interval holds it {:.2}%",
                100.0 * rates.significant,
                100.0 * rates.covered
            );
        }
    }
}
