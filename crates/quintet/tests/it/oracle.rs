//! Trends over real data, held against slow and plain Rust.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Utc};
use quintet::{Answer, Engine};
use serde_json::{Value, json};

use crate::sample::{self, EVENTS, Event};

async fn ask(definition: Value) -> Answer {
    let engine = Engine::open(sample::store().await.location())
        .await
        .expect("the store");
    engine
        .query_with(&definition.to_string(), &sample::options())
        .await
        .expect("an answer")
}

fn days(row: &Value) -> Vec<NaiveDate> {
    row["days"]
        .as_array()
        .expect("days")
        .iter()
        .map(|day| day.as_str().expect("a day").parse().expect("a date"))
        .collect()
}

fn data(row: &Value) -> Vec<f64> {
    row["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|n| n.as_f64().expect("a number"))
        .collect()
}

fn month_of(at: DateTime<Utc>) -> NaiveDate {
    at.date_naive().with_day(1).expect("a first day")
}

fn week_of(at: DateTime<Utc>) -> NaiveDate {
    let day = at.date_naive();
    day - Days::new(u64::from(day.weekday().num_days_from_sunday()))
}

/// Distinct values per bucket.
fn distinct<'a>(
    events: impl Iterator<Item = &'a Event>,
    bucket: fn(DateTime<Utc>) -> NaiveDate,
    who: impl Fn(&'a Event) -> Option<&'a str>,
) -> BTreeMap<NaiveDate, BTreeSet<&'a str>> {
    let mut found: BTreeMap<NaiveDate, BTreeSet<&str>> = BTreeMap::new();
    for event in events {
        if let Some(actor) = who(event) {
            found.entry(bucket(event.at)).or_default().insert(actor);
        }
    }
    found
}

fn sizes(found: &BTreeMap<NaiveDate, BTreeSet<&str>>, days: &[NaiveDate]) -> Vec<f64> {
    days.iter()
        .map(|day| found.get(day).map_or(0.0, |actors| actors.len() as f64))
        .collect()
}

fn between(from: &str, to: &str) -> impl Fn(&&Event) -> bool + use<> {
    let (from, to): (NaiveDate, NaiveDate) =
        (from.parse().expect("a date"), to.parse().expect("a date"));
    move |event| from <= event.at.date_naive() && event.at.date_naive() <= to
}

fn named(name: &str) -> impl Fn(&&Event) -> bool + use<'_> {
    move |event| event.name == name
}

#[tokio::test]
async fn unique_companies_that_merged_pull_requests_by_month() {
    let answer = ask(json!({
        "kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2016-01-01", "date_to": "2026-07-31"},
        "series": [{"kind": "EventsNode", "event": "pull_request_merged", "math": "unique_group", "math_group_type_index": 1}],
    }))
    .await;
    let row = &answer.results()[0];
    let events = EVENTS
        .iter()
        .filter(named("pull_request_merged"))
        .filter(between("2016-01-01", "2026-07-31"));
    let expected = distinct(events, month_of, |event| {
        event.groups.get("company").map(String::as_str)
    });
    assert_eq!(days(row).len(), 127);
    assert_eq!(data(row), sizes(&expected, &days(row)));
    assert!(
        data(row).iter().sum::<f64>() > 100.0,
        "the sample has companies"
    );
}

#[tokio::test]
async fn people_by_week_and_all_events_by_week() {
    let answer = ask(json!({
        "kind": "TrendsQuery", "interval": "week", "dateRange": {"date_from": "2024-01-07", "date_to": "2024-06-29"},
        "series": [{"kind": "EventsNode", "event": "commit", "math": "dau"}, {"kind": "EventsNode", "event": null}],
    }))
    .await;
    let in_range = || EVENTS.iter().filter(between("2024-01-07", "2024-06-29"));
    let people = distinct(in_range().filter(named("commit")), week_of, |event| {
        Some(&event.person)
    });
    let row = &answer.results()[0];
    assert_eq!(data(row), sizes(&people, &days(row)));
    let mut totals: HashMap<NaiveDate, f64> = HashMap::new();
    in_range().for_each(|event| *totals.entry(week_of(event.at)).or_default() += 1.0);
    let row = &answer.results()[1];
    let expected: Vec<f64> = days(row)
        .iter()
        .map(|day| totals.get(day).copied().unwrap_or(0.0))
        .collect();
    assert_eq!(data(row), expected);
}

#[tokio::test]
async fn commits_by_language_with_the_rest_folded() {
    let answer = ask(json!({
        "kind": "TrendsQuery", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-12-31"},
        "series": [{"kind": "EventsNode", "event": "commit"}],
        "breakdownFilter": {"breakdown": "language", "breakdown_type": "event", "breakdown_limit": 4},
        "trendsFilter": {"display": "ActionsBarValue"},
    }))
    .await;
    let mut counts: HashMap<String, f64> = HashMap::new();
    for event in EVENTS
        .iter()
        .filter(named("commit"))
        .filter(between("2025-01-01", "2025-12-31"))
    {
        let language = event.properties["language"]
            .as_str()
            .filter(|l| !l.is_empty())
            .unwrap_or("$$_posthog_breakdown_null_$$");
        *counts.entry(language.to_owned()).or_default() += 1.0;
    }
    let mut ranked: Vec<(String, f64)> = counts.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let other: f64 = ranked.split_off(4).iter().map(|(_, count)| count).sum();
    ranked.push(("$$_posthog_breakdown_other_$$".into(), other));
    let rows = answer.results().as_array().expect("rows");
    let mut found: Vec<(String, f64)> = rows
        .iter()
        .map(|row| {
            (
                row["breakdown_value"].as_str().expect("a value").to_owned(),
                row["aggregated_value"].as_f64().expect("a figure"),
            )
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    ranked.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found, ranked);
}

#[tokio::test]
async fn a_tree_of_filters_and_a_sum() {
    let answer = ask(json!({
        "kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2023-01-01", "date_to": "2023-12-31"},
        "series": [{"kind": "EventsNode", "event": "commit", "math": "sum", "math_property": "files_changed"}],
        "properties": {"type": "OR", "values": [
            {"type": "AND", "values": [
                {"type": "event", "key": "language", "value": ["rs", "java"], "operator": "exact"},
                {"type": "event", "key": "files_changed", "value": 3, "operator": "gte"}]},
            {"type": "AND", "values": [
                {"type": "event", "key": "change_type", "operator": "is_set"},
                {"type": "event_metadata", "key": "$group_1", "value": "a", "operator": "icontains"}]},
        ]},
    }))
    .await;
    let matches = |event: &&Event| {
        let files = event.properties["files_changed"].as_f64();
        let language = event.properties["language"].as_str();
        let company = event.groups.get("company");
        (matches!(language, Some("rs" | "java")) && files.is_some_and(|n| n >= 3.0))
            || (!event.properties["change_type"].is_null()
                && company.is_some_and(|c| c.to_lowercase().contains('a')))
    };
    let mut sums: HashMap<NaiveDate, f64> = HashMap::new();
    for event in EVENTS
        .iter()
        .filter(named("commit"))
        .filter(between("2023-01-01", "2023-12-31"))
        .filter(matches)
    {
        *sums.entry(month_of(event.at)).or_default() +=
            event.properties["files_changed"].as_f64().unwrap_or(0.0);
    }
    let row = &answer.results()[0];
    let expected: Vec<f64> = days(row)
        .iter()
        .map(|day| sums.get(day).copied().unwrap_or(0.0))
        .collect();
    assert_eq!(data(row), expected);
    assert!(expected.iter().all(|&sum| sum > 0.0));
}

#[tokio::test]
async fn weekly_active_repositories_by_day() {
    let answer = ask(json!({
        "kind": "TrendsQuery", "interval": "day", "dateRange": {"date_from": "2022-03-01", "date_to": "2022-04-30"},
        "series": [{"kind": "EventsNode", "event": "pull_request_merged", "math": "weekly_active", "math_group_type_index": 0}],
    }))
    .await;
    let row = &answer.results()[0];
    let expected: Vec<f64> = days(row)
        .into_iter()
        .map(|day| {
            let from = day - Days::new(6);
            let active: BTreeSet<&str> = EVENTS
                .iter()
                .filter(named("pull_request_merged"))
                .filter(|event| from <= event.at.date_naive() && event.at.date_naive() <= day)
                .filter_map(|event| event.groups.get("repository").map(String::as_str))
                .collect();
            active.len() as f64
        })
        .collect();
    assert_eq!(data(row), expected);
}

#[tokio::test]
async fn people_whose_first_commit_ever_lies_in_the_month() {
    let answer = ask(json!({
        "kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2024-01-01", "date_to": "2025-06-30"},
        "series": [{"kind": "EventsNode", "event": "commit", "math": "first_time_for_user"}],
    }))
    .await;
    let mut firsts: HashMap<&str, DateTime<Utc>> = HashMap::new();
    for event in EVENTS.iter().filter(named("commit")) {
        let first = firsts.entry(&event.person).or_insert(event.at);
        *first = (*first).min(event.at);
    }
    let row = &answer.results()[0];
    let expected: Vec<f64> = days(row)
        .into_iter()
        .map(|month| {
            let next = month + Months::new(1);
            firsts
                .values()
                .filter(|at| month <= at.date_naive() && at.date_naive() < next)
                .count() as f64
        })
        .collect();
    assert_eq!(data(row), expected);
}

#[tokio::test]
async fn the_companies_behind_a_month() {
    let answer = ask(json!({
        "kind": "InsightActorsQuery", "day": "2025-03-01",
        "source": {
            "kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-06-30"},
            "series": [{"kind": "EventsNode", "event": "pull_request_merged", "math": "unique_group", "math_group_type_index": 1}]},
    }))
    .await;
    let mut expected: HashMap<&str, u64> = HashMap::new();
    for event in EVENTS
        .iter()
        .filter(named("pull_request_merged"))
        .filter(between("2025-03-01", "2025-03-31"))
    {
        if let Some(company) = event.groups.get("company") {
            *expected.entry(company).or_default() += 1;
        }
    }
    let rows = answer.results().as_array().expect("rows");
    let found: HashMap<&str, u64> = rows
        .iter()
        .map(|row| {
            (
                row["group_key"].as_str().expect("a key"),
                row["event_count"].as_u64().expect("a count"),
            )
        })
        .collect();
    assert_eq!(found, expected);
    let counts: Vec<u64> = rows
        .iter()
        .filter_map(|row| row["event_count"].as_u64())
        .collect();
    assert!(
        counts.is_sorted_by(|a, b| a >= b),
        "the most active come first"
    );
}

#[tokio::test]
async fn companies_by_the_number_of_months_in_which_they_committed() {
    let answer = ask(json!({
        "kind": "StickinessQuery", "interval": "month", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-12-31"},
        "series": [{"kind": "EventsNode", "event": "commit", "math": "unique_group", "math_group_type_index": 1}],
    }))
    .await;
    let mut months: HashMap<&str, BTreeSet<NaiveDate>> = HashMap::new();
    for event in EVENTS
        .iter()
        .filter(named("commit"))
        .filter(between("2025-01-01", "2025-12-31"))
    {
        if let Some(company) = event.groups.get("company") {
            months
                .entry(company)
                .or_default()
                .insert(month_of(event.at));
        }
    }
    let expected: Vec<f64> = (1..=12)
        .map(|n| months.values().filter(|active| active.len() == n).count() as f64)
        .collect();
    assert_eq!(data(&answer.results()[0]), expected);
}

#[tokio::test]
async fn people_who_are_new_return_come_back_or_stay_away_by_month() {
    let answer = ask(json!({
        "kind": "LifecycleQuery", "interval": "month", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-12-31"},
        "series": [{"kind": "EventsNode", "event": "commit"}],
    }))
    .await;
    // A person is created by the first of its events that is received, whatever it is.
    let mut created: HashMap<&str, NaiveDate> = HashMap::new();
    let mut active: HashMap<&str, BTreeSet<NaiveDate>> = HashMap::new();
    for event in EVENTS.iter() {
        created
            .entry(&event.person)
            .or_insert_with(|| month_of(event.at));
        if event.name == "commit" {
            active
                .entry(&event.person)
                .or_default()
                .insert(month_of(event.at));
        }
    }
    let rows = answer.results().as_array().expect("rows");
    for (position, month) in days(&rows[0]).into_iter().enumerate() {
        let before = month - Months::new(1);
        let mut expected: HashMap<&str, f64> = HashMap::new();
        for (person, months) in &active {
            let status = match (months.contains(&month), months.contains(&before)) {
                (true, _) if created[person] == month => "new",
                (true, true) => "returning",
                (true, false) => "resurrecting",
                (false, true) => "dormant",
                (false, false) => continue,
            };
            *expected.entry(status).or_default() += if status == "dormant" { -1.0 } else { 1.0 };
        }
        for row in rows {
            let status = row["status"].as_str().expect("a status");
            assert_eq!(
                data(row)[position],
                expected.get(status).copied().unwrap_or(0.0),
                "{status} in {month}"
            );
        }
    }
}

#[tokio::test]
async fn components_so_far_count_once_each() {
    let answer = ask(json!({
        "kind": "TrendsQuery", "interval": "month", "dateRange": {"date_from": "2024-01-01", "date_to": "2025-12-31"},
        "series": [{"kind": "EventsNode", "event": "commit", "math": "unique_group", "math_group_type_index": 2}],
        "trendsFilter": {"display": "ActionsLineGraphCumulative"},
    }))
    .await;
    let row = &answer.results()[0];
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let by_month = distinct(
        EVENTS
            .iter()
            .filter(named("commit"))
            .filter(between("2024-01-01", "2025-12-31")),
        month_of,
        |event| event.groups.get("component").map(String::as_str),
    );
    let expected: Vec<f64> = days(row)
        .iter()
        .map(|month| {
            seen.extend(by_month.get(month).into_iter().flatten());
            seen.len() as f64
        })
        .collect();
    assert_eq!(data(row), expected);
}

#[tokio::test]
async fn people_behind_the_other_languages_count_once_if_asked_for() {
    let question = |true_other: bool| {
        json!({
            "kind": "TrendsQuery", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-12-31"},
            "series": [{"kind": "EventsNode", "event": "commit", "math": "dau"}],
            "breakdownFilter": {"breakdown": "language", "breakdown_type": "event", "breakdown_limit": 3, "breakdown_true_other": true_other},
            "trendsFilter": {"display": "ActionsBarValue"},
        })
    };
    let mut people: HashMap<String, BTreeSet<&str>> = HashMap::new();
    for event in EVENTS
        .iter()
        .filter(named("commit"))
        .filter(between("2025-01-01", "2025-12-31"))
    {
        let language = event.properties["language"].as_str().unwrap_or_default();
        people
            .entry(language.to_owned())
            .or_default()
            .insert(&event.person);
    }
    let mut by_size: Vec<(&String, &BTreeSet<&str>)> = people.iter().collect();
    by_size.sort_by_key(|(language, people)| (usize::MAX - people.len(), *language));
    let rest = &by_size[3..];
    let once: BTreeSet<&str> = rest
        .iter()
        .flat_map(|(_, people)| people.iter().copied())
        .collect();
    let summed: usize = rest.iter().map(|(_, people)| people.len()).sum();
    for (true_other, expected) in [(true, once.len()), (false, summed)] {
        let answer = ask(question(true_other)).await;
        let row = answer
            .results()
            .as_array()
            .expect("rows")
            .last()
            .expect("a row")
            .clone();
        assert_eq!(row["breakdown_value"], "$$_posthog_breakdown_other_$$");
        assert_eq!(row["aggregated_value"].as_f64(), Some(expected as f64));
        assert_eq!(answer.response()["hasMore"], true);
        assert_eq!(
            answer.results()[0]["aggregated_value"].as_f64(),
            Some(by_size[0].1.len() as f64)
        );
    }
}
