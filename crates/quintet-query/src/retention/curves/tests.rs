use serde_json::{Value, json};

use crate::retention::{Figures, Reference, RetentionQuery, Starts, shape};
use crate::testing::at;

/// Four actors start on the first of three days, two come back after one day, one after two; one starts on the second.
fn figures() -> Figures {
    let mut figures = Figures::default();
    for columns in [&[0, 1, 2][..], &[0, 1], &[0], &[0]] {
        figures.add_actor(None, 0, columns, &[]);
    }
    figures.add_actor(None, 1, &[0, 1], &[]);
    figures
}

fn question() -> RetentionQuery {
    RetentionQuery::new()
        .total_intervals(3)
        .date_range("2024-01-01", Some("2024-01-03"))
}

fn curves(question: &RetentionQuery, now: &str) -> Value {
    let retention = question.resolve(&at(now)).unwrap();
    shape(&retention, &figures()).curves[0].clone()
}

#[test]
fn percentages_are_those_of_the_cohort_and_their_means_plain_or_by_its_size() {
    let expected = json!({
        "breakdown_value": null,
        "percentages": [[100.0, 50.0, 25.0], [100.0, 100.0, null], [null, null, null]],
        "simple": [100.0, 75.0, 25.0],
        "weighted": [100.0, 60.0, 25.0],
    });
    assert_eq!(curves(&question(), "2024-02-01T00:00:00Z"), expected);
}

#[test]
fn a_period_that_is_not_over_has_no_percentage() {
    let curves = curves(&question(), "2024-01-03T12:00:00Z");
    assert_eq!(
        curves["percentages"],
        json!([[100.0, 50.0, null], [100.0, null, null], [null, null, null]])
    );
    assert_eq!(curves["weighted"], json!([100.0, 50.0, null]));
}

#[test]
fn percentages_can_be_those_of_the_column_before() {
    let question = question().reference(Reference::Previous);
    let curves = curves(&question, "2024-02-01T00:00:00Z");
    assert_eq!(curves["percentages"][0], json!([100.0, 50.0, 50.0]));
}

#[test]
fn a_rolling_window_is_over_when_that_of_the_last_actor_of_the_row_is() {
    let recurring = curves(&question().rolling(), "2024-02-01T00:00:00Z");
    let expected = json!([[100.0, 50.0, null], [100.0, null, null], [null, null, null]]);
    assert_eq!(recurring["percentages"], expected);
    let first = question().rolling().starts(Starts::FirstTime);
    let expected = json!([[100.0, 50.0, 25.0], [100.0, 100.0, 0.0], [null, null, null]]);
    assert_eq!(
        curves(&first, "2024-02-01T00:00:00Z")["percentages"],
        expected
    );
}
