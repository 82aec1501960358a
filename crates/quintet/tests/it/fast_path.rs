//! The operators over dense ids: taken where they fit and nowhere else, with the answers of the stock plans, cold and from the cache.

use quintet::{ActorKeys, Engine, EngineBuilder};
use serde_json::{Value, json};

use crate::sample;

const RANGE: (&str, &str) = ("2025-01-01", "2025-06-30");

fn node(extra: Value) -> Value {
    let mut node = json!({"kind": "EventsNode", "event": "commit"});
    merge(&mut node, extra);
    node
}

fn merge(into: &mut Value, extra: Value) {
    if let (Some(into), Value::Object(extra)) = (into.as_object_mut(), extra) {
        into.extend(extra);
    }
}

fn insight(kind: &str, series: Value, extra: Value) -> Value {
    let mut insight = json!({
        "kind": kind, "interval": "week",
        "dateRange": {"date_from": RANGE.0, "date_to": RANGE.1},
        "series": [series],
    });
    merge(&mut insight, extra);
    insight
}

fn trend(node_extra: Value, extra: Value) -> Value {
    insight("TrendsQuery", node(node_extra), extra)
}

fn retention(kind: &str, group: Option<u8>) -> Value {
    json!({
        "kind": "RetentionQuery", "aggregation_group_type_index": group,
        "dateRange": {"date_from": RANGE.0, "date_to": RANGE.1},
        "retentionFilter": {
            "period": "Week", "totalIntervals": 8, "retentionType": kind,
            "targetEntity": {"id": "commit", "type": "events"},
            "returningEntity": {"id": "pull_request_merged", "type": "events"},
        },
    })
}

/// Questions that the sets of actors answer.
fn of_sets() -> Vec<Value> {
    let by_group = |math: &str| json!({"math": math, "math_group_type_index": 2});
    let display = |display: &str| json!({"trendsFilter": {"display": display}});
    vec![
        trend(json!({}), json!({"interval": "day"})),
        trend(json!({}), display("BoldNumber")),
        trend(json!({"math": "dau"}), json!({})),
        trend(
            json!({"math": "dau", "event": null}),
            json!({"interval": "month"}),
        ),
        trend(
            json!({"math": "dau"}),
            display("ActionsLineGraphCumulative"),
        ),
        trend(json!({"math": "weekly_active"}), json!({"interval": "day"})),
        trend(by_group("monthly_active"), json!({})),
        trend(
            by_group("unique_group"),
            json!({"compareFilter": {"compare": true}}),
        ),
        insight("StickinessQuery", node(json!({})), json!({})),
        insight(
            "StickinessQuery",
            node(by_group("unique_group")),
            json!({"interval": "day"}),
        ),
        insight("LifecycleQuery", node(json!({})), json!({})),
        insight(
            "LifecycleQuery",
            node(json!({"event": null})),
            json!({"interval": "month"}),
        ),
        retention("retention_recurring", None),
        retention("retention_first_time", Some(2)),
    ]
}

/// Questions that need rows, of some events only.
fn of_runs() -> Vec<Value> {
    vec![
        trend(json!({"math": "dau", "properties": languages()}), json!({})),
        trend(
            json!({"math": "dau"}),
            json!({"breakdownFilter": {"breakdown": "language", "breakdown_type": "event"}}),
        ),
        insight(
            "StickinessQuery",
            node(json!({})),
            json!({"stickinessFilter": {"stickinessCriteria": {"operator": "gte", "value": 2}}}),
        ),
    ]
}

fn languages() -> Value {
    json!([{"key": "language", "value": ["rust", "python"], "operator": "exact", "type": "event"}])
}

/// Questions that are counted by codes.
fn of_codes() -> Vec<Value> {
    vec![
        trend(
            json!({}),
            json!({"interval": "hour", "dateRange": {"date_from": "2025-06-01", "date_to": "2025-06-03"}}),
        ),
        trend(
            json!({"math": "p90", "math_property": "files_changed"}),
            json!({}),
        ),
        trend(
            json!({}),
            json!({"breakdownFilter": {"breakdown": "language", "breakdown_type": "event", "breakdown_limit": 3}}),
        ),
        trend(
            json!({"math": "avg", "math_property": "files_changed", "event": null}),
            json!({
                "breakdownFilter": {"breakdowns": [{"property": "language", "type": "event"}]},
                "properties": {"type": "AND", "values": [{"type": "AND", "values": languages()}]},
            }),
        ),
    ]
}

/// Questions whose events are gathered by actor.
fn of_sequences() -> Vec<Value> {
    let merged = || node(json!({"event": "pull_request_merged"}));
    let funnel = |filter: Value| {
        json!({
            "kind": "FunnelsQuery", "dateRange": {"date_from": RANGE.0, "date_to": RANGE.1},
            "series": [node(json!({})), merged()], "funnelsFilter": filter,
        })
    };
    vec![
        funnel(json!({})),
        funnel(json!({"funnelOrderType": "strict"})),
        json!({
            "kind": "FunnelsQuery", "dateRange": {"date_from": "2025-03-05T07:00:00", "date_to": "2025-03-20T09:30:00"},
            "series": [node(json!({"properties": languages()})), node(json!({"event": null}))],
        }),
    ]
}

async fn answer(engine: &Engine, question: &Value) -> Value {
    let answer = engine
        .query_with(&question.to_string(), &sample::options())
        .await;
    answer
        .unwrap_or_else(|error| panic!("{error}: {question}"))
        .results()
        .clone()
}

async fn plans(engine: &Engine, question: &Value) -> String {
    let plans = engine
        .explain(&question.to_string(), &sample::options())
        .await;
    plans.unwrap_or_else(|error| panic!("{error}: {question}"))
}

#[tokio::test]
async fn the_fast_path_is_taken_where_it_fits_and_changes_no_answer() {
    let ids = sample::engine_of(EngineBuilder::new().with_cache(64 << 20)).await;
    let cold = sample::engine_of(EngineBuilder::new().with_cache(0)).await;
    let keys = sample::engine_of(EngineBuilder::new().with_actor_keys(ActorKeys::Keys)).await;
    let questions = of_sets().into_iter().map(|q| (q, "ActorSetsExec"));
    let questions = questions.chain(of_runs().into_iter().map(|q| (q, "RunsExec")));
    let questions = questions.chain(of_codes().into_iter().map(|q| (q, "CodedAggregateExec")));
    let questions = questions.chain(
        of_sequences()
            .into_iter()
            .map(|q| (q, "DenseSequencesExec")),
    );
    for (question, operator) in questions {
        let taken = plans(&ids, &question).await;
        assert!(taken.contains(operator), "{question}\n{taken}");
        assert!(
            !taken.contains("DataSourceExec: file_groups"),
            "{question}\n{taken}"
        );
        let stock = plans(&keys, &question).await;
        let ours = [
            "ActorSetsExec",
            "RunsExec",
            "CodedAggregateExec",
            "DenseSequencesExec",
        ];
        assert!(
            !ours.iter().any(|ours| stock.contains(ours)),
            "{question}\n{stock}"
        );
        let expected = answer(&keys, &question).await;
        assert_eq!(answer(&cold, &question).await, expected, "{question}");
        for _ in 0..2 {
            assert_eq!(answer(&ids, &question).await, expected, "{question}");
        }
    }
}

#[tokio::test]
async fn a_folder_has_a_fast_path_of_its_own_that_changes_no_answer() {
    let folder = sample::folder().await;
    let open = async |builder: EngineBuilder| builder.open(folder).await.expect("an engine");
    let ids = open(EngineBuilder::new()).await;
    let keys = open(EngineBuilder::new().with_actor_keys(ActorKeys::Keys)).await;
    for question in of_sets().into_iter().chain(of_runs()) {
        let taken = plans(&ids, &question).await;
        let ours = ["ActorSetsExec", "FolderExec"];
        assert!(
            ours.iter().any(|ours| taken.contains(ours))
                && !taken.contains("DataSourceExec: file_groups"),
            "{question}\n{taken}"
        );
        let stock = plans(&keys, &question).await;
        assert!(
            !ours.iter().any(|ours| stock.contains(ours)),
            "{question}\n{stock}"
        );
        let expected = answer(&keys, &question).await;
        assert_eq!(answer(&ids, &question).await, expected, "{question}");
    }
    let counted = json!({"kind": "SQL", "query": "select event, count(*) as n from events group by event order by event"});
    let taken = plans(&ids, &counted).await;
    assert!(
        taken.contains("CodedAggregateExec") && taken.contains("FolderExec"),
        "{taken}"
    );
    assert_eq!(answer(&ids, &counted).await, answer(&keys, &counted).await);
}

#[tokio::test]
async fn only_the_rows_of_the_events_asked_for_are_read() {
    let engine = sample::engine_of(EngineBuilder::new()).await;
    let stats = engine.stats().await.expect("stats").events.expect("names");
    let question = trend(
        json!({"math": "p90", "math_property": "files_changed"}),
        json!({"dateRange": {"date_from": "2000-01-01", "date_to": "2030-01-01"}}),
    );
    let plans = plans(&engine, &question).await;
    let rows = format!(
        "RunsExec: events=These({{\"commit\"}}), rows={},",
        stats["commit"]
    );
    assert!(plans.contains(&rows), "{rows}\n{plans}");
}
