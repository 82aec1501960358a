//! Feature flags: how many times a second one core evaluates them. `cargo bench -p quintet-benches --bench flags`.
#![allow(
    missing_docs,
    clippy::expect_used,
    reason = "a bench may stop at the first failure"
)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use quintet::Flags;
use quintet::query::flags::FlagContext;
use serde_json::{Value, json};

/// Contexts that are gone through, so that no branch is learned by heart.
const COMPANIES: usize = 1_000;

/// From the least work to much: no hash, one hash, two hashes and properties, ten conditions, a chain of flags.
fn flags() -> [(&'static str, Value); 5] {
    let plan = json!({"key": "plan", "type": "group", "group_type_index": 0, "value": ["enterprise", "pro"]});
    let seats = json!({"key": "seats", "type": "group", "group_type_index": 0, "operator": "gt", "value": 10});
    let halves = json!({"variants": [{"key": "control", "rollout_percentage": 50}, {"key": "test", "rollout_percentage": 50}]});
    let flag = |key: &str, filters: Value| {
        let mut filters = filters;
        filters["aggregation_group_type_index"] = json!(0);
        json!({"key": key, "active": true, "filters": filters})
    };
    let others: Vec<Value> = (0..9)
        .map(|at| json!({"properties": [{"key": "plan", "value": format!("plan {at}")}]}))
        .chain([json!({"rollout_percentage": 50})])
        .collect();
    let on = |key: &str| json!([{"properties": [{"key": key, "type": "flag", "value": true}]}]);
    let chain = json!([
        flag("f", json!({"groups": on("g")})),
        flag("g", json!({"groups": on("h")})),
        flag("h", json!({"groups": [{"rollout_percentage": 50}]})),
    ]);
    [
        ("everybody", flag("f", json!({"groups": [{}]}))),
        (
            "half of the companies",
            flag("f", json!({"groups": [{"rollout_percentage": 50}]})),
        ),
        (
            "two properties, half, two variants",
            flag(
                "f",
                json!({"groups": [{"properties": [plan, seats], "rollout_percentage": 50}], "multivariate": halves}),
            ),
        ),
        (
            "the last of ten conditions",
            flag("f", json!({"groups": others})),
        ),
        ("a flag on a flag on a flag", chain),
    ]
}

fn company(at: usize) -> FlagContext {
    let plan = ["enterprise", "Pro", "free"][at % 3];
    let properties =
        json!({"name": format!("Company {at}"), "plan": plan, "seats": at % 50, "country": "DE"});
    FlagContext {
        distinct_id: Some(format!("person-{at}")),
        groups: vec![("company".into(), format!("company-{at}"))],
        group_properties: vec![(
            "company".into(),
            properties.as_object().cloned().expect("an object"),
        )],
        ..FlagContext::default()
    }
}

fn evaluation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("flags");
    group.throughput(Throughput::Elements(COMPANIES as u64));
    for (name, definition) in flags() {
        let flags = Flags::parse(&definition, &["company"]).expect("a flag");
        let companies: Vec<_> = (0..COMPANIES)
            .map(|at| flags.context(&company(at)))
            .collect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for company in &companies {
                    black_box(flags.evaluate("f", black_box(company)));
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, evaluation);
criterion_main!(benches);
