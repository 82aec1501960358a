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

async fn answers(builder: EngineBuilder, location: &str) -> Vec<Value> {
    let engine = builder.open(location).await.expect("an engine");
    let mut answers = Vec::new();
    for question in questions() {
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
        EngineBuilder::new().with_target_partitions(7),
        EngineBuilder::new().with_actor_keys(ActorKeys::Keys),
        EngineBuilder::new().with_transport(Transport::Bytes),
        EngineBuilder::new().with_memory_limit(24 << 20),
    ];
    for (i, builder) in ways.into_iter().enumerate() {
        assert_eq!(answers(builder, location).await, expected, "way {i}");
    }
}

#[tokio::test]
async fn a_plain_folder_of_the_same_files_gives_the_same_figures() {
    let location = sample::store().await.location();
    let expected = answers(EngineBuilder::new(), location).await;
    let found = answers(EngineBuilder::new(), &format!("{location}/events")).await;
    assert_eq!(found, expected);
}

#[tokio::test]
async fn loading_in_pieces_out_of_order_and_twice_changes_nothing() {
    let expected = answers(EngineBuilder::new(), sample::store().await.location()).await;
    let mut text = String::new();
    let file = std::fs::File::open(sample::path()).expect("the sample");
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text)
        .expect("gzip");
    let lines: Vec<&str> = text.lines().collect();
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
    assert_eq!(answers(EngineBuilder::new(), location).await, expected);
}
