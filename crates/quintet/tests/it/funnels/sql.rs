//! The `funnel` function in SQL counts as `FunnelsQuery` does, in the engine and in anybody's session.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::UInt32Type;
use datafusion::prelude::SessionContext;
use quintet::{Engine, SessionContextExt};
use serde_json::{Value, json};

use super::{ask, column};
use crate::sample;

const STEPS: [&str; 3] = ["commit", "co_authored", "pull_request_merged"];

/// An actor and how far it came, of the years of the sample that a [`definition`] looks at.
fn select(actor: &str, funnel: &str) -> String {
    let conditions = STEPS.map(|event| format!("event = '{event}'")).join(", ");
    format!(
        "select {actor} as actor, funnel('{funnel}', timestamp, {conditions}) as steps from events \
         where timestamp >= '2022-01-01' and timestamp < '2026-01-01' and {actor} <> '' group by {actor}"
    )
}

fn definition(group_type_index: Option<usize>, order: &str) -> Value {
    json!({
        "kind": "FunnelsQuery", "dateRange": {"date_from": "2022-01-01", "date_to": "2025-12-31"},
        "series": STEPS.map(|event| json!({"kind": "EventsNode", "event": event})),
        "aggregation_group_type_index": group_type_index,
        "funnelsFilter": {"funnelOrderType": order, "simultaneityWindowMs": 0},
    })
}

/// How many came at least to each step.
fn reached(done: impl Iterator<Item = u64> + Clone) -> Vec<u64> {
    let at_least = |step| done.clone().filter(|done| *done >= step).count() as u64;
    (1..=STEPS.len() as u64).map(at_least).collect()
}

async fn counts(engine: &Engine, definition: &Value) -> Vec<u64> {
    let answer = ask(engine, definition, &sample::options()).await;
    column(answer.results(), "count")
}

#[tokio::test]
async fn the_function_counts_as_the_insight_does() {
    let engine = Engine::open(sample::store().await.location())
        .await
        .expect("the store");
    for (actor, group_type_index) in [("person_id", None), ("\"$group_1\"", Some(1))] {
        for (order, funnel) in [
            ("ordered", "14 days"),
            ("strict", r#"{"window": "2 weeks", "order": "strict"}"#),
            (
                "unordered",
                r#"{"window": "336 hours", "order": "unordered"}"#,
            ),
        ] {
            let expected = counts(&engine, &definition(group_type_index, order)).await;
            assert!(expected.iter().all(|count| *count > 0), "{expected:?}");
            let answer = engine.sql(&select(actor, funnel)).await.expect("an answer");
            let rows = answer.results().as_array().expect("rows").iter();
            let done = rows.map(|row| row["steps"].as_u64().expect("a number"));
            assert_eq!(reached(done), expected, "{order} by {actor}");
        }
    }
}

#[tokio::test]
async fn the_function_works_in_anybodys_session() {
    let engine = Engine::open(sample::store().await.location())
        .await
        .expect("the store");
    let mut session = SessionContext::new();
    session.register_quintet(&engine).await.expect("tables");
    for (actor, group_type_index) in [("person_id", None), ("\"$group_0\"", Some(0))] {
        let plan = session
            .sql(&select(actor, "14 days"))
            .await
            .expect("a plan");
        let rows = plan.collect().await.expect("rows");
        let done = rows.iter().flat_map(|batch| {
            let steps = batch.column(1).as_primitive::<UInt32Type>();
            steps.values().iter().map(|done| u64::from(*done))
        });
        let expected = counts(&engine, &definition(group_type_index, "ordered")).await;
        assert_eq!(reached(done), expected, "by {actor}");
    }
}

#[tokio::test]
async fn conversion_by_a_property_of_the_group_is_a_join_away() {
    let engine = Engine::open(sample::store().await.location())
        .await
        .expect("the store");
    let joined = format!(
        "select split_part(actor, '/', 1) as owner, count(*) as entered, sum(case when steps = 3 then 1 else 0 end) as converted \
         from ({}) where steps > 0 group by 1 order by 1",
        select("\"$group_0\"", "14 days")
    );
    let answer = engine.sql(&joined).await.expect("an answer");
    let rows = answer.results().as_array().expect("rows").iter();
    let (entered, converted) = rows.fold((0, 0), |(entered, converted), row| {
        let number = |name: &str| row[name].as_u64().expect("a number");
        (entered + number("entered"), converted + number("converted"))
    });
    let expected = counts(&engine, &definition(Some(0), "ordered")).await;
    assert_eq!(vec![entered, converted], vec![expected[0], expected[2]]);
}
