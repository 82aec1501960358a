//! In how many intervals an actor was active. Rules: `spec/stickiness.md` section 2.

/// How many events of an actor make an interval an active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// This many or more. An interval without events is never active, so that 0 says the same as 1.
    AtLeast(u64),
    /// This many or fewer, but one.
    AtMost(u64),
    /// This many.
    Exactly(u64),
}

impl Criterion {
    /// True when an interval with this many events is an active one.
    pub const fn holds(self, events: u64) -> bool {
        events > 0
            && match self {
                Self::AtLeast(least) => events >= least,
                Self::AtMost(most) => events <= most,
                Self::Exactly(number) => events == number,
            }
    }
}

/// In how many intervals an actor was active, from the interval of each of its events. Events come in order of time, so
/// that those of an interval stand together.
pub fn active_intervals(events: impl IntoIterator<Item = usize>, criterion: Criterion) -> usize {
    let mut active = 0;
    let mut current = None;
    let mut count = 0;
    for interval in events {
        if current != Some(interval) {
            active += usize::from(criterion.holds(count));
            current = Some(interval);
            count = 0;
        }
        count += 1;
    }
    active + usize::from(criterion.holds(count))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::Criterion::{AtLeast, AtMost, Exactly};
    use super::active_intervals;

    #[test]
    fn several_events_in_an_interval_make_it_active_once() {
        assert_eq!(active_intervals([1, 1, 3, 3, 3, 4], AtLeast(1)), 3);
    }

    #[test]
    fn an_actor_without_events_was_never_active() {
        for criterion in [AtLeast(0), AtLeast(1), AtMost(3), Exactly(1)] {
            assert_eq!(active_intervals([], criterion), 0);
        }
    }

    #[test]
    fn an_interval_counts_only_when_its_events_meet_the_criterion() {
        let events = [1, 1, 3, 3, 3, 4];
        assert_eq!(active_intervals(events, AtLeast(2)), 2);
        assert_eq!(active_intervals(events, AtMost(2)), 2);
        assert_eq!(active_intervals(events, Exactly(3)), 1);
        assert_eq!(active_intervals(events, Exactly(4)), 0);
    }

    #[test]
    fn at_least_none_is_no_criterion() {
        assert_eq!(active_intervals([0, 2], AtLeast(0)), 2);
    }

    proptest! {
        #[test]
        fn agrees_with_counting_events_by_interval(
            mut events in prop::collection::vec(0usize..8, 0..30),
            number in 0u64..5,
        ) {
            events.sort_unstable();
            let mut counts: HashMap<usize, u64> = HashMap::new();
            for &interval in &events {
                *counts.entry(interval).or_default() += 1;
            }
            let among = |holds: &dyn Fn(u64) -> bool| counts.values().filter(|n| holds(**n)).count();
            prop_assert_eq!(active_intervals(events.clone(), AtLeast(number)), among(&|n| n >= number));
            prop_assert_eq!(active_intervals(events.clone(), AtMost(number)), among(&|n| n <= number));
            prop_assert_eq!(active_intervals(events, Exactly(number)), among(&|n| n == number));
        }
    }
}
