#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs::File;
use std::path::Path;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::common::ScalarValue;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::file::properties::WriterProperties;
use datafusion::physical_plan::{collect, displayable};
use datafusion::prelude::{SessionContext, col, lit};

use super::*;
use crate::sets::Events;

/// Rows of the first file: many row groups, nulls everywhere, columns with a dictionary, in part with one and without any.
const ROWS: i64 = 3_000;

fn texts(of: impl Fn(i64) -> Option<String>) -> ArrayRef {
    Arc::new((0..ROWS).map(of).collect::<StringArray>())
}

fn write(folder: &Path) {
    let some = |row: i64, nth: i64, text: String| (row % nth != 0).then_some(text);
    let times = (0..ROWS).map(|row| row * 120_000_000 + (row % 7) * 1_000_000_000);
    let columns: Vec<(&str, ArrayRef)> = vec![
        (
            "uuid",
            texts(|row| Some(format!("00000000-0000-0000-0000-{row:012}"))),
        ),
        (
            "event",
            texts(|row| Some(["a", "b", "c", "d", "e"][(row * row % 5) as usize].into())),
        ),
        ("distinct_id", texts(|row| Some(format!("id {}", row % 40)))),
        (
            "person_id",
            texts(|row| some(row, 9, format!("a person with a long id {}", row * 7 % 41))),
        ),
        (
            "timestamp",
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")),
        ),
        (
            "$group_0",
            texts(|row| {
                some(
                    row,
                    3,
                    ["", "acme", "a group of some length"][(row % 4 % 3) as usize].into(),
                )
            }),
        ),
        (
            "price",
            Arc::new(
                (0..ROWS)
                    .map(|row| (row % 4 != 0).then_some(row as f64))
                    .collect::<Float64Array>(),
            ),
        ),
    ];
    let batch = RecordBatch::try_from_iter_with_nullable(
        columns
            .into_iter()
            .map(|(name, column)| (name, column, true)),
    )
    .unwrap();
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(700))
        .set_data_page_row_count_limit(100)
        .set_write_batch_size(50)
        .set_column_dictionary_enabled("uuid".into(), false)
        .set_column_dictionary_page_size_limit("person_id".into(), 256);
    let file = File::create(folder.join("1.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties.build())).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    // Another shape: no persons, no groups, no price.
    let few = batch.project(&[4, 2, 1]).unwrap().slice(0, 10);
    let file = File::create(folder.join("2.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, few.schema(), None).unwrap();
    writer.write(&few).unwrap();
    writer.close().unwrap();
}

async fn opened() -> (tempfile::TempDir, Folder) {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path());
    let location = Location::parse(folder.path().to_str().unwrap()).unwrap();
    let opened = Folder::open(location).await.unwrap();
    (folder, opened)
}

fn sessions(folder: &Folder) -> [SessionContext; 2] {
    let stock = SessionContext::new();
    stock.register_table("events", folder.events()).unwrap();
    let ours = SessionContext::new();
    let events = folder.events_by_actors(2).unwrap();
    ours.register_table("events", events).unwrap();
    [stock, ours]
}

async fn answer(session: &SessionContext, sql: &str) -> String {
    let rows = session.sql(sql).await.unwrap().collect().await.unwrap();
    pretty_format_batches(&rows).unwrap().to_string()
}

#[tokio::test]
async fn conditions_leave_the_same_rows_as_in_the_stock_scan() {
    let (_kept, folder) = opened().await;
    let [stock, ours] = sessions(&folder);
    let time = |minutes: i64| {
        format!(
            "arrow_cast({}, 'Timestamp(µs, \"UTC\")')",
            minutes * 60_000_000
        )
    };
    for condition in [
        "true".into(),
        "event = 'a'".into(),
        "event in ('b', 'e') and \"$group_0\" <> ''".into(),
        "\"$group_0\" is null".into(),
        "\"$group_0\" is not null and \"$group_0\" = 'acme' and event <> 'a'".into(),
        "person_id = 'a person with a long id 5'".into(),
        "person_id is null or person_id > 'a person with a long id 3'".into(),
        "price > 1500 and event = 'b'".into(),
        "price is null".into(),
        "coalesce(price, 0) < 7".into(),
        "uuid like '%7'".into(),
        "event = 'nothing'".into(),
        "event = distinct_id or price = 5".into(),
        format!(
            "timestamp >= {} and timestamp < {}",
            time(1_000),
            time(1_300)
        ),
        format!("timestamp >= {} and event in ('a', 'b', 'c')", time(5_000)),
    ] {
        let query = format!(
            "select uuid, event, distinct_id, person_id, timestamp, \"$group_0\", price, properties from events where {condition} order by uuid, timestamp"
        );
        assert_eq!(
            answer(&ours, &query).await,
            answer(&stock, &query).await,
            "{condition}"
        );
        let query =
            format!("select count(*), count(price), min(timestamp) from events where {condition}");
        assert_eq!(
            answer(&ours, &query).await,
            answer(&stock, &query).await,
            "{condition}"
        );
    }
    let plan = answer(&ours, "explain select uuid from events where event = 'a'").await;
    assert!(
        plan.contains("FolderExec") && !plan.contains("FilterExec"),
        "{plan}"
    );
}

#[tokio::test]
async fn actors_have_one_id_each_and_nobody_has_none() {
    let (_kept, folder) = opened().await;
    let [_, ours] = sessions(&folder);
    let pairs = |keys: &str, ids: &str| {
        format!(
            "select count(distinct {ids}) as ids, count(distinct {keys}) as keys, count(distinct concat({keys}, ' ', {ids})) as pairs
             from events where {keys} is not null"
        )
    };
    let person = "coalesce(person_id, distinct_id)";
    let numbers = async |query: String| {
        let cells = answer(&ours, &query).await;
        let row = cells.lines().nth(3).unwrap().to_owned();
        let cells = row
            .split('|')
            .filter_map(|cell| cell.trim().parse::<u32>().ok());
        cells.collect::<Vec<u32>>()
    };
    assert_eq!(numbers(pairs(person, "person_ref")).await, [81, 81, 81]);
    assert_eq!(
        numbers(pairs("nullif(\"$group_0\", '')", "group_0_ref")).await,
        [2, 2, 2]
    );
    let nobody = "select count(*) from events where (\"$group_0\" is null or \"$group_0\" = '') <> (group_0_ref = 0)";
    assert_eq!(numbers(nobody.into()).await, [0]);
    assert_eq!(
        numbers("select min(group_4_ref) + max(group_4_ref) from events".into()).await,
        [0]
    );
}

#[tokio::test]
async fn days_are_counted_as_in_sql() {
    let (_kept, folder) = opened().await;
    let [stock, _] = sessions(&folder);
    let events = folder.events_by_actors(2).unwrap();
    let wanted = Events::Named(["a".to_owned(), "d".to_owned()].into());
    let mut rows = std::collections::BTreeMap::new();
    for (day, count) in events.rows_by_day(&wanted, 1..3).await.unwrap() {
        *rows.entry(day).or_insert(0) += count;
    }
    let mut actors = std::collections::BTreeMap::new();
    let days = events
        .actors_by_day(&wanted, ActorKind::Person, 1..3)
        .await
        .unwrap();
    for day in days.iter().flat_map(|days| days.iter()) {
        *actors
            .entry(day.day)
            .or_insert_with(roaring::RoaringBitmap::new) |= &day.actors;
    }
    for day in 1..3 {
        let from = format!("1970-01-0{}", day + 1);
        let query = format!(
            "select count(*), count(distinct coalesce(person_id, distinct_id)) from events
             where event in ('a', 'd') and date_trunc('day', timestamp) = '{from}'"
        );
        let cells = answer(&stock, &query).await;
        let row = cells.lines().nth(3).unwrap();
        let numbers: Vec<u64> = row
            .split('|')
            .filter_map(|cell| cell.trim().parse().ok())
            .collect();
        assert_eq!(numbers, [rows[&day], actors[&day].len()], "day {day}");
    }
}

#[tokio::test]
async fn row_groups_are_left_out_by_their_bounds_and_the_rest_is_dealt_out_evenly() {
    let (_kept, folder) = opened().await;
    let events = folder.events_by_actors(2).unwrap();
    let read = |filter: Expr, lots| {
        let conditions = events.conditions(&[filter]).unwrap();
        let lots = events.lots(&conditions, lots);
        let rows = |lot: &Arc<[Piece]>| lot.iter().map(|piece| piece.rows.len()).sum();
        lots.iter().map(rows).collect::<Vec<usize>>()
    };
    let since = |minutes: i64| {
        let at = ScalarValue::TimestampMicrosecond(Some(minutes * 60_000_000), Some("UTC".into()));
        col("timestamp").gt_eq(lit(at))
    };
    let all = ROWS as usize + 10;
    assert_eq!(read(since(0), 3), [1_004, 1_004, all - 2_008]);
    // Five row groups of at most 700 rows, two minutes each, and a small file of the first minutes.
    assert_eq!(read(since(2 * 1_400 + 100), 2), [800, 800]);
    assert_eq!(read(since(2 * 2_800 + 100), 2), [200]);
    assert_eq!(read(since(1_000_000), 2), [0]);
    assert_eq!(
        read(
            col("event").eq(lit(ScalarValue::Utf8View(Some("z".into())))),
            2
        ),
        [0]
    );
    // NaN, of which bounds say nothing, is greater than any number.
    let price = Expr::Column(datafusion::common::Column::from_name("price"));
    assert_eq!(read(price.gt(lit(1e9)), 1), [all]);
}

#[tokio::test]
async fn what_is_counted_together_is_what_is_counted_apart() {
    let (_kept, folder) = opened().await;
    let asked = [
        (Events::Named(["a".to_owned()].into()), 0..2),
        (Events::Named(["a".to_owned(), "d".to_owned()].into()), 1..4),
        (Events::All, 1..3),
    ];
    let apart = folder.events_by_actors(2).unwrap();
    let together = folder.events_by_actors(2).unwrap();
    for kind in [ActorKind::Person, ActorKind::Group(0)] {
        together.count_together(kind, asked.to_vec()).await.unwrap();
        for (events, days) in &asked {
            // Ids differ from reading to reading, numbers do not.
            let numbers = async |source: &FolderEvents| {
                let found = source.actors_by_day(events, kind, days.clone()).await;
                let mut by_day = std::collections::BTreeMap::new();
                for found in found.unwrap().iter().flat_map(|lot| lot.iter()) {
                    if days.contains(&found.day) {
                        *by_day
                            .entry(found.day)
                            .or_insert_with(roaring::RoaringBitmap::new) |= &found.actors;
                    }
                }
                let numbers = by_day.iter().map(|(day, actors)| (*day, actors.len()));
                numbers.collect::<Vec<_>>()
            };
            let numbers_apart = numbers(&apart).await;
            assert!(!numbers_apart.is_empty());
            assert_eq!(
                numbers(&together).await,
                numbers_apart,
                "{kind:?} {events:?}"
            );
        }
    }
}

fn scan_of(plan: &Arc<dyn ExecutionPlan>) -> Option<Arc<dyn ExecutionPlan>> {
    match plan.is::<FolderExec>() {
        true => Some(Arc::clone(plan)),
        false => plan.children().into_iter().find_map(scan_of),
    }
}

#[tokio::test]
async fn the_first_rows_by_time_are_those_of_all_rows_and_come_of_few_row_groups() {
    let (_kept, folder) = opened().await;
    let [stock, _] = sessions(&folder);
    let state = datafusion::execution::SessionStateBuilder::new_with_default_features()
        .with_physical_optimizer_rule(Arc::new(crate::FirstRows))
        .build();
    let ours = SessionContext::new_with_state(state);
    let events = folder.events_by_actors(2).unwrap();
    ours.register_table("events", events).unwrap();
    for (order, rows) in [("desc", 7), ("asc", 7), ("desc", 900), ("desc", 9_000)] {
        let query = format!(
            "select timestamp, uuid, event from events where event <> 'b' order by timestamp {order}, uuid limit {rows}"
        );
        assert_eq!(answer(&ours, &query).await, answer(&stock, &query).await);
        let plan = ours.sql(&query).await.unwrap();
        let plan = plan.create_physical_plan().await.unwrap();
        collect(Arc::clone(&plan), ours.task_ctx()).await.unwrap();
        let scan = scan_of(&plan).unwrap();
        let told = if order == "desc" {
            "latest"
        } else {
            "earliest"
        };
        let shown = displayable(scan.as_ref()).one_line().to_string();
        assert!(shown.contains(&format!("{told}={rows}")), "{shown}");
        // Each partition reads a row group, or part of one, of five and a small one.
        let read = scan.metrics().unwrap().output_rows().unwrap();
        assert_eq!(read < 1_500, rows < 100, "{read} rows of {query}");
    }
}
