mod breakdown;
mod steps;
mod time_to_convert;
mod trends;

use std::sync::Arc;

use super::*;
use crate::breakdown::{Breakdown, BreakdownPart};
use crate::filter::{Cohort, CohortMembers, Filter, Property, PropertySource};
use crate::funnels::{Attribution, Order, Span, Step, StepEcho};
use crate::series::Actor;
use crate::testing::column;
use crate::{GroupIndex, Period};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// This many steps within two days, over the ten days from 1970, seen at the end of them.
fn funnel(steps: usize, viz: Viz) -> Funnels {
    let names = ["sign up", "play movie", "buy", "share", "leave"];
    Funnels {
        steps: names[..steps].iter().map(|name| step(name)).collect(),
        exclusions: Vec::new(),
        filter: Filter::always(),
        actor: Actor::Person,
        order: Order::Ordered,
        window: 2 * DAY,
        simultaneity: 0,
        viz,
        current: span(0, 10),
        previous: None,
        breakdown: None,
        attribution: Attribution::FirstTouch,
        sampling: None,
        completes_after_range: false,
        pending: false,
        now: 10 * DAY,
    }
}

fn step(name: &str) -> Step {
    Step {
        conditions: Vec::new(),
        optional: false,
        echo: StepEcho {
            action_id: name.into(),
            name: Some(name.to_owned()),
            custom_name: None,
            kind: "events",
        },
    }
}

/// Whole days, each a bucket.
fn span(first: i64, days: i64) -> Span {
    let buckets = first..first + days;
    Span {
        period: Period {
            from: first * DAY,
            to: (first + days) * DAY - 1,
            edges: (first..=first + days).map(|day| day * DAY).collect(),
            days: buckets.clone().map(|day| format!("day {day}")).collect(),
            labels: buckets.map(|day| format!("label {day}")).collect(),
            range: (String::new(), String::new()),
            sliding: None,
        },
        stretches: None,
    }
}

fn compared_with_before(mut funnels: Funnels) -> Funnels {
    funnels.previous = Some(span(-10, 10));
    funnels
}

fn by_properties(mut funnels: Funnels, sources: &[PropertySource], limit: usize) -> Funnels {
    let part = |source: &PropertySource| BreakdownPart {
        property: Property {
            source: *source,
            key: "plan".to_owned(),
        },
        normalize_url: false,
        bins: None,
    };
    funnels.breakdown = Some(Breakdown::Properties {
        parts: sources.iter().map(part).collect(),
        list: !matches!(sources, [PropertySource::Group(_)]),
        limit,
        hide_other: false,
        true_other: false,
    });
    funnels
}

fn by_event(funnels: Funnels, limit: usize) -> Funnels {
    by_properties(funnels, &[PropertySource::Event], limit)
}

fn by_group(funnels: Funnels, limit: usize) -> Funnels {
    let source = PropertySource::Group(GroupIndex::new(0).unwrap());
    by_properties(funnels, &[source], limit)
}

/// Everybody where there is no number.
fn by_cohorts(mut funnels: Funnels, cohorts: &[Option<i64>]) -> Funnels {
    let cohort = |id: i64| {
        Arc::new(Cohort {
            id,
            name: format!("cohort {id}"),
            members: CohortMembers::Listed(Vec::new()),
        })
    };
    let cohorts = cohorts.iter().map(|id| id.map(cohort)).collect();
    funnels.breakdown = Some(Breakdown::Cohorts(cohorts));
    funnels
}

fn value(text: &str) -> Vec<String> {
    vec![text.to_owned()]
}

/// Runs under no value that did as many steps as there are times, in seconds.
fn everybody(funnels: &Funnels, runs: &[&[i64]]) -> Figures {
    let runs: Vec<(&[String], &[i64])> = runs.iter().map(|run| (&[][..], *run)).collect();
    figures(funnels, &runs)
}

/// Runs under one text each.
fn with_values(funnels: &Funnels, runs: &[(&str, &[i64])]) -> Figures {
    let mut figures = Figures::of(funnels, &funnels.current);
    for (text, times) in runs {
        add(&mut figures, &value(text), times);
    }
    figures
}

fn figures(funnels: &Funnels, runs: &[(&[String], &[i64])]) -> Figures {
    let mut figures = Figures::of(funnels, &funnels.current);
    for (value, times) in runs {
        add(&mut figures, value, times);
    }
    figures
}

fn add(figures: &mut Figures, value: &[String], seconds: &[i64]) {
    let times: Vec<i64> = seconds.iter().map(|seconds| seconds * SECOND).collect();
    figures.add_run(value, (1 << times.len()) - 1, &times);
}

fn rows(funnels: &Funnels, current: Figures) -> Vec<Value> {
    list(shape(funnels, current, None).results)
}

fn rows_compared(funnels: &Funnels, current: Figures, previous: Figures) -> Vec<Value> {
    list(shape(funnels, current, Some(previous)).results)
}

fn list(results: Value) -> Vec<Value> {
    results.as_array().unwrap().clone()
}

/// The column of the steps of each list.
fn columns(lists: &[Value], name: &str) -> Value {
    lists
        .iter()
        .map(|steps| column(steps.as_array().unwrap(), name))
        .collect()
}
