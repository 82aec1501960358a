//! The one place where a DataFusion session is made: embedded, from the program, in tests and on workers alike.

mod yielding;

use std::sync::Arc;
use std::time::Duration;

use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::Result;

/// Limits of a session.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// Bytes that queries may hold at once; beyond it they spill to disk or are refused. `None`: no limit.
    pub(crate) memory: Option<usize>,
    /// How long a question may take; `None`: as long as it does.
    pub(crate) time: Option<Duration>,
    /// Partitions that a plan runs in; `None`: one per core.
    pub(crate) target_partitions: Option<usize>,
}

/// How many of the largest consumers a refusal for lack of memory names.
const NAMED_CONSUMERS: std::num::NonZeroUsize = std::num::NonZeroUsize::MIN.saturating_add(2);

/// Sorts of one plan that may hold memory in the same partition.
const SORTS_AT_ONCE: usize = 4;

/// A session that knows every function of ours. Where actors are the dense ids of a store, and plans run where they are made,
/// sequences go by operators of our own; unless memory is limited, for these do not spill.
pub(crate) fn session(limits: Limits, has_dense_actors: bool) -> Result<SessionContext> {
    let mut config = SessionConfig::new().with_information_schema(true);
    if let Some(partitions) = limits.target_partitions {
        config = config.with_target_partitions(partitions.max(1));
    }
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = limits.memory {
        // Every sort sets so much aside for merging what it spilled; by default more than a small pool has.
        let per_partition = bytes / (SORTS_AT_ONCE * config.target_partitions().max(1));
        let reserved = config
            .options()
            .execution
            .sort_spill_reservation_bytes
            .min(per_partition);
        config = config.with_sort_spill_reservation_bytes(reserved);
        runtime = runtime.with_memory_pool(Arc::new(TrackConsumersPool::new(
            FairSpillPool::new(bytes),
            NAMED_CONSUMERS,
        )));
    }
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = Vec::new();
    if has_dense_actors && limits.memory.is_none() {
        rules.push(Arc::new(quintet_functions::DenseSequences));
        rules.push(Arc::new(quintet_functions::CodedAggregates {
            columns: quintet_store::columns_with_codes,
            scan: quintet_store::scan_as_codes,
        }));
    }
    rules.push(Arc::new(quintet_functions::SequencesAtOnce));
    rules.extend(PhysicalOptimizer::default().rules);
    rules.push(Arc::new(yielding::YieldingJoins));
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc()?)
        .with_default_features()
        .with_physical_optimizer_rules(rules)
        .build();
    let mut context = SessionContext::new_with_state(state);
    quintet_functions::register_all(&mut context)?;
    for function in quintet_store::scalar_functions() {
        context.register_udf(function.as_ref().clone());
    }
    Ok(context)
}
