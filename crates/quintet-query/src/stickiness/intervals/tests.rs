use super::*;
use crate::series::EventsNode;
use crate::stickiness::StickinessQuery;
use crate::testing::{at_in, local};

fn context(zone: &str) -> Context {
    at_in("2020-01-25T12:00:00Z", zone)
}

fn query(interval: Interval, from: &str, to: &str) -> StickinessQuery {
    StickinessQuery::new()
        .series(EventsNode::new("a"))
        .interval(interval)
        .date_range(from, Some(to))
}

fn in_zone(query: &StickinessQuery, zone: &str) -> (Vec<String>, usize) {
    let context = context(zone);
    let intervals = query.resolve(&context).unwrap().current;
    (texts(&intervals, &context), intervals.shown)
}

fn texts(intervals: &Intervals, context: &Context) -> Vec<String> {
    let text = |edge: &i64| local(*edge, context.timezone, "%m-%d %H:%M");
    intervals.edges.iter().map(text).collect()
}

fn edges(query: &StickinessQuery) -> (Vec<String>, usize) {
    in_zone(query, "UTC")
}

#[test]
fn without_a_count_intervals_are_those_of_the_calendar() {
    let (edges, shown) = edges(&query(Interval::Week, "2020-01-11", "2020-01-20"));
    assert_eq!(
        edges,
        ["01-05 00:00", "01-12 00:00", "01-19 00:00", "01-26 00:00"]
    );
    assert_eq!(shown, 3);
}

#[test]
fn joined_days_are_counted_back_from_the_end_and_the_earliest_may_be_short() {
    let (edges, shown) = edges(&query(Interval::Day, "2020-01-11", "2020-01-20").interval_count(3));
    assert_eq!(
        edges,
        [
            "01-09 00:00",
            "01-12 00:00",
            "01-15 00:00",
            "01-18 00:00",
            "01-21 00:00"
        ]
    );
    assert_eq!(shown, 4);
}

#[test]
fn one_joined_week_is_seven_days_back_from_the_end_and_not_a_calendar_week() {
    let (edges, shown) =
        edges(&query(Interval::Week, "2020-01-11", "2020-01-17").interval_count(1));
    assert_eq!(edges, ["01-11 00:00", "01-18 00:00"]);
    assert_eq!(shown, 2);
}

#[test]
fn a_month_is_complete_only_when_the_day_of_the_month_is_not_later_than_that_of_the_end() {
    let (edges, shown) =
        edges(&query(Interval::Month, "2020-01-01", "2020-02-29").interval_count(1));
    assert_eq!(edges, ["12-30 00:00", "01-30 00:00", "03-01 00:00"]);
    assert_eq!(shown, 2);
    let (longer, _) =
        self::edges(&query(Interval::Month, "2020-02-01", "2020-03-30").interval_count(1));
    assert_eq!(longer, ["01-31 00:00", "03-01 00:00", "03-31 00:00"]);
}

#[test]
fn joined_hours_are_counted_back_from_the_instant_of_an_absolute_end() {
    let hours = query(
        Interval::Hour,
        "2020-01-11T09:00:00Z",
        "2020-01-11T13:30:00Z",
    );
    let context = context("UTC");
    let intervals = hours.interval_count(2).resolve(&context).unwrap().current;
    assert_eq!(
        texts(&intervals, &context),
        ["01-11 07:30", "01-11 09:30", "01-11 11:30", "01-11 13:30"]
    );
    let end = "2020-01-11T13:30:00Z".parse::<DateTime<chrono::Utc>>();
    assert_eq!(
        intervals.edges.last(),
        Some(&(end.unwrap().timestamp_micros() + 1)),
        "an event at the end itself is inside"
    );
    assert_eq!(intervals.shown, 3);
}

#[test]
fn joined_days_stay_days_where_the_clock_changes() {
    let march = query(Interval::Day, "2020-03-27", "2020-03-30").interval_count(2);
    let (edges, shown) = in_zone(&march, "Europe/Berlin");
    assert_eq!(edges, ["03-27 00:00", "03-29 00:00", "03-31 00:00"]);
    assert_eq!(shown, 2);
}

#[test]
fn the_range_compared_with_is_cut_back_from_the_end_of_the_one_asked_for() {
    let compared = query(Interval::Day, "2020-01-15", "2020-01-18")
        .interval_count(3)
        .compare(None);
    let context = context("UTC");
    let previous = compared.resolve(&context).unwrap().previous.unwrap();
    assert_eq!(
        texts(&previous, &context),
        ["01-10 00:00", "01-13 00:00", "01-16 00:00"]
    );
    assert_eq!(previous.shown, 2);
    assert!(previous.from >= previous.edges[0] && previous.to < previous.edges[2]);
}

#[test]
fn every_event_of_a_range_lies_in_an_interval() {
    for interval in [
        Interval::Hour,
        Interval::Day,
        Interval::Week,
        Interval::Month,
        Interval::Quarter,
    ] {
        for count in [None, Some(1), Some(2), Some(5)] {
            for zone in ["UTC", "US/Pacific", "Pacific/Apia"] {
                let mut query = query(interval, "2011-12-01", "2012-02-29").compare(None);
                query.interval_count = count;
                let stickiness = query.resolve(&context(zone)).unwrap();
                for intervals in [stickiness.current, stickiness.previous.unwrap()] {
                    let edges = &intervals.edges;
                    assert!(edges.windows(2).all(|pair| pair[0] < pair[1]));
                    assert!(edges[0] <= intervals.from && intervals.from < edges[1]);
                    assert!(edges[edges.len() - 1] > intervals.to);
                    assert!(edges[edges.len() - 2] <= intervals.to);
                }
            }
        }
    }
}

/// Complete intervals between an event and the end, as the note defines them.
fn complete(interval: Interval, event: NaiveDateTime, end: NaiveDateTime) -> i64 {
    let passed = end - event;
    match interval {
        Interval::Hour => passed.num_hours(),
        Interval::Day => passed.num_days(),
        Interval::Week => passed.num_weeks(),
        _ => {
            let month = |local: NaiveDateTime| i64::from(local.year() * 12 + local.month() as i32);
            let later = (event.day(), event.time()) > (end.day(), end.time());
            month(end) - month(event) - i64::from(later)
        }
    }
}

#[test]
fn joined_intervals_are_those_with_as_many_complete_ones_until_the_end() {
    for interval in [
        Interval::Hour,
        Interval::Day,
        Interval::Week,
        Interval::Month,
    ] {
        for end in ["2020-02-29", "2020-03-31", "2020-04-30", "2020-05-15"] {
            for joined in [1, 2, 3, 7] {
                let query = query(interval, "2019-11-20", end).interval_count(joined);
                let intervals = query.resolve(&context("UTC")).unwrap().current;
                let end = DateTime::from_timestamp_micros(intervals.to)
                    .unwrap()
                    .naive_utc();
                let last = intervals.edges.len() - 2;
                for event in (intervals.from..intervals.to).step_by(7 * 3_599_000_000) {
                    let at = DateTime::from_timestamp_micros(event).unwrap().naive_utc();
                    let stretch = complete(interval, at, end) / i64::from(joined);
                    let bucket = intervals.edges.partition_point(|edge| *edge <= event) - 1;
                    assert_eq!(
                        (last - bucket) as i64,
                        stretch,
                        "{interval:?} {at} until {end}"
                    );
                }
            }
        }
    }
}
