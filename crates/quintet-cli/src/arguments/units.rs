//! Sizes, times, instants and pairs as the command line writes them.

use std::time::Duration;

/// The two names of `event=action`; theirs may hold further `=`.
pub(super) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((ours, theirs)) if !ours.is_empty() && !theirs.is_empty() => {
            Ok((ours.to_owned(), theirs.to_owned()))
        }
        _ => Err(format!(
            "`{text}` is no pair of names; write it like event=action"
        )),
    }
}

/// Bytes of `512MB`, `2GiB` or a bare number.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let wrong = || {
        format!(
            "`{text}` is no size; write a number of bytes, or one with KB, MB, GB, KiB, MiB or GiB"
        )
    };
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == ' ');
    let unit: usize = match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1_000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(wrong()),
    };
    let number: usize = digits.parse().map_err(|_| wrong())?;
    number
        .checked_mul(unit)
        .filter(|bytes| *bytes > 0)
        .ok_or_else(wrong)
}

/// The time that `7d`, `12h`, `30m` or `90s` is.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write a number and d, h, m or s, such as 7d");
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit: u64 = match text[digits.len()..].trim() {
        "d" => 24 * 3600,
        "h" => 3600,
        "m" => 60,
        "s" => 1,
        _ => return Err(wrong()),
    };
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(unit).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

/// Microseconds since 1970 of an RFC 3339 instant such as `2024-01-31T12:00:00.5Z` or `…+02:00`.
pub(super) fn instant(text: &str) -> Result<i64, String> {
    rfc3339(text)
        .ok_or_else(|| format!("`{text}` is no instant; write it like 2024-01-31T12:00:00Z"))
}

fn rfc3339(text: &str) -> Option<i64> {
    let (date, time) = text.split_at_checked(10)?;
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (year, month, day) = (
        number(date, 0..4)?,
        number(date, 5..7)?,
        number(date, 8..10)?,
    );
    let marks = date.as_bytes()[4] == b'-' && date.as_bytes()[7] == b'-';
    let (hour, minute, second) = (
        number(time, 0..2)?,
        number(time, 3..5)?,
        number(time, 6..8)?,
    );
    let colons = time.as_bytes()[2] == b':' && time.as_bytes()[5] == b':';
    let valid = (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !(marks && colons && valid) {
        return None;
    }
    let rest = time.get(8..)?;
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (fraction, zone) = rest.split_at(zone_at);
    let seconds = (days_since_1970(year, month, day) * 24 + hour) * 3600 + minute * 60 + second
        - offset(zone)?;
    Some(seconds * 1_000_000 + micros(fraction)?)
}

fn number(text: &str, range: std::ops::Range<usize>) -> Option<i64> {
    let digits = text.get(range)?;
    digits
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| digits.parse().ok())?
}

fn micros(fraction: &str) -> Option<i64> {
    if fraction.is_empty() {
        return Some(0);
    }
    let digits = fraction
        .strip_prefix('.')
        .filter(|digits| !digits.is_empty())?;
    number(&format!("{digits:0<6}"), 0..6).filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = (number(zone, 1..3)?, number(zone, 4..6)?);
    let valid = zone.len() == 6 && zone.as_bytes()[3] == b':' && hours < 24 && minutes < 60;
    valid.then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_of(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar; years are counted from March, so that a leap day ends one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        let seconds = |text| duration(text).map(|time| time.as_secs());
        assert_eq!(
            [seconds("7d"), seconds("12 h"), seconds("3m"), seconds("0s")],
            [Ok(604_800), Ok(43_200), Ok(180), Ok(0)]
        );
        for wrong in [
            "",
            "7",
            "d",
            "-1d",
            "1.5h",
            "1w",
            "99999999999999999999d",
            "18446744073709551615d",
            "7é",
        ] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn sizes_have_units() {
        assert_eq!(
            [bytes("1"), bytes("512MB"), bytes("2 GiB"), bytes("3k")],
            [Ok(1), Ok(512_000_000), Ok(2 << 30), Ok(3000)]
        );
        for wrong in [
            "",
            "MB",
            "0",
            "-1",
            "1.5GB",
            "1 potato",
            "99999999999999999999",
            "18446744073709551615GB",
        ] {
            assert!(bytes(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn pairs_have_two_names() {
        let names = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
        assert_eq!(
            [pair("event=name"), pair("a=b=c")],
            [names("event", "name"), names("a", "b=c")]
        );
        assert!(
            [pair("event"), pair("=x"), pair("x="), pair("")]
                .iter()
                .all(Result::is_err)
        );
    }

    #[test]
    fn instants_are_rfc_3339() {
        assert_eq!(instant("1970-01-01T00:00:00Z"), Ok(0));
        assert_eq!(
            instant("2024-02-29T12:34:56.789Z"),
            Ok(1_709_210_096_789_000)
        );
        assert_eq!(
            instant("2024-02-29T12:34:56+02:00"),
            Ok(1_709_202_896_000_000)
        );
        assert_eq!(
            instant("1969-12-31 23:59:59.000001-00:30"),
            Ok(1_799_000_001)
        );
        for wrong in [
            "",
            "2024-02-30T00:00:00Z",
            "2024-01-01",
            "2024-01-01T00:00:00",
            "2024-01-01T00:00:00.Z",
            "2024-01-01T00:00:00+2",
            "éééééééééé",
        ] {
            assert!(instant(wrong).is_err(), "{wrong}");
        }
    }
}
