//! Random actors are worth something only if every rule decides the answer of some of them.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use quintet_behavior::funnel::Order;

use super::case::{Ask, Case, cases};
use super::oracle;

const CASES: usize = 1_000;
/// Of a thousand; the least is an answer that hangs on one microsecond of the window.
const FEWEST: usize = 4;

/// In how many of a thousand actors a change of the question changes the answer.
fn changed(order: Order, ask: Ask, change: impl Fn(Case) -> Case) -> usize {
    let answer = |case: &Case| match ask {
        Ask::Runs => format!("{:?}", oracle::runs(&case.funnel, &case.events, case.empty)),
        Ask::Entrances => format!(
            "{:?}",
            oracle::entrances(&case.funnel, &case.periods, &case.events, case.empty)
        ),
    };
    let mut runner = TestRunner::deterministic();
    let strategy = cases(order, ask);
    (0..CASES)
        .map(|_| strategy.new_tree(&mut runner).unwrap().current())
        .filter(|case| answer(case) != answer(&change(case.clone())))
        .count()
}

fn narrower(mut case: Case) -> Case {
    case.funnel.window -= 1;
    case
}

fn without_near_ties(mut case: Case) -> Case {
    case.funnel.simultaneity = 0;
    case
}

fn without_entry_limit(mut case: Case) -> Case {
    case.funnel.entry_until = None;
    case
}

fn loose(mut case: Case) -> Case {
    case.funnel.order = Order::Ordered;
    case
}

#[test]
fn each_rule_decides_the_answer_of_some_random_actors() {
    for ask in [Ask::Runs, Ask::Entrances] {
        for order in [Order::Ordered, Order::Strict, Order::Unordered] {
            let decides = |rule: &str, change: fn(Case) -> Case| {
                let count = changed(order, ask, change);
                assert!(
                    count >= FEWEST,
                    "{order:?} {ask:?}: {rule} decides only {count}"
                );
            };
            decides("window", narrower);
            decides("exclusions", Case::without_exclusions);
            decides("entry limit", without_entry_limit);
            decides("ties", Case::without_ties);
            decides("breakdown", Case::without_breakdown);
            decides("repeats", Case::with_single_steps);
            if order == Order::Ordered && ask == Ask::Runs {
                decides("near ties", without_near_ties);
            }
            if order == Order::Strict {
                decides("strictness", loose);
            }
            if order != Order::Unordered && ask == Ask::Runs {
                decides("optional steps", Case::without_optional_steps);
            }
        }
    }
}
