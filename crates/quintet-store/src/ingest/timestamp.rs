//! When an event happened: the texts that are understood, and the rules on the clock of receipt.

use chrono::{DateTime, NaiveDate, NaiveDateTime};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
/// An event may lie this far ahead of the clock of receipt.
const FUTURE: i64 = 23 * HOUR;
/// 0000-01-01 and 10000-01-01 in microseconds: what lies outside becomes 1970.
const YEARS: std::ops::Range<i64> = -62_167_219_200 * SECOND..253_402_300_800 * SECOND;

/// What a message says about its time, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    /// The clock of receipt.
    pub(crate) now: Option<i64>,
    /// When the client sent the batch, by the client's clock.
    pub(crate) sent_at: Option<i64>,
    /// How many milliseconds before its receipt the event happened.
    pub(crate) offset: Option<i64>,
    /// The event's own timestamp, if it is readable.
    pub(crate) timestamp: Option<i64>,
}

/// A resolved time, and whether a rule has put it in place of the one that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resolved {
    pub(crate) timestamp: i64,
    pub(crate) replaced: bool,
}

impl Clock {
    /// The event's time by the five rules of the note on capture messages; none when there is
    /// neither a readable timestamp nor a clock of receipt.
    pub(crate) fn resolve(self) -> Option<Resolved> {
        let sent = match (self.offset, self.now, self.timestamp) {
            (Some(offset), Some(now), _) => now.saturating_sub(offset.saturating_mul(1000)),
            (_, Some(now), Some(timestamp)) => match self.sent_at {
                Some(sent_at) => timestamp.saturating_sub(sent_at.saturating_sub(now)),
                None => timestamp,
            },
            (_, None, Some(timestamp)) => timestamp,
            (_, Some(now), None) => now,
            (_, None, None) => return None,
        };
        let timestamp = match self.now {
            Some(now) if sent > now.saturating_add(FUTURE) => now,
            _ => sent,
        };
        let timestamp = if YEARS.contains(&timestamp) {
            timestamp
        } else {
            0
        };
        Some(Resolved {
            timestamp,
            replaced: timestamp != sent,
        })
    }
}

/// Reads a time in any of the formats that capture takes; texts without a zone are UTC.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let text = text.trim();
    iso(text)
        .or_else(|| number(text))
        .or_else(|| calendar(text))
        .or_else(|| Some(DateTime::parse_from_rfc2822(text).ok()?.timestamp_micros()))
}

/// `YYYY-MM-DD`, alone or with `T` or a space, a time, a fraction and a zone (`Z`, `±HH`, `±HHMM`, `±HH:MM`).
fn iso(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.get(4) != Some(&b'-') || bytes.get(7) != Some(&b'-') {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(
        digits(bytes, 0..4)? as i32,
        digits(bytes, 5..7)?,
        digits(bytes, 8..10)?,
    )?;
    let midnight = date.and_hms_opt(0, 0, 0)?.and_utc().timestamp() * SECOND;
    if bytes.len() == 10 {
        return Some(midnight);
    }
    if !matches!(bytes[10], b'T' | b't' | b' ') || bytes.get(13) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (digits(bytes, 11..13)?, digits(bytes, 14..16)?);
    let (second, mut at) = match bytes.get(16) {
        Some(b':') => (digits(bytes, 17..19)?, 19),
        _ => (0, 16),
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let mut micros = 0;
    if matches!(bytes.get(at), Some(b'.' | b',')) {
        let mut unit = SECOND / 10;
        let first = at + 1;
        at = first;
        while let Some(digit) = bytes.get(at).filter(|b| b.is_ascii_digit()) {
            micros += i64::from(digit - b'0') * unit;
            unit /= 10;
            at += 1;
        }
        if at == first {
            return None;
        }
    }
    let time = i64::from(hour * 3600 + minute * 60 + second) * SECOND + micros;
    Some(midnight + time - zone(text.get(at..)?.trim_start())?)
}

/// The offset of a zone from UTC.
fn zone(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    let sign = match bytes.first() {
        None | Some(b'Z' | b'z') if bytes.len() <= 1 => return Some(0),
        Some(b'+') => 1,
        Some(b'-') => -1,
        _ if text.eq_ignore_ascii_case("UTC") => return Some(0),
        _ => return None,
    };
    let minutes = match bytes.len() {
        3 => 0,
        5 => digits(bytes, 3..5)?,
        6 if bytes[3] == b':' => digits(bytes, 4..6)?,
        _ => return None,
    };
    let hours = digits(bytes, 1..3)?;
    (hours < 24 && minutes < 60)
        .then(|| sign * (i64::from(hours) * HOUR + i64::from(minutes) * 60 * SECOND))
}

/// Seconds since 1970, or milliseconds or microseconds where the number is too large for seconds.
fn number(text: &str) -> Option<i64> {
    const MILLISECONDS_FROM: f64 = 1e11;
    const MICROSECONDS_FROM: f64 = 1e14;
    if !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-')) {
        return None;
    }
    let value: f64 = text.parse().ok()?;
    let unit = match value.abs() {
        v if v >= MICROSECONDS_FROM => 1.0,
        v if v >= MILLISECONDS_FROM => 1e3,
        _ => 1e6,
    };
    Some((value * unit).round() as i64)
}

/// Dates with slashes, year first or, as in America, month first; a time may follow.
fn calendar(text: &str) -> Option<i64> {
    const DATES: [&str; 2] = ["%Y/%m/%d", "%m/%d/%Y"];
    if !text.contains('/') {
        return None;
    }
    let time = |format: &str| {
        let dated = NaiveDate::parse_from_str(text, format).ok();
        dated.and_then(|d| d.and_hms_opt(0, 0, 0)).or_else(|| {
            let format = format!("{format} %H:%M:%S%.f");
            NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), &format).ok()
        })
    };
    let found = DATES.iter().find_map(|format| time(format))?;
    Some(found.and_utc().timestamp_micros())
}

fn digits(bytes: &[u8], range: std::ops::Range<usize>) -> Option<u32> {
    bytes.get(range)?.iter().try_fold(0, |value, b| {
        b.is_ascii_digit().then(|| value * 10 + u32::from(b - b'0'))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    fn micros(rfc3339: &str) -> i64 {
        DateTime::parse_from_rfc3339(rfc3339)
            .unwrap()
            .timestamp_micros()
    }

    #[test]
    fn all_formats_of_capture_are_understood() {
        for (text, instant) in [
            ("2025-09-17T14:05:04.805Z", "2025-09-17T14:05:04.805Z"),
            ("2025-09-17T14:05:04.805-05:00", "2025-09-17T19:05:04.805Z"),
            ("2025-09-17T14:05:04.805+03", "2025-09-17T11:05:04.805Z"),
            ("2025-09-17T14:05:04+0330", "2025-09-17T10:35:04Z"),
            ("2025-09-17T14:05:04.1234567", "2025-09-17T14:05:04.123456Z"),
            ("2025-09-17 14:05:04", "2025-09-17T14:05:04Z"),
            ("2025-09-17 14:05:04.5 UTC", "2025-09-17T14:05:04.5Z"),
            ("2025-09-17T14:05Z", "2025-09-17T14:05:00Z"),
            ("2025-09-17", "2025-09-17T00:00:00Z"),
            ("2025/09/17", "2025-09-17T00:00:00Z"),
            ("09/17/2025 14:05:04", "2025-09-17T14:05:04Z"),
            ("Wed, 17 Sep 2025 14:05:04 +0200", "2025-09-17T12:05:04Z"),
            ("1758117904", "2025-09-17T14:05:04Z"),
            ("1758117904805", "2025-09-17T14:05:04.805Z"),
            ("1758117904.805", "2025-09-17T14:05:04.805Z"),
        ] {
            assert_eq!(parse(text), Some(micros(instant)), "{text}");
        }
        for text in [
            "",
            "not a date",
            "2025-13-01",
            "2025-02-30",
            "2025-01-01T25:00:00Z",
            "2025-01-01T",
            "2025-01-01T10:00:00+99",
            "2025-01-01T10:00:00.Z",
            "20é5-01-01",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    fn clock(now: &str, timestamp: &str) -> Clock {
        Clock {
            now: Some(micros(now)),
            timestamp: Some(micros(timestamp)),
            ..Clock::default()
        }
    }

    fn at(clock: Clock) -> i64 {
        clock.resolve().unwrap().timestamp
    }

    #[test]
    fn the_offset_wins_over_everything() {
        let clock = Clock {
            offset: Some(5000),
            sent_at: Some(0),
            ..clock("2023-01-01T12:00:00Z", "2023-01-01T11:00:00Z")
        };
        assert_eq!(at(clock), micros("2023-01-01T11:59:55Z"));
    }

    #[test]
    fn the_skew_between_sent_at_and_receipt_is_taken_off() {
        let clock = Clock {
            sent_at: Some(micros("2023-01-01T12:00:10Z")),
            ..clock("2023-01-01T12:00:00Z", "2023-01-01T11:00:00Z")
        };
        assert_eq!(at(clock), micros("2023-01-01T10:59:50Z"));
    }

    #[test]
    fn twenty_three_hours_ahead_is_kept_and_more_is_not() {
        assert_eq!(
            at(clock("2023-01-01T00:00:00Z", "2023-01-01T23:00:00Z")),
            micros("2023-01-01T23:00:00Z")
        );
        assert_eq!(
            at(clock("2023-01-01T00:00:00Z", "2023-01-01T23:00:00.001Z")),
            micros("2023-01-01T00:00:00Z")
        );
    }

    #[test]
    fn without_a_clock_of_receipt_only_the_timestamp_counts() {
        let clock = Clock {
            now: None,
            offset: Some(1),
            sent_at: Some(0),
            ..clock("2023-01-01T00:00:00Z", "2030-01-01T00:00:00Z")
        };
        assert_eq!(at(clock), micros("2030-01-01T00:00:00Z"));
        assert_eq!(Clock::default().resolve(), None);
    }

    #[test]
    fn years_that_cannot_be_written_become_1970() {
        let clock = Clock {
            timestamp: Some(i64::MIN),
            ..Clock::default()
        };
        assert_eq!(at(clock), 0);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = parse(&text);
        }

        #[test]
        fn what_rfc_3339_writes_is_read_back(micros in -62_000_000_000_000_000i64..253_000_000_000_000_000) {
            let text = DateTime::from_timestamp_micros(micros).unwrap().to_rfc3339();
            prop_assert_eq!(parse(&text), Some(micros));
        }
    }
}
