//! Histograms of the time that conversions take. Rules: `spec/funnels-more.md` section 5.

use serde_json::{Value, json};

use crate::funnels::Funnels;
use crate::funnels::figures::Durations;

use super::{FunnelsResult, actors, compared, time};

/// The most bins that a query can ask for.
const MOST_ASKED: u64 = 90;
/// The most bins otherwise.
const MOST_BY_SIZE: u64 = 60;
/// Seconds of a bin where all times are the same.
const ONLY_WIDTH: u64 = 60;

/// Bins of equal width, in whole seconds. Behind the last one is another, for the longest time.
#[derive(Debug, PartialEq, Eq)]
struct Bins {
    start: u64,
    width: u64,
    bins: u64,
}

/// One histogram, or one of each range on the same bins.
pub(super) fn result(
    funnels: &Funnels,
    asked: Option<u32>,
    current: Durations,
    previous: Option<Durations>,
) -> FunnelsResult {
    let results = match previous {
        None => {
            let bins = Bins::of(asked, current.len(), current.range().unwrap_or_default());
            histogram(funnels, Some(&bins), current)
        }
        Some(previous) => {
            let bins = Bins::of_both(asked, &current, &previous);
            let histogram = |times| vec![histogram(funnels, bins.as_ref(), times)];
            compared(histogram(current), histogram(previous)).into()
        }
    };
    FunnelsResult {
        results,
        extra: Vec::new(),
    }
}

impl Bins {
    /// For so many times in this range.
    fn of(asked: Option<u32>, times: usize, (from, to): (u64, u64)) -> Self {
        let bins = match asked {
            Some(asked) => u64::from(asked).clamp(1, MOST_ASKED),
            None => cube_root(times),
        };
        Self {
            start: from,
            width: match to.saturating_sub(from).div_ceil(bins) {
                0 => ONLY_WIDTH,
                width => width,
            },
            bins,
        }
    }

    /// For the times of both; none where there are none.
    fn of_both(asked: Option<u32>, one: &Durations, other: &Durations) -> Option<Self> {
        let ranges = [one.range(), other.range()];
        let range = ranges
            .into_iter()
            .flatten()
            .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))?;
        Some(Self::of(asked, one.len() + other.len(), range))
    }

    fn edge(&self, bin: u64) -> u64 {
        self.start.saturating_add(bin.saturating_mul(self.width))
    }

    fn bin_of(&self, seconds: u64) -> u64 {
        seconds.saturating_sub(self.start) / self.width
    }
}

/// The cube root, rounded up, as far as there may be bins. Counted in whole numbers, where that of 8 is exactly 2.
fn cube_root(times: usize) -> u64 {
    (1..MOST_BY_SIZE)
        .find(|root| u128::from(root.pow(3)) >= times as u128)
        .unwrap_or(MOST_BY_SIZE)
}

fn histogram(funnels: &Funnels, bins: Option<&Bins>, mut times: Durations) -> Value {
    json!({
        "bins": bins.map_or_else(Vec::new, |bins| rows(funnels, bins, &times)),
        "average_conversion_time": time(times.mean()),
        "median_conversion_time": time(times.median()),
    })
}

/// Where each bin begins, and how many are in it.
fn rows(funnels: &Funnels, bins: &Bins, times: &Durations) -> Vec<Value> {
    let mut rows: Vec<(u64, u64)> = (0..=bins.bins).map(|bin| (bins.edge(bin), 0)).collect();
    for seconds in times.whole_seconds() {
        let bin = usize::try_from(bins.bin_of(seconds)).ok();
        if let Some((_, count)) = bin.and_then(|bin| rows.get_mut(bin)) {
            *count += 1;
        }
    }
    rows.into_iter()
        .map(|(edge, count)| json!([edge, actors(funnels, count)]))
        .collect()
}
