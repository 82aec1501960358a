//! Where sequences go by dense ids, and where they must not. What they answer is in `same_answers.rs`.

use quintet::{ActorKeys, EngineBuilder, Transport};
use serde_json::{Value, json};

use crate::sample;

const OPERATOR: &str = "DenseSequencesExec";

/// A funnel, retention and paths.
fn sequences() -> [Value; 4] {
    let node = |event: &str| json!({"kind": "EventsNode", "event": event});
    let range = json!({"date_from": "2025-01-01", "date_to": "2025-06-30"});
    let series = ["commit", "pull_request_merged"].map(node);
    let funnel = json!({"kind": "FunnelsQuery", "dateRange": range, "series": series});
    let mut by_company = funnel.clone();
    by_company["aggregation_group_type_index"] = 1.into();
    let target = json!({"id": "commit", "type": "events"});
    // With one occurrence the sets of actors say all.
    let retention = json!({"period": "Week", "totalIntervals": 8, "targetEntity": target, "returningEntity": target, "minimumOccurrences": 2});
    [
        funnel,
        by_company,
        json!({"kind": "RetentionQuery", "retentionFilter": retention}),
        json!({"kind": "PathsQuery", "dateRange": range, "pathsFilter": {"includeEventTypes": ["custom_event"]}}),
    ]
}

/// The plans of a question.
async fn plans(builder: EngineBuilder, location: &str, question: &Value) -> String {
    let engine = builder.open(location).await.expect("an engine");
    let (question, options) = (question.to_string(), sample::options());
    engine.explain(&question, &options).await.expect("plans")
}

#[tokio::test]
async fn sequences_go_by_dense_ids_and_no_row_travels() {
    let store = sample::store().await.location();
    let folder = sample::folder().await;
    for (question, location) in sequences()
        .into_iter()
        .flat_map(|question| [(question.clone(), store), (question, folder)])
    {
        for partitions in [1, 2, 7] {
            let builder = EngineBuilder::new().with_target_partitions(partitions);
            let plans = plans(builder, location, &question).await;
            assert!(plans.contains(OPERATOR), "{question}\n{plans}");
            assert!(!plans.contains("Hash("), "{question}\n{plans}");
        }
    }
}

#[tokio::test]
async fn by_keys_as_bytes_and_with_little_memory_plans_are_stock() {
    let location = sample::store().await.location();
    let folder = sample::folder().await;
    for (builder, location) in [
        (
            EngineBuilder::new().with_actor_keys(ActorKeys::Keys),
            location,
        ),
        (
            EngineBuilder::new().with_transport(Transport::Bytes),
            location,
        ),
        (EngineBuilder::new().with_memory_limit(1 << 30), location),
        (EngineBuilder::new().with_memory_limit(1 << 30), folder),
        (
            EngineBuilder::new().with_transport(Transport::Bytes),
            folder,
        ),
    ] {
        for question in sequences() {
            let plans = plans(builder, location, &question).await;
            assert!(plans.contains("AggregateExec"), "{question}\n{plans}");
            assert!(!plans.contains(OPERATOR), "{question}\n{plans}");
        }
    }
}

#[tokio::test]
async fn lists_of_actors_are_named_by_stock_aggregates() {
    let [funnel, ..] = sequences();
    let question = json!({"kind": "FunnelsActorsQuery", "source": funnel, "funnelStep": 1});
    let location = sample::store().await.location();
    let plans = plans(EngineBuilder::new(), location, &question).await;
    assert!(!plans.contains(OPERATOR), "{plans}");
}
