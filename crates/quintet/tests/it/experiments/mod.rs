//! Experiments through the whole engine: what a note's words mean for single events, and an effect that is known.

mod against_oracle;
mod rollout;

use quintet::{ActorKeys, Engine, EngineBuilder, Load, QueryOptions, Settings, Source, Transport};
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// The ways in which plans are run.
fn builders() -> [EngineBuilder; 3] {
    let builder = || EngineBuilder::new().with_target_partitions(2);
    [
        builder(),
        builder().with_actor_keys(ActorKeys::Keys),
        builder().with_transport(Transport::Bytes),
    ]
}

/// A store with these events.
async fn store(events: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        group_types: vec!["company".into()],
        ..Settings::default()
    };
    let place = folder.path().to_str().unwrap();
    let engine = Engine::create(place, settings).await.unwrap();
    let load = Load {
        sources: vec![Source::bytes("events", events.to_owned())],
        ..Load::default()
    };
    let report = engine.ingest(load).await.unwrap();
    assert!(report.rejected.is_empty(), "{:?}", report.rejected);
    folder
}

/// The answer, which is the same in whatever way.
async fn answer(store: &TempDir, definition: &Value) -> Value {
    answer_with(store, definition, json!({})).await
}

/// The same with definitions of actions and test accounts.
async fn answer_with(store: &TempDir, definition: &Value, definitions: Value) -> Value {
    let options = QueryOptions {
        now: Some("2024-02-01T00:00:00Z".into()),
        definitions: Some(definitions),
        ..QueryOptions::default()
    };
    let mut answers = Vec::new();
    for builder in builders() {
        let engine = builder.open(store.path().to_str().unwrap()).await.unwrap();
        let answer = engine.query_with(&definition.to_string(), &options).await;
        answers.push(answer.unwrap().to_json());
    }
    let first = answers.remove(0);
    for other in answers {
        assert_eq!(first["results"], other["results"]);
        assert_eq!(first["warnings"], other["warnings"]);
    }
    first
}

fn event(name: &str, who: &str, company: &str, at: &str, properties: Value) -> Value {
    let mut all = Map::from_iter([("$groups".to_owned(), json!({"company": company}))]);
    all.extend(properties.as_object().unwrap().clone());
    json!({"event": name, "distinct_id": who, "timestamp": format!("2024-01-{at}Z"), "properties": all})
}

fn exposed(who: &str, variant: &str, at: &str) -> Value {
    let called = json!({"$feature_flag": "editor", "$feature_flag_response": variant});
    event(
        "$feature_flag_called",
        who,
        &format!("of {who}"),
        at,
        called,
    )
}

fn paid(who: &str, at: &str, amount: Value) -> Value {
    let properties = json!({"amount": amount, "$session_id": format!("{who} {}", &at[..2])});
    event("paid", who, &format!("of {who}"), at, properties)
}

fn plain(name: &str, who: &str, at: &str) -> Value {
    event(name, who, &format!("of {who}"), at, json!({}))
}

fn lines(events: &[Value]) -> String {
    events.iter().map(|event| format!("{event}\n")).collect()
}

fn experiment(metric: Value, more: Value) -> Value {
    let mut definition = json!({
        "kind": "ExperimentQuery", "feature_flag_key": "editor", "variants": ["control", "test"],
        "start_date": "2024-01-02T00:00:00Z", "end_date": "2024-01-20T00:00:00Z", "metric": metric,
    });
    for (key, value) in more.as_object().unwrap() {
        definition[key] = value.clone();
    }
    definition
}

fn mean(more: Value) -> Value {
    let mut metric =
        json!({"metric_type": "mean", "source": {"kind": "EventsNode", "event": "paid"}});
    for (key, value) in more.as_object().unwrap() {
        metric[key] = value.clone();
    }
    metric
}

/// Ann and Bob see the control, Cho and Dan the test, Eve both, Fay another flag's variant.
async fn small() -> TempDir {
    let mut events = vec![
        exposed("ann", "control", "03T10:00:00"),
        exposed("bob", "control", "03T11:00:00"),
        exposed("cho", "test", "04T10:00:00"),
        exposed("cho", "test", "05T10:00:00"),
        exposed("dan", "test", "04T12:00:00"),
        exposed("eve", "test", "04T12:00:00"),
        exposed("eve", "control", "05T12:00:00"),
        exposed("fay", "other", "04T12:00:00"),
        exposed("gil", "control", "21T12:00:00"),
        // Before, at the very moment, a day after, and after the end.
        paid("ann", "03T09:59:59", json!(1000)),
        paid("ann", "03T10:00:00", json!(10)),
        paid("ann", "04T10:00:00", json!("20")),
        paid("ann", "04T11:00:00", json!("many")),
        paid("ann", "20T00:00:01", json!(1000)),
        paid("cho", "04T10:30:00", json!(30)),
        paid("cho", "04T10:40:00", json!(50)),
        paid("eve", "06T10:00:00", json!(7)),
        paid("fay", "06T10:00:00", json!(7)),
    ];
    events.extend([
        plain("viewed", "ann", "03T10:00:00"),
        plain("viewed", "cho", "04T10:35:00"),
        plain("viewed", "dan", "04T12:30:00"),
        plain("viewed", "cho", "06T10:35:00"),
    ]);
    store(&lines(&events)).await
}

/// `number_of_samples` and `sum` of control and test.
fn sums(answer: &Value) -> [(f64, f64); 2] {
    let results = &answer["results"];
    [&results["baseline"], &results["variant_results"][0]].map(|arm| {
        (
            arm["number_of_samples"].as_f64().unwrap(),
            arm["sum"].as_f64().unwrap(),
        )
    })
}

#[tokio::test]
async fn events_count_from_the_very_moment_of_the_exposure_to_the_end() {
    let answer = answer(&small().await, &experiment(mean(json!({})), json!({}))).await;
    assert_eq!(sums(&answer), [(2.0, 3.0), (2.0, 2.0)]);
    let baseline = &answer["results"]["baseline"];
    assert_eq!(baseline["sum_squares"], 9);
    assert_eq!(
        baseline["validation_failures"],
        json!(["not-enough-exposures"])
    );
    assert_eq!(answer["results"]["variant_results"][0].get("method"), None);
    assert_eq!(answer["warnings"], json!([]));
}

#[tokio::test]
async fn the_end_of_a_conversion_window_does_not_count() {
    let day = mean(json!({"conversion_window": 1, "conversion_window_unit": "day"}));
    let found = answer(&small().await, &experiment(day, json!({}))).await;
    assert_eq!(sums(&found)[0], (2.0, 1.0));
    let longer = mean(json!({"conversion_window": 86_401, "conversion_window_unit": "second"}));
    let found = answer(&small().await, &experiment(longer, json!({}))).await;
    assert_eq!(sums(&found)[0], (2.0, 2.0));
}

#[tokio::test]
async fn a_mean_is_of_whatever_the_math_makes_of_the_events() {
    let store = small().await;
    for (math, control, test) in [
        ("sum", 30.0, 80.0),
        ("avg", 15.0, 40.0),
        ("min", 10.0, 30.0),
        ("max", 20.0, 50.0),
        ("median", 15.0, 40.0),
        ("unique_session", 2.0, 1.0),
        ("dau", 1.0, 1.0),
    ] {
        let source =
            json!({"kind": "EventsNode", "event": "paid", "math": math, "math_property": "amount"});
        let found = answer(
            &store,
            &experiment(mean(json!({"source": source})), json!({})),
        )
        .await;
        assert_eq!(sums(&found), [(2.0, control), (2.0, test)], "{math}");
    }
}

#[tokio::test]
async fn who_saw_several_variants_leaves_or_belongs_to_the_first() {
    let store = small().await;
    let first = json!({"exposure_criteria": {"multiple_variant_handling": "first_seen"}});
    let found = answer(&store, &experiment(mean(json!({})), first)).await;
    assert_eq!(sums(&found), [(2.0, 3.0), (3.0, 3.0)]);
    let mut exposures = experiment(json!(null), json!({"kind": "ExperimentExposureQuery"}));
    exposures.as_object_mut().unwrap().remove("metric");
    let found = answer(&store, &exposures).await;
    assert_eq!(
        found["results"]["total_exposures"],
        json!({"control": 2, "test": 2, "$multiple": 1})
    );
    let series = &found["results"]["timeseries"][1];
    assert_eq!(series["variant"], "test");
    assert_eq!(series["days"][2], "2024-01-04");
    assert_eq!(
        series["exposure_counts"].as_array().unwrap()[..4],
        [0, 0, 2, 2].map(Value::from)
    );
}

#[tokio::test]
async fn a_funnel_begins_with_the_exposure() {
    let event = |name: &str| json!({"kind": "EventsNode", "event": name});
    let store = small().await;
    let of = |series: Value, order: &str| {
        experiment(
            json!({"metric_type": "funnel", "series": series, "funnel_order_type": order}),
            json!({}),
        )
    };
    let found = answer(
        &store,
        &of(json!([event("viewed"), event("paid")]), "ordered"),
    )
    .await;
    assert_eq!(sums(&found), [(2.0, 1.0), (2.0, 1.0)]);
    assert_eq!(found["results"]["baseline"]["step_counts"], json!([1, 1]));
    assert_eq!(
        found["results"]["variant_results"][0]["step_counts"],
        json!([2, 1])
    );
    let backwards = json!([event("paid"), event("viewed"), event("viewed")]);
    let found = answer(&store, &of(backwards, "ordered")).await;
    assert_eq!(sums(&found), [(2.0, 0.0), (2.0, 1.0)]);
    let any = json!([event("viewed"), event("paid"), event("viewed")]);
    let found = answer(&store, &of(any, "unordered")).await;
    assert_eq!(sums(&found), [(2.0, 0.0), (2.0, 1.0)]);
}

#[tokio::test]
async fn a_ratio_has_the_sums_of_both_and_of_their_product() {
    let numerator =
        json!({"kind": "EventsNode", "event": "paid", "math": "sum", "math_property": "amount"});
    let denominator = json!({"kind": "EventsNode", "event": "viewed"});
    let ratio = json!({"metric_type": "ratio", "numerator": numerator, "denominator": denominator});
    let found = answer(&small().await, &experiment(ratio, json!({}))).await;
    assert_eq!(sums(&found), [(2.0, 30.0), (2.0, 80.0)]);
    let test = &found["results"]["variant_results"][0];
    assert_eq!(test["denominator_sum"], 3);
    assert_eq!(test["denominator_sum_squares"], 5);
    assert_eq!(test["numerator_denominator_sum_product"], 160);
}

#[tokio::test]
async fn retention_is_of_those_who_start() {
    let event = |name: &str| json!({"kind": "EventsNode", "event": name});
    let of = |from: u64, to: u64| {
        let metric = json!({"metric_type": "retention", "start_event": event("viewed"), "completion_event": event("viewed"),
            "retention_window_start": from, "retention_window_end": to, "retention_window_unit": "day"});
        experiment(metric, json!({}))
    };
    let store = small().await;
    // Cho comes back two days later to the minute, Dan never, Bob does not even start.
    assert_eq!(
        sums(&answer(&store, &of(0, 1)).await),
        [(1.0, 0.0), (2.0, 0.0)]
    );
    assert_eq!(
        sums(&answer(&store, &of(1, 2)).await),
        [(1.0, 0.0), (2.0, 1.0)]
    );
}

#[tokio::test]
async fn outliers_are_clipped_over_all_entities() {
    let source =
        json!({"kind": "EventsNode", "event": "paid", "math": "sum", "math_property": "amount"});
    // The values are 30, 0, 80 and 0: three quarters up lies 42.5.
    let clipped = mean(json!({"source": source, "upper_bound_percentile": 0.75}));
    let found = answer(&small().await, &experiment(clipped, json!({}))).await;
    assert_eq!(sums(&found), [(2.0, 30.0), (2.0, 42.5)]);
}

#[tokio::test]
async fn companies_of_persons_with_several_variants_are_warned_of() {
    let called = |who: &str, company: &str, variant: &str| {
        let properties = json!({"$feature_flag": "editor", "$feature_flag_response": variant});
        event(
            "$feature_flag_called",
            who,
            company,
            "04T10:00:00",
            properties,
        )
    };
    let events = [
        called("ann", "acme", "control"),
        called("bob", "acme", "test"),
        called("cho", "bolt", "test"),
        // One who saw both herself says nothing about the flag.
        called("dan", "cargo", "test"),
        called("dan", "cargo", "control"),
    ];
    let store = store(&lines(&events)).await;
    let by_company = json!({"aggregation_group_type_index": 0});
    let found = answer(&store, &experiment(mean(json!({})), by_company)).await;
    assert_eq!(sums(&found), [(0.0, 0.0), (1.0, 0.0)]);
    let warnings = found["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 1);
    assert_eq!(warnings[0]["code"], "flag_not_aggregated_by_group");
    let message = warnings[0]["message"].as_str().unwrap();
    assert!(message.starts_with("1 of 3 groups"), "{message}");
    let by_person = answer(&store, &experiment(mean(json!({})), json!({}))).await;
    assert_eq!(by_person["warnings"], json!([]));
}

#[tokio::test]
async fn test_accounts_leave_exposures_and_metrics() {
    let internal = |mut event: Value| {
        event["properties"]["internal"] = json!(true);
        event
    };
    let events = [
        exposed("ann", "control", "03T10:00:00"),
        paid("ann", "03T11:00:00", json!(1)),
        internal(paid("ann", "03T12:00:00", json!(1))),
        internal(exposed("bob", "control", "03T10:00:00")),
        paid("bob", "03T11:00:00", json!(1)),
    ];
    let store = store(&lines(&events)).await;
    let ours = json!({"test_account_filters": [{"key": "internal", "value": "is_not_set", "operator": "is_not_set", "type": "event"}]});
    let everybody = experiment(mean(json!({})), json!({}));
    let found = answer_with(&store, &everybody, ours.clone()).await;
    assert_eq!(sums(&found)[0], (2.0, 3.0));
    let without = experiment(
        mean(json!({})),
        json!({"exposure_criteria": {"filterTestAccounts": true}}),
    );
    let found = answer_with(&store, &without, ours).await;
    assert_eq!(sums(&found)[0], (1.0, 1.0));
}

#[tokio::test]
async fn an_action_may_be_the_exposure_and_the_metric() {
    let store = small().await;
    let definitions = json!({"actions": [{"id": 1, "name": "sees", "steps": [{"event": "viewed"}]}, {"id": 2, "name": "pays", "steps": [{"event": "paid"}]}]});
    let action = |id: u64| json!({"kind": "ActionsNode", "id": id});
    let of_action = experiment(mean(json!({"source": action(2)})), json!({}));
    assert_eq!(
        sums(&answer_with(&store, &of_action, definitions.clone()).await),
        [(2.0, 3.0), (2.0, 2.0)]
    );
    // Views carry no `$feature/editor`: nobody is exposed by them.
    let by_action = json!({"exposure_criteria": {"exposure_config": action(1)}});
    let found = answer_with(&store, &experiment(mean(json!({})), by_action), definitions).await;
    assert_eq!(sums(&found), [(0.0, 0.0), (0.0, 0.0)]);
}

#[tokio::test]
async fn arms_that_cannot_be_judged_say_why() {
    let one = |at: usize| {
        exposed(
            &format!("p{at}"),
            ["control", "test"][at % 2],
            "03T10:00:00",
        )
    };
    let events: Vec<Value> = (0..120).map(one).collect();
    let store = store(&lines(&events)).await;
    let event = json!({"kind": "EventsNode", "event": "paid"});
    for (metric, difference, baseline, test) in [
        (
            mean(json!({})),
            "relative",
            json!(["baseline-mean-is-zero"]),
            json!([]),
        ),
        (
            mean(json!({})),
            "absolute",
            json!([]),
            json!(["no-variance"]),
        ),
        (
            json!({"metric_type": "funnel", "series": [event]}),
            "relative",
            json!(["not-enough-metric-data", "baseline-mean-is-zero"]),
            json!(["not-enough-metric-data"]),
        ),
        (
            json!({"metric_type": "ratio", "numerator": event, "denominator": event}),
            "relative",
            json!(["denominator-is-zero"]),
            json!(["denominator-is-zero"]),
        ),
    ] {
        let asked = experiment(metric, json!({"difference_type": difference}));
        let results = &answer(&store, &asked).await["results"];
        let arm = &results["variant_results"][0];
        assert_eq!(
            results["baseline"]["validation_failures"], baseline,
            "{asked}"
        );
        assert_eq!(arm["validation_failures"], test, "{asked}");
        assert_eq!(arm.get("significant"), None);
    }
}
