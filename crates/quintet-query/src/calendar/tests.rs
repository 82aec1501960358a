use super::*;

fn calendar(zone: &str) -> Calendar {
    Calendar {
        zone: zone.parse().unwrap(),
        week_start: WeekStart::Sunday,
    }
}

fn local(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

#[test]
fn a_repeated_hour_has_a_first_and_a_last_instant() {
    let berlin = calendar("Europe/Berlin");
    let twice = local("2024-10-27T02:30:00");
    assert_eq!(
        berlin.first_instant(twice).to_rfc3339(),
        "2024-10-27T02:30:00+02:00"
    );
    assert_eq!(
        berlin.last_instant(twice).to_rfc3339(),
        "2024-10-27T02:30:00+01:00"
    );
}

#[test]
fn a_skipped_hour_is_read_as_if_the_clock_had_not_changed() {
    let berlin = calendar("Europe/Berlin");
    assert_eq!(
        berlin
            .first_instant(local("2024-03-31T02:30:00"))
            .to_rfc3339(),
        "2024-03-31T03:30:00+02:00"
    );
}

#[test]
fn a_skipped_midnight_is_the_moment_of_the_change() {
    let beirut = calendar("Asia/Beirut");
    assert_eq!(
        beirut
            .first_instant(local("2022-03-27T00:00:00"))
            .to_rfc3339(),
        "2022-03-27T01:00:00+03:00"
    );
    let apia = calendar("Pacific/Apia");
    assert_eq!(
        apia.first_instant(local("2011-12-30T00:00:00")),
        apia.first_instant(local("2011-12-31T00:00:00"))
    );
}

#[test]
fn a_bucket_that_the_clock_skips_starts_at_the_moment_of_the_change() {
    let berlin = calendar("Europe/Berlin");
    for skipped in ["2024-03-31T02:00:00", "2024-03-31T02:30:00"] {
        assert_eq!(
            berlin.edge(local(skipped)).to_rfc3339(),
            "2024-03-31T03:00:00+02:00"
        );
    }
    let apia = calendar("Pacific/Apia");
    for skipped in ["2011-12-30T00:00:00", "2011-12-30T17:00:00"] {
        assert_eq!(
            apia.edge(local(skipped)),
            apia.edge(local("2011-12-31T00:00:00"))
        );
    }
    let shown = local("2024-03-31T01:59:00");
    assert_eq!(berlin.edge(shown), berlin.first_instant(shown));
}

#[test]
fn weeks_start_on_the_day_of_the_project() {
    let sunday = calendar("UTC");
    let monday = Calendar {
        week_start: WeekStart::Monday,
        ..sunday
    };
    let wednesday = local("2020-01-15T12:00:00");
    assert_eq!(
        sunday.start_of(Interval::Week, wednesday),
        local("2020-01-12T00:00:00")
    );
    assert_eq!(
        monday.start_of(Interval::Week, wednesday),
        local("2020-01-13T00:00:00")
    );
}

#[test]
fn quarters_start_in_january_april_july_and_october() {
    assert_eq!(
        calendar("UTC").start_of(Interval::Quarter, local("2020-06-30T23:59:59")),
        local("2020-04-01T00:00:00")
    );
}
