//! Definitions by hand that have broken other programs.

use quintet_query::{Error, Query};
use serde_json::{Value, json};

use crate::read::{is_a_sentence, read};

fn refused(text: &str) -> String {
    let error = read(text).unwrap_err();
    is_a_sentence(&error);
    error.to_string()
}

fn trend(fields: Value) -> String {
    let mut definition =
        json!({"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "paid"}]});
    for (name, value) in fields.as_object().unwrap() {
        definition[name] = value.clone();
    }
    definition.to_string()
}

#[test]
fn names_that_look_like_sql_are_names() {
    for name in [
        "'; DROP TABLE events; --",
        "\" OR 1=1 --",
        "a.b.c",
        "`x`",
        "$1",
        "%s",
        "\0",
        "a\nb",
        "\u{202e}\u{fffd}",
        "",
    ] {
        let text = trend(json!({
            "series": [{"kind": "EventsNode", "event": name, "properties": [{"key": name, "type": "event", "operator": "exact", "value": [name]}]}],
            "breakdownFilter": {"breakdown": name, "breakdown_type": "event"},
        }));
        if let Err(error) = read(&text) {
            is_a_sentence(&error);
        }
    }
}

#[test]
fn nesting_ten_thousand_deep_is_refused() {
    for (open, close) in [
        ("[", "]"),
        (r#"{"kind":"InsightVizNode","source":"#, "}"),
        (r#"{"type":"AND","values":["#, "]}"),
        (r#"{"kind":"ActorsQuery","source":"#, "}"),
    ] {
        let nested = format!("{}null{}", open.repeat(10_000), close.repeat(10_000));
        assert!(refused(&nested).contains("not JSON"));
        let filter = trend(json!({"properties": "HERE"})).replace("\"HERE\"", &nested);
        assert!(refused(&filter).contains("not JSON"));
    }
}

#[test]
fn a_value_that_was_not_read_from_text_may_be_as_deep_as_it_likes() {
    let mut deep = json!({"key": "a", "type": "event", "value": 1});
    for _ in 0..100_000 {
        // `json!` would copy what is in it, level by level.
        let mut group = serde_json::Map::new();
        group.insert("type".to_owned(), json!("AND"));
        group.insert("values".to_owned(), Value::Array(vec![deep]));
        deep = Value::Object(group);
    }
    let mut definition =
        json!({"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "paid"}]});
    definition["properties"] = deep;
    let read = Query::from_value(&definition);
    assert!(matches!(read, Err(Error::Invalid { .. })), "{read:?}");
    // To drop it, serde_json would recurse.
    std::mem::forget(definition);
}

#[test]
fn formulas_may_be_deep_and_long() {
    for formula in [
        format!("{}A{}", "(".repeat(20_000), ")".repeat(20_000)),
        "-".repeat(50_000) + "A",
        "A".to_owned() + &"+A".repeat(50_000),
        "A".to_owned() + &"^A".repeat(50_000),
        "A/0".to_owned(),
        "1e400".to_owned(),
    ] {
        let text = trend(json!({"trendsFilter": {"formula": formula}}));
        if let Err(error) = read(&text) {
            is_a_sentence(&error);
        }
    }
}

#[test]
fn numbers_and_dates_beyond_everything_are_refused_or_taken() {
    for date in [
        "-99999999999d",
        "-9223372036854775808d",
        "99999999999999999999d",
        "-0001-01-01",
        "+10000-01-01",
        "10000-01-01",
        "9999-12-31",
        "0000-00-00",
        "0001-01-01",
        "-262144-01-01",
        "262143-12-31",
        "2024-02-30",
        "-1hStart",
        "mStart",
        "all",
    ] {
        for interval in ["minute", "hour", "day", "week", "month", "quarter"] {
            for (from, to) in [(date, "2024-01-01"), ("2024-01-01", date), (date, date)] {
                let text = trend(json!({
                    "interval": interval,
                    "dateRange": {"date_from": from, "date_to": to, "explicitDate": true},
                    "compareFilter": {"compare": true, "compare_to": date},
                }));
                if let Err(error) = read(&text) {
                    is_a_sentence(&error);
                }
            }
        }
    }
    for number in [
        "1e400",
        "-1e400",
        "18446744073709551616",
        "-1",
        "0",
        "0.5",
        "1e18",
    ] {
        for field in ["breakdown_limit", "breakdown_histogram_bin_count"] {
            let text = trend(json!({"breakdownFilter": {"breakdown": "a", field: "HERE"}}));
            if let Err(error) = read(&text.replace("\"HERE\"", number)) {
                is_a_sentence(&error);
            }
        }
        let text = trend(json!({"trendsFilter": {"smoothingIntervals": "HERE"}}));
        if let Err(error) = read(&text.replace("\"HERE\"", number)) {
            is_a_sentence(&error);
        }
    }
}

#[test]
fn half_a_surrogate_pair_is_refused() {
    let text = trend(json!({})).replace("paid", r"\ud800");
    assert!(refused(&text).contains("not JSON"));
}

#[test]
fn long_lists_are_read_in_time() {
    let values: Vec<String> = (0..100_000).map(|n| format!("value {n}")).collect();
    let text = trend(
        json!({"properties": [{"key": "a", "type": "event", "operator": "exact", "value": values}]}),
    );
    read(&text).unwrap();
    let series: Vec<Value> = (0..5_000)
        .map(|n| json!({"kind": "EventsNode", "event": format!("event {n}")}))
        .collect();
    if let Err(error) = read(&trend(json!({"series": series}))) {
        is_a_sentence(&error);
    }
}
