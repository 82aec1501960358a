//! Feature flags as an embedding service evaluates and counts them.

use quintet::flags::{FlagValue, Reason, hash};
use quintet::query::flags::FlagContext;
use quintet::{Engine, ErrorKind, Load, QueryOptions, Settings, Source};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A store with forty companies, half of which pay, and two people with two ids each.
async fn engine() -> (Engine, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        group_types: vec!["company".into(), "project".into()],
        ..Settings::default()
    };
    let store = folder.path().join("store");
    let engine = Engine::create(store.to_str().unwrap(), settings)
        .await
        .unwrap();
    let group = |at: usize| {
        let plan = if at.is_multiple_of(2) { "pro" } else { "free" };
        json!({"group_type": "company", "group_key": format!("c{at}"), "properties": {"plan": plan}})
    };
    let person = |name: &str, country: &str| json!({"distinct_ids": [name, format!("{name}@work")], "properties": {"country": country}});
    let lines = |rows: Vec<Value>| {
        let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
        vec![Source::bytes("rows", lines.join("\n"))]
    };
    let load = Load {
        groups: lines((0..40).map(group).collect()),
        persons: lines(vec![person("ann", "DE"), person("bob", "FR")]),
        ..Load::default()
    };
    engine.ingest(load).await.unwrap();
    (engine, folder)
}

fn flag(group_type: Value, conditions: Value) -> Value {
    json!({"id": 1, "key": "f", "active": true,
           "filters": {"aggregation_group_type_index": group_type, "groups": conditions}})
}

fn pays() -> Value {
    json!({"key": "plan", "value": "pro", "type": "group", "group_type_index": 0})
}

async fn asked(engine: &Engine, definition: Value) -> quintet::Answer {
    engine.query(&definition.to_string()).await.unwrap()
}

fn at(company: &str) -> FlagContext {
    FlagContext {
        groups: vec![("company".into(), company.into())],
        ..FlagContext::default()
    }
}

#[tokio::test]
async fn flags_are_compiled_once_and_evaluated_for_anybody() {
    let (engine, _folder) = engine().await;
    let flag = flag(json!(0), json!([{"properties": [pays()]}]));
    let flags = engine.flags(&flag, &QueryOptions::default()).await.unwrap();
    let value = async |context: &FlagContext| {
        let somebody = engine.flag_context(&flags, context).await.unwrap();
        let found = flags.evaluate("f", &somebody).unwrap();
        (found.value, found.reason)
    };
    assert_eq!(
        value(&at("c0")).await,
        (FlagValue::On, Reason::ConditionMatch)
    );
    assert_eq!(
        value(&at("c1")).await,
        (FlagValue::Off, Reason::NoConditionMatch)
    );
    assert_eq!(value(&at("")).await, (FlagValue::Off, Reason::NoGroupType));
    let mut given = at("c1");
    let properties = json!({"plan": "Pro"}).as_object().cloned().unwrap();
    given.group_properties = vec![("company".into(), properties)];
    assert_eq!(value(&given).await.0, FlagValue::On);
}

#[tokio::test]
async fn what_is_stored_of_a_person_is_found_by_any_of_its_ids() {
    let (engine, _folder) = engine().await;
    let of_country = json!({"key": "country", "value": "de", "type": "person"});
    let in_cohort = json!({"key": "id", "value": 3, "type": "cohort"});
    let question = json!({
        "kind": "FeatureFlagEvaluation", "flag": flag(json!(null), json!([{"properties": [of_country, in_cohort]}])),
        "cohorts": [{"id": 3, "distinct_ids": ["ann", "bob"]}],
        "contexts": [{"distinct_id": "ann@work"}, {"distinct_id": "bob@work"}, {"distinct_id": "eve"},
                     {"distinct_id": "bob", "person_properties": {"country": "DE"}}],
    });
    let answer = asked(&engine, question).await;
    let values: Vec<&Value> = answer
        .results()
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["value"])
        .collect();
    assert_eq!(values, [true, false, false, true]);
}

#[tokio::test]
async fn an_audience_is_what_evaluation_says_of_every_group() {
    let (engine, _folder) = engine().await;
    let conditions = json!([
        {"properties": [pays()], "rollout_percentage": 50},
        {"rollout_percentage": 20, "variant": "b"},
        {"aggregation_group_type_index": null, "properties": [{"key": "country", "value": "DE", "type": "person"}]},
    ]);
    let mut flag = flag(json!(0), conditions);
    flag["filters"]["multivariate"] = json!({"variants": [{"key": "a", "rollout_percentage": 50}, {"key": "b", "rollout_percentage": 25}]});
    let answer = asked(
        &engine,
        json!({"kind": "FeatureFlagAudience", "flag": flag.clone()}),
    )
    .await;
    let rows = answer.results();
    let within = |share: f64, among: &dyn Fn(usize) -> bool| {
        let inside = |at: &usize| hash("f", &format!("c{at}"), "") <= share && among(*at);
        (0..40).filter(inside).count()
    };
    assert_eq!(
        (&rows[0]["total"], &rows[0]["matching"]),
        (&json!(40), &json!(20))
    );
    assert_eq!(
        rows[0]["in_rollout"],
        within(0.5, &|at| at.is_multiple_of(2))
    );
    assert_eq!(rows[1]["values"], json!({"b": within(0.2, &|_| true)}));
    assert_eq!(
        (&rows[2]["of"], &rows[2]["total"], &rows[2]["matching"]),
        (&json!("person"), &json!(2), &json!(1))
    );

    let listed = asked(&engine, json!({"kind": "FeatureFlagValues", "flag": flag})).await;
    let on = listed
        .results()
        .as_array()
        .unwrap()
        .iter()
        .filter(|row| row["value"] != json!(false));
    let summary = answer.response()["summary"].as_array().unwrap();
    let of_companies = summary.iter().find(|row| row["of"] == "company").unwrap();
    assert_eq!(of_companies["on"], on.count());
    assert_eq!(listed.results()[0]["group_key"], "c0");
}

#[tokio::test]
async fn a_few_companies_are_named_by_their_keys() {
    let (engine, _folder) = engine().await;
    let named = json!({"key": "$group_key", "type": "group", "group_type_index": 0, "value": ["c1", "C7", "nobody"]});
    let flag = flag(json!(0), json!([{"properties": [named]}]));
    let audience = asked(
        &engine,
        json!({"kind": "FeatureFlagAudience", "flag": flag.clone()}),
    )
    .await;
    assert_eq!(audience.results()[0]["matching"], 2);
    let question = json!({"kind": "FeatureFlagEvaluation", "flag": flag, "contexts": [
        {"groups": {"company": "c7"}}, {"groups": {"company": "c8"}}, {"groups": {"company": "nobody"}},
    ]});
    let answer = asked(&engine, question).await;
    let rows = answer.results().as_array().unwrap();
    let values: Vec<&Value> = rows.iter().map(|row| &row["value"]).collect();
    assert_eq!(values, [true, false, true]);
}

#[tokio::test]
async fn sql_counts_the_same_share() {
    let (engine, _folder) = engine().await;
    let half = flag(json!(0), json!([{"rollout_percentage": 50}]));
    let audience = asked(
        &engine,
        json!({"kind": "FeatureFlagAudience", "flag": half}),
    )
    .await;
    let sql = "select count(*) as n from company where flag_hash('f', key, '') <= 0.5";
    let counted = engine.sql(sql).await.unwrap();
    assert_eq!(
        counted.results()[0]["n"],
        audience.results()[0]["in_rollout"]
    );
}

#[tokio::test]
async fn a_hash_is_asked_for_by_itself() {
    let (engine, _folder) = engine().await;
    let question =
        json!({"kind": "FeatureFlagHash", "key": "f", "identifiers": ["acme"], "salt": "variant"});
    let answer = asked(&engine, question).await;
    assert_eq!(answer.results()[0]["value"], hash("f", "acme", "variant"));
}

#[tokio::test]
async fn answers_about_flags_are_arrow_too() {
    let (engine, _folder) = engine().await;
    let listed = asked(
        &engine,
        json!({"kind": "FeatureFlagValues", "flag": flag(json!(0), json!([{}])), "limit": 3}),
    )
    .await;
    let batches = listed.to_batches().unwrap();
    assert_eq!((batches[0].num_rows(), batches[0].num_columns()), (3, 7));
    assert!(batches[0].column_by_name("group_key").unwrap().is_valid(0));
}

#[tokio::test]
async fn a_flag_that_makes_no_sense_is_refused_with_its_place() {
    let (engine, _folder) = engine().await;
    let wrong = flag(json!(0), json!([{"rollout_percentage": 120}]));
    let error = engine
        .flags(&wrong, &QueryOptions::default())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.path(), Some("filters.groups[0].rollout_percentage"));
    let of_persons = json!({"kind": "FeatureFlagValues", "flag": flag(json!(null), json!([{}]))});
    let error = engine.query(&of_persons.to_string()).await.unwrap_err();
    assert_eq!(error.path(), Some("group_type_index"));
}
