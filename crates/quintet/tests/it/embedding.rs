//! The library as a service uses it: builders, errors, Arrow, other people's sessions.

use std::time::Duration;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Float64Type;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use quintet::query::trends::{EventsNode, Math, TrendsQuery};
use quintet::query::{GroupType, Interval, Query};
use quintet::{
    Engine, EngineBuilder, ErrorKind, Load, QueryOptions, SessionContextExt, Settings, Source,
};

use crate::sample;

async fn engine() -> Engine {
    Engine::open(sample::store().await.location())
        .await
        .expect("the store")
}

fn companies(group: &str) -> Query {
    let series = EventsNode::new("pull_request_merged")
        .math(Math::UniqueGroup)
        .group(GroupType::from(group));
    Query::Trends(
        TrendsQuery::new()
            .series(series)
            .interval(Interval::Month)
            .date_range("2025-01-01", Some("2025-03-31")),
    )
}

#[tokio::test]
async fn a_group_type_is_named_in_rust_and_numbered_in_json() {
    let built = engine()
        .await
        .run(&companies("company"), &sample::options())
        .await
        .expect("an answer");
    let written = r#"{"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-03-31"},
        "series": [{"kind": "EventsNode", "event": "pull_request_merged", "math": "unique_group", "math_group_type_index": 1}]}"#;
    let written = engine()
        .await
        .query_with(written, &sample::options())
        .await
        .expect("an answer");
    assert_eq!(built.results()[0]["data"], written.results()[0]["data"]);
    let error = engine()
        .await
        .run(&companies("firm"), &sample::options())
        .await
        .expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("company"), "{error}");
}

#[tokio::test]
async fn errors_say_whose_fault_and_where() {
    let engine = engine().await;
    for (definition, kind, path) in [
        ("{", ErrorKind::Invalid, None),
        (
            r#"{"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "math": "foo"}]}"#,
            ErrorKind::Invalid,
            Some("series[0].math"),
        ),
        (
            r#"{"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "math": "unique_group", "math_group_type_index": 7}]}"#,
            ErrorKind::Invalid,
            Some("series[0].math_group_type_index"),
        ),
        (
            r#"{"kind": "TrendsQuery", "series": [], "intervall": "day"}"#,
            ErrorKind::Invalid,
            Some("intervall"),
        ),
        (r#"{"kind": "PersonsNode"}"#, ErrorKind::Unsupported, None),
        (
            r#"{"kind": "SQL", "query": "select nothing from nowhere"}"#,
            ErrorKind::Invalid,
            Some("query"),
        ),
        (
            r#"{"kind": "SQL", "query": "drop table events"}"#,
            ErrorKind::Invalid,
            Some("query"),
        ),
    ] {
        let error = engine.query(definition).await.expect_err(definition);
        assert_eq!(
            (error.kind(), error.path()),
            (kind, path),
            "{definition}: {error}"
        );
        assert!(!error.to_string().contains('\n'), "{error}");
    }
    let missing = Engine::open("/nowhere/at/all")
        .await
        .err()
        .expect("a refusal");
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    assert!(missing.to_string().contains("quintet init"), "{missing}");
}

#[tokio::test]
async fn sql_reads_tables_and_one_view_per_group_type_but_no_files() {
    let engine = engine().await;
    let answer = engine
        .sql("select count(*) as n, count(distinct \"$group_0\") as r from events")
        .await
        .expect("an answer");
    assert_eq!(answer.results()[0]["n"], sample::EVENTS.len());
    assert_eq!(answer.results()[0]["r"], 8);
    let types = engine
        .sql("select group_type, \"index\" from group_types order by 2")
        .await
        .expect("an answer");
    assert_eq!(
        types.results()[1],
        serde_json::json!({"group_type": "company", "index": 1})
    );
    engine
        .sql("select key from company")
        .await
        .expect("a view per group type");
    let hidden = engine
        .sql("select person_ref from events")
        .await
        .expect_err("dense ids are not shown");
    assert_eq!(hidden.kind(), ErrorKind::Invalid);
    let file = engine
        .sql("select * from '/etc/passwd'")
        .await
        .expect_err("files are out of reach");
    assert_eq!(file.kind(), ErrorKind::Invalid);
    let stream = engine
        .sql_stream("select event from events")
        .await
        .expect("a stream");
    let batches: Vec<_> = stream.try_collect().await.expect("batches");
    assert_eq!(
        batches.iter().map(|batch| batch.num_rows()).sum::<usize>(),
        sample::EVENTS.len()
    );
}

#[tokio::test]
async fn an_insight_is_a_relation_in_anybodys_session() {
    let engine = engine().await;
    let mut session = SessionContext::new();
    session.register_quintet(&engine).await.expect("tables");
    let definition = r#"{"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-12-31"},
        "series": [{"kind": "EventsNode", "event": "commit"}]}"#;
    let months = session
        .insight(&engine, definition, &QueryOptions::default())
        .await
        .expect("a relation");
    let rows = months.collect().await.expect("rows");
    let values: f64 = rows
        .iter()
        .flat_map(|batch| {
            batch
                .column(4)
                .as_primitive::<Float64Type>()
                .values()
                .to_vec()
        })
        .sum();
    let counted = session
        .sql("select count(*) from events where event = 'commit' and timestamp >= '2025-01-01' and timestamp < '2026-01-01'")
        .await
        .expect("a plan");
    let counted = counted.collect().await.expect("rows");
    let counted = counted[0]
        .column(0)
        .as_primitive::<datafusion::arrow::datatypes::Int64Type>()
        .value(0);
    assert_eq!(values, counted as f64);
}

#[tokio::test]
async fn the_plans_of_an_insight_can_be_read() {
    let definition = r#"{"kind": "TrendsQuery", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-01-31"},
        "series": [{"kind": "EventsNode", "event": "commit", "math": "unique_group", "math_group_type_index": 1}]}"#;
    let plans = engine()
        .await
        .explain(definition, &sample::options())
        .await
        .expect("plans");
    assert!(
        plans.contains("ActorSetsExec: figure=Actors, actor=Group(1), events=Named({\"commit\"})"),
        "{plans}"
    );
}

#[tokio::test]
async fn a_bad_line_is_reported_and_the_rest_is_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let engine = Engine::create(folder.path().to_str().expect("a path"), Settings::default())
        .await
        .expect("a store");
    let lines = "{\"event\":\"a\",\"distinct_id\":\"x\",\"timestamp\":\"2024-01-01T00:00:00Z\"}\n{\"event\":\"a\",\n\
                 {\"event\":\"a\",\"distinct_id\":\"y\",\"timestamp\":\"2024-01-01T00:00:00Z\"}\n";
    let report = engine
        .ingest(Load {
            sources: vec![Source::bytes("lines", lines)],
            ..Load::default()
        })
        .await
        .expect("a load");
    assert_eq!(
        (
            report.events.read,
            report.events.stored,
            report.events.rejected
        ),
        (3, 2, 1)
    );
    assert_eq!(report.rejected[0].line, 2);
    assert_eq!(engine.stats().await.expect("stats").rows, 2);
}

/// Counts one by one to a billion: nobody has the time for that, however quick the machine.
const ENDLESS: &str = "with recursive counted as (
                           select 1 as n union all select n + 1 from counted where n < 1000000000
                       ) select max(n) from counted";

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_takes_too_long_is_given_up() {
    let limited = EngineBuilder::new().with_time_limit(Duration::from_millis(50));
    let engine = sample::engine_of(limited).await;
    let error = engine.sql(ENDLESS).await.expect_err("no time");
    assert_eq!(error.kind(), ErrorKind::ResourcesExhausted);
    assert!(error.to_string().contains("time limit"), "{error}");
    let patient = EngineBuilder::new().with_time_limit(Duration::from_secs(600));
    let engine = sample::engine_of(patient).await;
    let definition =
        r#"{"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "commit"}]}"#;
    engine.query(definition).await.expect("an answer");
}
