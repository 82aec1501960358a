//! What holds for any data: eight random stores of 150 histories each.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use quintet::{Engine, EngineBuilder, Load, QueryOptions, Settings, Source};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::retention;

/// Events of one person: minutes after the start, event, plan.
type History = Vec<(u32, &'static str, Option<&'static str>)>;

const HISTORIES: usize = 150;
const STORES: u32 = 8;
const MINUTES: u32 = 60 * 24 * 60;

fn start() -> DateTime<Utc> {
    "2024-02-10T00:00:00Z".parse().expect("a time")
}

fn history() -> impl Strategy<Value = History> {
    let plan = prop_oneof![
        Just(None),
        Just(Some("free")),
        Just(Some("pro")),
        Just(Some(""))
    ];
    prop::collection::vec(
        (0..MINUTES, prop_oneof![Just("seen"), Just("paid")], plan),
        0..12,
    )
}

/// One capture message per event; each person is the only one of its company.
fn lines(histories: &[History]) -> Vec<String> {
    let mut all = Vec::new();
    for (person, history) in histories.iter().enumerate() {
        for (minute, event, plan) in history {
            let at = start() + TimeDelta::minutes(i64::from(*minute));
            let properties = json!({"plan": plan, "amount": minute % 97, "$groups": {"company": format!("company {person}")}});
            let line = json!({"event": event, "distinct_id": format!("person {person}"), "timestamp": at.to_rfc3339(), "properties": properties});
            all.push(line.to_string());
        }
    }
    all
}

/// A store that was loaded in so many steps.
async fn store(lines: &[String], loads: usize) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let settings = Settings {
        group_types: vec!["company".into()],
        ..Settings::default()
    };
    let engine = Engine::create(folder.path().to_str().expect("a path"), settings)
        .await
        .expect("a store");
    for piece in lines.chunks((lines.len() / loads).max(1)) {
        let source = Source::bytes("events", piece.join("\n"));
        engine
            .ingest(Load {
                sources: vec![source],
                ..Load::default()
            })
            .await
            .expect("a load");
    }
    folder
}

async fn ask(builder: EngineBuilder, store: &TempDir, question: &Value) -> Value {
    let engine = builder
        .open(store.path().to_str().expect("a path"))
        .await
        .expect("the store");
    let options = QueryOptions {
        now: Some("2024-04-10T12:00:00Z".into()),
        ..QueryOptions::default()
    };
    engine
        .query_with(&question.to_string(), &options)
        .await
        .expect("an answer")
        .results()
        .clone()
}

fn trend(interval: &str, series: Value) -> Value {
    let range = json!({"date_from": "2024-02-20", "date_to": "2024-04-05"});
    json!({"kind": "TrendsQuery", "interval": interval, "dateRange": range, "series": [series]})
}

fn seen(math: &str) -> Value {
    json!({"kind": "EventsNode", "event": "seen", "math": math})
}

fn by_company(mut series: Value) -> Value {
    series["math_group_type_index"] = json!(0);
    series
}

/// Questions about persons, and the same about companies.
fn pairs() -> Vec<(Value, Value)> {
    let mut pairs = Vec::new();
    for interval in ["day", "week", "month"] {
        for (person, company) in [
            ("dau", "unique_group"),
            ("weekly_active", "weekly_active"),
            ("monthly_active", "monthly_active"),
            ("first_time_for_user", "first_time_for_group"),
            ("avg_count_per_actor", "avg_count_per_actor"),
        ] {
            pairs.push((
                trend(interval, seen(person)),
                trend(interval, by_company(seen(company))),
            ));
        }
        let stickiness = |series: Value| {
            let mut question = trend(interval, series);
            question["kind"] = json!("StickinessQuery");
            question["stickinessFilter"] =
                json!({"stickinessCriteria": {"operator": "gte", "value": 2}});
            question
        };
        pairs.push((
            stickiness(seen("dau")),
            stickiness(by_company(seen("unique_group"))),
        ));
    }
    pairs
}

/// Funnels of persons, in every order and form.
fn funnels() -> Vec<Value> {
    let mut all = Vec::new();
    for order in ["ordered", "strict", "unordered"] {
        for viz in ["steps", "flow", "trends", "time_to_convert"] {
            let steps =
                ["seen", "paid", "seen"].map(|event| json!({"kind": "EventsNode", "event": event}));
            all.push(json!({
                "kind": "FunnelsQuery", "interval": "week", "dateRange": {"date_from": "2024-02-20", "date_to": "2024-04-05"}, "series": steps,
                "funnelsFilter": {"funnelOrderType": order, "funnelVizType": viz, "breakdownAttributionType": "last_touch"},
                "breakdownFilter": {"breakdown": "plan", "breakdown_type": "event", "breakdown_limit": 2},
            }));
        }
    }
    all
}

/// What goes with passing a funnel in a month.
fn correlation(funnel: &Value) -> Value {
    let mut source = funnel.clone();
    source["series"] = json!([{"kind": "EventsNode", "event": "seen"}, {"kind": "EventsNode", "event": "seen",
        "properties": [{"type": "event", "key": "plan", "value": "pro", "operator": "exact"}]}]);
    source["breakdownFilter"] = Value::Null;
    source["funnelsFilter"]["funnelVizType"] = "steps".into();
    json!({"kind": "FunnelCorrelationQuery", "funnelCorrelationType": "event_with_properties", "funnelCorrelationEventNames": ["paid"],
        "source": {"kind": "FunnelsActorsQuery", "source": source, "funnelStep": 1}})
}

/// Those who saw but did not pay, by number of the person or its company.
fn lost(funnel: &Value) -> Value {
    let mut source = funnel.clone();
    source["funnelsFilter"]["funnelVizType"] = "steps".into();
    json!({"kind": "FunnelsActorsQuery", "source": source, "funnelStep": -2})
}

fn numbers(rows: &Value) -> BTreeSet<String> {
    let name = |row: &Value| match row["type"] == "group" {
        true => row["group_key"].to_string(),
        false => row["distinct_ids"][0].to_string(),
    };
    let last_word = |name: String| name.split(' ').next_back().map(str::to_owned);
    let rows = rows.as_array().expect("rows").iter();
    rows.map(name).filter_map(last_word).collect()
}

fn funnel_by_company(mut funnel: Value) -> Value {
    funnel["aggregation_group_type_index"] = 0.into();
    funnel
}

fn data(rows: &Value) -> Vec<Vec<f64>> {
    let rows = rows.as_array().expect("rows").iter();
    rows.map(|row| {
        row["data"]
            .as_array()
            .expect("data")
            .iter()
            .map(|n| n.as_f64().expect("a number"))
            .collect()
    })
    .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: STORES, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn for_any_histories(histories in prop::collection::vec(history(), HISTORIES), seed in any::<u64>()) {
        Runtime::new().expect("a runtime").block_on(hold(&histories, seed))?;
    }
}

/// Questions about persons, and the same about companies, whose rows say nothing of whom they are about.
fn same_rows() -> Vec<(Value, Value)> {
    let funnels = funnels().into_iter().map(|funnel| {
        let by_company = funnel_by_company(funnel.clone());
        (funnel, by_company)
    });
    let retention = retention::in_every_mode().into_iter().map(|question| {
        let of_companies = retention::of_companies(&question);
        (question, of_companies)
    });
    funnels.chain(retention).collect()
}

async fn hold(histories: &[History], seed: u64) -> Result<(), TestCaseError> {
    let mut lines = lines(histories);
    let loaded = store(&lines, 1).await;
    let one = EngineBuilder::new().with_target_partitions(1);
    for (persons, companies) in pairs() {
        let (persons, companies) = (
            ask(one, &loaded, &persons).await,
            ask(one, &loaded, &companies).await,
        );
        prop_assert_eq!(data(&persons), data(&companies), "by group = by person");
    }
    for (persons, companies) in same_rows() {
        let answers = (
            ask(one, &loaded, &persons).await,
            ask(one, &loaded, &companies).await,
        );
        prop_assert_eq!(answers.0, answers.1, "by group = by person: {}", persons);
    }
    for funnel in funnels().iter().step_by(4) {
        let by_company = funnel_by_company(funnel.clone());
        let (persons, companies) = (
            ask(one, &loaded, &correlation(funnel)).await,
            ask(one, &loaded, &correlation(&by_company)).await,
        );
        prop_assert_eq!(persons, companies, "by group = by person: {}", funnel);
        let (persons, companies) = (
            ask(one, &loaded, &lost(funnel)).await,
            ask(one, &loaded, &lost(&by_company)).await,
        );
        prop_assert_eq!(numbers(&persons), numbers(&companies), "{}", funnel);
    }
    for math in ["total", "sum"] {
        let mut whole = trend("week", seen(math));
        whole["series"][0]["math_property"] = json!("amount");
        let mut parts = whole.clone();
        parts["breakdownFilter"] =
            json!({"breakdown": "plan", "breakdown_type": "event", "breakdown_limit": 2});
        let whole = data(&ask(one, &loaded, &whole).await);
        let parts = data(&ask(one, &loaded, &parts).await);
        let summed: Vec<f64> = (0..whole[0].len())
            .map(|i| parts.iter().map(|part| part[i]).sum())
            .collect();
        prop_assert_eq!(
            &whole[0],
            &summed,
            "the values of a breakdown sum up to the whole"
        );
    }
    // Another order, several files, more partitions, little memory.
    let order = |line: &String| {
        line.bytes().fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    };
    lines.sort_by_key(order);
    let shuffled = store(&lines, 3).await;
    let tight = EngineBuilder::new()
        .with_target_partitions(4)
        .with_memory_limit(16 << 20);
    for (_, companies) in pairs().into_iter().chain(same_rows()) {
        let (one, other) = (
            ask(one, &loaded, &companies).await,
            ask(tight, &shuffled, &companies).await,
        );
        prop_assert_eq!(one, other, "order of loading: {}", companies);
    }
    // Persons are created by the first event that is received, so of a lifecycle the order of loading does matter.
    let mut lifecycle = trend("week", json!({"kind": "EventsNode", "event": "seen"}));
    lifecycle["kind"] = json!("LifecycleQuery");
    prop_assert_eq!(
        ask(one, &loaded, &lifecycle).await,
        ask(tight, &loaded, &lifecycle).await,
        "partitions and memory"
    );
    Ok(())
}
