//! Figures that are put together from partial counts.

/// Distinct actors per label of a sliding window, from stretches of buckets in which an actor is active.
///
/// An actor seen in bucket `b` counts at the labels `b .. b + window`. When its buckets are taken in order, each adds
/// the stretch from `b` to its next bucket or to the end of the window, whichever is first, so that no label counts an actor
/// twice. `stretches` are `(start, end, actors)` with `end` exclusive; the result has `buckets` figures.
///
/// Rule: `spec/trends.md` section 3.
pub fn sliding_window(
    stretches: impl IntoIterator<Item = (usize, usize, u64)>,
    buckets: usize,
) -> Vec<u64> {
    let mut change = vec![0i64; buckets + 1];
    for (start, end, actors) in stretches {
        let actors = i64::try_from(actors).unwrap_or(i64::MAX);
        change[start.min(buckets)] += actors;
        change[end.min(buckets)] -= actors;
    }
    let mut active = 0;
    change[..buckets]
        .iter()
        .map(|change| {
            active += change;
            u64::try_from(active).unwrap_or(0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::sliding_window;

    /// The stretches of actors as the planner makes them: from each bucket to the next one, at most `window` long.
    fn stretches(actors: &[BTreeSet<usize>], window: usize) -> Vec<(usize, usize, u64)> {
        let mut all = vec![];
        for buckets in actors {
            let mut next = buckets.iter().skip(1);
            for &start in buckets {
                let end = next
                    .next()
                    .map_or(start + window, |&n| n.min(start + window));
                all.push((start, end, 1));
            }
        }
        all
    }

    proptest! {
        #[test]
        fn counts_every_actor_of_the_window_once(
            actors in prop::collection::vec(prop::collection::btree_set(0usize..20, 0..8), 0..12),
            window in 1usize..9,
        ) {
            let figures = sliding_window(stretches(&actors, window), 20);
            for (label, figure) in figures.into_iter().enumerate() {
                let slow = actors.iter().filter(|buckets| buckets.iter().any(|&b| b <= label && label < b + window)).count();
                prop_assert_eq!(figure, slow as u64);
            }
        }
    }
}
