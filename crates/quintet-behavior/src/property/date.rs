//! Reading dates that stand in properties.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

/// The instant, in microseconds since 1970 in UTC, that a text or a Unix time stands for.
///
/// Accepts RFC 3339, the same with spaces, without colon in the zone or without zone (then UTC), `YYYY-MM-DD` (midnight UTC), RFC 2822, and Unix
/// seconds (up to eleven digits) or milliseconds.
pub fn parse_date(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.timestamp_micros());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f %#z"] {
        if let Ok(at) = DateTime::parse_from_str(text, format) {
            return Some(at.timestamp_micros());
        }
    }
    for format in [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
    ] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, format) {
            return Some(at.and_utc().timestamp_micros());
        }
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return date
            .and_hms_opt(0, 0, 0)
            .map(|at| at.and_utc().timestamp_micros());
    }
    if let Ok(at) = DateTime::parse_from_rfc2822(text) {
        return Some(at.timestamp_micros());
    }
    unix_time(text)
}

fn unix_time(text: &str) -> Option<i64> {
    let number = super::number(text)?;
    let seconds = if number.abs() < 1e11 {
        number
    } else {
        number / 1e3
    };
    let in_range = seconds.abs() < 253_402_300_800.0; // the year 10,000
    in_range.then_some((seconds * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::parse_date;

    #[test]
    fn one_instant_in_many_spellings() {
        let expected = Some(1_612_224_000_000_000);
        for text in [
            "2021-02-02T00:00:00Z",
            "2021-02-02T01:00:00+01:00",
            "2021-02-02 01:00:00+01:00",
            "2021-02-02 01:00:00 +01:00",
            "2021-02-02T01:00:00.000+0100",
            "2021-02-02 00:00:00",
            "2021-02-02",
            "1612224000",
            "1612224000000",
            "Tue, 02 Feb 2021 00:00:00 +0000",
        ] {
            assert_eq!(parse_date(text), expected, "{text}");
        }
    }

    #[test]
    fn other_text_is_no_date() {
        for text in ["", "yesterday", "2021-13-40", "1e300"] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }
}
