//! Exports of PostHog and other people's tables, asked as they lie: the answers are those of a store that they were loaded into.

pub(crate) mod files;
pub(crate) mod world;

use std::sync::LazyLock;

use quintet::{
    Columns, Engine, EngineBuilder, ErrorKind, Load, QueryOptions, Settings, Source, Transport,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use files::{
    columns, events_as_lines, events_as_parquet, numbers, parquet, persons_as_lines,
    persons_as_parquet, texts,
};
use world::{Row, World, text};

static WORLD: LazyLock<World> = LazyLock::new(|| World::new(60));

fn questions() -> Vec<Value> {
    let range = json!({"date_from": "2024-01-01", "date_to": "2024-03-31"});
    let node = |event: &str, more: Value| {
        let mut node = json!({"kind": "EventsNode", "event": event});
        node.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        node
    };
    let trend = |series: Value, more: Value| {
        let mut trend = json!({"kind": "TrendsQuery", "interval": "week", "dateRange": range, "series": [series]});
        trend
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        trend
    };
    let by = |kind: &str, key: &str, index: Value| json!({"breakdownFilter": {"breakdown": key, "breakdown_type": kind, "breakdown_group_type_index": index}});
    let only = |filter: Value| json!({"properties": [filter]});
    let of_company = json!({"aggregation_group_type_index": 0});
    let funnel = |steps: &[&str], more: Value| {
        let series: Vec<Value> = steps.iter().map(|event| node(event, json!({}))).collect();
        let mut funnel = json!({"kind": "FunnelsQuery", "dateRange": range, "series": series, "funnelsFilter": {"funnelWindowInterval": 30}});
        funnel
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        funnel
    };
    let retention = |more: Value| {
        let entity = |id: &str| json!({"id": id, "type": "events"});
        let mut retention = json!({"kind": "RetentionQuery", "dateRange": {"date_from": "2024-01-01", "date_to": "2024-03-31"},
            "retentionFilter": {"period": "Week", "totalIntervals": 8, "targetEntity": entity("report_created"), "returningEntity": entity("report_created")}});
        retention
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        retention
    };
    vec![
        trend(node("$pageview", json!({})), json!({})),
        trend(
            json!({"kind": "EventsNode", "event": null, "math": "dau"}),
            json!({}),
        ),
        trend(
            node(
                "report_created",
                json!({"math": "unique_group", "math_group_type_index": 0}),
            ),
            json!({}),
        ),
        trend(
            node(
                "report_created",
                json!({"math": "dau", "math_group_type_index": 1}),
            ),
            json!({}),
        ),
        trend(
            node(
                "$pageview",
                json!({"math": "unique_group", "math_group_type_index": 0}),
            ),
            json!({}),
        ),
        trend(
            node("paid", json!({"math": "sum", "math_property": "amount"})),
            by("group", "plan", json!(0)),
        ),
        trend(
            node("report_created", json!({"math": "dau"})),
            by("person", "role", Value::Null),
        ),
        trend(
            node("report_created", json!({})),
            by("event", "kind", Value::Null),
        ),
        trend(
            node("paid", json!({"math": "dau"})),
            only(
                json!({"type": "group", "group_type_index": 0, "key": "employees", "operator": "gt", "value": 50}),
            ),
        ),
        trend(
            node("paid", json!({})),
            only(
                json!({"type": "group", "group_type_index": 0, "key": "note", "operator": "is_set", "value": "is_set"}),
            ),
        ),
        trend(
            node("report_created", json!({})),
            only(
                json!({"type": "person", "key": "initial_path", "operator": "is_not_set", "value": "is_not_set"}),
            ),
        ),
        trend(
            node("report_created", json!({})),
            only(
                json!({"type": "event_metadata", "key": "$group_0", "operator": "exact", "value": "acme"}),
            ),
        ),
        funnel(&["$pageview", "signed_up", "paid"], json!({})),
        funnel(&["signed_up", "report_created", "paid"], of_company.clone()),
        funnel(&["signed_up", "paid"], by("person", "role", Value::Null)),
        retention(json!({})),
        retention(of_company),
        json!({"kind": "LifecycleQuery", "interval": "week", "dateRange": range, "series": [node("report_created", json!({}))]}),
        json!({"kind": "LifecycleQuery", "interval": "week", "dateRange": range, "series": [{"kind": "EventsNode", "event": null}]}),
        json!({"kind": "StickinessQuery", "interval": "week", "dateRange": range, "series": [node("report_created", json!({"math": "dau"}))]}),
        json!({"kind": "GroupsQuery", "group_type_index": 0, "select": ["key", "properties.plan", "properties.note"], "orderBy": ["key"]}),
        json!({"kind": "GroupTypes"}),
        json!({"kind": "SQL", "query": "select count(*) as n, count(distinct person_id) as persons, count(\"$group_0\") as tagged from events where coalesce(json_property(properties, '$process_person_profile'), '') <> 'false'"}),
        json!({"kind": "SQL", "query": "select count(*) as n from persons"}),
        json!({"kind": "SQL", "query": "select count(*) as n, count(distinct person_id) as persons from person_distinct_ids"}),
        json!({"kind": "SQL", "query": "select key, json_property(properties, 'employees') as employees from company order by key"}),
    ]
}

async fn answers(engine: &Engine) -> Vec<Value> {
    let mut answers = Vec::new();
    for question in questions() {
        let options = QueryOptions {
            now: Some("2024-04-01T12:00:00Z".into()),
            ..QueryOptions::default()
        };
        let answer = engine.query_with(&question.to_string(), &options).await;
        answers.push(
            answer
                .unwrap_or_else(|e| panic!("{question}: {e}"))
                .results()
                .clone(),
        );
    }
    answers
}

fn place(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).to_str().unwrap().to_owned()
}

async fn loaded(sources: Vec<Source>, columns: Columns) -> (Engine, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::create(&place(&folder, "store"), Settings::default())
        .await
        .unwrap();
    let load = Load {
        sources,
        columns,
        ..Load::default()
    };
    let report = engine.ingest(load).await.unwrap();
    assert_eq!(report.events.rejected, 0, "{report:?}");
    (engine, folder)
}

/// The answers of a store that clients sent their messages to.
async fn expected() -> &'static [Value] {
    static EXPECTED: tokio::sync::OnceCell<Vec<Value>> = tokio::sync::OnceCell::const_new();
    EXPECTED
        .get_or_init(|| async {
            let (engine, _folder) = loaded(
                vec![Source::bytes("captured", WORLD.captured())],
                Columns::default(),
            )
            .await;
            answers(&engine).await
        })
        .await
}

async fn assert_same(engine: &Engine, way: &str) {
    let found = answers(engine).await;
    for ((question, found), expected) in questions().iter().zip(found).zip(expected().await) {
        assert_eq!(found, *expected, "{way}: {question}");
    }
}

#[tokio::test]
async fn every_question_has_an_answer_that_could_change() {
    for (question, answer) in questions().iter().zip(expected().await) {
        let rows = answer.as_array().map_or(1, Vec::len);
        assert!(rows > 0, "{question}");
    }
}

#[tokio::test]
async fn an_export_answers_as_a_store_whether_loaded_or_as_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    events_as_parquet(&folder.path().join("export"), &WORLD.events);
    let (store, _place) = loaded(
        vec![Source::Path(folder.path().join("export"))],
        Columns::default(),
    )
    .await;
    assert_same(&store, "loaded").await;
    let lying = Engine::open(&place(&folder, "export")).await.unwrap();
    assert_same(&lying, "as it lies").await;
    let bytes = EngineBuilder::new().with_transport(Transport::Bytes);
    assert_same(
        &bytes.open(&place(&folder, "export")).await.unwrap(),
        "from bytes",
    )
    .await;
    persons_as_parquet(&folder.path().join("export"), &WORLD.persons);
    let lying = Engine::open(&place(&folder, "export")).await.unwrap();
    assert_same(&lying, "with an export of persons").await;
}

#[tokio::test]
async fn json_lines_answer_as_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export");
    std::fs::create_dir(&export).unwrap();
    std::fs::write(export.join("events.jsonl"), events_as_lines(&WORLD.events)).unwrap();
    let lying = Engine::open(&place(&folder, "export")).await.unwrap();
    assert_same(&lying, "events").await;
    std::fs::write(
        export.join("persons.jsonl"),
        persons_as_lines(&WORLD.persons),
    )
    .unwrap();
    let lying = Engine::open(&place(&folder, "export")).await.unwrap();
    assert_same(&lying, "events and persons").await;
    std::fs::write(folder.path().join("captured.jsonl"), WORLD.captured()).unwrap();
    let one = Engine::open(&place(&folder, "captured.jsonl"))
        .await
        .unwrap();
    assert_same(&one, "one file of messages").await;
    let refused = one.ingest(Load::default()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
}

/// Other people's names for the columns of exports.
const NAMES: [(&str, &str); 8] = [
    ("uuid", "id"),
    ("event", "action"),
    ("properties", "props"),
    ("distinct_id", "user"),
    ("person_id", "person"),
    ("person_properties", "person_props"),
    ("timestamp", "at"),
    ("_inserted_at", "arrived"),
];

fn names() -> Columns {
    Columns::new(NAMES.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()))).unwrap()
}

/// The events model under other names, with times as text.
fn renamed(rows: &[Row]) -> Vec<(&'static str, datafusion::arrow::array::ArrayRef)> {
    let theirs = |ours| {
        NAMES
            .iter()
            .find(|(known, _)| *known == ours)
            .map_or(ours, |(_, theirs)| *theirs)
    };
    let mut columns: Vec<_> = columns(rows)
        .into_iter()
        .map(|(ours, array)| (theirs(ours), array))
        .collect();
    for (name, array) in &mut columns {
        if *name == "at" {
            *array = texts(rows.iter().map(|row| text(row.at)));
        }
    }
    columns
}

#[tokio::test]
async fn columns_may_have_other_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.parquet");
    parquet(&path, renamed(&WORLD.events));
    let (store, _place) = loaded(vec![Source::Path(path.clone())], names()).await;
    assert_same(&store, "loaded").await;
    let lying = Engine::open_with_columns(&place(&folder, "theirs.parquet"), names())
        .await
        .unwrap();
    assert_same(&lying, "as it lies").await;
    let error = Engine::open(&place(&folder, "theirs.parquet"))
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.to_string().contains("--column event=NAME"), "{error}");
    let error = Engine::open_with_columns(&place(&_place, "store"), names())
        .await
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn rows_that_repeat_others_do_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export");
    let mut rows = WORLD.events.clone();
    rows.reverse();
    rows.rotate_left(WORLD.events.len() / 3);
    // An interval that was exported again, and before that once when it was not complete.
    let mut early: Vec<Row> = WORLD.events[40..90].to_vec();
    for row in &mut early {
        row.inserted_at -= 1;
        row.properties = json!({});
    }
    rows.splice(10..10, WORLD.events[60..130].to_vec());
    rows.extend(early);
    events_as_parquet(&export, &rows);
    let lying = Engine::open(&place(&folder, "export")).await.unwrap();
    assert_same(&lying, "as it lies").await;
    let bytes = EngineBuilder::new().with_transport(Transport::Bytes);
    assert_same(
        &bytes.open(&place(&folder, "export")).await.unwrap(),
        "from bytes",
    )
    .await;
}

#[tokio::test]
async fn a_broken_file_or_value_is_told_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export");
    events_as_parquet(&export, &WORLD.events);
    let path = std::fs::read_dir(&export)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = Engine::open(&place(&folder, "export")).await.err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(".parquet.zst"), "{error}");
    let mut columns = renamed(&WORLD.events);
    columns.retain(|(name, _)| *name != "at");
    columns.push((
        "at",
        texts(WORLD.events.iter().map(|row| {
            if row.event == "paid" {
                "soon".into()
            } else {
                text(row.at)
            }
        })),
    ));
    parquet(&folder.path().join("theirs.parquet"), columns);
    let lying = Engine::open_with_columns(&place(&folder, "theirs.parquet"), names())
        .await
        .unwrap();
    let error = lying.query(&questions()[0].to_string()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    assert!(
        error.to_string().contains("`at` holds `soon`")
            && error.to_string().contains("--column timestamp=NAME"),
        "{error}"
    );
}

#[tokio::test]
async fn sessions_are_left_out_with_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export");
    events_as_parquet(&export, &WORLD.events);
    let session = |name: &'static str| (name, texts(std::iter::once("x".to_owned())));
    parquet(
        &export.join("sessions.parquet"),
        vec![session("session_id"), session("start_timestamp")],
    );
    let lying = Engine::open(&place(&folder, "export")).await.unwrap();
    let report = lying.opening_report().unwrap();
    assert_eq!(report.warnings[0].code, "file_skipped");
    assert_same(&lying, "beside sessions").await;
}

/// Not a test: writes `testdata/export` anew, as `testdata/README.md` says.
#[test]
#[ignore = "writes files that are checked in"]
fn write_the_bundled_export() {
    let world = World::new(90);
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../testdata/export");
    events_as_parquet(&root.join("parquet"), &world.events);
    persons_as_parquet(&root.join("parquet"), &world.persons);
    let lines = root.join("lines");
    std::fs::create_dir_all(&lines).unwrap();
    for (name, text) in [
        ("events", events_as_lines(&world.events)),
        ("persons", persons_as_lines(&world.persons)),
    ] {
        let name = format!("{name}-2024-01-01-2024-04-01.jsonl.gz");
        let file = std::fs::File::create(lines.join(name)).unwrap();
        let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::best());
        std::io::Write::write_all(&mut packed, text.as_bytes()).unwrap();
        packed.finish().unwrap();
    }
}

#[tokio::test]
async fn other_peoples_tables_have_properties_in_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clicks.parquet");
    let rows: Vec<&Row> = WORLD
        .events
        .iter()
        .filter(|row| row.event == "paid")
        .collect();
    let property = |name: &str| {
        rows.iter()
            .map(|row| row.properties[name].clone())
            .collect::<Vec<_>>()
    };
    let cents = property("amount")
        .into_iter()
        .map(|amount| (amount.as_f64().unwrap() * 100.0) as i64);
    let columns = vec![
        ("action", texts(rows.iter().map(|row| row.event.clone()))),
        (
            "user",
            texts(rows.iter().map(|row| row.distinct_id.clone())),
        ),
        ("ts", texts(rows.iter().map(|row| text(row.at)))),
        (
            "account",
            texts(
                property("$group_0")
                    .iter()
                    .map(|key| key.as_str().unwrap().to_owned()),
            ),
        ),
        ("cents", numbers(cents)),
        ("team_id", numbers(rows.iter().map(|_| 1))),
    ];
    parquet(&path, columns);
    let pairs = [
        ("event", "action"),
        ("distinct_id", "user"),
        ("timestamp", "ts"),
        ("$group_0", "account"),
        ("price", "cents"),
    ];
    let columns =
        Columns::new(pairs.map(|(ours, theirs)| (ours.to_owned(), theirs.to_owned()))).unwrap();
    let (store, _place) = loaded(vec![Source::Path(path)], columns.clone()).await;
    let lying = Engine::open_with_columns(&place(&folder, "clicks.parquet"), columns)
        .await
        .unwrap();
    assert!(
        lying.opening_report().is_none(),
        "there is nothing to find out"
    );
    let trend = |math: Value, more: Value| {
        let mut node = json!({"kind": "EventsNode", "event": "paid"});
        node.as_object_mut()
            .unwrap()
            .extend(math.as_object().unwrap().clone());
        let mut trend = json!({"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2024-01-01", "date_to": "2024-03-31"}, "series": [node]});
        trend
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        trend
    };
    for question in [
        trend(
            json!({"math": "unique_group", "math_group_type_index": 0}),
            json!({}),
        ),
        trend(json!({"math": "sum", "math_property": "price"}), json!({})),
        trend(
            json!({"math": "dau"}),
            json!({"properties": [{"type": "event", "key": "price", "operator": "gt", "value": 5000}]}),
        ),
        trend(
            json!({}),
            json!({"breakdownFilter": {"breakdown": "price", "breakdown_type": "event", "breakdown_limit": 3}}),
        ),
        trend(
            json!({}),
            json!({"properties": [{"type": "event", "key": "team_id", "operator": "is_set", "value": "is_set"}]}),
        ),
    ] {
        let (found, expected) = (
            lying.query(&question.to_string()).await.unwrap(),
            store.query(&question.to_string()).await.unwrap(),
        );
        assert_eq!(found.results(), expected.results(), "{question}");
    }
    let sql = lying
        .sql(
            "select event, distinct_id, \"$group_0\", price from events order by timestamp limit 1",
        )
        .await
        .unwrap();
    assert_eq!(sql.results()[0]["event"], "paid");
}

#[tokio::test]
async fn columns_beside_properties_are_properties_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut columns = columns(&WORLD.events);
    let shades = WORLD
        .events
        .iter()
        .map(|row| ["", "light", "dark"][row.at as usize / 60_000_000 % 3].to_owned());
    columns.push(("shade", texts(shades)));
    columns.push((
        "kind",
        texts(WORLD.events.iter().map(|_| "hidden".to_owned())),
    ));
    parquet(&folder.path().join("wide.parquet"), columns);
    let (store, _place) = loaded(
        vec![Source::Path(folder.path().join("wide.parquet"))],
        Columns::default(),
    )
    .await;
    let lying = Engine::open(&place(&folder, "wide.parquet")).await.unwrap();
    for (event, key) in [
        ("report_created", "shade"),
        ("report_created", "kind"),
        ("paid", "kind"),
    ] {
        let question = json!({"kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2024-01-01", "date_to": "2024-03-31"},
            "series": [{"kind": "EventsNode", "event": event}], "breakdownFilter": {"breakdown": key, "breakdown_type": "event"}});
        let (found, expected) = (
            lying.query(&question.to_string()).await.unwrap(),
            store.query(&question.to_string()).await.unwrap(),
        );
        assert_eq!(found.results(), expected.results(), "{question}");
    }
}
