//! The algorithm, sentence by sentence.

use serde_json::{Value, json};

use super::*;
use crate::property::Matcher;

mod dependencies;

fn asking(of: Subject, key: &str, operator: &str, value: &str) -> Test {
    let matcher = Matcher::for_flags(operator, &[value.to_owned()]).unwrap();
    Test::Property {
        of,
        key: key.into(),
        matcher: Box::new(matcher),
    }
}

fn only(by: Subject, test: Test) -> Condition {
    Condition {
        test,
        ..Condition::of(by)
    }
}

fn share(by: Subject, rollout: f64) -> Condition {
    Condition {
        rollout: Some(rollout),
        ..Condition::of(by)
    }
}

fn flag(conditions: Vec<Condition>) -> Flag {
    Flag {
        conditions,
        ..Flag::named("f")
    }
}

fn at(company: &str) -> Context {
    let mut context = Context::of("ann");
    context.groups[0].key = Some(company.into());
    context
}

fn with(mut context: Context, properties: Value) -> Context {
    if let Value::Object(properties) = properties {
        context.person.properties = properties;
    }
    context
}

/// Value, reason and condition.
fn found(flag: Flag, context: &Context) -> (Value, &'static str, Option<usize>) {
    let key = flag.key.clone();
    let flags = FlagSet::new(vec![flag]);
    let found = flags.evaluate(&key, context).unwrap();
    (found.value.to_json(), found.reason.name(), found.condition)
}

const COMPANY: Subject = Subject::Group(0);
const PERSON: Subject = Subject::Person;

#[test]
fn an_inactive_flag_and_one_without_conditions_are_off() {
    let mut switched_off = flag(vec![Condition::of(PERSON)]);
    switched_off.active = false;
    let off = found(switched_off, &at("acme"));
    assert_eq!(off, (json!(false), "inactive_flag", None));
    let off = found(flag(vec![]), &at("acme"));
    assert_eq!(off, (json!(false), "no_condition_match", None));
}

#[test]
fn the_first_condition_that_takes_in_decides() {
    let conditions = vec![
        only(PERSON, Test::never()),
        Condition::of(PERSON),
        Condition::of(PERSON),
    ];
    let on = found(flag(conditions), &Context::of("ann"));
    assert_eq!(on, (json!(true), "condition_match", Some(1)));
}

#[test]
fn a_group_condition_without_a_group_is_skipped_and_says_so() {
    for key in [None, Some(String::new())] {
        let mut context = Context::of("ann");
        context.groups[0].key = key;
        let off = found(flag(vec![Condition::of(COMPANY)]), &context);
        assert_eq!(off, (json!(false), "no_group_type", Some(0)));
        let mixed = flag(vec![Condition::of(COMPANY), Condition::of(PERSON)]);
        assert_eq!(found(mixed, &context).2, Some(1));
    }
}

#[test]
fn the_most_telling_reason_is_given() {
    let context = Context::of("ann");
    let conditions = vec![
        only(PERSON, Test::never()),
        share(PERSON, 0.0),
        Condition::of(COMPANY),
    ];
    let off = found(flag(conditions.clone()), &context);
    assert_eq!(off, (json!(false), "no_group_type", Some(2)));
    let off = found(flag(conditions[..2].to_vec()), &context);
    assert_eq!(off, (json!(false), "out_of_rollout_bound", Some(1)));
}

#[test]
fn early_exit_ends_where_a_test_holds_and_the_roll_out_excludes() {
    let conditions = |test| {
        let mut first = share(PERSON, 0.0);
        first.test = test;
        vec![first, Condition::of(PERSON)]
    };
    let early = |test| {
        let mut flag = flag(conditions(test));
        flag.early_exit = true;
        found(flag, &Context::of("ann"))
    };
    let ended = (json!(false), "out_of_rollout_bound", Some(0));
    assert_eq!(early(Test::always()), ended);
    assert_eq!(early(Test::never()).0, json!(true));
    assert_eq!(
        found(flag(conditions(Test::always())), &Context::of("ann")).0,
        json!(true)
    );
}

#[test]
fn groups_go_by_their_key_even_if_persons_go_by_device() {
    let by_device = |condition| Flag {
        bucketing: Bucketing::DeviceId,
        ..flag(vec![condition])
    };
    assert_eq!(
        found(by_device(Condition::of(COMPANY)), &at("acme")).0,
        json!(true)
    );
    let skipped = found(by_device(Condition::of(PERSON)), &at("acme"));
    assert_eq!(skipped, (json!(false), "no_condition_match", None));
    let mut known = at("acme");
    known.device_id = Some("phone".into());
    assert_eq!(
        found(by_device(Condition::of(PERSON)), &known).0,
        json!(true)
    );
}

#[test]
fn a_condition_may_ask_about_the_person_and_any_group() {
    let test = Test::All(vec![
        asking(PERSON, "email", "icontains", "@acme"),
        asking(Subject::Group(1), "plan", "exact", "pro"),
    ]);
    let mut context = with(at("acme"), json!({"email": "ann@ACME.com"}));
    let flag = flag(vec![only(COMPANY, test)]);
    assert_eq!(found(flag.clone(), &context).0, json!(false));
    context.groups[1]
        .properties
        .insert("plan".into(), json!("Pro"));
    assert_eq!(found(flag, &context).0, json!(true));
}

#[test]
fn a_variant_is_that_of_the_condition_or_shared_out() {
    let variants = vec![
        Variant {
            key: "never".into(),
            percentage: 0.0,
        },
        Variant {
            key: "always".into(),
            percentage: 100.0,
        },
    ];
    let flag = |variant: Option<&str>| Flag {
        variants: variants.clone(),
        payloads: vec![("true".into(), json!(1)), ("always".into(), json!(2))],
        ..flag(vec![Condition {
            variant: variant.map(str::to_owned),
            ..Condition::of(PERSON)
        }])
    };
    for (asked, expected) in [
        (None, "always"),
        (Some("never"), "never"),
        (Some("unknown"), "always"),
    ] {
        assert_eq!(found(flag(asked), &Context::of("ann")).0, json!(expected));
    }
    let flags = FlagSet::new(vec![flag(None)]);
    let found = flags.evaluate("f", &Context::of("ann")).unwrap();
    let expected =
        json!({"value": "always", "reason": "condition_match", "payload": 2, "condition_index": 0});
    assert_eq!(found.to_json(), expected);
}

#[test]
fn who_is_held_out_gets_the_holdout_before_anything_else() {
    let flag = |percentage| Flag {
        holdout: Some(Holdout {
            test: Test::always(),
            percentage,
            variant: "holdout-3".into(),
        }),
        by: Some(0),
        ..flag(vec![Condition::of(COMPANY)])
    };
    // "test-identifier" lies at 0.449.
    let held = found(flag(45.0), &at("test-identifier"));
    assert_eq!(held, (json!("holdout-3"), "holdout_condition_value", None));
    assert_eq!(found(flag(44.0), &at("test-identifier")).0, json!(true));
    let nobody = found(flag(100.0), &Context::of("test-identifier"));
    assert_eq!(nobody.1, "no_group_type");
}

#[test]
fn what_a_person_decided_goes_before_conditions() {
    let key = "$feature_enrollment/f";
    let flag = |conditions| Flag {
        enrollment: Some(only(PERSON, asking(PERSON, key, "exact", "true"))),
        ..flag(conditions)
    };
    let decided = |value: Value| with(Context::of("ann"), json!({key: value}));
    let on = found(flag(vec![]), &decided(json!("true")));
    assert_eq!(on, (json!(true), "super_condition_value", None));
    let off = found(flag(vec![Condition::of(PERSON)]), &decided(json!(false)));
    assert_eq!(off, (json!(false), "super_condition_value", None));
    let undecided = found(flag(vec![Condition::of(PERSON)]), &Context::of("ann"));
    assert_eq!(undecided.1, "condition_match");
}

#[test]
fn ids_can_be_asked_for_as_properties() {
    let test = Test::All(vec![
        asking(COMPANY, "$group_key", "exact", "acme"),
        asking(PERSON, "distinct_id", "starts_with", "a"),
    ]);
    let flag = flag(vec![only(COMPANY, test)]);
    assert_eq!(found(flag.clone(), &at("acme")).0, json!(false));
    assert_eq!(found(flag.clone(), &at("acme").with_ids()).0, json!(true));
    assert_eq!(found(flag, &at("bolt").with_ids()).0, json!(false));
}

#[test]
fn members_of_a_list_go_by_any_of_their_ids() {
    let members = ["ann@work".to_owned()].into_iter().collect();
    let flag = flag(vec![only(
        PERSON,
        Test::Listed(std::sync::Arc::new(members)),
    )]);
    let mut ann = Context::of("ann");
    assert_eq!(found(flag.clone(), &ann).0, json!(false));
    ann.person.distinct_ids = vec!["ann".into(), "ann@work".into()];
    assert_eq!(found(flag, &ann).0, json!(true));
}

#[test]
fn every_condition_can_be_looked_at_by_itself() {
    let conditions = vec![
        Condition::of(PERSON),
        only(COMPANY, Test::never()),
        share(COMPANY, 0.0),
        Condition::of(COMPANY),
    ];
    let flags = FlagSet::new(vec![flag(conditions)]);
    let mut context = at("acme");
    context.distinct_id = None;
    let places = [
        Place::NoSubject,
        Place::Outside,
        Place::OutOfRollout,
        Place::In(FlagValue::On),
    ];
    assert_eq!(flags.places("f", &context).unwrap(), places);
    assert_eq!(flags.places("g", &context), None);
    assert_eq!(flags.evaluate("g", &context), None);
}
