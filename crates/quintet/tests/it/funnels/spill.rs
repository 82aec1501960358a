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
use quintet::{Engine, SessionContextExt};

use crate::sample;

/// Of every event 16 bytes are kept; the sample has 74,000.
const TOO_LITTLE: usize = 512 << 10;

const FUNNEL: &str = "select distinct_id, funnel('14 days', timestamp, event = 'commit', event = 'co_authored', event = 'pull_request_merged') \
                      from events group by distinct_id order by distinct_id";

/// A session with so much memory that plans sequences in one phase, as engines do, or in two, as anybody's session does.
async fn session(memory: Option<usize>, at_once: bool) -> SessionContext {
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
    let engine = Engine::open(sample::store().await.location()).await;
    let engine = engine.expect("the store");
    session.register_quintet(&engine).await.expect("tables");
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
    for at_once in [true, false] {
        let (expected, none) = steps(&session(None, at_once).await).await;
        assert_eq!(none, 0, "there was enough memory");
        let (found, spills) = steps(&session(Some(TOO_LITTLE), at_once).await).await;
        assert!(spills > 0, "{TOO_LITTLE} bytes were enough");
        assert_eq!(found, expected, "in one phase: {at_once}");
        assert!(found.iter().any(|done| *done == 3), "somebody converts");
    }
}
