use super::*;
use crate::testing::{at, at_in};
use crate::{Period, WeekStart};

fn range(from: Option<&str>, to: Option<&str>) -> DateRange {
    DateRange {
        date_from: from.map(str::to_owned),
        date_to: to.map(str::to_owned),
        explicit: false,
    }
}

fn shown(range: &ResolvedRange) -> [String; 3] {
    [range.lower, range.from, range.to].map(|end| end.format("%Y-%m-%d %H:%M:%S").to_string())
}

/// Lower bound, start and end in local time.
fn resolved(
    from: Option<&str>,
    to: Option<&str>,
    interval: Interval,
    context: &Context,
) -> [String; 3] {
    let range = range(from, to).resolve(
        Reading::by(interval),
        context,
        &Path::root().field("dateRange"),
    );
    shown(&range.unwrap())
}

fn from(text: &str, interval: Interval) -> String {
    let [_, from, _] = resolved(
        Some(text),
        None,
        interval,
        &at_in("2020-01-04T13:01:01Z", "UTC"),
    );
    from
}

fn to(text: &str, interval: Interval) -> String {
    let [_, _, to] = resolved(
        Some("2010-01-01"),
        Some(text),
        interval,
        &at_in("2020-01-04T13:01:01Z", "UTC"),
    );
    to
}

fn days(
    from: Option<&str>,
    to: Option<&str>,
    interval: Interval,
    context: &Context,
) -> Vec<String> {
    let path = Path::root().field("dateRange");
    let range = range(from, to)
        .resolve(Reading::by(interval), context, &path)
        .unwrap();
    Period::in_buckets(&range, interval, context, &path)
        .unwrap()
        .days
}

fn refused(from: &str, to: Option<&str>, interval: Interval) -> String {
    let context = at_in("2020-01-04T13:01:01Z", "UTC");
    let path = Path::root().field("dateRange");
    range(Some(from), to)
        .resolve(Reading::by(interval), &context, &path)
        .and_then(|range| Period::in_buckets(&range, interval, &context, &path))
        .unwrap_err()
        .to_string()
}

#[test]
fn without_dates_the_range_is_the_last_seven_days_and_today() {
    let context = at_in("2020-01-04T13:01:01Z", "UTC");
    let expected = [
        "2019-12-28 00:00:00",
        "2019-12-28 00:00:00",
        "2020-01-04 23:59:59",
    ];
    assert_eq!(resolved(None, None, Interval::Day, &context), expected);
    assert_eq!(
        resolved(Some("-7d"), Some(""), Interval::Day, &context),
        expected
    );
}

#[test]
fn relative_starts_are_floored_to_midnight_and_hours_to_the_hour() {
    assert_eq!(from("-7d", Interval::Hour), "2019-12-28 00:00:00");
    assert_eq!(from("-24h", Interval::Hour), "2020-01-03 13:00:00");
    assert_eq!(from("-24h", Interval::Day), "2020-01-03 13:00:00");
    assert_eq!(from("-90M", Interval::Minute), "2020-01-04 11:31:01");
    assert_eq!(from("-1m", Interval::Day), "2019-12-04 00:00:00");
    assert_eq!(from("-1q", Interval::Day), "2019-10-05 00:00:00");
    assert_eq!(from("-1y", Interval::Day), "2019-01-04 00:00:00");
    assert_eq!(from("7d", Interval::Day), "2019-12-28 00:00:00");
}

#[test]
fn start_goes_to_the_beginning_of_the_unit() {
    assert_eq!(from("dStart", Interval::Day), "2020-01-04 00:00:00");
    assert_eq!(from("hStart", Interval::Hour), "2020-01-04 13:00:00");
    assert_eq!(from("mStart", Interval::Day), "2020-01-01 00:00:00");
    assert_eq!(from("-1mStart", Interval::Day), "2019-12-01 00:00:00");
    assert_eq!(from("-1qStart", Interval::Day), "2019-10-01 00:00:00");
    assert_eq!(from("yStart", Interval::Day), "2020-01-01 00:00:00");
    assert_eq!(from("wStart", Interval::Day), "2019-12-29 00:00:00");
}

#[test]
fn end_goes_to_the_end_of_the_unit() {
    assert_eq!(to("-1dEnd", Interval::Day), "2020-01-03 23:59:59");
    assert_eq!(to("-1mEnd", Interval::Day), "2019-12-31 23:59:59");
    assert_eq!(to("-1yEnd", Interval::Day), "2019-12-31 23:59:59");
    assert_eq!(to("wEnd", Interval::Day), "2020-01-04 23:59:59");
    assert_eq!(to("qEnd", Interval::Day), "2020-03-31 23:59:59");
    assert_eq!(to("-1hEnd", Interval::Hour), "2020-01-04 12:59:59");
}

#[test]
fn months_clamp_to_the_last_day_there_is() {
    let [_, from, _] = resolved(
        Some("-1m"),
        None,
        Interval::Day,
        &at_in("2020-03-31T10:00:00Z", "UTC"),
    );
    assert_eq!(from, "2020-02-29 00:00:00");
}

#[test]
fn a_bare_end_is_the_end_of_its_day_but_not_by_hour() {
    assert_eq!(to("2020-01-09", Interval::Day), "2020-01-09 23:59:59");
    assert_eq!(
        to("2020-01-09T10:00:00Z", Interval::Week),
        "2020-01-09 23:59:59"
    );
    assert_eq!(to("2020-01-09", Interval::Hour), "2020-01-09 00:00:00");
    assert_eq!(
        to("2020-01-09 17:30", Interval::Hour),
        "2020-01-09 17:30:00"
    );
    assert_eq!(to("-2h", Interval::Hour), "2020-01-04 11:59:59");
    assert_eq!(to("-2h", Interval::Minute), "2020-01-04 11:01:59");
}

#[test]
fn absolute_dates_are_read_in_the_zone_unless_they_say_theirs() {
    let tokyo = at_in("2020-01-04T13:01:01Z", "Asia/Tokyo");
    let [_, from, _] = resolved(Some("2020-1-3"), None, Interval::Hour, &tokyo);
    assert_eq!(from, "2020-01-03 00:00:00");
    for text in [
        "2020-01-02T22:00:00Z",
        "2020-01-02T23:00:00.000+01:00",
        "2020-01-02 17:00-0500",
        "2020-01-03T07:00",
    ] {
        let [_, from, _] = resolved(Some(text), None, Interval::Hour, &tokyo);
        assert_eq!(from, "2020-01-03 07:00:00", "{text}");
    }
}

#[test]
fn now_is_a_moment_in_the_zone_of_the_project() {
    let phoenix = at_in("2020-01-04T03:00:00Z", "America/Phoenix");
    assert_eq!(
        days(Some("dStart"), None, Interval::Day, &phoenix),
        ["2020-01-03"]
    );
    assert_eq!(
        days(Some("dStart"), None, Interval::Hour, &phoenix).len(),
        21
    );
}

#[test]
fn the_lower_bound_widens_to_the_month_but_not_to_the_week() {
    let context = at_in("2020-08-01T00:00:00Z", "UTC");
    let lower = |from, interval| {
        let [lower, ..] = resolved(Some(from), Some("2020-07-30"), interval, &context);
        lower
    };
    assert_eq!(
        lower("2020-06-17 10:30", Interval::Month),
        "2020-06-01 00:00:00"
    );
    assert_eq!(
        lower("2020-06-17 10:30", Interval::Quarter),
        "2020-04-01 00:00:00"
    );
    assert_eq!(
        lower("2020-06-17 10:30", Interval::Week),
        "2020-06-17 00:00:00"
    );
    assert_eq!(
        lower("2020-06-17 10:30", Interval::Day),
        "2020-06-17 00:00:00"
    );
    assert_eq!(
        lower("2020-06-17 10:30", Interval::Hour),
        "2020-06-17 10:00:00"
    );
    assert_eq!(lower("-100h", Interval::Day), "2020-07-27 20:00:00");
}

#[test]
fn explicit_dates_are_taken_as_written() {
    let mut range = range(Some("2020-01-01 10:30"), Some("2020-01-02 11:45"));
    range.explicit = true;
    let context = at_in("2020-08-01T00:00:00Z", "UTC");
    let resolved = range
        .resolve(Reading::by(Interval::Month), &context, &Path::root())
        .unwrap();
    assert_eq!(
        shown(&resolved),
        [
            "2020-01-01 10:30:00",
            "2020-01-01 10:30:00",
            "2020-01-02 11:45:00"
        ]
    );
}

#[test]
fn all_starts_with_the_first_event() {
    let mut context = at_in("2020-04-30T10:20:00Z", "UTC");
    assert_eq!(
        days(Some("all"), None, Interval::Month, &context),
        ["2020-04-01"]
    );
    context.earliest = Some(
        "2020-02-10T05:00:00Z"
            .parse::<DateTime<Utc>>()
            .unwrap()
            .timestamp_micros(),
    );
    assert_eq!(
        days(Some("all"), None, Interval::Month, &context),
        ["2020-02-01", "2020-03-01", "2020-04-01"]
    );
    assert!(range(Some("all"), None).starts_with_first_event());
}

#[test]
fn buckets_stay_aligned_where_the_clock_changes() {
    let berlin = at_in("2024-11-02T12:00:00Z", "Europe/Berlin");
    let path = Path::root();
    let range = range(Some("2024-10-26"), Some("2024-10-28"))
        .resolve(Reading::by(Interval::Day), &berlin, &path)
        .unwrap();
    let period = Period::in_buckets(&range, Interval::Day, &berlin, &path).unwrap();
    let hours: Vec<i64> = period
        .edges
        .windows(2)
        .map(|edge| (edge[1] - edge[0]) / 3_600_000_000)
        .collect();
    assert_eq!(hours, [24, 25, 24]);
    assert_eq!(period.days, ["2024-10-26", "2024-10-27", "2024-10-28"]);
}

#[test]
fn an_hour_that_the_clock_skips_has_no_bucket_and_one_shown_twice_has_one() {
    let berlin = at_in("2024-11-02T12:00:00Z", "Europe/Berlin");
    let hours = |day: &str| {
        days(
            Some(day),
            Some(&format!("{day} 23:59:59")),
            Interval::Hour,
            &berlin,
        )
    };
    assert_eq!(hours("2024-03-31").len(), 23);
    assert!(!hours("2024-03-31").contains(&"2024-03-31 02:00:00".to_owned()));
    assert_eq!(hours("2024-10-27").len(), 24);
}

#[test]
fn labels_of_weeks_are_clipped_to_the_range() {
    let path = Path::root();
    let mut context = at_in("2020-01-20T00:00:00Z", "UTC");
    context.week_start = WeekStart::Sunday;
    let labels = |from, to, interval| {
        let range = range(Some(from), Some(to))
            .resolve(Reading::by(interval), &context, &path)
            .unwrap();
        Period::in_buckets(&range, interval, &context, &path)
            .unwrap()
            .labels
    };
    assert_eq!(
        labels("2019-11-27", "2019-12-08", Interval::Week),
        ["27–30 Nov", "1–7 Dec", "8-Dec-2019"]
    );
    assert_eq!(
        labels("2019-12-29", "2020-01-04", Interval::Week),
        ["29-Dec-2019 – 4-Jan-2020"]
    );
    assert_eq!(
        labels("2020-03-29", "2020-04-04", Interval::Week),
        ["29-Mar – 4-Apr"]
    );
    assert_eq!(
        labels("2020-01-04", "2020-01-04", Interval::Day),
        ["4-Jan-2020"]
    );
    assert_eq!(
        labels("2020-01-04 13:00", "2020-01-04 13:00", Interval::Minute),
        ["4-Jan 13:00"]
    );
    assert_eq!(
        labels("2020-01-04", "2020-01-04", Interval::Month),
        ["Jan 2020"]
    );
    assert_eq!(
        labels("2020-05-04", "2020-05-04", Interval::Quarter),
        ["Q2 2020"]
    );
}

#[test]
fn impossible_ranges_are_refused_with_their_place() {
    assert!(
        refused("2020-02-30", None, Interval::Day)
            .starts_with("dateRange.date_from: there is no such date")
    );
    assert!(
        refused("-99999y", None, Interval::Day).starts_with("dateRange.date_from: reaches outside")
    );
    assert!(
        refused("-99999999999999999999m", None, Interval::Day).starts_with("dateRange.date_from: ")
    );
    assert!(
        refused("-99999999999999999999h", None, Interval::Day).starts_with("dateRange.date_from: ")
    );
    assert!(
        refused("2021-01-01", None, Interval::Day).starts_with("dateRange: starts at 2021-01-01")
    );
    assert!(
        refused("0001-01-01", Some("9999-12-31"), Interval::Minute)
            .contains("narrow the range or take a larger interval")
    );
    assert!(
        refused("0001-01-01", Some("9999-12-31"), Interval::Day).contains("buckets of one day")
    );
}

#[test]
fn the_end_of_the_calendar_is_reached_without_harm() {
    let context = at_in("2020-01-04T13:01:01Z", "Pacific/Kiritimati");
    assert_eq!(
        days(
            Some("9999-12-31"),
            Some("9999-12-31"),
            Interval::Month,
            &context
        ),
        ["9999-12-01"]
    );
    assert_eq!(
        days(
            Some("0001-01-01"),
            Some("0001-01-01"),
            Interval::Week,
            &context
        )
        .len(),
        1
    );
}

#[test]
fn what_is_no_date_at_all_is_now() {
    assert_eq!(from("?!", Interval::Day), "2020-01-04 13:01:01");
}

fn previous(from: &str, to: Option<&str>, interval: Interval, now: &str) -> [String; 3] {
    let context = at(now);
    let path = Path::root();
    let range = range(Some(from), to);
    let current = range
        .resolve(Reading::by(interval), &context, &path)
        .unwrap();
    shown(
        &range
            .before(&current, Reading::by(interval), interval, &context, &path)
            .unwrap(),
    )
}

#[test]
fn the_previous_period_is_as_long_and_ends_where_this_one_starts() {
    assert_eq!(
        previous(
            "2020-01-09",
            Some("2020-01-20"),
            Interval::Day,
            "2020-01-21T00:00:00Z"
        )[1..],
        ["2019-12-28 00:00:00", "2020-01-08 23:59:59"]
    );
    assert_eq!(
        previous("dStart", None, Interval::Hour, "2020-01-04T13:01:01Z")[1..],
        ["2020-01-03 00:00:00", "2020-01-03 13:59:59"]
    );
    assert_eq!(
        previous(
            "2020-01-04 10:00",
            Some("2020-01-04 11:00"),
            Interval::Minute,
            "2020-01-04T13:01:01Z"
        )[1..],
        ["2020-01-04 09:00:00", "2020-01-04 10:00:00"]
    );
}

#[test]
fn seven_days_compare_with_eight_that_share_one() {
    assert_eq!(
        previous("-7d", None, Interval::Day, "2020-01-04T13:00:01Z")[1..],
        ["2019-12-21 00:00:00", "2019-12-28 23:59:59"]
    );
    assert_eq!(
        previous("-7d", None, Interval::Week, "2020-01-04T13:00:01Z")[1..],
        ["2019-12-20 00:00:00", "2019-12-27 23:59:59"]
    );
}

#[test]
fn compare_to_goes_back_from_the_start() {
    let context = at_in("2020-01-21T00:00:00Z", "UTC");
    let path = Path::root().field("compareFilter").field("compare_to");
    let range = range(Some("2020-01-15"), Some("2020-01-19"));
    let current = range
        .resolve(Reading::by(Interval::Day), &context, &path)
        .unwrap();
    let earlier =
        |text| range.earlier_by(text, &current, Reading::by(Interval::Day), &context, &path);
    assert_eq!(
        shown(&earlier("-1w").unwrap())[1..],
        ["2020-01-08 00:00:00", "2020-01-12 23:59:59"]
    );
    assert_eq!(
        shown(&earlier("-1m").unwrap())[1..],
        ["2019-12-15 00:00:00", "2019-12-19 23:59:59"]
    );
    assert!(
        earlier("last week")
            .unwrap_err()
            .to_string()
            .starts_with("compareFilter.compare_to: ")
    );
}

#[test]
fn minutes_and_hours_that_the_clock_skips_have_no_bucket() {
    let berlin = at_in("2024-04-02T12:00:00Z", "Europe/Berlin");
    let minutes = days(
        Some("2024-03-31 01:58:00"),
        Some("2024-03-31 03:01:00"),
        Interval::Minute,
        &berlin,
    );
    let shown: Vec<&str> = minutes.iter().map(|day| &day[11..16]).collect();
    assert_eq!(shown, ["01:58", "01:59", "03:00", "03:01"]);
    let apia = at_in("2012-01-05T12:00:00Z", "Pacific/Apia");
    let hours = days(
        Some("2011-12-29 22:00:00"),
        Some("2011-12-31 01:00:00"),
        Interval::Hour,
        &apia,
    );
    let shown: Vec<&str> = hours.iter().map(|day| &day[8..16]).collect();
    assert_eq!(shown, ["29 22:00", "29 23:00", "31 00:00", "31 01:00"]);
}
