//! `quintet demo`: bundled real data, seven questions, their answers.

use std::sync::Arc;
use std::time::Instant;

use quintet::{Engine, Load, QueryOptions, Settings, Source};
use serde_json::Value;

use super::engine;
use crate::arguments::{Demo, Limits};
use crate::failure::{Failure, Result};
use crate::output::{look, tell, write};
use crate::progress::Bar;
use crate::render::{View, chart, plain, plain_figures};

/// Contributions to eight open-source projects; `testdata/README.md` says what they are.
const EVENTS: &[u8] = include_bytes!("../../../../testdata/contributions.jsonl.gz");
/// Group types in a fixed order, so that the definitions' indexes hold.
const GROUP_TYPES: [&str; 4] = ["repository", "company", "component", "organization"];
/// The clock of the demo: the data end here, and the answers stay the same.
const NOW: &str = "2026-08-17T12:00:00Z";

struct Question {
    words: &'static str,
    means: &'static str,
    file: &'static str,
    definition: &'static str,
    /// Steps of a funnel for which those lost before them are named.
    lost_before: &'static [u32],
}

const QUESTIONS: [Question; 7] = [
    Question {
        words: "How many companies had pull requests merged, month by month?",
        means: "event pull_request_merged, math unique_group of group type 1 (company), by month",
        file: "companies.json",
        definition: include_str!("../../demo/companies.json"),
        lost_before: &[],
    },
    Question {
        words: "How many people wrote code, in how many components, for how many companies?",
        means: "event commit three times: math dau, unique_group 2 (component), unique_group 1 (company), by month",
        file: "people-components-companies.json",
        definition: include_str!("../../demo/people-components-companies.json"),
        lost_before: &[],
    },
    Question {
        words: "Which languages were the commits of 2025 in?",
        means: "event commit, breakdown by event property language, limit 8, one figure each (ActionsBarValue)",
        file: "languages.json",
        definition: include_str!("../../demo/languages.json"),
        lost_before: &[],
    },
    Question {
        words: "How many companies and repositories had a fix within the last 7 days, day by day?",
        means: "event commit where change_type is fix, math weekly_active of group types 1 and 0, last 90 days",
        file: "weekly-active.json",
        definition: include_str!("../../demo/weekly-active.json"),
        lost_before: &[],
    },
    Question {
        words: "Which companies stay? In how many months of 2025 did each have a commit?",
        means: "StickinessQuery, event commit, math unique_group of group type 1 (company), by month",
        file: "stickiness.json",
        definition: include_str!("../../demo/stickiness.json"),
        lost_before: &[],
    },
    Question {
        words: "Where are companies lost on the way to a feature, and which ones?",
        means: "FunnelsQuery by group type 1 (company): pull_request_merged, commit of 10 files or more, commit of type feat, within 6 months",
        file: "funnel.json",
        definition: include_str!("../../demo/funnel.json"),
        lost_before: &[2, 3],
    },
    Question {
        words: "Do companies come back, month after month?",
        means: "RetentionQuery by group type 1 (company): commit in a month, commit again in the months after it",
        file: "retention.json",
        definition: include_str!("../../demo/retention.json"),
        lost_before: &[],
    },
];

pub(super) async fn run(demo: Demo, limits: Limits) -> Result<()> {
    let temporary = tempfile::Builder::new()
        .prefix("quintet-demo-")
        .tempdir()
        .map_err(|error| Failure::io("a temporary folder", &error))?;
    let store = demo
        .store
        .unwrap_or_else(|| temporary.path().join("store").display().to_string());
    let settings = Settings {
        group_types: GROUP_TYPES.map(str::to_owned).to_vec(),
        ..Settings::default()
    };
    let engine = engine(limits).open_or_create(&store, settings).await?;
    is_ours(&engine, &store).await?;
    load(&engine, &store).await?;
    for (number, question) in (1..).zip(&QUESTIONS) {
        write(&answer(&engine, number, question).await?)?;
    }
    Ok(())
}

/// In a store with other group types the definitions would count something else.
async fn is_ours(engine: &Engine, store: &str) -> Result<()> {
    let groups = engine.stats().await?.groups;
    if groups
        .iter()
        .map(|known| known.group_type.as_str())
        .eq(GROUP_TYPES)
    {
        return Ok(());
    }
    Err(Failure::invalid(
        "--store",
        format!("{store} is a store with other group types; name a new folder"),
    ))
}

async fn load(engine: &Engine, store: &str) -> Result<()> {
    let start = Instant::now();
    let events = Source::Bytes {
        name: "contributions.jsonl.gz".into(),
        data: EVENTS.to_vec().into(),
    };
    let load = Load {
        sources: vec![events],
        ..Load::default()
    };
    let report = engine.ingest_with(load, Arc::new(Bar::new())).await?;
    tell(&format!(
        "loaded {} contributions to eight open-source projects into {store} in {:.1} s ({} had been received before)",
        report.events.stored,
        start.elapsed().as_secs_f64(),
        report.events.duplicates,
    ));
    Ok(())
}

/// The question in words, its definition's gist, the chart, and the figures as plain text.
async fn answer(engine: &Engine, number: usize, question: &Question) -> Result<String> {
    let options = QueryOptions {
        now: Some(NOW.to_owned()),
        ..QueryOptions::default()
    };
    let start = Instant::now();
    let answer = engine.query_with(question.definition, &options).await?;
    let took = start.elapsed().as_secs_f64() * 1000.0;
    let view = View::of(answer.results());
    let Question {
        words, means, file, ..
    } = question;
    let chart = chart(&view, look()).unwrap_or_default();
    let figures = plain_figures(&view);
    let mut lost = String::new();
    for step in question.lost_before {
        lost += &lost_before(engine, &options, question, *step).await?;
    }
    Ok(format!(
        "\n{number}. {words}\n   {means}\n   crates/quintet-cli/demo/{file}, answered in {took:.0} ms\n\n{chart}\n{figures}{lost}"
    ))
}

/// The names of those who were lost before a step of a funnel.
async fn lost_before(
    engine: &Engine,
    options: &QueryOptions,
    question: &Question,
    step: u32,
) -> Result<String> {
    let definition = format!(
        r#"{{"kind": "FunnelsActorsQuery", "funnelStep": -{step}, "source": {}}}"#,
        question.definition
    );
    let answer = engine.query_with(&definition, options).await?;
    let rows = answer
        .results()
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let name = |row: &Value| row.get("display_name").map(plain).unwrap_or_default();
    let names: Vec<String> = rows.iter().map(name).collect();
    Ok(format!("lost before step {step}: {}\n", names.join(", ")))
}
