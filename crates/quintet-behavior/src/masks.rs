//! In which periods every actor was active: one bit per actor and period, an array over dense ids.
//!
//! ```text
//! actor   words of bits, lowest period first
//!   1     0b0000_0110      active in the periods 1 and 2
//!   2     0b0000_0001
//! ```
//! Filling it costs an array access per event or less; weekly actives, stickiness, lifecycle and retention are read off it.

/// The active periods of actors with ids counted up from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masks {
    periods: usize,
    /// Words per actor.
    words: usize,
    bits: Vec<u64>,
}

impl Masks {
    /// Nobody is active in any of so many periods.
    pub fn new(periods: usize) -> Self {
        Self {
            periods,
            words: periods.div_ceil(64).max(1),
            bits: Vec::new(),
        }
    }

    /// The bytes that masks of `actors` actors (the greatest id) take.
    pub fn bytes(periods: usize, actors: u32) -> usize {
        (actors as usize + 1) * periods.div_ceil(64).max(1) * size_of::<u64>()
    }

    /// Makes room for ids up to `actor`.
    pub fn make_room(&mut self, actor: u32) {
        let needed = (actor as usize + 1) * self.words;
        if self.bits.len() < needed {
            self.bits.resize(needed, 0);
        }
    }

    /// The actor was active in the period. One beyond the last period is none.
    pub fn mark(&mut self, actor: u32, period: usize) {
        if period >= self.periods {
            return;
        }
        let at = actor as usize * self.words + period / 64;
        if at >= self.bits.len() {
            self.make_room(actor);
        }
        if let Some(word) = self.bits.get_mut(at) {
            *word |= 1 << (period % 64);
        }
    }

    /// All these actors were active in the period.
    pub fn mark_all(&mut self, actors: impl Iterator<Item = u32>, period: usize) {
        if period >= self.periods {
            return;
        }
        let (words, within, bit) = (self.words, period / 64, 1 << (period % 64));
        actors.for_each(|actor| {
            let at = actor as usize * words + within;
            if let Some(word) = self.bits.get_mut(at) {
                *word |= bit;
            } else {
                self.mark(actor, period);
            }
        });
    }

    /// The periods of every actor that was active, by ascending id.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Periods<'_>)> {
        let masks = (0..).zip(self.bits.chunks_exact(self.words));
        masks
            .filter(|(_, words)| words.iter().any(|word| *word != 0))
            .map(|(actor, words)| (actor, Periods::of(words)))
    }

    /// The periods of one actor as bits, lowest period first; nothing if it was never active.
    pub fn words_of(&self, actor: u32) -> Option<&[u64]> {
        let start = actor as usize * self.words;
        self.bits.get(start..start + self.words)
    }

    /// The greatest id that there is room for.
    pub fn greatest_actor(&self) -> u32 {
        (self.bits.len() / self.words).saturating_sub(1) as u32
    }

    /// How many actors were active in each period.
    pub fn actors_by_period(&self) -> Vec<u64> {
        let mut actors = vec![0; self.periods];
        for period in self.iter().flat_map(|(_, periods)| periods) {
            actors[period] += 1;
        }
        actors
    }

    /// How many actors were active in a period for the first time.
    pub fn actors_by_first_period(&self) -> Vec<u64> {
        let mut actors = vec![0; self.periods];
        for period in self.iter().filter_map(|(_, mut periods)| periods.next()) {
            actors[period] += 1;
        }
        actors
    }

    /// How many actors were active in exactly so many periods; the first figure is of none, and 0.
    pub fn actors_by_number(&self) -> Vec<u64> {
        let mut actors = vec![0; self.periods + 1];
        for (_, periods) in self.iter() {
            actors[periods.len()] += 1;
        }
        actors
    }

    /// For each label the actors that were active in the `window` periods ending there.
    pub fn actors_in_window(&self, window: usize) -> Vec<u64> {
        let stretches = self.iter().flat_map(|(_, periods)| {
            let mut next = periods.clone().skip(1);
            periods.map(move |start| {
                let end = start + window;
                (start, next.next().map_or(end, |next| next.min(end)), 1)
            })
        });
        crate::figures::sliding_window(stretches, self.periods)
    }
}

/// Periods in ascending order.
#[derive(Debug, Clone)]
pub struct Periods<'a> {
    /// What is left of the word at hand.
    word: u64,
    /// The first period of the word at hand.
    first: usize,
    rest: &'a [u64],
}

impl<'a> Periods<'a> {
    /// The periods whose bits are set.
    pub fn of(words: &'a [u64]) -> Self {
        let (word, rest) = words
            .split_first()
            .map_or((0, words), |(word, rest)| (*word, rest));
        Self {
            word,
            first: 0,
            rest,
        }
    }
}

impl Iterator for Periods<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            let (word, rest) = self.rest.split_first()?;
            (self.word, self.rest) = (*word, rest);
            self.first += 64;
        }
        let bit = self.word.trailing_zeros() as usize;
        self.word &= self.word - 1;
        Some(self.first + bit)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let ones = |word: &u64| word.count_ones() as usize;
        let left = ones(&self.word) + self.rest.iter().map(ones).sum::<usize>();
        (left, Some(left))
    }
}

impl ExactSizeIterator for Periods<'_> {}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    type Marks = Vec<(u32, usize)>;

    fn masks(periods: usize, marks: &Marks) -> Masks {
        let mut masks = Masks::new(periods);
        for (actor, period) in marks {
            match actor % 2 {
                0 => masks.mark(*actor, *period),
                _ => masks.mark_all(std::iter::once(*actor), *period),
            }
        }
        masks
    }

    fn active(periods: usize, marks: &Marks) -> BTreeMap<u32, BTreeSet<usize>> {
        let mut active: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
        for (actor, period) in marks.iter().filter(|(_, period)| *period < periods) {
            active.entry(*actor).or_default().insert(*period);
        }
        active
    }

    proptest! {
        #[test]
        fn masks_say_what_sets_say(
            periods in 1usize..150,
            marks in prop::collection::vec((1u32..40, 0usize..160), 0..300),
            window in 1usize..40,
        ) {
            let (masks, active) = (masks(periods, &marks), active(periods, &marks));
            let found: BTreeMap<u32, BTreeSet<usize>> = masks.iter().map(|(actor, periods)| (actor, periods.collect())).collect();
            prop_assert_eq!(&found, &active);
            let count = |counts: &dyn Fn(&BTreeSet<usize>, usize) -> bool, figures: usize| -> Vec<u64> {
                (0..figures).map(|at| active.values().filter(|periods| counts(periods, at)).count() as u64).collect()
            };
            prop_assert_eq!(masks.actors_by_period(), count(&|periods, at| periods.contains(&at), periods));
            prop_assert_eq!(masks.actors_by_first_period(), count(&|periods, at| periods.first() == Some(&at), periods));
            prop_assert_eq!(masks.actors_by_number(), count(&|periods, at| periods.len() == at, periods + 1));
            let in_window = |periods: &BTreeSet<usize>, at: usize| periods.range((at + 1).saturating_sub(window)..=at).next().is_some();
            prop_assert_eq!(masks.actors_in_window(window), count(&in_window, periods));
        }
    }

    #[test]
    fn room_is_what_is_asked_for() {
        let mut masks = Masks::new(65);
        masks.make_room(9);
        assert_eq!(masks.greatest_actor(), 9);
        assert_eq!(Masks::bytes(65, 9), 160);
        assert_eq!(masks.words_of(9), Some(&[0, 0][..]));
        assert_eq!(masks.words_of(10), None);
    }
}
