//! Where an axis has its ticks: round figures upwards, dates that do not overlap along the bottom.

/// The ticks of a scale that holds 0 and all figures: steps of 1, 2 or 5 times a power of ten.
///
/// `whole` keeps the steps of counts from falling below 1.
pub(super) fn round_ticks(low: f64, high: f64, whole: bool, at_most: usize) -> Vec<f64> {
    let (low, high) = (low.min(0.0), high.max(0.0));
    let span = if high > low { high - low } else { 1.0 };
    let mut step = 10f64.powf((span / at_most as f64).log10().floor());
    for factor in [1.0, 2.0, 5.0, 10.0] {
        if span / (step * factor) <= at_most as f64 {
            step *= factor;
            break;
        }
    }
    if whole {
        step = step.max(1.0);
    }
    let first = (low / step).floor();
    let last = ((high / step).ceil()).max(first + 1.0);
    (0..=(last - first) as usize)
        .map(|i| (first + i as f64) * step)
        .collect()
}

/// The buckets that get a date under the axis, with the text of each, for `room` columns in all.
pub(super) fn dates(days: &[String], room: usize) -> Vec<(usize, String)> {
    let unit = Unit::of(days);
    let text = |day: &String| unit.text(day);
    let widest = days
        .iter()
        .map(|day| text(day).chars().count())
        .max()
        .unwrap_or(1);
    let at_most = (room / (widest + 3)).max(1);
    let strides = unit.strides();
    let fits = |stride: &&usize| days.len().div_ceil(**stride) <= at_most;
    let stride = strides
        .iter()
        .find(fits)
        .copied()
        .unwrap_or_else(|| days.len().div_ceil(at_most));
    let offset = unit.offset(days, stride);
    let chosen = (offset..days.len()).step_by(stride);
    chosen.map(|i| (i, text(&days[i]))).collect()
}

/// The text of one bucket, as short as the axis has it.
pub(super) fn date(days: &[String], bucket: usize) -> Option<String> {
    days.get(bucket).map(|day| Unit::of(days).text(day))
}

/// What the buckets are, as far as their texts tell.
#[derive(Clone, Copy, PartialEq)]
enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
}

impl Unit {
    fn of(days: &[String]) -> Self {
        let ends = |end: &str| days.iter().all(|day| day.ends_with(end));
        match days {
            [first, ..] if first.len() > 10 && ends(":00:00") => Self::Hour,
            [first, ..] if first.len() > 10 => Self::Minute,
            [first, second, ..] => match day_number(second) - day_number(first) {
                89.. if ends("-01") => Self::Quarter,
                28.. if ends("-01") => Self::Month,
                7 => Self::Week,
                _ => Self::Day,
            },
            _ => Self::Day,
        }
    }

    /// Steps between dates that people count in.
    fn strides(self) -> &'static [usize] {
        match self {
            Self::Minute => &[1, 2, 5, 10, 15, 30, 60, 120, 360, 720, 1440],
            Self::Hour => &[1, 2, 3, 6, 12, 24, 48, 168],
            Self::Day => &[1, 2, 7, 14, 28, 91, 182, 364],
            Self::Week => &[1, 2, 4, 13, 26, 52],
            Self::Month => &[1, 2, 3, 6, 12, 24, 60, 120],
            Self::Quarter => &[1, 2, 4, 8, 20, 40],
        }
    }

    /// The first bucket to be named, so that strides of months and hours fall on January and midnight.
    fn offset(self, days: &[String], stride: usize) -> usize {
        let number = |day: &String| match self {
            Self::Month => part(day, 5..7).saturating_sub(1),
            Self::Quarter => part(day, 5..7).saturating_sub(1) / 3,
            Self::Hour => part(day, 11..13),
            Self::Minute => part(day, 14..16),
            Self::Day | Self::Week => 0,
        };
        let cycle = match self {
            Self::Month => 12,
            Self::Quarter => 4,
            Self::Hour => 24,
            Self::Minute => 60,
            Self::Day | Self::Week => 1,
        };
        let round = stride.min(cycle);
        days.iter()
            .position(|day| number(day).is_multiple_of(round))
            .unwrap_or(0)
    }

    fn text(self, day: &str) -> String {
        let range = match self {
            Self::Minute | Self::Hour => 5..16,
            Self::Month | Self::Quarter => 0..7,
            Self::Day | Self::Week => 0..10,
        };
        day.get(range).unwrap_or(day).to_owned()
    }
}

fn part(day: &str, range: std::ops::Range<usize>) -> usize {
    day.get(range)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

/// Days since a fixed one, for the distance of two dates.
fn day_number(day: &str) -> i64 {
    let (year, month) = (part(day, 0..4) as i64, part(day, 5..7) as i64);
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    year * 365 + year / 4 - year / 100
        + year / 400
        + (month * 153 + 2) / 5
        + part(day, 8..10) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_hold_all_figures() {
        assert_eq!(round_ticks(3.0, 113.0, true, 5), [0.0, 50.0, 100.0, 150.0]);
        assert_eq!(
            round_ticks(0.0, 9.0, true, 5),
            [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]
        );
        assert_eq!(round_ticks(0.0, 1.0, true, 5), [0.0, 1.0]);
        assert_eq!(round_ticks(0.0, 1.0, false, 5).len(), 6);
        assert_eq!(
            round_ticks(-3.0, 2.0, true, 5),
            [-3.0, -2.0, -1.0, 0.0, 1.0, 2.0]
        );
        assert_eq!(round_ticks(0.0, 0.0, true, 5), [0.0, 1.0]);
        assert_eq!(
            round_ticks(f64::MAX / 2.0, f64::MAX, true, 5).first(),
            Some(&0.0)
        );
    }

    #[test]
    fn months_are_named_from_january_on() {
        let months: Vec<String> = (0..24)
            .map(|i| format!("{}-{:02}-01", 2023 + (i + 3) / 12, (i + 3) % 12 + 1))
            .collect();
        assert_eq!(
            dates(&months, 40),
            [
                (3, "2023-07".into()),
                (9, "2024-01".into()),
                (15, "2024-07".into()),
                (21, "2025-01".into())
            ]
            .map(|(i, _): (usize, String)| (i, months[i][..7].to_owned()))
        );
    }

    #[test]
    fn quarters_are_named_from_january_on() {
        let days: Vec<String> = (2..22)
            .map(|q| format!("{}-{:02}-01", 2020 + q / 4, q % 4 * 3 + 1))
            .collect();
        let named: Vec<String> = dates(&days, 60).into_iter().map(|(_, text)| text).collect();
        assert_eq!(
            named,
            ["2021-01", "2022-01", "2023-01", "2024-01", "2025-01"]
        );
    }

    #[test]
    fn hours_are_named_from_midnight_on_and_weeks_by_their_first_day() {
        let hours: Vec<String> = (0..24)
            .map(|h| format!("2024-01-01 {h:02}:00:00"))
            .collect();
        let named: Vec<usize> = dates(&hours, 60).into_iter().map(|(i, _)| i).collect();
        assert_eq!(named, [0, 6, 12, 18]);
        let weeks = ["2024-02-25", "2024-03-03", "2024-03-10"].map(String::from);
        assert_eq!(dates(&weeks, 100)[1], (1, "2024-03-03".into()));
    }

    #[test]
    fn texts_that_are_no_dates_are_taken_as_they_are() {
        let days = ["é", ""].map(String::from);
        assert_eq!(dates(&days, 100).len(), 2);
    }
}
