use super::*;
use crate::WeekStart;
use crate::funnels::WindowUnit;
use crate::series::EventsNode;
use crate::testing::{at_in, micros};

fn context(zone: &str) -> Context {
    at_in("2021-06-20T12:00:00Z", zone)
}

fn ab() -> FunnelsQuery {
    FunnelsQuery::new()
        .series(EventsNode::new("a"))
        .series(EventsNode::new("b"))
        .date_range("2021-06-07 10:00:00", Some("2021-06-13 23:59:59"))
}

fn spans(query: &FunnelsQuery, zone: &str) -> (Span, Option<Span>) {
    query.spans(&context(zone)).unwrap()
}

fn current(query: &FunnelsQuery) -> Span {
    spans(query, "UTC").0
}

#[test]
fn steps_have_one_period_from_the_very_start() {
    let period = current(&ab()).period;
    assert_eq!(period.from, micros("2021-06-07T10:00:00Z"));
    assert_eq!(period.to, micros("2021-06-13T23:59:59.999999Z"));
    assert_eq!(period.edges, [period.from, period.to + 1]);
}

#[test]
fn trends_begin_with_a_whole_period_but_not_with_earlier_events() {
    let query = ab().viz(VizType::Trends).interval(Interval::Week);
    let mut context = context("UTC");
    let (span, _) = query.spans(&context).unwrap();
    assert_eq!(span.period.days, ["2021-06-06", "2021-06-13"]);
    assert_eq!(span.period.from, micros("2021-06-07T10:00:00Z"));
    context.week_start = WeekStart::Monday;
    let (span, _) = query.spans(&context).unwrap();
    assert_eq!(span.period.days, ["2021-06-07"]);
}

#[test]
fn periods_that_can_still_gain_conversions_are_hidden() {
    let query = FunnelsQuery {
        hide_incomplete_periods: true,
        ..ab().viz(VizType::Trends)
    };
    let period = |window| current(&query.clone().window(window, WindowUnit::Day)).period;
    // The clock says noon of the 20th: the 8th has ended eleven days ago.
    let shown = period(11);
    assert_eq!(shown.days, ["2021-06-07", "2021-06-08"]);
    assert_eq!((shown.edges.len(), shown.labels.len()), (3, 2));
    assert_eq!(shown.to, micros("2021-06-13T23:59:59.999999Z"));
    assert_eq!(period(14).edges.len(), 1);
    assert_eq!(period(1).days.len(), 7);
    assert_eq!(period(i64::MAX).edges.len(), 1);
}

#[test]
fn days_of_the_week_are_those_of_the_project() {
    let query = ab().days_of_week([Weekday::Mon]);
    let monday = |zone: &str| spans(&query, zone).0.stretches.unwrap();
    assert_eq!(
        monday("UTC"),
        [
            micros("2021-06-07T10:00:00Z"),
            micros("2021-06-08T00:00:00Z")
        ]
    );
    assert_eq!(
        monday("Asia/Tokyo"),
        [
            micros("2021-06-07T01:00:00Z"),
            micros("2021-06-07T15:00:00Z")
        ]
    );
    assert_eq!(current(&ab()).stretches, None);
}

#[test]
fn neighbouring_days_are_one_stretch() {
    let query = ab().days_of_week([Weekday::Sat, Weekday::Sun, Weekday::Tue]);
    let expected = ["2021-06-08", "2021-06-09", "2021-06-12", "2021-06-14"]
        .map(|day| micros(&format!("{day}T00:00:00Z")));
    assert_eq!(current(&query).stretches.unwrap(), expected);
}

#[test]
fn a_range_without_such_a_day_has_no_stretch() {
    let query = ab()
        .date_range("2021-06-08", Some("2021-06-08"))
        .days_of_week([Weekday::Mon]);
    assert_eq!(current(&query).stretches.unwrap(), Vec::<i64>::new());
}

#[test]
fn steps_after_the_range_keep_to_the_days_of_the_week() {
    let query = ab()
        .days_of_week([Weekday::Mon])
        .window(1, WindowUnit::Day)
        .complete_after_range();
    let span = current(&query);
    assert_eq!(
        span.stretches.unwrap().last(),
        Some(&micros("2021-06-15T00:00:00Z"))
    );
    assert_eq!(span.period.to, micros("2021-06-13T23:59:59.999999Z"));
    let endless = query
        .window(i64::MAX, WindowUnit::Month)
        .spans(&context("UTC"));
    assert_eq!(endless.unwrap_err().path(), "dateRange");
}

#[test]
fn the_range_compared_with_is_exact_and_keeps_the_days_of_the_week() {
    let query = ab().compare(Some("-1w")).days_of_week([Weekday::Mon]);
    let previous = spans(&query, "UTC").1.unwrap();
    assert_eq!(previous.period.from, micros("2021-05-31T10:00:00Z"));
    assert_eq!(
        previous.stretches.unwrap(),
        [
            micros("2021-05-31T10:00:00Z"),
            micros("2021-06-01T00:00:00Z")
        ]
    );
}

#[test]
fn flows_are_not_compared() {
    assert_eq!(spans(&ab().compare(None).viz(VizType::Flow), "UTC").1, None);
    assert!(
        spans(&ab().compare(None).viz(VizType::TimeToConvert), "UTC")
            .1
            .is_some()
    );
}

#[test]
fn everything_begins_with_the_first_event() {
    let query = FunnelsQuery {
        date_range: crate::DateRange {
            date_from: Some("all".to_owned()),
            ..Default::default()
        },
        ..ab().viz(VizType::Trends)
    };
    assert!(query.needs_earliest());
    let mut context = context("UTC");
    context.earliest = Some(micros("2021-06-18T08:00:00Z"));
    let (span, _) = query.spans(&context).unwrap();
    assert_eq!(span.period.days, ["2021-06-18", "2021-06-19", "2021-06-20"]);
}
