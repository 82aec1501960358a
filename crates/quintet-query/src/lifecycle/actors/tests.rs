use serde_json::{Value, json};

use super::*;
use crate::testing::{asked, at, with_fields};

/// The question with these fields about three days from the twelfth, of which the bucket 0 is the eleventh.
fn ask(fields: Value) -> Result<LifecycleActors> {
    let query = json!({"kind": "InsightActorsQuery", "source": {
        "kind": "LifecycleQuery", "series": [{"kind": "EventsNode", "event": "a"}],
        "dateRange": {"date_from": "2020-01-12", "date_to": "2020-01-14"}}});
    asked!(LifecycleActors, with_fields(query, fields))?.resolve(&at("2020-01-25T12:00:00Z"))
}

fn buckets(day: &str) -> Range<usize> {
    ask(json!({"day": day})).unwrap().buckets
}

#[test]
fn a_day_is_the_interval_that_it_lies_in() {
    assert_eq!(buckets("2020-01-12"), 1..2);
    assert_eq!(buckets("2020-01-13T00:00:00Z"), 2..3);
    assert_eq!(buckets("2020-01-14 17:30:00"), 3..4);
}

#[test]
fn the_intervals_next_to_the_range_can_be_asked_for_and_others_hold_nobody() {
    assert_eq!(buckets("2020-01-11"), 0..1);
    assert_eq!(buckets("2020-01-15 12:00:00"), 4..5);
    assert!(buckets("2020-01-10").is_empty());
    assert!(buckets("2020-01-16").is_empty());
}

#[test]
fn without_a_day_it_is_every_interval_shown_and_without_a_status_any() {
    let actors = ask(json!({})).unwrap();
    assert_eq!((actors.buckets, actors.status), (1..4, None));
}

#[test]
fn a_status_is_one_of_four() {
    for status in Status::ALL {
        let actors = ask(json!({"status": status.name()})).unwrap();
        assert_eq!(actors.status, Some(status));
    }
    assert_eq!(ask(json!({"status": "gone"})).unwrap_err().path(), "status");
}

#[test]
fn what_a_lifecycle_has_not_cannot_be_asked_for() {
    assert!(ask(json!({"series": 0, "compare": "current"})).is_ok());
    assert_eq!(ask(json!({"series": 1})).unwrap_err().path(), "series");
    assert_eq!(
        ask(json!({"compare": "previous"})).unwrap_err().path(),
        "compare"
    );
    assert_eq!(
        ask(json!({"breakdown": "pro"})).unwrap_err().code(),
        "unsupported"
    );
    assert_eq!(ask(json!({"day": "soon"})).unwrap_err().path(), "day");
}
