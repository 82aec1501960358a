//! What must not change an answer: partitions, memory, the form of actors, how often and in which order data were loaded, and
//! whether a store or a plain folder is read.

use quintet::{ActorKeys, Engine, EngineBuilder, Load, Source, Transport};
use serde_json::{Value, json};

use crate::{retention, sample};

fn questions() -> Vec<Value> {
    let range = json!({"date_from": "2025-01-01", "date_to": "2025-06-30"});
    let question = |series: Value, extra: Value| {
        let mut question = json!({"kind": "TrendsQuery", "interval": "week", "dateRange": range, "series": series});
        question
            .as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        question
    };
    let by_language = json!({"breakdownFilter": {"breakdown": "language", "breakdown_type": "event", "breakdown_limit": 3}});
    let mut questions = vec![
        question(
            json!([{"kind": "EventsNode", "event": "commit", "math": "unique_group", "math_group_type_index": 2}]),
            json!({}),
        ),
        question(
            json!([{"kind": "EventsNode", "event": "commit", "math": "dau"}]),
            by_language.clone(),
        ),
        question(
            json!([{"kind": "EventsNode", "event": "commit", "math": "monthly_active", "math_group_type_index": 1}]),
            json!({}),
        ),
        question(
            json!([{"kind": "EventsNode", "event": "commit", "math": "p90", "math_property": "files_changed"}]),
            by_language,
        ),
        question(
            json!([{"kind": "EventsNode", "event": null, "math": "first_time_for_user"}]),
            json!({}),
        ),
        question(
            json!([{"kind": "EventsNode", "event": "commit", "math": "avg_count_per_actor"}]),
            json!({}),
        ),
    ];
    questions.extend(retention::of_sample());
    questions
}

/// Funnels by person and by group in every order and form, who stands behind them and what goes with converting.
fn funnels() -> Vec<Value> {
    let node = |event: &str| json!({"kind": "EventsNode", "event": event});
    let series = ["commit", "co_authored", "pull_request_merged"].map(node);
    let funnel = |group: Option<u8>, filter: Value| {
        json!({
            "kind": "FunnelsQuery", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-06-30"}, "interval": "month",
            "series": series,
            "aggregation_group_type_index": group, "funnelsFilter": filter,
        })
    };
    let ordered = || json!({});
    let mut all: Vec<Value> = ["ordered", "strict", "unordered"]
        .into_iter()
        .zip([None, Some(1), Some(2)])
        .flat_map(|(order, group)| {
            ["steps", "trends", "time_to_convert"].map(|viz| {
                funnel(
                    group,
                    json!({"funnelOrderType": order, "funnelVizType": viz}),
                )
            })
        })
        .collect();
    for (group, kind) in [
        (None, "last_touch"),
        (Some(2), "all_events"),
        (Some(1), "step"),
    ] {
        let mut by_language = funnel(
            group,
            json!({"breakdownAttributionType": kind, "breakdownAttributionValue": 1}),
        );
        by_language["breakdownFilter"] =
            json!({"breakdown": "language", "breakdown_type": "event", "breakdown_limit": 3});
        all.push(by_language);
    }
    let mut excluding = node("release_tagged");
    excluding["funnelFromStep"] = 0.into();
    excluding["funnelToStep"] = 2.into();
    all.push(funnel(Some(2), json!({"exclusions": [excluding]})));
    let mut first_time = funnel(None, ordered());
    first_time["series"][0]["math"] = "first_time_for_user".into();
    all.push(first_time);
    for group in [None, Some(1)] {
        for step in [1, -2, 3] {
            let source = funnel(group, ordered());
            all.push(json!({"kind": "FunnelsActorsQuery", "source": source, "funnelStep": step}));
        }
        let mut releasing = funnel(group, json!({"funnelWindowInterval": 60}));
        releasing["series"] = json!([node("commit"), node("release_tagged")]);
        let source = json!({"kind": "FunnelsActorsQuery", "source": releasing, "funnelStep": 1});
        all.push(json!({"kind": "FunnelCorrelationQuery", "source": source, "funnelCorrelationType": "events"}));
        all.push(json!({"kind": "FunnelCorrelationQuery", "source": source, "funnelCorrelationType": "event_with_properties",
            "funnelCorrelationEventNames": ["pull_request_merged", "co_authored"]}));
    }
    all
}

/// Asserts that all answers are the same but for `unlike`, columns of actors.
fn assert_same(found: Vec<Value>, expected: &[Value], unlike: &[&str], way: &str) {
    let questions = questions().into_iter().chain(funnels());
    for ((question, found), expected) in questions.zip(found).zip(expected) {
        let expected = without(expected.clone(), unlike);
        assert_eq!(without(found, unlike), expected, "{way}: {question}");
    }
}

fn without(mut answer: Value, columns: &[&str]) -> Value {
    for row in answer.as_array_mut().into_iter().flatten() {
        let Some(row) = row.as_object_mut() else {
            continue;
        };
        columns.iter().for_each(|name| {
            row.remove(*name);
        });
    }
    answer
}

async fn answers(builder: EngineBuilder, location: &str) -> Vec<Value> {
    let engine = builder.open(location).await.expect("an engine");
    let mut answers = Vec::new();
    for question in questions().into_iter().chain(funnels()) {
        let answer = engine
            .query_with(&question.to_string(), &sample::options())
            .await
            .expect("an answer");
        answers.push(answer.results().clone());
    }
    answers
}

#[tokio::test]
async fn partitions_keys_and_transport_change_nothing() {
    let location = sample::store().await.location();
    let expected = answers(EngineBuilder::new(), location).await;
    let ways = [
        EngineBuilder::new().with_target_partitions(1),
        EngineBuilder::new().with_target_partitions(2),
        EngineBuilder::new().with_target_partitions(7),
        EngineBuilder::new().with_actor_keys(ActorKeys::Keys),
        EngineBuilder::new().with_transport(Transport::Bytes),
        EngineBuilder::new().with_memory_limit(24 << 20),
    ];
    for (i, builder) in ways.into_iter().enumerate() {
        let found = answers(builder, location).await;
        assert_same(found, &expected, &[], &format!("way {i}"));
    }
}

#[tokio::test]
async fn every_question_has_an_answer_that_could_change() {
    let answers = answers(EngineBuilder::new(), sample::store().await.location()).await;
    for (question, answer) in questions().into_iter().chain(funnels()).zip(answers) {
        let rows = answer.get("events").unwrap_or(&answer);
        let is_empty = rows.as_array().is_some_and(Vec::is_empty);
        assert!(!is_empty, "{question}");
    }
}

#[tokio::test]
async fn a_plain_folder_of_the_same_files_gives_the_same_figures() {
    let location = sample::store().await.location();
    let expected = answers(EngineBuilder::new(), location).await;
    let found = answers(EngineBuilder::new(), &format!("{location}/events")).await;
    // A folder knows nothing of a person beyond its events.
    let unlike = ["created_at", "is_identified", "properties"];
    assert_same(found, &expected, &unlike, "a folder");
}

#[tokio::test]
async fn loading_in_pieces_out_of_order_and_twice_changes_nothing() {
    let expected = answers(EngineBuilder::new(), sample::store().await.location()).await;
    let lines = sample::lines();
    let pieces: Vec<String> = lines
        .chunks(lines.len() / 3 + 1)
        .map(|piece| piece.join("\n"))
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    let location = folder.path().to_str().expect("a path");
    let engine = Engine::create(location, sample::settings())
        .await
        .expect("a store");
    let load = |piece: &str| Load {
        sources: vec![Source::bytes("piece", piece.to_owned())],
        ..Load::default()
    };
    for piece in [&pieces[2], &pieces[0], &pieces[2], &pieces[1]] {
        engine.ingest(load(piece)).await.expect("a load");
    }
    // Not the same bytes as any piece, so that every event has to be recognised by itself.
    let overlap = lines[lines.len() / 4..lines.len() / 2].join("\n");
    let report = engine.ingest(load(&overlap)).await.expect("a load");
    assert_eq!(
        (report.events.stored, report.events.duplicates),
        (0, (lines.len() / 2 - lines.len() / 4) as u64)
    );
    let found = answers(EngineBuilder::new(), location).await;
    // Actors are made by the first of their events that is received.
    assert_same(found, &expected, &["created_at", "properties"], "in pieces");
}
