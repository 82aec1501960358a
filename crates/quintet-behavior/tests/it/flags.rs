//! Laws of roll-outs and variants, over any flag and any ids.

use proptest::prelude::*;
use quintet_behavior::flags::{Condition, Context, Flag, FlagSet, FlagValue, Subject, Variant};

const BY_COMPANY: Subject = Subject::Group(0);

fn flags(key: &str, rollout: f64, weights: &[f64]) -> FlagSet {
    let variants = weights.iter().enumerate().map(|(at, percentage)| Variant {
        key: format!("v{at}"),
        percentage: *percentage,
    });
    FlagSet::new(vec![Flag {
        conditions: vec![Condition {
            rollout: Some(rollout),
            ..Condition::of(BY_COMPANY)
        }],
        variants: variants.collect(),
        ..Flag::named(key)
    }])
}

fn member(distinct_id: &str, company: &str) -> Context {
    let mut context = Context::of(distinct_id);
    context.groups[0].key = Some(company.to_owned());
    context
}

fn value<'a>(flags: &'a FlagSet, key: &str, context: &Context) -> FlagValue<'a> {
    flags.evaluate(key, context).unwrap().value
}

/// Weights whose sum is 100 at most.
fn weights() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(0.0..1.0_f64, 1..6).prop_map(|parts| {
        let sum = parts.iter().sum::<f64>().max(1.0);
        parts.iter().map(|part| part * 100.0 / sum).collect()
    })
}

proptest! {
    #[test]
    fn the_people_of_a_company_always_agree(
        key in ".{1,12}", company in ".{1,12}", people in prop::collection::vec(".{0,8}", 2..6),
        rollout in 0.0..100.0_f64, weights in weights(),
    ) {
        let flags = flags(&key, rollout, &weights);
        let first = value(&flags, &key, &member(&people[0], &company));
        for person in &people {
            prop_assert_eq!(value(&flags, &key, &member(person, &company)), first);
        }
    }

    #[test]
    fn a_larger_roll_out_keeps_everybody_who_was_in_and_their_variant(
        key in ".{1,12}", companies in prop::collection::vec(".{1,12}", 1..40),
        one in 0.0..100.0_f64, other in 0.0..100.0_f64, weights in weights(),
    ) {
        let small = flags(&key, one.min(other), &weights);
        let large = flags(&key, one.max(other), &weights);
        for company in &companies {
            let before = value(&small, &key, &member("p", company));
            if before.is_on() {
                prop_assert_eq!(value(&large, &key, &member("p", company)), before);
            }
        }
    }

    #[test]
    fn variants_take_their_shares_and_leave_the_rest(key in "[a-z]{1,8}", weights in weights()) {
        let flags = flags(&key, 100.0, &weights);
        let mut counted = vec![0_u32; weights.len()];
        let ids = 4_000_u32;
        for id in 0..ids {
            match value(&flags, &key, &member("p", &format!("company-{id}"))) {
                FlagValue::Variant(key) => counted[key[1..].parse::<usize>().unwrap()] += 1,
                other => prop_assert_eq!(other, FlagValue::On),
            }
        }
        for (count, weight) in counted.iter().zip(&weights) {
            let share = f64::from(*count) * 100.0 / f64::from(ids);
            // More than five standard deviations.
            prop_assert!((share - weight).abs() < 4.5, "{} instead of {}", share, weight);
        }
    }
}
