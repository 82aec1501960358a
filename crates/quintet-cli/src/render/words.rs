//! Figures with their unit, as people read them: shares and lengths of time.

use super::text::figure;

/// What figures are measured in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Nothing: counts, sums and the like.
    Plain,
    /// Hundredths.
    Percent,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// A figure for reading; nothing for no figure.
    pub(crate) fn text(self, value: f64) -> String {
        match self {
            Self::Plain => figure(value),
            Self::Percent => percent(value),
            Self::Seconds => duration(value),
        }
    }

    /// What the head of a column of bare figures says about them.
    pub(crate) fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Percent => " (%)",
            Self::Seconds => " (s)",
        }
    }
}

/// A share of a hundred with at most one decimal. Only nothing reads as 0, and only everything as 100.
pub(crate) fn percent(value: f64) -> String {
    rounded_percent(value, 10.0)
}

/// The same without decimals.
pub(crate) fn whole_percent(value: f64) -> String {
    rounded_percent(value, 1.0)
}

fn rounded_percent(value: f64, steps: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    let (least, most) = (1.0 / steps, 100.0 - 1.0 / steps);
    let rounded = (value * steps).round() / steps;
    if value > 0.0 && rounded == 0.0 {
        format!("<{}%", figure(least))
    } else if value < 100.0 && rounded == 100.0 {
        format!(">{}%", figure(most))
    } else {
        format!("{}%", figure(rounded))
    }
}

/// The share of a part in a whole, in percent; not a number where there is no whole.
pub(crate) fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 {
        part / whole * 100.0
    } else {
        f64::NAN
    }
}

/// Seconds of each unit of time, from the largest.
const UNITS: [(f64, &str); 4] = [(86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s")];

/// A length of time in its two largest units, such as `2 d 4 h`.
pub(crate) fn duration(seconds: f64) -> String {
    in_units(seconds, 2)
}

/// Lengths of time, in as many units as it takes to tell them apart.
pub(crate) fn durations(seconds: &[f64]) -> Vec<String> {
    let texts =
        |parts| -> Vec<String> { seconds.iter().map(|one| in_units(*one, parts)).collect() };
    let are_distinct = |texts: &Vec<String>| texts.windows(2).all(|pair| pair[0] != pair[1]);
    (2..UNITS.len())
        .map(texts)
        .find(are_distinct)
        .unwrap_or_else(|| texts(UNITS.len()))
}

/// At most so many units, from the largest that the time fills. Rounding may carry it into a larger one.
fn in_units(seconds: f64, parts: usize) -> String {
    if !seconds.is_finite() {
        return String::new();
    }
    for (largest, (size, _)) in UNITS.iter().enumerate() {
        let units = &UNITS[largest..UNITS.len().min(largest + parts)];
        let last = units.last().map_or(1.0, |(size, _)| *size);
        let rounded = (seconds / last).round() * last;
        if rounded >= *size && rounded >= 60.0 {
            return spelled(rounded, units);
        }
    }
    if seconds > 0.0 && seconds < 0.1 {
        return "<0.1 s".into();
    }
    format!("{} s", figure((seconds * 10.0).round() / 10.0))
}

fn spelled(seconds: f64, units: &[(f64, &str)]) -> String {
    let mut rest = seconds;
    let mut words = Vec::new();
    for (size, name) in units {
        let number = (rest / size).floor();
        rest -= number * size;
        if number > 0.0 {
            words.push(format!("{} {name}", figure(number)));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_nothing_reads_as_0_and_only_everything_as_100_percent() {
        let read = [0.0, 0.04, 100.0 / 3.0, 75.0, 99.96, 100.0, 250.0, f64::NAN].map(percent);
        assert_eq!(
            read,
            ["0%", "<0.1%", "33.3%", "75%", ">99.9%", "100%", "250%", ""]
        );
        assert_eq!([0.4, 66.6, 99.7].map(whole_percent), ["<1%", "67%", ">99%"]);
    }

    #[test]
    fn times_are_told_in_their_two_largest_units() {
        let read = [
            0.0, 0.01, 12.34, 59.96, 60.0, 3599.6, 5400.0, 187_200.0, 86_399.9, 1e9,
        ]
        .map(duration);
        assert_eq!(
            read,
            [
                "0 s",
                "<0.1 s",
                "12.3 s",
                "1 min",
                "1 min",
                "1 h",
                "1 h 30 min",
                "2 d 4 h",
                "1 d",
                "11,574 d 2 h"
            ]
        );
        assert_eq!(
            [f64::NAN, f64::INFINITY, -90.0].map(duration),
            ["", "", "-90 s"]
        );
    }

    #[test]
    fn times_close_to_one_another_get_more_units() {
        assert_eq!(durations(&[86_400.0, 90_000.0]), ["1 d", "1 d 1 h"]);
        assert_eq!(
            durations(&[86_400.0, 86_460.0, 86_520.0]),
            ["1 d", "1 d 1 min", "1 d 2 min"]
        );
        assert_eq!(durations(&[86_400.0, 86_401.0]), ["1 d", "1 d 1 s"]);
    }

    #[test]
    fn shares_of_nothing_are_no_figures() {
        assert_eq!(share(1.0, 4.0), 25.0);
        assert!(share(0.0, 0.0).is_nan());
    }
}
