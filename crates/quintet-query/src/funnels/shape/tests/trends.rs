use serde_json::json;

use super::*;

/// Three days.
fn trends() -> Funnels {
    Funnels {
        current: span(0, 3),
        ..funnel(2, Viz::Trends { from: 0, to: 1 })
    }
}

/// By text, period and whether there was a conversion; no value without a breakdown.
fn entrances(funnels: &Funnels, all: &[(&str, usize, bool)]) -> Figures {
    let mut figures = Figures::of(funnels, &funnels.current);
    for (text, period, converted) in all {
        let value = value(text);
        let value = if funnels.breakdown.is_some() {
            &value[..]
        } else {
            &[]
        };
        figures.add_entrance(value, *period, *converted);
    }
    figures
}

fn summary(funnels: &Funnels, current: Figures) -> Value {
    let extra = shape(funnels, current, None).extra;
    let [("summary", summary)] = extra.as_slice() else {
        panic!("{extra:?}");
    };
    summary.clone()
}

#[test]
fn a_series_has_a_rate_for_every_period() {
    let funnels = trends();
    let figures = entrances(
        &funnels,
        &[("", 0, true), ("", 2, true), ("", 2, false), ("", 2, false)],
    );
    assert_eq!(
        rows(&funnels, figures.clone()),
        [json!({
            "count": 3,
            "data": [100, 0, 33.33],
            "days": ["day 0", "day 1", "day 2"],
            "labels": ["label 0", "label 1", "label 2"],
        })]
    );
    assert_eq!(
        summary(&funnels, figures),
        json!([{"reached_from_step_count": [1, 0, 3], "reached_to_step_count": [1, 0, 1]}])
    );
}

#[test]
fn nobody_is_a_series_of_zeros_but_none_of_a_breakdown() {
    let funnels = trends();
    assert_eq!(
        column(&rows(&funnels, entrances(&funnels, &[])), "data"),
        json!([[0, 0, 0]])
    );
    for funnels in [by_event(trends(), 25), by_cohorts(trends(), &[Some(1)])] {
        assert!(rows(&funnels, entrances(&funnels, &[])).is_empty());
        assert_eq!(summary(&funnels, entrances(&funnels, &[])), json!([]));
    }
}

#[test]
fn periods_that_are_not_shown_do_not_count() {
    let funnels = by_event(trends(), 25);
    assert!(rows(&funnels, entrances(&funnels, &[("a", 3, true)])).is_empty());
}

#[test]
fn the_values_with_most_entrances_stay_and_stand_in_order_of_value() {
    let funnels = by_event(trends(), 2);
    let figures = entrances(
        &funnels,
        &[
            ("c", 0, true),
            ("a", 0, true),
            ("d", 0, false),
            ("d", 1, false),
        ],
    );
    let rows = rows(&funnels, figures.clone());
    assert_eq!(column(&rows, "breakdown_value"), json!([["c"], ["d"]]));
    assert_eq!(
        summary(&funnels, figures),
        json!([
            {"breakdown_value": ["c"], "reached_from_step_count": [1, 0, 0], "reached_to_step_count": [1, 0, 0]},
            {"breakdown_value": ["d"], "reached_from_step_count": [1, 1, 0], "reached_to_step_count": [0, 0, 0]},
        ])
    );
}

#[test]
fn a_property_of_a_group_has_plain_values_and_a_cohort_its_name() {
    let funnels = by_group(trends(), 25);
    let rows_by_group = rows(
        &funnels,
        entrances(&funnels, &[("b", 0, true), ("", 0, true)]),
    );
    assert_eq!(column(&rows_by_group, "breakdown_value"), json!(["", "b"]));
    let funnels = by_cohorts(trends(), &[Some(7)]);
    let rows_by_cohort = rows(&funnels, entrances(&funnels, &[("0", 0, true)]));
    assert_eq!(
        column(&rows_by_cohort, "breakdown_value"),
        json!(["Not in cohort 7", "cohort 7"])
    );
    assert_eq!(
        column(&rows_by_cohort, "data"),
        json!([[0, 0, 0], [100, 0, 0]])
    );
}

#[test]
fn a_sample_scales_the_summary_and_not_the_rates() {
    let mut funnels = trends();
    funnels.sampling = Some(0.1);
    let figures = entrances(&funnels, &[("", 0, true), ("", 0, false)]);
    assert_eq!(
        column(&rows(&funnels, figures.clone()), "data"),
        json!([[50, 0, 0]])
    );
    assert_eq!(
        summary(&funnels, figures)[0]["reached_from_step_count"],
        json!([20, 0, 0])
    );
}

#[test]
fn a_comparison_appends_the_series_of_the_range_before_with_its_own_days() {
    let mut funnels = trends();
    funnels.previous = Some(span(-3, 3));
    let current = entrances(&funnels, &[("", 0, true)]);
    let result = shape(&funnels, current, Some(entrances(&funnels, &[])));
    let rows = list(result.results);
    assert_eq!(
        column(&rows, "compare_label"),
        json!(["current", "previous"])
    );
    assert_eq!(column(&rows, "data"), json!([[100, 0, 0], [0, 0, 0]]));
    assert_eq!(rows[1]["days"], json!(["day -3", "day -2", "day -1"]));
    let (_, summary) = &result.extra[0];
    assert_eq!(summary[1]["compare_label"], "previous");
}
