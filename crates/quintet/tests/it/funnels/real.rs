//! Funnels over the bundled contributions, held against slow and plain Rust.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use quintet::{Answer, Engine};
use serde_json::{Value, json};

use super::column;
use crate::sample::{self, EVENTS, Event};

const DAY: i64 = 86_400;

async fn ask(definition: &Value) -> Answer {
    let engine = Engine::open(sample::store().await.location()).await;
    let engine = engine.expect("the store");
    super::ask(&engine, definition, &sample::options()).await
}

fn definition(steps: &[&str], years: (i32, i32), days: i64, more: Value) -> Value {
    let range =
        json!({"date_from": format!("{}-01-01", years.0), "date_to": format!("{}-12-31", years.1)});
    let series: Vec<Value> = steps
        .iter()
        .map(|event| json!({"kind": "EventsNode", "event": event}))
        .collect();
    let mut definition =
        json!({"kind": "FunnelsQuery", "series": series, "dateRange": range, "funnelsFilter": {}});
    let fields = definition.as_object_mut().expect("an object");
    fields.extend(more.as_object().expect("an object").clone());
    // The sample's times are whole seconds.
    definition["funnelsFilter"]["simultaneityWindowMs"] = 0.into();
    definition["funnelsFilter"]["funnelWindowInterval"] = days.into();
    definition
}

/// What an actor did, in seconds.
type History<'a> = Vec<(i64, &'a str)>;

/// Histories by actor, of events of these years; those whose actor is none are left out.
fn histories<A: Ord>(
    years: (i32, i32),
    actor: impl Fn(&'static Event) -> Option<A>,
) -> BTreeMap<A, History<'static>> {
    let mut found: BTreeMap<A, History<'_>> = BTreeMap::new();
    for event in EVENTS.iter() {
        let year = chrono::Datelike::year(&event.at);
        if let Some(actor) = actor(event).filter(|_| (years.0..=years.1).contains(&year)) {
            let history = found.entry(actor).or_default();
            history.push((event.at.timestamp(), &event.name));
        }
    }
    found
        .values_mut()
        .for_each(|history| history.sort_unstable());
    found
}

fn group(event: &'static Event, kind: &str) -> Option<&'static str> {
    event.groups.get(kind).map(String::as_str)
}

/// The most steps in order that some entry is followed by in time. Steps at one instant may be in any order.
fn in_order(history: &History<'_>, steps: &[&str], window: i64) -> usize {
    let entries = history.iter().filter(|(_, event)| *event == steps[0]);
    let from = |entry: i64| {
        let mut last = entry;
        let reached = steps[1..].iter().take_while(|step| {
            let mut next = history
                .iter()
                .filter(|(at, event)| event == *step && *at >= last);
            match next.next() {
                Some((at, _)) if at - entry <= window => {
                    last = *at;
                    true
                }
                _ => false,
            }
        });
        1 + reached.count()
    };
    entries.map(|(at, _)| from(*at)).max().unwrap_or(0)
}

/// How many of them came at least to each step.
fn counts(furthest: impl IntoIterator<Item = usize>, steps: usize) -> Vec<u64> {
    let mut counts = vec![0; steps];
    for reached in furthest {
        counts[..reached].iter_mut().for_each(|count| *count += 1);
    }
    counts
}

#[tokio::test]
async fn people_who_commit_co_author_and_merge_within_a_month() {
    let (steps, years) = (
        ["commit", "co_authored", "pull_request_merged"],
        (2014, 2026),
    );
    let answer = ask(&definition(&steps, years, 30, json!({}))).await;
    let histories = histories(years, |event| Some(event.person.as_str()));
    let furthest = histories
        .values()
        .map(|history| in_order(history, &steps, 30 * DAY));
    let expected = counts(furthest, steps.len());
    assert_eq!(column(answer.results(), "count"), expected);
    assert!(expected[0] > 1_000 && expected[2] > 50, "{expected:?}");
}

#[tokio::test]
async fn companies_that_commit_and_co_author_by_how_many_files_each_of_them_changes() {
    let (steps, years) = (["commit", "co_authored"], (2023, 2025));
    let by_files = json!({
        "aggregation_group_type_index": 1,
        "breakdownFilter": {"breakdown": "files_changed", "breakdown_type": "event", "breakdown_limit": 10_000},
        "funnelsFilter": {"breakdownAttributionType": "all_events"},
    });
    let answer = ask(&definition(&steps, years, 14, by_files)).await;
    let histories = histories(years, |event| {
        let files = event.properties["files_changed"].as_i64();
        Some((
            files.map_or_else(String::new, |n| n.to_string()),
            group(event, "company")?,
        ))
    });
    let mut furthest: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for ((files, _), history) in &histories {
        let reached = in_order(history, &steps, 14 * DAY);
        if reached > 0 {
            furthest.entry(files.clone()).or_default().push(reached);
        }
    }
    let expected: BTreeMap<String, Vec<u64>> = furthest
        .into_iter()
        .map(|(files, furthest)| (files, counts(furthest, steps.len())))
        .collect();
    let lists = answer.results().as_array().expect("lists").iter();
    let found: BTreeMap<String, Vec<u64>> = lists
        .map(|list| {
            let value = list[0]["breakdown"][0].as_str().expect("a value");
            (value.to_owned(), column(list, "count"))
        })
        .collect();
    assert_eq!(found, expected);
    assert!(
        expected.values().any(|counts| counts[1] > 1),
        "{expected:?}"
    );
}

#[tokio::test]
async fn companies_that_merge_without_co_authors_between() {
    let (steps, years) = (["commit", "pull_request_merged"], (2020, 2025));
    let exclusion = json!({"kind": "EventsNode", "event": "co_authored", "funnelFromStep": 0, "funnelToStep": 1});
    let without =
        json!({"aggregation_group_type_index": 1, "funnelsFilter": {"exclusions": [exclusion]}});
    let definition = definition(&steps, years, 7, without);
    let histories = histories(years, |event| group(event, "company"));
    // Whoever merges counts from the last commit before, and what happens at the instant of either is not between them.
    let converts = |history: &&History<'_>| {
        let at = |event: &'static str| {
            let of_name = history.iter().filter(move |(_, name)| *name == event);
            of_name.map(|(at, _)| *at)
        };
        at(steps[1]).any(|merged| {
            let last = at(steps[0]).filter(|commit| *commit <= merged).max();
            last.is_some_and(|commit| {
                merged - commit <= 7 * DAY
                    && !at("co_authored").any(|between| commit < between && between < merged)
            })
        })
    };
    let expected: BTreeSet<&str> = histories
        .iter()
        .filter(|(_, history)| converts(history))
        .map(|(company, _)| *company)
        .collect();
    let counted = column(ask(&definition).await.results(), "count");
    assert_eq!(counted[1], expected.len() as u64);
    let who = json!({"kind": "FunnelsActorsQuery", "source": definition, "funnelStep": 2});
    let answer = ask(&who).await;
    let found = answer.results().as_array().expect("rows").iter();
    let found: BTreeSet<&str> = found
        .map(|row| row["group_key"].as_str().expect("a key"))
        .collect();
    assert_eq!(found, expected);
    assert!(expected.len() > 5, "{expected:?}");
}

#[tokio::test]
async fn repositories_and_components_where_everything_happens_in_a_day_in_any_order() {
    let (steps, years) = (
        [
            "release_tagged",
            "co_authored",
            "pull_request_merged",
            "commit",
        ],
        (2018, 2025),
    );
    for (index, kind) in [(0, "repository"), (2, "component")] {
        let unordered = json!({"aggregation_group_type_index": index, "funnelsFilter": {"funnelOrderType": "unordered"}});
        let answer = ask(&definition(&steps, years, 1, unordered)).await;
        let histories = histories(years, |event| group(event, kind));
        let furthest = histories.values().map(|history| {
            let at_once = |first: usize| {
                let (from, _) = history[first];
                let within = history[first..]
                    .iter()
                    .take_while(|(at, _)| *at <= from + DAY);
                let met = within
                    .map(|(_, event)| *event)
                    .filter(|event| steps.contains(event));
                met.collect::<BTreeSet<_>>().len()
            };
            (0..history.len()).map(at_once).max().unwrap_or(0)
        });
        let expected = counts(furthest, steps.len());
        assert_eq!(column(answer.results(), "count"), expected, "by {kind}");
        assert!(expected[1] > 2, "{expected:?}");
    }
}

#[tokio::test]
async fn people_by_the_month_of_a_commit_that_they_merge_three_days_after_or_never() {
    let (steps, years) = (["commit", "pull_request_merged"], (2024, 2024));
    let trend = json!({"interval": "month", "funnelsFilter": {"funnelVizType": "trends"}});
    let answer = ask(&definition(&steps, years, 3, trend)).await;
    let histories = histories(years, |event| Some(event.person.as_str()));
    let mut expected: HashMap<u32, (u64, u64)> = HashMap::new();
    for history in histories.values() {
        let mut entered: BTreeMap<u32, bool> = BTreeMap::new();
        for (entry, _) in history.iter().filter(|(_, event)| *event == steps[0]) {
            let month = chrono::DateTime::from_timestamp(*entry, 0).expect("a time");
            let merges = history
                .iter()
                .any(|(at, event)| *event == steps[1] && (*entry..=entry + 3 * DAY).contains(at));
            *entered.entry(chrono::Datelike::month(&month)).or_default() |= merges;
        }
        for (month, converted) in entered {
            let counts = expected.entry(month).or_default();
            *counts = (counts.0 + 1, counts.1 + u64::from(converted));
        }
    }
    let response = answer.response();
    for month in 1..=12 {
        let count = |name: &str| response["summary"][0][name][month as usize - 1].as_u64();
        let found = (
            count("reached_from_step_count"),
            count("reached_to_step_count"),
        );
        let (entered, converted) = expected[&month];
        assert_eq!(found, (Some(entered), Some(converted)), "month {month}");
    }
}
