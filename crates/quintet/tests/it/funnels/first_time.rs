//! Steps that only a person's first such event meets, whoever is counted.

use serde_json::{Value, json};

use super::story::Story;

const FIRST: &str = "first_time_for_user";

/// A first visit and then a payment, in March.
fn funnel(math: &str) -> Value {
    json!({
        "kind": "FunnelsQuery", "dateRange": {"date_from": "2024-03-01", "date_to": "2024-03-31"},
        "series": [{"kind": "EventsNode", "event": "visit", "math": math,
                "properties": [{"type": "event", "key": "pages", "operator": "gte", "value": 2}]},
            {"kind": "EventsNode", "event": "pay"}],
    })
}

fn by_company(mut funnel: Value) -> Value {
    funnel["aggregation_group_type_index"] = 0.into();
    funnel
}

async fn who(story: &Story, funnel: &Value, step: i64) -> Vec<String> {
    story.who(funnel, json!({"funnelStep": step}), "20").await
}

#[tokio::test]
async fn the_first_time_of_all_ids_of_a_person_counts() {
    let many = || json!({"pages": 2});
    let story = Story::told([
        // Ann's browser was here in February, before she was known.
        ("a browser", "", "visit", "2024-02-01", many()),
        ("ann", "", "visit", "02", many()),
        ("ann", "", "pay", "03", json!({})),
        // Bob came in March only, first by another id.
        ("his browser", "", "visit", "02", many()),
        ("bob", "", "visit", "04", many()),
        ("bob", "", "pay", "05", json!({})),
        // Nobody knows that this is the same person.
        ("her browser", "", "visit", "2024-02-01", many()),
        ("eve", "", "visit", "02", many()),
        (
            "ann",
            "",
            "$identify",
            "06",
            json!({"$anon_distinct_id": "a browser"}),
        ),
        (
            "bob",
            "",
            "$identify",
            "06",
            json!({"$anon_distinct_id": "his browser"}),
        ),
    ])
    .await;
    let funnel = funnel(FIRST);
    assert_eq!(who(&story, &funnel, 1).await, ["bob", "eve"]);
    assert_eq!(who(&story, &funnel, 2).await, ["bob"]);
}

#[tokio::test]
async fn of_two_merged_persons_only_one_first_visit_is_left() {
    let story = Story::told([
        ("ann", "", "visit", "04", json!({"pages": 2})),
        ("ann", "", "pay", "05", json!({})),
        ("anna", "", "visit", "02", json!({"pages": 2})),
        (
            "anna",
            "",
            "$merge_dangerously",
            "06",
            json!({"alias": "ann"}),
        ),
    ])
    .await;
    let mut within_a_day = funnel(FIRST);
    within_a_day["funnelsFilter"] =
        json!({"funnelWindowInterval": 2, "funnelWindowIntervalUnit": "day"});
    assert_eq!(
        story.counts(&within_a_day).await,
        [1, 0],
        "the payment comes three days after the first visit of both"
    );
}

#[tokio::test]
async fn groups_have_no_first_time_of_their_own() {
    let many = || json!({"pages": 2});
    let story = Story::told([
        // An old acquaintance of another company is no first visitor of acme.
        ("ann", "globex", "visit", "2024-02-01", many()),
        ("ann", "acme", "visit", "02", many()),
        ("cat", "acme", "pay", "03", json!({})),
        // Bob's first visit anywhere was to initech, and somebody else paid there.
        ("bob", "initech", "visit", "02", many()),
        ("dan", "initech", "pay", "03", json!({})),
        ("bob", "hooli", "visit", "04", many()),
        ("bob", "hooli", "pay", "05", json!({})),
        // A first visit outside of any company is one all the same.
        ("eve", "", "visit", "02", many()),
        ("eve", "umbrella", "visit", "03", many()),
    ])
    .await;
    let funnel = by_company(funnel(FIRST));
    assert_eq!(who(&story, &funnel, 1).await, ["initech"]);
    assert_eq!(who(&story, &funnel, 2).await, ["initech"]);
}

#[tokio::test]
async fn filters_choose_among_all_events_or_judge_the_first() {
    let story = Story::told([
        // The first visit had one page, the second is the first with two.
        ("ann", "acme", "visit", "02", json!({"pages": 1})),
        ("ann", "acme", "visit", "03", json!({"pages": 2})),
        ("ann", "acme", "pay", "04", json!({})),
        ("bob", "globex", "visit", "02", json!({"pages": 2})),
    ])
    .await;
    let with_filters = "first_time_for_user_with_filters";
    for (math, persons, companies) in [
        (FIRST, vec!["bob"], vec!["globex"]),
        (with_filters, vec!["ann", "bob"], vec!["acme", "globex"]),
    ] {
        let funnel = funnel(math);
        assert_eq!(who(&story, &funnel, 1).await, persons, "{math}");
        assert_eq!(
            who(&story, &by_company(funnel), 1).await,
            companies,
            "{math}"
        );
    }
}

#[tokio::test]
async fn what_was_no_first_time_gives_no_breakdown_value() {
    let told =
        |event, at, plan: &str| ("ann", "acme", event, at, json!({"pages": 2, "plan": plan}));
    let story = Story::told([
        told("visit", "2024-02-01", "trial"),
        told("visit", "02", "free"),
        told("pay", "03", "pro"),
    ])
    .await;
    let mut funnel = funnel(FIRST);
    funnel["series"].as_array_mut().expect("steps").reverse();
    for (kind, order) in [("first_touch", "ordered"), ("step", "unordered")] {
        funnel["breakdownFilter"] = json!({"breakdown": "plan", "breakdown_type": "event"});
        funnel["funnelsFilter"] = json!({"breakdownAttributionType": kind, "breakdownAttributionValue": 0, "funnelOrderType": order});
        for funnel in [funnel.clone(), by_company(funnel.clone())] {
            let rows = story.ask(&funnel, "20").await;
            let values: Vec<&Value> = rows
                .as_array()
                .into_iter()
                .flatten()
                .map(|steps| &steps[0]["breakdown"])
                .collect();
            assert_eq!(values, [&json!(["pro"])], "{funnel}");
        }
    }
}
