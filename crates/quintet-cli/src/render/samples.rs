//! Answers for the tests of all formats, as the engine writes them.

use serde_json::{Value, json};

use super::{Look, View, chart};

/// The chart without colours.
pub(crate) fn drawn(results: &Value, width: usize) -> String {
    let look = Look {
        width,
        colour: false,
    };
    chart(&View::of(results), look).unwrap_or_default()
}

/// A step with its place, its name, its count and seconds from the step before.
pub(crate) fn step(order: u64, name: &str, count: u64, seconds: Option<f64>) -> Value {
    json!({"action_id": name, "name": name, "custom_name": null, "order": order, "people": [], "count": count,
        "type": "events", "average_conversion_time": seconds, "median_conversion_time": seconds})
}

/// The same with more keys.
pub(crate) fn with(mut row: Value, more: &Value) -> Value {
    for (key, value) in more.as_object().into_iter().flatten() {
        row[key] = value.clone();
    }
    row
}

/// Two arms against a baseline, one of which may not be judged.
pub(crate) fn experiment() -> Value {
    let arm = |key: &str, sum: u64| json!({"key": key, "number_of_samples": 100, "sum": sum, "sum_squares": sum, "validation_failures": []});
    let judged = json!({"method": "bayesian", "effect_size": 0.2, "credible_interval": [0.08, 0.32], "chance_to_win": 0.999,
        "expected_loss": {"treatment": 0.0, "control": 0.2}, "significant": true});
    json!({"kind": "ExperimentQuery", "metric": {"kind": "ExperimentMetric", "metric_type": "mean", "goal": "increase"},
        "difference_type": "relative", "baseline": arm("control", 1000),
        "variant_results": [with(arm("test", 1200), &judged), with(arm("other", 900), &json!({"validation_failures": ["not-enough-exposures"]}))]})
}

pub(crate) fn steps() -> Value {
    json!([
        step(0, "signed_up", 40, None),
        step(1, "created", 30, Some(187_200.0)),
        step(2, "paid", 12, Some(3725.5)),
    ])
}

/// A browser of the current period and none of the one before.
pub(crate) fn compared_steps() -> Value {
    let funnel = |value: &str, period: &str, count: u64| {
        let more =
            json!({"breakdown": [value], "breakdown_value": [value], "compare_label": period});
        json!([
            with(step(0, "signed_up", 8, None), &more),
            with(step(1, "paid", count, Some(90.0)), &more)
        ])
    };
    json!([funnel("Chrome", "current", 2), funnel("", "previous", 0)])
}

/// The rates of a funnel over four days.
pub(crate) fn rates(more: &Value) -> Value {
    let days = ["2024-05-01", "2024-05-02", "2024-05-03", "2024-05-04"];
    with(
        json!({"count": 4, "data": [100.0, 33.33, 0.0, 50.0], "days": days, "labels": days}),
        more,
    )
}

pub(crate) fn times(period: &str) -> Value {
    match period {
        "previous" => {
            json!({"bins": [[2220, 0], [42510, 0], [82800, 0]], "average_conversion_time": null,
            "median_conversion_time": null, "compare_label": period})
        }
        _ => {
            json!({"bins": [[2220, 2], [42510, 0], [82800, 1]], "average_conversion_time": 29540.0,
            "median_conversion_time": 3600.0, "compare_label": period})
        }
    }
}

/// The only histogram where nothing is compared.
pub(crate) fn only_times() -> Value {
    let mut times = times("current");
    times
        .as_object_mut()
        .map(|object| object.remove("compare_label"));
    times
}

pub(crate) fn correlation() -> Value {
    let row = |name: &str, success: u64, failure: u64, odds: f64, kind: &str| {
        json!({"event": {"event": name, "properties": {}, "elements": []}, "success_count": success,
            "failure_count": failure, "odds_ratio": odds, "correlation_type": kind})
    };
    json!({"skewed": true, "events": [
        row("read docs", 20, 2, 11.0, "success"),
        row("industry::finance", 1, 5, 0.25, "failure"),
    ]})
}

/// Cohorts of three days with these counts, the label of each column before them.
pub(crate) fn cohorts(value: Option<&str>, labels: &[&str], counts: [&[u64]; 3]) -> Vec<Value> {
    let cell = |(label, count): (&&str, &u64)| json!({"count": count, "label": label});
    let row = |(day, counts): (usize, &[u64])| {
        let values: Vec<Value> = labels.iter().zip(counts).map(cell).collect();
        json!({"values": values, "label": format!("Day {}", day - 1),
            "date": format!("2024-01-{day:02}T00:00:00Z"), "breakdown_value": value})
    };
    (1..).zip(counts).map(row).collect()
}

pub(crate) const DAYS: [&str; 3] = ["Day 0", "Day 1", "Day 2"];

pub(crate) fn retention() -> Value {
    cohorts(None, &DAYS, [&[120, 60, 1], &[40, 30, 0], &[0, 0, 0]]).into()
}

pub(crate) fn paths() -> Value {
    let link = |source: &str, target: &str, count: u64, milliseconds: f64| json!({"source": source, "target": target, "value": count, "average_conversion_time": milliseconds});
    json!([
        link("1_/", "2_/pricing", 20, 65_000.0),
        link(
            "2_/pricing",
            "3_https://example.com/a/long/way/to/checkout",
            7,
            1500.0
        ),
        link("1_/", "2_", 3, 0.0),
    ])
}
