//! The conversion window as it is asked for. Rules: `spec/funnels.md` section 1.

/// How long after the entry the last step may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// How many of the units; 0 and less are 14.
    pub length: i64,
    /// Of what.
    pub unit: WindowUnit,
}

/// What a window is measured in. Units have one length: no calendar decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WindowUnit {
    /// A second.
    Second,
    /// 60 seconds.
    Minute,
    /// 60 minutes.
    Hour,
    /// 24 hours.
    #[default]
    Day,
    /// Seven days.
    Week,
    /// 31 days.
    Month,
}

pub(crate) const UNITS: &[(&str, WindowUnit)] = &[
    ("second", WindowUnit::Second),
    ("minute", WindowUnit::Minute),
    ("hour", WindowUnit::Hour),
    ("day", WindowUnit::Day),
    ("week", WindowUnit::Week),
    ("month", WindowUnit::Month),
];

const DEFAULT_LENGTH: i64 = 14;

impl Default for Window {
    fn default() -> Self {
        Self {
            length: DEFAULT_LENGTH,
            unit: WindowUnit::default(),
        }
    }
}

impl Window {
    /// Its length in microseconds.
    pub(super) fn micros(self) -> i64 {
        let length = if self.length > 0 {
            self.length
        } else {
            DEFAULT_LENGTH
        };
        self.unit.times(length)
    }
}

impl WindowUnit {
    /// So many of them in microseconds.
    pub(crate) const fn times(self, length: i64) -> i64 {
        length
            .saturating_mul(self.seconds())
            .saturating_mul(1_000_000)
    }

    const fn seconds(self) -> i64 {
        const DAY: i64 = 86_400;
        match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
            Self::Month => 31 * DAY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(length: i64, unit: WindowUnit) -> i64 {
        Window { length, unit }.micros() / 1_000_000
    }

    #[test]
    fn units_have_one_length() {
        assert_eq!(seconds(90, WindowUnit::Second), 90);
        assert_eq!(seconds(2, WindowUnit::Minute), 120);
        assert_eq!(seconds(2, WindowUnit::Hour), 7_200);
        assert_eq!(seconds(1, WindowUnit::Day), 86_400);
        assert_eq!(seconds(1, WindowUnit::Week), 604_800);
        assert_eq!(seconds(1, WindowUnit::Month), 2_678_400);
    }

    #[test]
    fn no_length_is_fourteen() {
        assert_eq!(seconds(0, WindowUnit::Hour), 14 * 3_600);
        assert_eq!(seconds(-1, WindowUnit::Hour), 14 * 3_600);
        assert_eq!(Window::default().micros(), 14 * 86_400 * 1_000_000);
    }

    #[test]
    fn a_window_beyond_all_time_is_the_longest_there_is() {
        let longest = Window {
            length: i64::MAX,
            unit: WindowUnit::Month,
        };
        assert_eq!(longest.micros(), i64::MAX);
    }
}
