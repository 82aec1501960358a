//! The fast machines and the oracle give the same answers, for 4,000 random actors of each kind.

use proptest::prelude::*;
use quintet_behavior::funnel::Order;

use super::case::{Ask, Case, any_cases, cases, config};
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

    #[test]
    fn the_ends_of_time_are_times(case in any_cases(Ask::Entrances)) {
        let mut far = case;
        for (position, event) in far.events.iter_mut().enumerate() {
            event.time = match position % 3 {
                0 => i64::MIN + event.time,
                1 => event.time,
                _ => i64::MAX - event.time,
            };
        }
        far.periods.edges = vec![i64::MIN, 0, i64::MAX];
        let far = far.with_events_allowed();
        same_runs(&far)?;
        same_entrances(&far)?;
    }
}
