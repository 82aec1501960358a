#![allow(clippy::unwrap_used, missing_docs)]
use quintet_behavior::flags::*;
use quintet_behavior::property::Matcher;
use std::hint::black_box;
use std::time::Instant;
fn main() {
    let company = Subject::Group(0);
    let prop = |key: &str, op: &str, vals: &[&str]| Test::Property {
        of: company,
        key: key.into(),
        matcher: Box::new(
            Matcher::for_flags(op, &vals.iter().map(|v| v.to_string()).collect::<Vec<_>>())
                .unwrap(),
        ),
    };
    let flag = |key: &str, conditions| Flag {
        conditions,
        by: Some(0),
        ..Flag::named(key)
    };
    let half = || Condition {
        rollout: Some(50.0),
        ..Condition::of(company)
    };
    let both = Condition {
        test: Test::All(vec![
            prop("plan", "exact", &["enterprise", "pro"]),
            prop("seats", "gt", &["10"]),
        ]),
        ..half()
    };
    let variants = vec![
        Variant {
            key: "control".into(),
            percentage: 50.0,
        },
        Variant {
            key: "test".into(),
            percentage: 50.0,
        },
    ];
    let ten: Vec<_> = (0..9)
        .map(|i| Condition {
            test: prop("plan", "exact", &[&format!("plan {i}")]),
            ..Condition::of(company)
        })
        .chain([half()])
        .collect();
    let on = |key: &str| Condition {
        test: Test::Flag(Dependency::on(key, Wanted::On)),
        ..Condition::of(company)
    };
    let sets = [
        ("everybody", vec![flag("f", vec![Condition::of(company)])]),
        ("half", vec![flag("f", vec![half()])]),
        (
            "two properties, half, two variants",
            vec![Flag {
                variants,
                ..flag("f", vec![both])
            }],
        ),
        ("ten conditions", vec![flag("f", ten)]),
        (
            "chain of three",
            vec![
                flag("f", vec![on("g")]),
                flag("g", vec![on("h")]),
                flag("h", vec![half()]),
            ],
        ),
    ];
    let contexts: Vec<Context> = (0..1000).map(|i| {
        let mut c = Context::of(format!("person-{i}"));
        c.groups[0].key = Some(format!("company-{i}"));
        let v = serde_json::json!({"name": format!("Company {i}"), "plan": ["enterprise", "Pro", "free"][i % 3], "seats": i % 50, "country": "DE"});
        c.groups[0].properties = v.as_object().unwrap().clone();
        c
    }).collect();
    for (name, flags) in sets {
        let set = FlagSet::new(flags);
        let mut best = f64::MAX;
        for _ in 0..60 {
            let start = Instant::now();
            for c in &contexts {
                black_box(set.evaluate("f", black_box(c)));
            }
            best = best.min(start.elapsed().as_secs_f64() * 1e6);
        }
        println!("{name}: {best:.0} ns, {:.2} million/s", 1e3 / best);
    }
}
