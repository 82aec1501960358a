//! The roll-out of the guide, whose true effect is known.

#[path = "../../../examples/rollout/world.rs"]
mod world;

use serde_json::{Value, json};

use super::{answer, store};

const DEFINITION: &str = include_str!("../../../examples/rollout/experiment.json");

fn asked(more: Value) -> Value {
    let mut definition: Value = serde_json::from_str(DEFINITION).unwrap();
    for (key, value) in more.as_object().unwrap() {
        definition[key] = value.clone();
    }
    definition
}

/// The estimate and its interval.
fn effect(answer: &Value) -> [f64; 3] {
    let test = &answer["results"]["variant_results"][0];
    let (size, interval) = match test["method"].as_str().unwrap() {
        "bayesian" => (&test["effect_size"], &test["credible_interval"]),
        _ => (&test["point_estimate"], &test["confidence_interval"]),
    };
    [size, &interval[0], &interval[1]].map(|figure| figure.as_f64().unwrap())
}

#[tokio::test]
async fn the_effect_on_companies_is_recovered_by_both_methods() {
    let store = store(&world::events(true)).await;
    for method in ["bayesian", "frequentist"] {
        let found = answer(&store, &asked(json!({"method": method}))).await;
        assert_eq!(
            found["results"]["baseline"]["number_of_samples"],
            world::COMPANIES / 2
        );
        assert_eq!(found["warnings"], json!([]));
        let [size, low, high] = effect(&found);
        assert!(
            low <= world::EFFECT && world::EFFECT <= high,
            "{method}: {size} ({low} to {high})"
        );
        assert!(low > 0.0, "{method}: {size} ({low} to {high})");
        assert_eq!(found["results"]["variant_results"][0]["significant"], true);
    }
}

#[tokio::test]
async fn a_flag_given_to_persons_leaves_no_company_to_compare() {
    let store = store(&world::events(false)).await;
    let found = answer(&store, &asked(json!({}))).await;
    assert_eq!(found["warnings"][0]["code"], "flag_not_aggregated_by_group");
    let baseline = &found["results"]["baseline"];
    assert_eq!(baseline["validation_failures"][0], "not-enough-exposures");
    let by_person = asked(json!({"aggregation_group_type_index": null}));
    let [_, low, high] = effect(&answer(&store, &by_person).await);
    assert!(low <= world::EFFECT && world::EFFECT <= high);
}
