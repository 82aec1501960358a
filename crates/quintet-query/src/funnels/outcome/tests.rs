use super::*;
use crate::funnels::{FunnelsQuery, WindowUnit};
use crate::series::EventsNode;
use crate::testing::at;

const HOUR: i64 = 3_600_000_000;

/// `a`, `b` unless left out, `c`, within an hour, on a day before the clock's.
fn funnel() -> FunnelsQuery {
    FunnelsQuery::new()
        .series(EventsNode::new("a"))
        .series(EventsNode::new("b").optional())
        .series(EventsNode::new("c"))
        .date_range("2024-03-01", Some("2024-03-01"))
        .window(1, WindowUnit::Hour)
}

fn resolve(query: FunnelsQuery, now: &str) -> Funnels {
    query.resolve(&at(now)).unwrap()
}

fn funnels() -> Funnels {
    resolve(funnel(), "2024-03-15T12:00:00Z")
}

fn is_pending(funnels: &Funnels, steps: u64, entry: i64) -> bool {
    funnels.is_pending(&funnels.current, steps, &[entry])
}

#[test]
fn who_did_the_last_required_step_has_converted() {
    let mut funnels = funnels();
    assert_eq!(funnels.last_required_step(), 2);
    assert!(funnels.is_converted(0b101) && funnels.is_converted(0b111));
    assert!(!funnels.is_converted(0b011));
    funnels.steps[2].optional = true;
    assert_eq!(funnels.last_required_step(), 0);
    assert!(funnels.is_converted(0b001));
}

#[test]
fn a_window_that_ends_after_the_range_is_open() {
    let funnels = funnels();
    let end = funnels.current.period.to;
    assert!(is_pending(&funnels, 0b011, end - HOUR + 1));
    assert!(!is_pending(&funnels, 0b011, end - HOUR));
    assert!(!is_pending(&funnels, 0b101, end));
    assert!(!funnels.is_pending(&funnels.current, 0b001, &[]));
}

#[test]
fn steps_after_the_range_close_windows_unless_the_clock_has_not_come_so_far() {
    let late = resolve(funnel().complete_after_range(), "2024-03-15T12:00:00Z");
    let end = late.current.period.to;
    assert_eq!(late.last_seen(&late.current), end + HOUR);
    assert!(!is_pending(&late, 0b001, end));
    let early = resolve(funnel().complete_after_range(), "2024-03-01T12:00:00Z");
    assert!(is_pending(&early, 0b001, early.now - HOUR + 1));
    assert!(!is_pending(&early, 0b001, early.now - HOUR));
}

#[test]
fn nothing_overflows() {
    let endless = funnel()
        .complete_after_range()
        .window(i64::MAX, WindowUnit::Month);
    let funnels = resolve(endless, "2024-03-15T12:00:00Z");
    assert_eq!(funnels.last_seen(&funnels.current), i64::MAX);
    assert!(is_pending(&funnels, 1, i64::MAX));
    assert!(!is_done(u64::MAX, 64) && !is_done(u64::MAX, usize::MAX));
    assert!(is_done(u64::MAX, 63));
}

#[test]
fn any_step_is_told_by_its_event_alone() {
    let names = ["a", "b", "c"].map(|name| Filter::Event(name.to_owned()));
    assert_eq!(funnels().any_step(), Filter::Any(names.to_vec()));
}
