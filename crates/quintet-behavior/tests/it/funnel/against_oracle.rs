//! The fast machines and the oracle give the same answers: 24,000 random actors.

use proptest::prelude::*;
use quintet_behavior::funnel::Order;

use super::case::{Ask, Case, cases, config};
use super::oracle;

fn same_runs(case: &Case) -> Result<(), TestCaseError> {
    let expected = oracle::runs(&case.funnel, &case.events, case.empty);
    prop_assert_eq!(case.runs(), expected, "left: machine, right: oracle");
    Ok(())
}

fn same_entrances(case: &Case) -> Result<(), TestCaseError> {
    let expected = oracle::entrances(&case.funnel, &case.periods, &case.events, case.empty);
    prop_assert_eq!(case.entrances(), expected, "left: machine, right: oracle");
    Ok(())
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn ordered_runs_are_the_oracles(case in cases(Order::Ordered, Ask::Runs)) {
        same_runs(&case)?;
    }

    #[test]
    fn strict_runs_are_the_oracles(case in cases(Order::Strict, Ask::Runs)) {
        same_runs(&case)?;
    }

    #[test]
    fn unordered_runs_are_the_oracles(case in cases(Order::Unordered, Ask::Runs)) {
        same_runs(&case)?;
    }

    #[test]
    fn ordered_entrances_are_the_oracles(case in cases(Order::Ordered, Ask::Entrances)) {
        same_entrances(&case)?;
    }

    #[test]
    fn strict_entrances_are_the_oracles(case in cases(Order::Strict, Ask::Entrances)) {
        same_entrances(&case)?;
    }

    #[test]
    fn unordered_entrances_are_the_oracles(case in cases(Order::Unordered, Ask::Entrances)) {
        same_entrances(&case)?;
    }
}
