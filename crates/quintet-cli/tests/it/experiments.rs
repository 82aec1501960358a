//! `quintet experiment`, and the same questions to `quintet query`.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::program::{Place, by_month};

/// 120 companies, half of which see the test. Of these 40 pay, of the others 20.
fn place() -> Place {
    let place = Place::new();
    place.done(&["init", "store", "--group-type", "company"]);
    let mut events = String::new();
    for company in 0..120 {
        let variant = ["control", "test"][company % 2];
        let mut event = |name: &str, hour: usize, properties: Value| {
            let mut all = json!({"$groups": {"company": format!("c{company}")}});
            all.as_object_mut()
                .unwrap()
                .extend(properties.as_object().unwrap().clone());
            let at = format!("2024-03-01T{hour:02}:00:00Z");
            let event = json!({"event": name, "distinct_id": format!("p{company}"), "timestamp": at, "properties": all});
            writeln!(events, "{event}").unwrap();
        };
        event(
            "$feature_flag_called",
            10,
            json!({"$feature_flag": "editor", "$feature_flag_response": variant}),
        );
        if company / 2 % 3 < [1, 2][company % 2] {
            event("paid", 12, json!({}));
        }
    }
    place.file("events.jsonl", events);
    place.done(&["ingest", "store", "events.jsonl"]);
    place.insight(&json!({
        "kind": "ExperimentQuery", "feature_flag_key": "editor", "variants": ["control", "test"], "aggregation_group_type_index": 0,
        "start_date": "2024-03-01T00:00:00Z", "end_date": "2024-03-02T00:00:00Z", "method": "frequentist",
        "metric": {"kind": "ExperimentMetric", "metric_type": "funnel", "series": [{"kind": "EventsNode", "event": "paid"}]},
    }));
    place
}

fn asked(place: &Place, command: &str, format: &str) -> String {
    place.done(&[command, "store", "insight.json", "--format", format])
}

#[test]
fn an_experiment_is_printed_in_every_format() {
    let place = place();
    let json: Value = serde_json::from_str(&asked(&place, "experiment", "json")).unwrap();
    assert_eq!(json["results"]["baseline"]["sum"], 20);
    assert_eq!(
        json["results"]["variant_results"][0]["step_counts"],
        json!([40])
    );
    assert_eq!(json["results"]["variant_results"][0]["significant"], true);
    let csv = asked(&place, "experiment", "csv");
    let mut rows = csv.lines();
    assert_eq!(
        rows.next().unwrap(),
        "variant,entities,conversion (%),effect (%),from (%),to (%),p value,verdict"
    );
    assert!(
        rows.next().unwrap().starts_with("control,60,33.33"),
        "{csv}"
    );
    assert!(rows.next().unwrap().starts_with("test,60,66.66"), "{csv}");
    let table = asked(&place, "experiment", "table");
    assert!(
        table.contains("significant") && table.contains("66.7%"),
        "{table}"
    );
    let chart = asked(&place, "experiment", "chart");
    assert!(
        chart.contains('●') && chart.contains("effect 100%"),
        "{chart}"
    );
}

#[test]
fn query_takes_experiments_and_experiment_takes_nothing_else() {
    let place = place();
    assert_eq!(
        asked(&place, "query", "csv"),
        asked(&place, "experiment", "csv")
    );
    let definition = std::fs::read(place.path("insight.json")).unwrap();
    let piped = place.run_with(
        &["experiment", "store", "-", "--format", "csv"],
        &definition,
    );
    assert_eq!(piped.stdout, asked(&place, "query", "csv"));
    place.insight(&by_month(json!({})));
    place
        .run(&["experiment", "store", "insight.json"])
        .refused(2, &["kind", "quintet query"]);
}

#[test]
fn statistics_that_make_no_sense_are_refused_by_their_place() {
    let place = place();
    let arm = |n: u64, sum: f64| json!({"type": "proportion", "n": n, "sum": sum});
    let ask = |treatment: Value| {
        place.insight(&json!({"kind": "ExperimentStatistics", "treatment": treatment, "control": arm(10, 5.0)}));
        place.run(&["experiment", "store", "insight.json"])
    };
    ask(arm(10, 11.0)).refused(2, &["treatment.sum"]);
    ask(arm(0, 0.0)).refused(2, &["treatment.n"]);
    let done = ask(arm(10, 6.0));
    assert_eq!(done.status, 0, "{done:?}");
}

#[test]
fn exposures_are_a_chart_over_days() {
    let place = place();
    let definition = std::fs::read_to_string(place.path("insight.json")).unwrap();
    let mut definition: Value = serde_json::from_str(&definition).unwrap();
    definition["kind"] = json!("ExperimentExposureQuery");
    let definition_fields = definition.as_object_mut().unwrap();
    definition_fields.remove("metric");
    definition_fields.remove("method");
    place.insight(&definition);
    assert_eq!(
        asked(&place, "experiment", "csv"),
        "day,control,test\n2024-03-01,60,60\n2024-03-02,60,60\n"
    );
}
