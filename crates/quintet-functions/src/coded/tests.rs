use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{
    Float64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray, UInt32Array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::datasource::MemTable;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::memory_pool::{GreedyMemoryPool, MemoryPool, UnboundedMemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{CastExpr, Column};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::physical_plan::{ExecutionPlan, collect, displayable};
use datafusion::prelude::{SessionConfig, SessionContext};

use super::CodedAggregates;

fn schema() -> SchemaRef {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    Arc::new(Schema::new(vec![
        Field::new("plan", DataType::Utf8View, true),
        Field::new("country", DataType::Utf8View, true),
        Field::new("at", time, false),
        Field::new("number", DataType::Float64, true),
        Field::new("actor", DataType::UInt32, false),
    ]))
}

/// The same numbers in every run.
fn noise(row: usize, salt: u64) -> usize {
    let mixed = (row as u64 * 16 + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 31)) as usize % 1_000_000
}

/// Mostly in order of time, from before the first bucket to after the last.
fn batch(rows: std::ops::Range<usize>) -> RecordBatch {
    let plans = [
        None,
        Some(""),
        Some("pro"),
        Some("free"),
        Some("a plan that is longer than twelve bytes"),
    ];
    let countries = [Some("US"), Some("DE"), None];
    let of = |texts: &[Option<&'static str>], salt| -> StringViewArray {
        rows.clone()
            .map(|row| texts[noise(row, salt) % texts.len()])
            .collect()
    };
    let at = |row: usize| (row + noise(row, 3) % 40) as i64;
    let number =
        |row: usize| (!noise(row, 4).is_multiple_of(7)).then(|| (noise(row, 5) % 100) as f64);
    let times = TimestampMicrosecondArray::from_iter_values(rows.clone().map(at));
    RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(of(&plans, 1)),
            Arc::new(of(&countries, 2)),
            Arc::new(times.with_timezone("UTC")),
            Arc::new(rows.clone().map(number).collect::<Float64Array>()),
            Arc::new(UInt32Array::from_iter_values(
                rows.clone().map(|row| (noise(row, 6) % 50) as u32),
            )),
        ],
    )
    .unwrap()
}

/// Codes by a projection: every batch has dictionaries of its own.
fn by_cast(scan: &Arc<dyn ExecutionPlan>, columns: &BTreeSet<usize>) -> Arc<dyn ExecutionPlan> {
    let codes = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    let schema = scan.schema();
    let exprs = schema.fields().iter().enumerate().map(|(at, field)| {
        let column: Arc<dyn PhysicalExpr> = Arc::new(Column::new(field.name(), at));
        let expr = match columns.contains(&at) {
            true => Arc::new(CastExpr::new(column, codes.clone(), None)),
            false => column,
        };
        ProjectionExpr {
            expr,
            alias: field.name().clone(),
        }
    });
    Arc::new(ProjectionExec::try_new(exprs.collect::<Vec<_>>(), Arc::clone(scan)).unwrap())
}

fn texts(scan: &Arc<dyn ExecutionPlan>) -> BTreeSet<usize> {
    let schema = scan.schema();
    let fields = schema.fields().iter().enumerate();
    let is_text = |kind: &DataType| *kind == DataType::Utf8View;
    fields
        .filter(|(_, field)| is_text(field.data_type()))
        .map(|(at, _)| at)
        .collect()
}

fn session(is_coded: bool, pool: Arc<dyn MemoryPool>) -> SessionContext {
    let mut rules: Vec<Arc<dyn PhysicalOptimizerRule + Send + Sync>> = Vec::new();
    if is_coded {
        rules.push(Arc::new(CodedAggregates {
            columns: texts,
            scan: by_cast,
        }));
    }
    rules.extend(PhysicalOptimizer::default().rules);
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool);
    let state = SessionStateBuilder::new()
        .with_config(SessionConfig::new().with_target_partitions(3))
        .with_runtime_env(runtime.build_arc().unwrap())
        .with_default_features()
        .with_physical_optimizer_rules(rules);
    let mut session = SessionContext::new_with_state(state.build());
    crate::register_all(&mut session).unwrap();
    let batches = (0..12)
        .map(|i| batch(i * 300..(i + 1) * 300))
        .collect::<Vec<_>>();
    let partitions = batches.chunks(4).map(<[RecordBatch]>::to_vec).collect();
    let table = MemTable::try_new(schema(), partitions).unwrap();
    session.register_table("t", Arc::new(table)).unwrap();
    session
}

fn unbounded() -> Arc<dyn MemoryPool> {
    Arc::new(UnboundedMemoryPool::default())
}

/// The plan, and the rows in order of their text.
async fn asked(session: &SessionContext, sql: &str) -> (String, Vec<String>) {
    let plan = session
        .sql(sql)
        .await
        .unwrap()
        .create_physical_plan()
        .await
        .unwrap();
    let shown = displayable(plan.as_ref()).indent(true).to_string();
    let rows = collect(plan, session.task_ctx()).await.unwrap();
    let rows = pretty_format_batches(&rows).unwrap().to_string();
    // Without the heading, which is missing where there is no batch at all.
    let rows = rows.lines().skip(3).filter(|line| line.starts_with('|'));
    let mut rows: Vec<String> = rows.map(str::to_owned).collect();
    rows.sort_unstable();
    (shown, rows)
}

const BUCKET: &str = "bucket(at, [100, 500, 900, 2000, 3500])";

#[tokio::test]
async fn what_is_counted_by_codes_is_what_is_counted_by_texts() {
    let (coded, plain) = (session(true, unbounded()), session(false, unbounded()));
    let aggregates = [
        "count(*)",
        "count(number), sum(number), min(number), max(number)",
        "avg(number)",
        "percentile_cont(0.9) within group (order by number)",
        "count(distinct actor), count(*)",
    ];
    let keys = [
        "plan".to_owned(),
        BUCKET.to_owned(),
        format!("plan, {BUCKET}"),
        format!("{BUCKET}, plan, country"),
        format!("nullif(plan, ''), coalesce(country, 'none'), {BUCKET}"),
        "case when country = 'DE' then 'ours' else country end, plan".to_owned(),
    ];
    let conditions = [
        "true",
        "plan in ('pro', 'free')",
        "country = 'US' and number > 20 and at < timestamp '1970-01-01T00:00:00.002Z'",
        "country is null and plan <> 'pro'",
        "plan = 'no such plan'",
    ];
    for aggregate in aggregates {
        for key in &keys {
            for condition in conditions {
                let sql =
                    format!("select {key}, {aggregate} from t where {condition} group by {key}");
                let (plan, found) = asked(&coded, &sql).await;
                assert!(plan.contains("CodedAggregateExec"), "{sql}\n{plan}");
                assert_eq!(found, asked(&plain, &sql).await.1, "{sql}");
            }
        }
    }
}

#[tokio::test]
async fn the_rest_stays_as_it_is() {
    let (coded, plain) = (session(true, unbounded()), session(false, unbounded()));
    for sql in [
        "select count(*) from t",
        "select actor, count(*) from t group by actor",
        "select plan, min(plan) from t group by plan",
        "select concat(plan, country) as both, count(*) from t group by 1",
        "select plan, count(*) filter (where country = 'US') from t group by plan",
        "select plan, country, count(*) from t group by rollup (plan, country)",
        "select plan, count(*) from t where random() >= 0 group by plan",
    ] {
        let (plan, found) = asked(&coded, sql).await;
        assert!(!plan.contains("CodedAggregateExec"), "{sql}\n{plan}");
        assert_eq!(found, asked(&plain, sql).await.1, "{sql}");
    }
}

#[tokio::test]
async fn a_condition_of_a_text_that_is_needed_otherwise_is_asked_row_by_row() {
    let (coded, plain) = (session(true, unbounded()), session(false, unbounded()));
    let sql = "select plan, min(country) from t where country <> 'US' group by plan";
    let (plan, found) = asked(&coded, sql).await;
    assert!(plan.contains("CodedAggregateExec"), "{plan}");
    assert_eq!(found, asked(&plain, sql).await.1);
}

#[tokio::test]
async fn memory_is_asked_for() {
    let session = session(true, Arc::new(GreedyMemoryPool::new(1_000)));
    let sql = format!("select plan, {BUCKET}, count(*) from t group by 1, 2");
    let rows = session.sql(&sql).await.unwrap().collect().await;
    assert!(rows.unwrap_err().to_string().contains("CodedAggregate"));
}
