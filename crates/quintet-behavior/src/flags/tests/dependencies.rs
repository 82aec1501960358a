//! Flags that depend on flags.

use super::*;

fn on(flag: &str, wanted: Wanted) -> Test {
    Test::Flag(Dependency::on(flag, wanted))
}

fn named(key: &str, conditions: Vec<Condition>) -> Flag {
    Flag {
        conditions,
        ..Flag::named(key)
    }
}

fn waiting(key: &str, flag: &str, wanted: Wanted) -> Flag {
    named(key, vec![only(PERSON, on(flag, wanted))])
}

fn everybody(key: &str) -> Flag {
    named(key, vec![Condition::of(PERSON)])
}

fn value(flags: &FlagSet, key: &str) -> Value {
    flags.evaluate(key, &at("acme")).unwrap().value.to_json()
}

#[test]
fn on_is_any_variant_and_a_variant_is_exactly_that() {
    let variant = Flag {
        variants: vec![Variant {
            key: "Blue".into(),
            percentage: 100.0,
        }],
        ..everybody("colour")
    };
    for (wanted, expected) in [
        (Wanted::On, true),
        (Wanted::Off, false),
        (Wanted::Variant("Blue".into()), true),
        (Wanted::Variant("blue".into()), false),
    ] {
        let flags = FlagSet::new(vec![
            waiting("f", "colour", wanted.clone()),
            variant.clone(),
        ]);
        assert_eq!(value(&flags, "f"), json!(expected), "{wanted:?}");
    }
}

#[test]
fn only_the_named_flag_counts_not_what_it_waits_for() {
    let flags = FlagSet::new(vec![
        waiting("c", "b", Wanted::On),
        waiting("b", "a", Wanted::Off),
        named("a", vec![]),
    ]);
    assert_eq!(value(&flags, "c"), json!(true));
    let all = flags.evaluate_all(&at("acme"));
    let all: Vec<Value> = all.iter().map(|found| found.value.to_json()).collect();
    assert_eq!(all, [json!(true), json!(true), json!(false)]);
}

#[test]
fn a_flag_may_be_named_by_its_number_and_its_key_goes_first() {
    let numbered = Flag {
        id: Some(7),
        ..everybody("seven")
    };
    let flags = FlagSet::new(vec![waiting("f", "7", Wanted::On), numbered.clone()]);
    assert_eq!(value(&flags, "f"), json!(true));
    let flags = FlagSet::new(vec![
        waiting("f", "7", Wanted::On),
        numbered,
        named("7", vec![]),
    ]);
    assert_eq!(value(&flags, "f"), json!(false));
}

#[test]
fn group_flags_wait_for_person_flags_and_the_reverse() {
    let of_company = |key: &str, test| named(key, vec![only(COMPANY, test)]);
    let flags = FlagSet::new(vec![
        of_company("company", on("person", Wanted::On)),
        everybody("person"),
        waiting("other", "company", Wanted::On),
    ]);
    assert_eq!(value(&flags, "company"), json!(true));
    assert_eq!(value(&flags, "other"), json!(true));
}

#[test]
fn an_unknown_flag_and_a_circle_meet_nothing_and_are_told() {
    let flags = FlagSet::new(vec![
        waiting("a", "b", Wanted::Off),
        waiting("b", "a", Wanted::Off),
        waiting("self", "self", Wanted::Off),
        waiting("lost", "nowhere", Wanted::Off),
        waiting("beside", "a", Wanted::Off),
    ]);
    for key in ["a", "b", "self", "lost"] {
        assert_eq!(value(&flags, key), json!(false), "{key}");
    }
    assert_eq!(value(&flags, "beside"), json!(true));
    let cycle = |flag: &str, on: &str| Problem::Cycle {
        flag: flag.into(),
        on: on.into(),
    };
    let expected = [
        Problem::UnknownFlag {
            flag: "lost".into(),
            on: "nowhere".into(),
        },
        cycle("a", "b"),
        cycle("b", "a"),
        cycle("self", "self"),
    ];
    assert_eq!(flags.problems(), expected);
}

#[test]
fn long_chains_need_no_stack() {
    let chain = (0..2_000).map(|i| waiting(&i.to_string(), &(i + 1).to_string(), Wanted::On));
    let flags = FlagSet::new(chain.chain([everybody("2000")]).collect());
    assert_eq!(value(&flags, "0"), json!(true));
}

#[test]
fn what_is_asked_about_includes_what_is_waited_for() {
    let asks = named("a", vec![only(PERSON, asking(PERSON, "x", "is_set", ""))]);
    let flags = FlagSet::new(vec![waiting("f", "a", Wanted::On), asks]);
    assert!(flags.asks_about("f", PERSON));
    assert!(!flags.asks_about("f", COMPANY));
}
