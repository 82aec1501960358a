//! A small world of events in a folder, for tests that break it.

use quintet::{Engine, Load, Settings, Source};
use serde_json::{Value, json};

/// Events of one load.
pub(crate) const EVENTS: usize = 120;

/// What a load brings: events of its own, of persons and companies that other loads have too.
pub(crate) fn events(load: usize) -> String {
    let event = |at: usize| {
        json!({
            "uuid": format!("018bcfe5-{load:04x}-7000-8000-{at:012x}"),
            "event": (["seen", "paid", "left"][at % 3]),
            "distinct_id": format!("person {}", (load * 7 + at) % 30),
            "timestamp": format!("2024-0{}-{:02}T1{}:00:00Z", 1 + load % 3, 1 + at % 28, at % 10),
            "properties": {
                "$groups": {"company": format!("company {}", at % 11)},
                "price": at, "plan": (["free", "pro"][at % 2]), "note": format!("note {at}"),
            },
        })
        .to_string()
            + "\n"
    };
    (0..EVENTS).map(event).collect()
}

pub(crate) fn settings() -> Settings {
    Settings {
        group_types: vec!["company".to_owned()],
        ..Settings::default()
    }
}

pub(crate) async fn load(engine: &Engine, number: usize) {
    let load = Load {
        sources: vec![Source::bytes(format!("load {number}"), events(number))],
        ..Load::default()
    };
    engine.ingest(load).await.expect("a load");
}

/// Questions of every road through the engine.
pub(crate) fn questions() -> Vec<Value> {
    let range = json!({"date_from": "2024-01-01", "date_to": "2024-03-31"});
    let node = |event: &str| json!({"kind": "EventsNode", "event": event});
    let steps = [node("seen"), node("paid")];
    let by_company = json!({"kind": "EventsNode", "event": "paid", "math": "unique_group", "math_group_type_index": 0});
    let dau = json!({"kind": "EventsNode", "event": "seen", "math": "dau"});
    let sum =
        json!({"kind": "EventsNode", "event": "paid", "math": "sum", "math_property": "price"});
    vec![
        json!({"kind": "TrendsQuery", "interval": "month", "dateRange": range, "series": [node("seen"), dau, by_company]}),
        json!({"kind": "TrendsQuery", "interval": "month", "dateRange": range, "series": [sum],
               "breakdownFilter": {"breakdown": "plan", "breakdown_type": "event"}}),
        json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps}),
        json!({"kind": "FunnelsQuery", "dateRange": range, "series": steps, "aggregation_group_type_index": 0}),
        json!({"kind": "LifecycleQuery", "interval": "month", "dateRange": range, "series": [node("seen")]}),
        json!({"kind": "SQL", "query": "select event, properties, timestamp from events where \"$group_0\" = 'company 3' order by uuid"}),
        json!({"kind": "SQL", "query": "select \"$group_0\", count(*) from events group by 1 order by 1"}),
        json!({"kind": "SQL", "query": "select p.id, count(*), sum(length(e.properties)) from events e join persons p on p.id = e.person_id group by 1 order by 1"}),
    ]
}
