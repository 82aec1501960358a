//! What definitions of experiments are read as, what is refused and where, and how results look.

use serde_json::{Value, json};

use crate::filter::{Filter, Operator, Property, PropertyFilter, PropertySource};
use crate::series::Actor;
use crate::testing::{asked, at, at_in, in_project, micros, with_fields};
use crate::trends::Aggregate;
use crate::{Context, Error, GroupIndex, Query};

use super::*;

fn exposures(fields: Value) -> Value {
    let definition = json!({
        "kind": "ExperimentExposureQuery", "feature_flag_key": "editor", "variants": ["control", "test"],
        "start_date": "2024-01-01T12:00:00Z", "end_date": "2024-01-05T12:00:00Z",
    });
    with_fields(definition, fields)
}

fn experiment(fields: Value) -> Value {
    let metric = json!({"kind": "ExperimentMetric", "metric_type": "mean", "source": {"kind": "EventsNode", "event": "paid"}});
    let definition = exposures(json!({"kind": "ExperimentQuery", "metric": metric}));
    with_fields(definition, fields)
}

fn metric(fields: Value) -> Value {
    let metric = with_fields(json!({"kind": "ExperimentMetric"}), fields);
    experiment(json!({"metric": metric}))
}

fn now() -> Context {
    at("2024-02-01T00:00:00Z")
}

fn exposed(definition: &Value, context: &Context) -> Exposures {
    asked!(ExperimentExposures, *definition)
        .unwrap()
        .resolve(context)
        .unwrap()
}

fn resolved(definition: &Value, context: &Context) -> Experiment {
    asked!(Experiment, *definition)
        .unwrap()
        .resolve(context)
        .unwrap()
}

/// Where a definition is refused.
fn refused(definition: Value) -> Error {
    let context = in_project("2024-02-01T00:00:00Z");
    match Query::from_value(&definition) {
        Err(error) => error,
        Ok(Query::Experiment(query)) => query.resolve(&context).unwrap_err(),
        Ok(Query::ExperimentExposures(query)) => query.resolve(&context).unwrap_err(),
        Ok(other) => panic!("{other:?}"),
    }
}

#[track_caller]
fn refused_at(definition: Value, path: &str) {
    let error = refused(definition);
    assert_eq!(error.path(), path, "{error}");
}

fn property(key: &str, value: &str) -> Filter {
    Filter::Property(PropertyFilter {
        property: of_event(key),
        operator: Operator::Exact,
        values: vec![value.to_owned()],
    })
}

fn of_event(key: &str) -> Property {
    Property {
        source: PropertySource::Event,
        key: key.to_owned(),
    }
}

#[test]
fn an_exposure_is_that_the_flag_was_called() {
    let found = exposed(&exposures(json!({})), &now());
    let called = Filter::Event("$feature_flag_called".to_owned());
    assert_eq!(
        found.matching,
        Filter::all([called, property("$feature_flag", "editor")])
    );
    assert_eq!(found.variant, of_event("$feature_flag_response"));
    assert_eq!(found.actor, Actor::Person);
    assert_eq!(
        (found.from, found.to),
        (
            micros("2024-01-01T12:00:00Z"),
            micros("2024-01-05T12:00:00Z")
        )
    );
}

#[test]
fn a_custom_exposure_has_its_variant_in_the_property_of_the_flag() {
    let of = |config: Value| {
        exposed(
            &exposures(json!({"exposure_criteria": {"exposure_config": config}})),
            &in_project("2024-02-01T00:00:00Z"),
        )
    };
    let found = of(
        json!({"kind": "ExperimentEventExposureConfig", "event": "$pageview", "properties": [{"key": "plan", "value": "pro", "type": "event"}]}),
    );
    let viewed = Filter::Event("$pageview".to_owned());
    assert_eq!(
        found.matching,
        Filter::all([viewed, property("plan", "pro")])
    );
    assert_eq!(found.variant, of_event("$feature/editor"));
    let by_action = of(json!({"kind": "ActionsNode", "id": 1}));
    assert_eq!(by_action.variant, of_event("$feature/editor"));
    // That the flag was called keeps its meaning when it is spelled out.
    let called =
        of(json!({"kind": "ExperimentEventExposureConfig", "event": "$feature_flag_called"}));
    assert_eq!(
        called,
        exposed(&exposures(json!({})), &in_project("2024-02-01T00:00:00Z"))
    );
}

#[test]
fn the_baseline_is_control_or_else_the_first() {
    let baseline =
        |variants: Value| exposed(&exposures(json!({"variants": variants})), &now()).baseline;
    assert_eq!(baseline(json!(["a", "control", "b"])), 1);
    assert_eq!(
        baseline(json!(["a", {"key": "b", "rollout_percentage": 50}])),
        0
    );
}

#[test]
fn days_are_those_of_the_project_as_far_as_they_have_come() {
    let days = |now: &str, zone: &str| exposed(&exposures(json!({})), &at_in(now, zone)).days;
    let all = days("2024-02-01T00:00:00Z", "UTC");
    assert_eq!(all.names.first().unwrap(), "2024-01-01");
    assert_eq!(all.names.last().unwrap(), "2024-01-05");
    assert_eq!(all.starts[1], micros("2024-01-02T00:00:00Z"));
    assert_eq!(
        days("2024-01-02T15:00:00Z", "UTC").names,
        ["2024-01-01", "2024-01-02"]
    );
    assert_eq!(
        days("2024-02-01T00:00:00Z", "Pacific/Auckland")
            .names
            .first()
            .unwrap(),
        "2024-01-02"
    );
}

#[test]
fn without_an_end_it_runs_up_to_now() {
    let mut definition = exposures(json!({}));
    definition["end_date"] = Value::Null;
    assert_eq!(
        exposed(&definition, &now()).to,
        micros("2024-02-01T00:00:00Z")
    );
}

#[test]
fn test_accounts_leave_exposures_and_metrics() {
    let context = in_project("2024-02-01T00:00:00Z");
    for fields in [
        json!({"filterTestAccounts": true}),
        json!({"exposure_criteria": {"filterTestAccounts": true}}),
    ] {
        let found = resolved(&experiment(fields), &context);
        let Filter::All(conditions) = &found.exposures.matching else {
            panic!("{found:?}")
        };
        assert_eq!(conditions.len(), 3);
        assert_ne!(found.filter, Filter::always());
    }
    assert_eq!(
        resolved(&experiment(json!({})), &context).filter,
        Filter::always()
    );
}

#[test]
fn groups_are_followed_by_index_or_name() {
    let found = exposed(
        &exposures(json!({"aggregation_group_type_index": 1})),
        &now(),
    );
    assert_eq!(found.actor, Actor::Group(GroupIndex::new(1).unwrap()));
    let named = ExperimentExposureQuery::new("editor", ["control"])
        .by_group("project")
        .dates("2024-01-01", None);
    assert_eq!(
        named
            .resolve(&in_project("2024-02-01T00:00:00Z"))
            .unwrap()
            .actor,
        Actor::Group(GroupIndex::new(1).unwrap())
    );
}

#[test]
fn a_mean_measures_what_the_math_says() {
    let of = |fields: Value| {
        let source = with_fields(json!({"kind": "EventsNode", "event": "paid"}), fields);
        let found = resolved(
            &metric(json!({"metric_type": "mean", "source": source})),
            &now(),
        );
        match found.metric {
            Metric::Mean { source, .. } => source.measured,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(of(json!({})), Measured::Count);
    assert_eq!(of(json!({"math": "unique_session"})), Measured::Sessions);
    assert_eq!(of(json!({"math": "dau"})), Measured::Actors(Actor::Person));
    for (math, aggregate) in [
        ("sum", Aggregate::Sum),
        ("avg", Aggregate::Average),
        ("min", Aggregate::Minimum),
        ("max", Aggregate::Maximum),
    ] {
        let property = of_event("amount");
        assert_eq!(
            of(json!({"math": math, "math_property": "amount"})),
            Measured::Property {
                aggregate,
                property,
                multiplier: 1.0
            }
        );
    }
}

#[test]
fn windows_are_microseconds() {
    let window = |fields: Value| {
        let source =
            json!({"metric_type": "mean", "source": {"kind": "EventsNode", "event": "paid"}});
        resolved(&metric(with_fields(source, fields)), &now()).window
    };
    assert_eq!(window(json!({})), None);
    assert_eq!(
        window(json!({"conversion_window": 2})),
        Some(2 * 86_400_000_000)
    );
    assert_eq!(
        window(json!({"conversion_window": 3, "conversion_window_unit": "hour"})),
        Some(3 * 3_600_000_000)
    );
}

#[test]
fn retention_counts_whole_units_after_the_start() {
    let event = |name: &str| json!({"kind": "EventsNode", "event": name});
    let found = resolved(
        &metric(json!({
            "metric_type": "retention", "start_event": event("signed up"), "completion_event": event("paid"),
            "retention_window_start": 1, "retention_window_end": 7, "retention_window_unit": "day", "start_handling": "last_seen",
        })),
        &now(),
    );
    let Metric::Retention {
        window, handling, ..
    } = found.metric
    else {
        panic!("{found:?}")
    };
    assert_eq!(
        window,
        RetentionWindow {
            from: 86_400_000_000,
            until: 8 * 86_400_000_000
        }
    );
    assert_eq!(handling, StartHandling::LastSeen);
}

#[test]
fn methods_are_read_from_fields_or_from_posthogs_configuration() {
    let method = |fields: Value| asked!(Experiment, experiment(fields)).unwrap().method;
    assert_eq!(method(json!({})), Method::bayesian());
    assert_eq!(
        method(json!({"method": "frequentist", "alpha": 0.01, "difference_type": "absolute"})),
        Method::Frequentist {
            difference: Difference::Absolute,
            alpha: 0.01
        }
    );
    assert_eq!(
        method(
            json!({"stats_config": {"version": 2, "method": "frequentist", "frequentist": {"alpha": 0.1}, "bayesian": {"ci_level": 0.9}}})
        ),
        Method::Frequentist {
            difference: Difference::Relative,
            alpha: 0.1
        }
    );
    let prior = Some(Prior {
        mean: 0.1,
        variance: 0.2,
    });
    assert_eq!(
        method(
            json!({"ci_level": 0.9, "prior": {"mean": 0.1, "variance": 0.2, "proper": true}, "inverse": true})
        ),
        Method::Bayesian {
            difference: Difference::Relative,
            level: 0.9,
            prior,
            inverse: true
        }
    );
    assert_eq!(
        method(json!({"prior": {"mean": 0.1, "variance": 0.2, "proper": false}})),
        Method::bayesian()
    );
}

#[test]
fn of_a_metric_that_is_to_decrease_less_is_better() {
    let found = resolved(
        &metric(
            json!({"metric_type": "mean", "goal": "decrease", "source": {"kind": "EventsNode", "event": "error"}}),
        ),
        &now(),
    );
    assert!(matches!(
        found.method,
        Method::Bayesian { inverse: true, .. }
    ));
}

#[test]
fn what_is_wrong_is_named_by_its_place() {
    refused_at(exposures(json!({"variants": []})), "variants");
    refused_at(exposures(json!({"variants": ["a", "a"]})), "variants[1]");
    refused_at(exposures(json!({"variants": ["$multiple"]})), "variants[0]");
    refused_at(
        exposures(json!({"feature_flag_key": ""})),
        "feature_flag_key",
    );
    refused_at(exposures(json!({"start_date": null})), "start_date");
    refused_at(
        exposures(json!({"end_date": "2023-12-01T00:00:00Z"})),
        "end_date",
    );
    refused_at(exposures(json!({"start_date": "2024-02-31"})), "start_date");
    refused_at(
        exposures(json!({"aggregation_group_type_index": 5})),
        "aggregation_group_type_index",
    );
    refused_at(exposures(json!({"surprise": 1})), "surprise");
    refused_at(
        exposures(json!({"exposure_criteria": {"multiple_variant_handling": "both"}})),
        "exposure_criteria.multiple_variant_handling",
    );
    refused_at(
        exposures(
            json!({"exposure_criteria": {"exposure_config": {"kind": "ActionsNode", "id": 9}}}),
        ),
        "exposure_criteria.exposure_config.id",
    );
    refused_at(experiment(json!({"metric": null})), "metric");
    refused_at(experiment(json!({"alpha": 0.05})), "alpha");
    refused_at(
        experiment(json!({"method": "frequentist", "ci_level": 0.9})),
        "ci_level",
    );
    refused_at(experiment(json!({"ci_level": 1.5})), "ci_level");
    refused_at(
        experiment(json!({"prior": {"mean": 0, "variance": 0}})),
        "prior.variance",
    );
    refused_at(
        experiment(json!({"stats_config": {"method": "frequentist", "frequentist": {"alpha": 2}}})),
        "stats_config.frequentist.alpha",
    );
    refused_at(
        metric(json!({"metric_type": "median"})),
        "metric.metric_type",
    );
    refused_at(
        metric(
            json!({"metric_type": "mean", "source": {"kind": "EventsNode", "event": "a", "math": "sum"}}),
        ),
        "metric.source.math_property",
    );
    refused_at(
        metric(
            json!({"metric_type": "mean", "source": {"kind": "EventsNode", "event": "a"}, "upper_bound_percentile": 95}),
        ),
        "metric.upper_bound_percentile",
    );
    refused_at(
        metric(
            json!({"metric_type": "mean", "source": {"kind": "EventsNode", "event": "a"}, "conversion_window": 0}),
        ),
        "metric.conversion_window",
    );
    refused_at(
        metric(json!({"metric_type": "funnel", "series": []})),
        "metric.series",
    );
    refused_at(
        metric(json!({"metric_type": "ratio", "numerator": {"kind": "EventsNode", "event": "a"}})),
        "metric.denominator",
    );
}

#[test]
fn what_makes_sense_but_is_not_done_says_what_to_do_instead() {
    let event = json!({"kind": "EventsNode", "event": "a"});
    for fields in [
        json!({"metric_type": "funnel", "series": [event], "funnel_order_type": "strict"}),
        json!({"metric_type": "funnel", "series": [{"kind": "EventsNode", "event": "a", "math": "first_time_for_user"}]}),
        json!({"metric_type": "mean", "source": {"kind": "EventsNode", "event": "a", "math": "weekly_active"}}),
        json!({"metric_type": "mean", "source": {"kind": "ExperimentDataWarehouseNode", "table_name": "a"}}),
        json!({"metric_type": "mean", "source": event, "breakdownFilter": {"breakdown": "plan"}}),
    ] {
        assert_eq!(refused(metric(fields)).code(), "unsupported");
    }
    let former = refused(json!({"kind": "ExperimentTrendsQuery"}));
    assert!(
        former.to_string().contains("ask an ExperimentQuery"),
        "{former}"
    );
}

#[test]
fn statistics_are_read_with_their_types() {
    let mean = json!({"type": "sample_mean", "n": 10, "sum": 5, "sum_squares": 7.5});
    let asked = |definition: Value| asked!(ExperimentStatistics, definition);
    let question = json!({"kind": "ExperimentEffect", "treatment": mean, "control": {"type": "proportion", "n": 4, "sum": 1}});
    let read = asked(question).unwrap();
    let sums = Sums {
        n: 10,
        sum: 5.0,
        sum_squares: 7.5,
    };
    assert_eq!(
        read,
        StatisticsQuestion::Effect {
            difference: Difference::Relative,
            treatment: Statistic::Mean(sums),
            control: Statistic::Proportion { n: 4, sum: 1.0 },
        }
    );
    let place = |treatment: Value| {
        let question = json!({"kind": "ExperimentStatistics", "method": "bayesian", "treatment": treatment, "control": mean});
        asked(question).unwrap_err().path().to_owned()
    };
    assert_eq!(
        place(json!({"type": "sample_mean", "n": 0, "sum": 5, "sum_squares": 7})),
        "treatment.n"
    );
    assert_eq!(
        place(json!({"type": "sample_mean", "n": 3, "sum": 5})),
        "treatment.sum_squares"
    );
    assert_eq!(place(json!({"type": "median", "n": 3})), "treatment.type");
    assert_eq!(
        place(json!({"type": "ratio", "n": 3, "numerator": {"n": 3, "sum": 1, "sum_squares": 1}})),
        "treatment.denominator"
    );
}

#[test]
fn exposures_are_added_up_over_the_days() {
    let insight = exposed(&exposures(json!({})), &now());
    let figures = [ExposureFigures {
        variant: "control".into(),
        by_day: vec![1, 0, 2, 0, 0],
    }];
    let result = exposures_result(&insight, &figures);
    assert_eq!(
        result["timeseries"][0]["exposure_counts"],
        json!([1, 1, 3, 3, 3])
    );
    assert_eq!(result["timeseries"][0]["days"][4], "2024-01-05");
    assert_eq!(result["total_exposures"], json!({"control": 3}));
}

#[test]
fn the_result_stands_around_the_baseline() {
    let insight = resolved(
        &experiment(json!({"variants": ["test", "control"]})),
        &now(),
    );
    let arm = |sum: f64, comparison| Arm {
        figures: Statistic::Proportion { n: 50, sum },
        step_counts: vec![sum as u64],
        failures: Vec::new(),
        comparison,
    };
    let judged = Comparison::Bayesian {
        effect_size: 0.5,
        credible_interval: [0.1, 0.9],
        chance_to_win: 0.99,
        expected_loss: [0.01, 0.4],
        is_significant: true,
    };
    let result = result(&insight, &[arm(30.0, Some(judged)), arm(20.0, None)]);
    assert_eq!(
        result["baseline"],
        json!({"key": "control", "number_of_samples": 50, "sum": 20, "sum_squares": 20, "step_counts": [20], "validation_failures": []})
    );
    assert_eq!(
        result["variant_results"],
        json!([{
            "key": "test", "number_of_samples": 50, "sum": 30, "sum_squares": 30, "step_counts": [30], "validation_failures": [],
            "method": "bayesian", "effect_size": 0.5, "credible_interval": [0.1, 0.9], "chance_to_win": 0.99,
            "expected_loss": {"treatment": 0.01, "control": 0.4}, "significant": true,
        }])
    );
}
