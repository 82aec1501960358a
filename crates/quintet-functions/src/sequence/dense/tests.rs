use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::{
    RecordBatch, StringViewArray, TimestampMicrosecondArray, UInt32Array, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::MemTable;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, UnboundedMemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, collect, displayable, execute_stream};
use datafusion::prelude::{DataFrame, SessionConfig, SessionContext, col};
use futures::{StreamExt, stream};
use quintet_behavior::funnel::{Attribution, Funnel, Order, Periods};
use quintet_behavior::retention::Retention;
use serde_json::json;

use super::{DenseSequences, DenseSequencesExec};
use crate::expr_fn::{self, SequenceColumns};
use crate::{FunnelDefinition, PathsDefinition, SequencesAtOnce};

const PARTITIONS: usize = 3;

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("actor", DataType::UInt32, false),
        Field::new("at", time, true),
        Field::new("marks", DataType::UInt64, false),
        Field::new("more", DataType::UInt64, false),
        Field::new("value", DataType::Utf8View, true),
    ]))
}

/// The same numbers in every run: `SplitMix64`.
fn noise(row: usize, salt: u64) -> usize {
    let mixed = (row as u64 * 16 + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) as usize % 1_000_000
}

/// Rows of actors that `number` gives: several at some instants, some without a time or a value.
fn batch(rows: std::ops::Range<usize>, number: fn(usize) -> u32) -> RecordBatch {
    let values = [
        Some(""),
        Some("pro"),
        Some("a text that is longer than twelve bytes"),
        None,
    ];
    let at = |row: usize| (!noise(row, 6).is_multiple_of(50)).then(|| (noise(row, 1) % 250) as i64);
    let times: TimestampMicrosecondArray = rows.clone().map(at).collect();
    let value: StringViewArray = rows.clone().map(|row| values[noise(row, 2) % 4]).collect();
    let actor = UInt32Array::from_iter_values(rows.clone().map(|row| number(noise(row, 3))));
    let marks = UInt64Array::from_iter_values(rows.clone().map(|row| 1 << (noise(row, 4) % 3)));
    let is_excluded = |row: usize| u64::from(noise(row, 5).is_multiple_of(11)) << 1;
    let more = UInt64Array::from_iter_values(rows.clone().map(is_excluded));
    let columns = vec![
        Arc::new(actor) as _,
        Arc::new(times.with_timezone("UTC")) as _,
        Arc::new(marks) as _,
        Arc::new(more) as _,
        Arc::new(value) as _,
    ];
    RecordBatch::try_new(schema(), columns).unwrap()
}

/// The rows in three partitions of several batches.
fn table(rows: usize, number: fn(usize) -> u32) -> MemTable {
    let piece = rows / 12;
    let batches = (0..12).map(|i| batch(i * piece..(i + 1) * piece, number));
    let batches: Vec<RecordBatch> = batches.collect();
    let partitions = batches.chunks(4).map(<[RecordBatch]>::to_vec).collect();
    MemTable::try_new(schema(), partitions).unwrap()
}

fn session(is_dense: bool, pool: Arc<dyn MemoryPool>) -> SessionContext {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = Vec::new();
    if is_dense {
        rules.push(Arc::new(DenseSequences));
    }
    rules.push(Arc::new(SequencesAtOnce));
    rules.extend(PhysicalOptimizer::default().rules);
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool);
    let config = SessionConfig::new()
        .with_target_partitions(PARTITIONS)
        .with_batch_size(100);
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime.build_arc().unwrap())
        .with_default_features()
        .with_physical_optimizer_rules(rules);
    let mut session = SessionContext::new_with_state(state.build());
    crate::register_all(&mut session).unwrap();
    session
}

fn unbounded() -> Arc<dyn MemoryPool> {
    Arc::new(UnboundedMemoryPool::default())
}

fn columns() -> SequenceColumns {
    SequenceColumns {
        time: col("at"),
        marks: col("marks"),
        more_marks: col("more"),
        value: col("value"),
    }
}

fn funnel() -> FunnelDefinition {
    FunnelDefinition {
        funnel: Funnel {
            steps: 3,
            order: Order::Ordered,
            window: 60,
            optional: 0,
            simultaneity: 0,
            attribution: Attribution::AllEvents,
            entry_until: None,
        },
        periods: Some(Periods {
            edges: vec![0, 50, 100, 200],
            from: 0,
            to: 2,
        }),
        empty: Some(String::new()),
    }
}

/// One call of every kind of sequence.
fn sequences() -> Vec<Expr> {
    let retention: Retention = serde_json::from_value(json!({
        "edges": [0, 50, 100, 200, 300], "reach": [1, 2, 3],
    }))
    .unwrap();
    let paths: PathsDefinition = serde_json::from_value(
        json!({"paths": {"gap": 40, "limit": 3, "start": null, "end": null}}),
    )
    .unwrap();
    vec![
        expr_fn::funnel_runs(&funnel(), columns()),
        expr_fn::funnel_entrances(&funnel(), columns()),
        expr_fn::retention(&retention, columns()),
        expr_fn::path_links(&paths, columns()),
    ]
}

fn by_actor(session: &SessionContext, table: MemTable, sequence: Expr) -> DataFrame {
    let rows = session.read_table(Arc::new(table)).unwrap();
    rows.aggregate(vec![col("actor")], vec![sequence.alias("outcome")])
        .unwrap()
}

async fn plan(frame: DataFrame) -> (Arc<dyn ExecutionPlan>, Arc<TaskContext>) {
    let context = Arc::new(frame.task_ctx());
    (frame.create_physical_plan().await.unwrap(), context)
}

async fn sorted(frame: DataFrame) -> String {
    let rows = frame.sort_by(vec![col("actor")]).unwrap().collect().await;
    pretty_format_batches(&rows.unwrap()).unwrap().to_string()
}

/// Asserts that the operator gives what the accumulators give, and returns it.
async fn same(rows: usize, number: fn(usize) -> u32, sequence: Expr) -> String {
    let [dense, stock] = [true, false].map(|is_dense| session(is_dense, unbounded()));
    let dense = by_actor(&dense, table(rows, number), sequence.clone());
    let (physical, _) = plan(dense.clone()).await;
    let text = displayable(physical.as_ref()).indent(false).to_string();
    assert!(text.contains("DenseSequencesExec: actor=actor@0"), "{text}");
    assert!(!text.contains("Repartition"), "{text}");
    let found = sorted(dense).await;
    let stock = by_actor(&stock, table(rows, number), sequence);
    assert_eq!(found, sorted(stock).await);
    found
}

#[tokio::test]
async fn every_sequence_gives_what_its_accumulator_gives() {
    for sequence in sequences() {
        let found = same(24_000, |noise| noise as u32 % 9_000, sequence).await;
        assert!(
            found.lines().count() > 8_000 && found.contains("text that"),
            "{found}"
        );
    }
}

#[tokio::test]
async fn few_actors_with_many_events_and_actors_far_apart_are_read_as_well() {
    for number in [
        |noise| noise as u32 % 7,
        |noise| u32::MAX - noise as u32 % 3 * 2_000_000_000,
        |_| 0,
    ] {
        same(12_000, number, sequences().remove(0)).await;
    }
}

#[tokio::test]
async fn no_rows_are_no_actors() {
    let found = same(0, |_| 0, sequences().remove(0)).await;
    assert!(!found.contains("outcome"), "{found}");
}

#[tokio::test]
async fn what_is_not_one_sequence_of_dense_actors_is_planned_as_ever() {
    let session = session(true, unbounded());
    session
        .register_table("events", Arc::new(table(24, |noise| noise as u32)))
        .unwrap();
    let funnel = "funnel('1 day', at, marks = 1, marks = 2)";
    for (sql, is_dense) in [
        (
            format!("select actor, {funnel} from events group by actor"),
            true,
        ),
        (
            format!("select actor, {funnel}, min(value) from events group by actor"),
            false,
        ),
        (
            format!("select actor, {funnel} filter (where more = 0) from events group by actor"),
            false,
        ),
        (
            format!("select value, {funnel} from events group by value"),
            false,
        ),
        (
            format!("select actor, marks, {funnel} from events group by actor, marks"),
            false,
        ),
        (
            format!("select nullif(actor, 3), {funnel} from events group by 1"),
            false,
        ),
        (format!("select {funnel} from events"), false),
        (
            "select actor, count(*) from events group by actor".to_owned(),
            false,
        ),
    ] {
        let (plan, context) = plan(session.sql(&sql).await.unwrap()).await;
        let text = displayable(plan.as_ref()).indent(false).to_string();
        assert_eq!(
            text.contains("DenseSequencesExec"),
            is_dense,
            "{sql}\n{text}"
        );
        collect(plan, context).await.unwrap();
    }
}

fn dense(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    if plan.downcast_ref::<DenseSequencesExec>().is_some() {
        return Arc::clone(plan);
    }
    dense(plan.children()[0])
}

#[tokio::test]
async fn outputs_are_asked_for_once_in_each_run() {
    let session = session(true, unbounded());
    let frame = by_actor(
        &session,
        table(1_200, |noise| noise as u32),
        sequences().remove(0),
    );
    let (plan, context) = plan(frame).await;
    let dense = dense(&plan);
    let mut rows = Vec::new();
    for _ in 0..2 {
        let mut count = 0;
        for output in 0..PARTITIONS {
            let batches = dense.execute(output, Arc::clone(&context)).unwrap();
            if output == 0 {
                assert!(dense.execute(0, Arc::clone(&context)).is_err());
            }
            let batches: Vec<_> = batches.collect().await;
            count += batches
                .into_iter()
                .map(|batch| batch.unwrap().num_rows())
                .sum::<usize>();
        }
        rows.push(count);
    }
    assert!(rows[0] > 1_000 && rows[0] == rows[1], "{rows:?}");
    assert!(dense.execute(PARTITIONS, context).is_err());
    assert_eq!(dense.metrics().unwrap().output_rows(), Some(2 * rows[0]));
}

#[tokio::test]
async fn memory_is_reserved_while_it_is_held_and_a_refusal_ends_the_query() {
    let pool = unbounded();
    let session_of = |pool: &Arc<dyn MemoryPool>| session(true, Arc::clone(pool));
    let ask = |session: SessionContext| async move {
        let table = table(24_000, |noise| noise as u32 % 9_000);
        plan(by_actor(&session, table, sequences().remove(0))).await
    };
    let (plan, context) = ask(session_of(&pool)).await;
    let outputs = (0..PARTITIONS).map(|output| dense(&plan).execute(output, Arc::clone(&context)));
    let mut outputs: Vec<_> = outputs.map(Result::unwrap).collect();
    outputs[0].next().await.unwrap().unwrap();
    assert!(pool.reserved() > 16 * 10_000, "{}", pool.reserved());
    drop(outputs);
    assert_eq!(pool.reserved(), 0);

    let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(100_000));
    let (plan, context) = ask(session_of(&pool)).await;
    let refused = collect(plan, context).await.unwrap_err().to_string();
    assert!(
        refused.contains("Resources exhausted") && refused.contains("DenseSequences["),
        "{refused}"
    );
    assert_eq!(pool.reserved(), 0);
}

/// One batch, and then nothing for ever.
#[derive(Debug)]
struct Endless(Arc<()>, SchemaRef);

impl PartitionStream for Endless {
    fn schema(&self) -> &SchemaRef {
        &self.1
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let first = stream::iter([Ok(batch(0..100, |noise| noise as u32))]);
        let alive = Arc::clone(&self.0);
        let never = stream::pending().map(move |()| {
            let _ = &alive;
            Ok(batch(0..1, |_| 0))
        });
        let batches = first.chain(never);
        Box::pin(RecordBatchStreamAdapter::new(schema(), batches))
    }
}

#[tokio::test]
async fn inputs_end_with_those_who_wanted_them() {
    let alive = Arc::new(());
    let endless = || Arc::new(Endless(Arc::clone(&alive), schema())) as Arc<dyn PartitionStream>;
    let table = StreamingTable::try_new(schema(), vec![endless(), endless(), endless()]).unwrap();
    let before = Arc::strong_count(&alive);
    let session = session(true, unbounded());
    let rows = session.read_table(Arc::new(table)).unwrap();
    let rows = rows.aggregate(vec![col("actor")], vec![sequences().remove(0)]);
    let (plan, context) = plan(rows.unwrap()).await;
    // Whoever keeps the plan keeps nothing running.
    let mut batches = execute_stream(Arc::clone(&plan), context).unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(50), batches.next()).await;
    assert!(waited.is_err());
    assert_eq!(Arc::strong_count(&alive), before + PARTITIONS);
    drop(batches);
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(1)).await;
        if Arc::strong_count(&alive) == before {
            return;
        }
    }
    unreachable!("{} inputs still run", Arc::strong_count(&alive) - before);
}
