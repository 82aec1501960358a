//! Random exposures and payments against slow, plain Rust: who takes part, in which arm, and what its events come to.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{answer, event, experiment, lines, store};

/// Hours of the experiment, which begins on 2 January.
const HOURS: u32 = 48;

/// What somebody does in some hour: sees a variant, or pays so much.
#[derive(Debug, Clone)]
struct Act {
    person: u8,
    company: Option<u8>,
    hour: u32,
    what: What,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Sees(&'static str),
    Pays(i32),
}

fn act() -> impl Strategy<Value = Act> {
    let variant = prop::sample::select(vec!["control", "test"]);
    let what = prop_oneof![variant.prop_map(What::Sees), (0..9).prop_map(What::Pays)];
    let company = prop::option::weighted(0.8, 0..3u8);
    (0..5u8, company, 0..HOURS + 4, what).prop_map(|(person, company, hour, what)| Act {
        person,
        company,
        hour,
        what,
    })
}

/// The same act may happen twice: only the id of its event tells.
fn written((number, act): (usize, &Act)) -> Value {
    let at = format!("{:02}T{:02}:00:00", 2 + act.hour / 24, act.hour % 24);
    let company = act
        .company
        .map(|company| format!("c{company}"))
        .unwrap_or_default();
    let (name, properties) = match act.what {
        What::Sees(variant) => (
            "$feature_flag_called",
            json!({"$feature_flag": "editor", "$feature_flag_response": variant}),
        ),
        What::Pays(amount) => ("paid", json!({"amount": amount})),
    };
    let mut written = event(name, &format!("p{}", act.person), &company, &at, properties);
    written["uuid"] = format!("00000000-0000-4000-8000-{number:012}").into();
    written
}

/// `(entities, sum, sum of squares)` of control and test.
type Sums = [(u64, f64, f64); 2];

fn expected(acts: &[Act], by_company: bool, first_seen: bool, window: Option<u32>) -> Sums {
    let entity = |act: &Act| {
        if by_company {
            act.company
        } else {
            Some(act.person)
        }
    };
    let mut seen: BTreeMap<u8, Vec<(u32, &str)>> = BTreeMap::new();
    for act in acts.iter().filter(|act| act.hour <= HOURS) {
        if let (Some(entity), What::Sees(variant)) = (entity(act), act.what) {
            seen.entry(entity).or_default().push((act.hour, variant));
        }
    }
    let mut sums = Sums::default();
    for (who, mut exposures) in seen {
        exposures.sort_unstable();
        let (first, variant) = exposures[0];
        if !first_seen && exposures.iter().any(|(_, other)| *other != variant) {
            continue;
        }
        let value: f64 = acts
            .iter()
            .filter(|act| entity(act) == Some(who) && act.hour <= HOURS && act.hour >= first)
            .filter(|act| window.is_none_or(|hours| act.hour < first + hours))
            .map(|act| match act.what {
                What::Pays(amount) => f64::from(amount),
                What::Sees(_) => 0.0,
            })
            .sum();
        let arm = &mut sums[usize::from(variant == "test")];
        *arm = (arm.0 + 1, arm.1 + value, arm.2 + value * value);
    }
    sums
}

fn found(answer: &Value) -> Sums {
    let results = &answer["results"];
    [&results["baseline"], &results["variant_results"][0]].map(|arm| {
        let figure = |key: &str| arm[key].as_f64().unwrap();
        (
            arm["number_of_samples"].as_u64().unwrap(),
            figure("sum"),
            figure("sum_squares"),
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_those_of_plain_rust(acts in prop::collection::vec(act(), 1..60)) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let events: Vec<Value> = acts.iter().enumerate().map(written).collect();
            let store = store(&lines(&events)).await;
            for (by_company, first_seen, window) in [(false, false, None), (true, false, Some(5)), (true, true, None), (false, true, Some(24))] {
                let source = json!({"kind": "EventsNode", "event": "paid", "math": "sum", "math_property": "amount"});
                let metric = json!({"metric_type": "mean", "source": source, "conversion_window": window, "conversion_window_unit": "hour"});
                let handling = if first_seen { "first_seen" } else { "exclude" };
                let definition = experiment(metric, json!({
                    "aggregation_group_type_index": by_company.then_some(0), "end_date": "2024-01-04T00:00:00Z",
                    "exposure_criteria": {"multiple_variant_handling": handling},
                }));
                let answer = answer(&store, &definition).await;
                assert_eq!(found(&answer), expected(&acts, by_company, first_seen, window), "{definition}");
            }
        });
    }
}
