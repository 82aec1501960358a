//! Funnels over more events than there is memory for: they spill, and answer the same.

use std::sync::Arc;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::UInt32Type;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use quintet::functions::SequencesAtOnce;
use quintet::{Engine, EngineBuilder, Load, SessionContextExt, Settings, Source};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{ask, column};
use crate::sample;

const PERSONS: usize = 60_000;
/// 16 bytes for each of the 110,000 events are more than this.
const TOO_LITTLE: usize = 3 << 19;
/// By distinct ids, which are texts to be kept as well, this is too little.
const TOO_LITTLE_FOR_TEXTS: usize = 3 << 20;

const FUNNEL: &str = "select distinct_id, funnel('14 days', timestamp, event = 'sign up', event = 'invite', event = 'pay') as steps \
                      from events group by distinct_id order by distinct_id";

/// Everybody signs up, half of them invite somebody, a third pays and may have been invited.
async fn store() -> (TempDir, Engine) {
    let mut lines = String::new();
    for person in 0..PERSONS {
        for (step, event) in [(1, "sign up"), (2, "invite"), (3, "pay")] {
            if person.is_multiple_of(step) {
                let at = format!("2024-03-{:02}T0{step}:00:00Z", 1 + person % 7 * step);
                let id = format!("person {person}");
                let line = json!({"event": event, "distinct_id": id, "timestamp": at});
                lines.push_str(&format!("{line}\n"));
            }
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().to_str().expect("a path");
    let engine = Engine::create(location, Settings::default()).await;
    let engine = engine.expect("a store");
    let load = Load {
        sources: vec![Source::bytes("events", lines)],
        ..Load::default()
    };
    engine.ingest(load).await.expect("a load");
    (folder, engine)
}

/// A session with so much memory that plans sequences in one phase, as engines do, or in two, as anybody's session does.
async fn session(engine: &Engine, memory: Option<usize>, at_once: bool) -> SessionContext {
    let mut runtime = RuntimeEnvBuilder::new();
    let mut config = SessionConfig::new().with_target_partitions(1);
    if let Some(bytes) = memory {
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
        config = config.with_sort_spill_reservation_bytes(bytes / 16);
    }
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = Vec::new();
    if at_once {
        rules.push(Arc::new(SequencesAtOnce));
    }
    rules.extend(PhysicalOptimizer::default().rules);
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc().expect("a runtime"))
        .with_default_features()
        .with_physical_optimizer_rules(rules)
        .build();
    let mut session = SessionContext::new_with_state(state);
    session.register_quintet(engine).await.expect("tables");
    session
}

/// How far each actor came, and how often aggregates wrote to disk.
async fn steps(session: &SessionContext) -> (Vec<u32>, usize) {
    let plan = session.sql(FUNNEL).await.expect("a plan");
    let plan = plan.create_physical_plan().await.expect("a plan");
    let rows = collect(Arc::clone(&plan), session.task_ctx()).await;
    let rows = rows.expect("rows");
    let steps = rows.iter().flat_map(|batch| {
        let steps = batch.column(1).as_primitive::<UInt32Type>();
        steps.values().to_vec()
    });
    (steps.collect(), spills(&plan))
}

fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let is_aggregate = plan.downcast_ref::<AggregateExec>().is_some();
    let own = plan.metrics().and_then(|metrics| metrics.spill_count());
    let below: usize = plan.children().into_iter().map(spills).sum();
    below + own.filter(|_| is_aggregate).unwrap_or(0)
}

#[tokio::test]
async fn events_that_do_not_fit_are_spilled_and_nothing_changes() {
    let (folder, engine) = store().await;
    for at_once in [true, false] {
        let (expected, none) = steps(&session(&engine, None, at_once).await).await;
        assert_eq!(none, 0, "there was too little memory");
        let tight = session(&engine, Some(TOO_LITTLE_FOR_TEXTS), at_once).await;
        let (found, spills) = steps(&tight).await;
        assert!(spills > 0, "there was enough memory");
        assert_eq!(found, expected, "in one phase: {at_once}");
        assert!(found.contains(&3), "somebody converts");
    }
    // In an engine persons are numbers.
    let tight = EngineBuilder::new()
        .with_target_partitions(1)
        .with_memory_limit(TOO_LITTLE)
        .open(folder.path().to_str().expect("a path"))
        .await
        .expect("the store");
    for order in ["ordered", "strict", "unordered"] {
        let definition = definition(order);
        let expected = ask(&engine, &definition, &sample::options()).await;
        let found = ask(&tight, &definition, &sample::options()).await;
        assert_eq!(found.results(), expected.results(), "{order}");
        assert_eq!(column(found.results(), "count")[0], PERSONS as u64);
    }
}

fn definition(order: &str) -> Value {
    let steps = ["sign up", "invite", "pay"];
    json!({
        "kind": "FunnelsQuery", "dateRange": {"date_from": "2024-03-01", "date_to": "2024-03-31"},
        "series": steps.map(|event| json!({"kind": "EventsNode", "event": event})),
        "funnelsFilter": {"funnelOrderType": order},
    })
}
