//! Extreme shapes in little memory: an answer, the same as with all the memory there is, or `ResourcesExhausted`.
//!
//! `QUINTET_EXTREME=1000000` gives one person as many events instead of the few of every day (`docs/RELIABILITY.md`).

use std::fmt::Write as _;

use quintet::{Engine, EngineBuilder, ErrorKind, Load, Source};
use serde_json::{Value, json};

use crate::world;

/// Memory of all questions at once.
const MEMORY: usize = 24 << 20;

fn extreme() -> usize {
    let asked = std::env::var("QUINTET_EXTREME").ok();
    asked.and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

/// One person and one company have nearly all events, and each of these has a value of its own.
fn events() -> String {
    let mut lines = String::new();
    for at in 0..extreme() {
        let (person, company) = match at % 50 {
            0 => (format!("person {at}"), format!("company {}", at % 400)),
            _ => ("busy".to_owned(), "giant".to_owned()),
        };
        let time = 1_704_067_200 + (at as u64 * 7_919) % 5_000_000;
        let _ = writeln!(
            lines,
            r#"{{"event":"step {}","distinct_id":"{person}","timestamp":{time},"properties":{{"value":"value {at}","$groups":{{"company":"{company}"}}}}}}"#,
            at % 32
        );
    }
    lines
}

fn questions() -> Vec<Value> {
    let range = json!({"date_from": "2024-01-01", "date_to": "2024-03-31"});
    let steps = |number: usize| -> Vec<Value> {
        let step = |n: usize| json!({"kind": "EventsNode", "event": format!("step {n}")});
        (0..number).map(step).collect()
    };
    let all = json!([{"kind": "EventsNode", "event": null}]);
    let by_value =
        json!({"breakdown": "value", "breakdown_type": "event", "breakdown_limit": 100_000});
    vec![
        json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps(32)}),
        json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps(32), "aggregation_group_type_index": 0}),
        json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps(3), "funnelsFilter": {"funnelOrderType": "unordered"}}),
        json!({"kind": "TrendsQuery", "interval": "month", "dateRange": range, "series": all, "breakdownFilter": by_value}),
        json!({"kind": "RetentionQuery", "dateRange": range, "retentionFilter": {
            "period": "Day", "totalIntervals": 30, "targetEntity": {"id": "step 1", "type": "events"}, "returningEntity": {"id": "step 2", "type": "events"}}}),
        json!({"kind": "PathsQuery", "dateRange": range, "pathsFilter": {"includeEventTypes": ["custom_event"]}}),
        json!({"kind": "StickinessQuery", "dateRange": range, "series": steps(1)}),
        json!({"kind": "LifecycleQuery", "dateRange": range, "series": steps(1)}),
        json!({"kind": "SQL", "query": "select properties from events order by properties desc, uuid limit 10"}),
        json!({"kind": "SQL", "query": "select count(distinct properties) from events"}),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn extreme_shapes_in_little_memory_are_answered_or_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("store");
    let place = place.to_str().expect("a path");
    let engine = Engine::create(place, world::settings())
        .await
        .expect("a store");
    let sources = vec![Source::bytes("extreme", events())];
    let load = Load {
        sources,
        ..Load::default()
    };
    engine.ingest(load).await.expect("a load");
    let little = EngineBuilder::new().with_memory_limit(MEMORY).with_cache(0);
    let little = little.open(place).await.expect("an engine");
    let (mut answered, mut refused) = (0, 0);
    for question in questions() {
        let text = question.to_string();
        let expected = engine
            .query(&text)
            .await
            .unwrap_or_else(|error| panic!("{text}: {error}"));
        match little.query(&text).await {
            Ok(answer) => {
                answered += 1;
                assert_eq!(answer.results(), expected.results(), "{text}");
            }
            Err(error) => {
                refused += 1;
                assert_eq!(
                    error.kind(),
                    ErrorKind::ResourcesExhausted,
                    "{text}: {error}"
                );
                assert!(!error.to_string().contains('\n'), "{error}");
            }
        }
    }
    println!(
        "{} events in {MEMORY} bytes: {answered} answered, {refused} refused",
        extreme()
    );
    assert!(answered > 0);
}
