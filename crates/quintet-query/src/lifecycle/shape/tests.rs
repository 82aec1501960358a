use super::*;
use crate::lifecycle::LifecycleQuery;
use crate::series::{ActionsNode, EventsNode, SeriesNode};
use crate::testing::{self, in_project};

/// Two days; bucket 0 is the day before them.
fn lifecycle(node: SeriesNode, sampling: Option<f64>) -> Lifecycle {
    let mut query = LifecycleQuery::new()
        .series(node)
        .date_range("2020-01-12", Some("2020-01-13"));
    query.sampling_factor = sampling;
    query.resolve(&in_project("2020-01-25T12:00:00Z")).unwrap()
}

fn figure(bucket: usize, status: Status, persons: u64) -> Figure {
    Figure {
        bucket,
        status,
        persons,
    }
}

fn column(lifecycle: &Lifecycle, figures: &[Figure], name: &str) -> Value {
    let rows = shape(lifecycle, figures.iter().copied()).results;
    testing::column(&rows, name)
}

#[test]
fn rows_have_the_shape_of_posthog() {
    let result = shape(
        &lifecycle(EventsNode::new("a"), None),
        [figure(1, Status::New, 2)],
    );
    assert_eq!(result.results.len(), 4);
    assert_eq!(
        result.results[0],
        json!({
            "action": {"id": "a", "name": "a", "type": "events", "order": 0, "math": "total"},
            "data": [2.0, 0.0],
            "count": 2.0,
            "labels": ["12-Jan-2020", "13-Jan-2020"],
            "days": ["2020-01-12", "2020-01-13"],
            "label": "a - new",
            "status": "new",
        })
    );
    assert_eq!(
        result.resolved_date_range,
        json!({"date_from": "2020-01-12T00:00:00+00:00", "date_to": "2020-01-13T23:59:59+00:00"})
    );
}

#[test]
fn there_are_always_four_statuses_and_nobody_is_not_below_nobody() {
    let lifecycle = lifecycle(EventsNode::all(), None);
    assert_eq!(
        column(&lifecycle, &[], "label"),
        json!([
            "All events - new",
            "All events - returning",
            "All events - resurrecting",
            "All events - dormant"
        ])
    );
    let text = column(&lifecycle, &[], "data").to_string();
    assert!(!text.contains('-'), "{text}");
    assert!(!column(&lifecycle, &[], "count").to_string().contains('-'));
}

#[test]
fn those_who_stay_away_count_downwards() {
    let figures = [
        figure(2, Status::Dormant, 3),
        figure(1, Status::Returning, 1),
    ];
    let lifecycle = lifecycle(EventsNode::new("a"), None);
    assert_eq!(
        column(&lifecycle, &figures, "data"),
        json!([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [0.0, -3.0]])
    );
    assert_eq!(
        column(&lifecycle, &figures, "count"),
        json!([0.0, 1.0, 0.0, -3.0])
    );
}

#[test]
fn the_look_back_and_what_lies_behind_the_range_are_not_shown() {
    let figures = [
        figure(0, Status::New, 5),
        figure(3, Status::Dormant, 5),
        figure(1, Status::Dormant, 1),
    ];
    assert_eq!(
        column(&lifecycle(EventsNode::new("a"), None), &figures, "count"),
        json!([0.0, 0.0, 0.0, -1.0])
    );
}

#[test]
fn an_action_has_its_number_as_a_text_and_a_given_name() {
    let result = shape(&lifecycle(ActionsNode::new(1).named("Signups"), None), []);
    assert_eq!(
        result.results[1]["action"],
        json!({"id": "1", "name": "signs up", "type": "actions", "order": 0, "math": "total", "custom_name": "Signups"})
    );
}

#[test]
fn figures_of_a_sample_are_scaled_back_as_a_whole() {
    let sampled = |factor| {
        let figures = [figure(1, Status::Dormant, 1), figure(1, Status::Dormant, 1)];
        column(
            &lifecycle(EventsNode::new("a"), Some(factor)),
            &figures,
            "count",
        )
    };
    assert_eq!(sampled(0.3), json!([0.0, 0.0, 0.0, -7.0]));
    assert_eq!(sampled(0.0).to_string(), "[0.0,0.0,0.0,0.0]");
}
