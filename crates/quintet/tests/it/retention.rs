//! Retention and paths through the whole engine: questions that other tests hold against one another, and real data against slow,
//! plain Rust.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Datelike, Months, NaiveDate};
use quintet::Engine;
use serde_json::{Map, Value, json};

use crate::sample::{self, EVENTS, Event};

/// A retention question in every mode: what founds a cohort, sizes of periods, ways of counting, breakdowns.
pub(crate) fn in_every_mode() -> Vec<Value> {
    let seen = json!({"id": "seen", "type": "events"});
    let paid = json!({"id": "paid", "type": "events"});
    let large = json!({"id": "paid", "type": "events", "properties": [
        {"type": "event", "key": "amount", "value": 40, "operator": "gt"}]});
    let starts = [
        json!({"targetEntity": seen, "returningEntity": paid}),
        json!({"targetEntity": seen, "returningEntity": seen, "retentionType": "retention_first_time"}),
        json!({"targetEntity": large, "returningEntity": seen, "retentionType": "retention_first_ever_occurrence"}),
    ];
    let ways = [
        json!({"period": "Day", "totalIntervals": 9}),
        json!({"period": "Week", "totalIntervals": 6, "cumulative": true}),
        json!({"period": "Month", "totalIntervals": 2, "minimumOccurrences": 2}),
        json!({"period": "Day", "totalIntervals": 12, "retentionCustomBrackets": [1, 3, 5]}),
        json!({"period": "Week", "totalIntervals": 5, "timeWindowMode": "24_hour_windows"}),
        json!({"period": "Week", "totalIntervals": 5, "aggregationType": "sum", "aggregationProperty": "amount"}),
        json!({"period": "Week", "totalIntervals": 5, "aggregationType": "avg", "aggregationProperty": "amount"}),
    ];
    let mut questions = Vec::new();
    for start in &starts {
        for way in &ways {
            let filter = joined(start, way);
            questions.push(
                json!({"kind": "RetentionQuery", "retentionFilter": filter, "dateRange": {"date_from": "2024-02-20", "date_to": "2024-03-20"}}),
            );
        }
    }
    let mut by_plan = questions[0].clone();
    by_plan["breakdownFilter"] =
        json!({"breakdown": "plan", "breakdown_type": "event", "breakdown_limit": 2});
    questions.push(by_plan);
    questions
}

fn joined(one: &Value, other: &Value) -> Value {
    let fields = |value: &Value| value.as_object().cloned().unwrap_or_default();
    let all: Map<String, Value> = fields(one).into_iter().chain(fields(other)).collect();
    Value::Object(all)
}

/// The same about companies.
pub(crate) fn of_companies(question: &Value) -> Value {
    let mut question = question.clone();
    question["aggregation_group_type_index"] = json!(0);
    question
}

/// Retention by company and by person, and paths, over the real contributions.
pub(crate) fn of_sample() -> Vec<Value> {
    let range = json!({"date_from": "2025-01-01", "date_to": "2025-06-30"});
    let commits = json!({"targetEntity": {"id": "commit"}, "returningEntity": {"id": "commit"}, "period": "Month", "totalIntervals": 6});
    let first = joined(
        &commits,
        &json!({"retentionType": "retention_first_time", "period": "Week"}),
    );
    vec![
        json!({"kind": "RetentionQuery", "aggregation_group_type_index": 1, "dateRange": range, "retentionFilter": commits}),
        json!({"kind": "RetentionQuery", "dateRange": range, "retentionFilter": first,
            "breakdownFilter": {"breakdown": "language", "breakdown_type": "event", "breakdown_limit": 3}}),
        json!({"kind": "PathsQuery", "dateRange": range, "pathsFilter": {"stepLimit": 4}}),
        json!({"kind": "InsightActorsQuery", "interval": 1, "source":
            {"kind": "RetentionQuery", "aggregation_group_type_index": 1, "dateRange": range, "retentionFilter": commits}}),
    ]
}

async fn ask(definition: &Value) -> Value {
    let engine = Engine::open(sample::store().await.location())
        .await
        .expect("the store");
    let answer = engine
        .query_with(&definition.to_string(), &sample::options())
        .await
        .expect("an answer");
    answer.results().clone()
}

fn month(event: &Event) -> NaiveDate {
    event.at.date_naive().with_day(1).expect("a first day")
}

/// In which months each actor committed.
fn active_months(who: impl Fn(&Event) -> Option<&str>) -> BTreeMap<String, BTreeSet<NaiveDate>> {
    let mut months: BTreeMap<String, BTreeSet<NaiveDate>> = BTreeMap::new();
    for event in EVENTS.iter().filter(|event| event.name == "commit") {
        if let Some(actor) = who(event) {
            months
                .entry(actor.to_owned())
                .or_default()
                .insert(month(event));
        }
    }
    months
}

/// Rows of counts for cohorts of January to June 2025, six columns, nothing after June.
fn triangle(
    months: &BTreeMap<String, BTreeSet<NaiveDate>>,
    founds: impl Fn(&BTreeSet<NaiveDate>, NaiveDate) -> bool,
) -> Vec<Vec<u64>> {
    let first = NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day");
    let last = NaiveDate::from_ymd_opt(2025, 6, 1).expect("a day");
    let cell = |row: u32, column: u32| {
        let start = first + Months::new(row);
        let back = start + Months::new(column);
        let counts = |active: &&BTreeSet<NaiveDate>| {
            founds(active, start) && back <= last && active.contains(&back)
        };
        months.values().filter(counts).count() as u64
    };
    (0..6)
        .map(|row| (0..6).map(|column| cell(row, column)).collect())
        .collect()
}

fn counts(results: &Value) -> Vec<Vec<u64>> {
    let rows = results.as_array().expect("rows").iter();
    rows.map(|row| {
        let cells = row["values"].as_array().expect("cells").iter();
        cells
            .map(|cell| cell["count"].as_u64().expect("a count"))
            .collect()
    })
    .collect()
}

fn monthly(extra: Value) -> Value {
    let filter = json!({"targetEntity": {"id": "commit"}, "returningEntity": {"id": "commit"}, "period": "Month", "totalIntervals": 6});
    json!({"kind": "RetentionQuery", "dateRange": {"date_from": "2025-01-01", "date_to": "2025-06-30"},
        "retentionFilter": joined(&filter, &extra)})
}

#[tokio::test]
async fn companies_that_come_back_month_by_month() {
    let mut question = monthly(json!({}));
    question["aggregation_group_type_index"] = json!(1);
    let months = active_months(|event| event.groups.get("company").map(String::as_str));
    let expected = triangle(&months, |active, start| active.contains(&start));
    assert_eq!(counts(&ask(&question).await), expected);
}

#[tokio::test]
async fn people_that_come_back_after_their_first_commit_ever() {
    let question = monthly(json!({"retentionType": "retention_first_time"}));
    let months = active_months(|event| Some(event.person.as_str()));
    let expected = triangle(&months, |active, start| active.first() == Some(&start));
    assert_eq!(counts(&ask(&question).await), expected);
}

#[tokio::test]
async fn the_companies_of_a_cohort_are_listed_with_the_months_in_which_they_came_back() {
    let mut question = monthly(json!({}));
    question["aggregation_group_type_index"] = json!(1);
    let list = json!({"kind": "InsightActorsQuery", "interval": 2, "source": question});
    let march = NaiveDate::from_ymd_opt(2025, 3, 1).expect("a day");
    let months = active_months(|event| event.groups.get("company").map(String::as_str));
    let back = |active: &BTreeSet<NaiveDate>| {
        let column = |month: &NaiveDate| {
            let months = (month.year() - 2025) * 12 + month.month0() as i32 - 2;
            (0..4).contains(&months).then_some(months)
        };
        active.iter().filter_map(column).collect::<Vec<i32>>()
    };
    let expected: BTreeMap<&str, Vec<i32>> = months
        .iter()
        .filter(|(_, active)| active.contains(&march))
        .map(|(company, active)| (company.as_str(), back(active)))
        .collect();
    let found = ask(&list).await;
    let found: BTreeMap<&str, Vec<i32>> = found
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| {
            let columns = row["appearances"].as_array().expect("columns").iter();
            let columns = columns.map(|column| column.as_i64().expect("a column") as i32);
            (row["group_key"].as_str().expect("a key"), columns.collect())
        })
        .collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_links_of_people_between_kinds_of_contributions() {
    let question = json!({"kind": "PathsQuery", "dateRange": {"date_from": "2025-03-01", "date_to": "2025-03-31"}, "pathsFilter": {"stepLimit": 3}});
    let mut of_person: BTreeMap<&str, Vec<(i64, &str)>> = BTreeMap::new();
    for event in EVENTS
        .iter()
        .filter(|event| (event.at.year(), event.at.month()) == (2025, 3))
    {
        let at = event.at.timestamp_micros();
        of_person
            .entry(&event.person)
            .or_default()
            .push((at, &event.name));
    }
    let mut links: BTreeMap<(String, String), u64> = BTreeMap::new();
    for steps in of_person.values_mut() {
        steps.sort_unstable();
        for session in steps.chunk_by(|a, b| b.0 - a.0 < 1_800_000_000) {
            let mut path: Vec<&str> = session.iter().map(|step| step.1).collect();
            path.dedup();
            for (at, pair) in path
                .iter()
                .take(3)
                .collect::<Vec<_>>()
                .windows(2)
                .enumerate()
            {
                let link = (
                    format!("{}_{}", at + 1, pair[0]),
                    format!("{}_{}", at + 2, pair[1]),
                );
                *links.entry(link).or_default() += 1;
            }
        }
    }
    let found = ask(&question).await;
    let text = |row: &Value, name: &str| row[name].as_str().expect("a key").to_owned();
    let found: BTreeMap<(String, String), u64> = found
        .as_array()
        .expect("links")
        .iter()
        .map(|row| {
            (
                (text(row, "source"), text(row, "target")),
                row["value"].as_u64().expect("a count"),
            )
        })
        .collect();
    assert!(!found.is_empty());
    assert_eq!(found, links);
}

#[tokio::test]
async fn retention_and_paths_in_sql() {
    let engine = Engine::open(sample::store().await.location())
        .await
        .expect("the store");
    let edges: Vec<i64> = (0..7)
        .map(|month| {
            let start = NaiveDate::from_ymd_opt(2025, 1, 1).expect("a day") + Months::new(month);
            start
                .and_hms_opt(0, 0, 0)
                .expect("midnight")
                .and_utc()
                .timestamp_micros()
        })
        .collect();
    let definition = json!({"edges": edges, "reach": [1, 2, 3, 4, 5]});
    let sql = format!(
        "select cohort['row'] as month, count(*) as companies from (
            select unnest(retention('{definition}', timestamp, marks(event = 'commit', event = 'commit'), 0, '')) as cohort
            from events where \"$group_1\" <> '' group by \"$group_1\") group by 1 order by 1"
    );
    let rows = engine.sql(&sql).await.expect("rows").results().clone();
    let sizes: Vec<u64> = rows
        .as_array()
        .expect("rows")
        .iter()
        .map(|row| row["companies"].as_u64().expect("a count"))
        .collect();
    let months = active_months(|event| event.groups.get("company").map(String::as_str));
    let triangle = triangle(&months, |active, start| active.contains(&start));
    assert_eq!(sizes, triangle.iter().map(|row| row[0]).collect::<Vec<_>>());
}
