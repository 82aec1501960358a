//! Sets of steps as bits: bit `i` is step `i`.

use std::iter;

/// The set of this step alone. A step beyond the 64th is in no set.
pub(super) fn bit(step: usize) -> u64 {
    if step < 64 { 1 << step } else { 0 }
}

/// The set of the first `count` steps.
pub(super) fn first(count: usize) -> u64 {
    bit(count).wrapping_sub(1)
}

/// Whether the step is in the set.
pub(super) fn has(steps: u64, step: usize) -> bool {
    steps & bit(step) != 0
}

/// The steps of the set from the lowest up.
pub(super) fn ascending(mut steps: u64) -> impl Iterator<Item = usize> {
    iter::from_fn(move || {
        let step = steps.trailing_zeros() as usize;
        steps &= !bit(step);
        (step < 64).then_some(step)
    })
}

/// The steps of the set from the highest down.
pub(super) fn descending(mut steps: u64) -> impl Iterator<Item = usize> {
    iter::from_fn(move || {
        let step = steps.checked_ilog2()? as usize;
        steps &= !bit(step);
        Some(step)
    })
}
