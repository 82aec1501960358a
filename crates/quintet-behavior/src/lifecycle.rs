//! What an interval is to an actor: whether it is new, returns, comes back after a pause, or stays away.
//!
//! Rules: `spec/lifecycle.md` section 2. Buckets are positions of intervals in ascending order; the first of them is the
//! look-back before the range, so that within the range every activity knows whether the interval before had one too.

/// What an interval is to an actor. There is at most one status per actor and interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Active for the first time, in the interval in which the actor was created.
    New,
    /// Active, as in the interval before.
    Returning,
    /// Active, but not in the interval before; also the first activity of an actor that was created in another interval.
    Resurrecting,
    /// Not active, other than in the interval before. It is said once, however long the absence lasts.
    Dormant,
}

/// A bucket in which an actor is active, and the nearest ones around it.
///
/// This is all that its statuses depend on, so that actors can be counted by it before anything is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Activity {
    /// The bucket.
    pub bucket: usize,
    /// The last active bucket before it; `None` when it is the first.
    pub previous: Option<usize>,
    /// The next active bucket; `None` when it is the last.
    pub next: Option<usize>,
    /// The bucket that the actor was created in; `None` when that is none of them.
    pub created: Option<usize>,
}

impl Activity {
    /// What its bucket is to the actor.
    pub fn status(&self) -> Status {
        match self.previous {
            None if self.created == Some(self.bucket) => Status::New,
            Some(previous) if previous + 1 == self.bucket => Status::Returning,
            _ => Status::Resurrecting,
        }
    }

    /// The bucket after it, if the actor is dormant there. After the last bucket everybody is.
    pub fn dormant(&self) -> Option<usize> {
        let after = self.bucket + 1;
        (self.next != Some(after)).then_some(after)
    }

    /// The bucket with its status, and the one after it if the actor is dormant there.
    pub fn statuses(&self) -> impl Iterator<Item = (usize, Status)> {
        let dormant = self.dormant().map(|bucket| (bucket, Status::Dormant));
        [(self.bucket, self.status())].into_iter().chain(dormant)
    }
}

/// The activities of one actor, from its active buckets in ascending order, each once.
pub fn activities(active: &[usize], created: Option<usize>) -> impl Iterator<Item = Activity> + '_ {
    active
        .iter()
        .enumerate()
        .map(move |(at, &bucket)| Activity {
            bucket,
            previous: at.checked_sub(1).and_then(|at| active.get(at)).copied(),
            next: active.get(at + 1).copied(),
            created,
        })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::Status::{Dormant, New, Resurrecting, Returning};
    use super::{Status, activities};

    fn statuses(active: &[usize], created: Option<usize>) -> Vec<(usize, Status)> {
        activities(active, created)
            .flat_map(|activity| activity.statuses().collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn an_actor_is_new_in_the_interval_of_its_creation() {
        assert_eq!(statuses(&[2], Some(2)), [(2, New), (3, Dormant)]);
    }

    #[test]
    fn the_first_activity_of_an_actor_created_at_another_time_is_resurrecting() {
        assert_eq!(statuses(&[2], Some(1)), [(2, Resurrecting), (3, Dormant)]);
        assert_eq!(statuses(&[2], Some(3)), [(2, Resurrecting), (3, Dormant)]);
        assert_eq!(statuses(&[2], None), [(2, Resurrecting), (3, Dormant)]);
    }

    #[test]
    fn activity_in_neighbouring_intervals_is_returning() {
        let expected = [(0, New), (1, Returning), (2, Returning), (3, Dormant)];
        assert_eq!(statuses(&[0, 1, 2], Some(0)), expected);
    }

    #[test]
    fn an_actor_is_dormant_once_and_then_resurrects() {
        let expected = [
            (1, Resurrecting),
            (2, Dormant),
            (5, Resurrecting),
            (6, Dormant),
        ];
        assert_eq!(statuses(&[1, 5], None), expected);
    }

    #[test]
    fn an_actor_created_after_its_first_activity_is_never_new() {
        let expected = [(1, Resurrecting), (2, Returning), (3, Dormant)];
        assert_eq!(statuses(&[1, 2], Some(2)), expected);
    }

    #[test]
    fn an_actor_that_was_never_active_has_no_status() {
        assert_eq!(statuses(&[], Some(1)), []);
    }

    proptest! {
        #[test]
        fn agrees_with_looking_at_every_interval(
            active in prop::collection::btree_set(0usize..12, 0..8),
            created in prop::option::of(0usize..12),
        ) {
            let mut slow = BTreeMap::new();
            for bucket in 0..=12 {
                let before = bucket > 0 && active.contains(&(bucket - 1));
                let first = active.first() == Some(&bucket) && created == Some(bucket);
                let status = match (active.contains(&bucket), before) {
                    (true, true) => Returning,
                    (true, false) if first => New,
                    (true, false) => Resurrecting,
                    (false, true) => Dormant,
                    (false, false) => continue,
                };
                slow.insert(bucket, status);
            }
            let all = statuses(&active.iter().copied().collect::<Vec<_>>(), created);
            prop_assert_eq!(all.iter().map(|(bucket, _)| bucket).collect::<BTreeSet<_>>().len(), all.len());
            prop_assert_eq!(all.into_iter().collect::<BTreeMap<_, _>>(), slow);
        }
    }
}
