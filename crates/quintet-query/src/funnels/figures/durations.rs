//! Lengths of time, of which averages and medians are shown.

/// Microseconds per second.
const SECOND: u64 = 1_000_000;

/// Lengths of time in microseconds, each kept; what is made of them is in seconds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Durations(Vec<u64>);

impl Durations {
    pub(crate) fn add(&mut self, micros: u64) {
        self.0.push(micros);
    }

    pub(crate) fn append(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The average; none of nothing.
    pub(crate) fn mean(&self) -> Option<f64> {
        let sum: u128 = self.0.iter().copied().map(u128::from).sum();
        (!self.0.is_empty()).then(|| sum as f64 / self.0.len() as f64 / SECOND as f64)
    }

    /// The one in the middle, or the mean of the two there; none of nothing. Reorders them.
    pub(crate) fn median(&mut self) -> Option<f64> {
        let all = self.0.len();
        if all == 0 {
            return None;
        }
        let (below, upper, _) = self.0.select_nth_unstable(all / 2);
        let lower = below.iter().max().filter(|_| all.is_multiple_of(2));
        let lower = lower.unwrap_or(upper);
        let both = u128::from(*lower) + u128::from(*upper);
        Some(both as f64 / (2 * SECOND) as f64)
    }

    /// Each without its fraction of a second.
    pub(crate) fn whole_seconds(&self) -> impl Iterator<Item = u64> {
        self.0.iter().map(|micros| micros / SECOND)
    }

    /// The shortest rounded down and the longest rounded up, in whole seconds.
    pub(crate) fn range(&self) -> Option<(u64, u64)> {
        let shortest = self.0.iter().min()?;
        let longest = self.0.iter().max()?;
        Some((shortest / SECOND, longest.div_ceil(SECOND)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(all: &[u64]) -> Durations {
        Durations(all.iter().map(|seconds| seconds * SECOND).collect())
    }

    #[test]
    fn a_median_is_the_middle_or_lies_between_the_two_there() {
        assert_eq!(seconds(&[9, 1, 5]).median(), Some(5.0));
        assert_eq!(seconds(&[9, 1, 6, 5]).median(), Some(5.5));
        assert_eq!(seconds(&[7]).median(), Some(7.0));
        assert_eq!(seconds(&[]).median(), None);
    }

    #[test]
    fn a_mean_is_exact_and_none_of_nothing() {
        assert_eq!(seconds(&[3600, 2220, 82800]).mean(), Some(29540.0));
        assert_eq!(Durations(vec![1, 2]).mean(), Some(1.5e-6));
        assert_eq!(seconds(&[]).mean(), None);
    }

    #[test]
    fn the_longest_times_there_are_do_not_overflow() {
        let mut longest = Durations(vec![u64::MAX, u64::MAX]);
        let expected = u64::MAX as f64 / SECOND as f64;
        assert_eq!(longest.mean(), Some(expected));
        assert_eq!(longest.median(), Some(expected));
        assert_eq!(
            longest.range().map(|(from, _)| from),
            Some(u64::MAX / SECOND)
        );
    }

    #[test]
    fn a_range_holds_fractions_of_a_second_at_both_ends() {
        assert_eq!(Durations(vec![1_500_000, 2_500_000]).range(), Some((1, 3)));
        assert_eq!(seconds(&[4]).range(), Some((4, 4)));
        assert_eq!(seconds(&[]).range(), None);
    }
}
