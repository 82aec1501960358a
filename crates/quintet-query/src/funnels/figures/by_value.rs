//! Figures by breakdown value.

use std::collections::HashMap;

/// One figure per value that was met.
#[derive(Debug, Clone)]
pub(crate) struct ByValue<T> {
    figures: Vec<(Vec<String>, T)>,
    places: HashMap<Vec<String>, usize>,
    /// The place of the value met last: without a breakdown there is one only, and values often repeat.
    last: usize,
}

impl<T: Default> ByValue<T> {
    pub(crate) fn new() -> Self {
        Self {
            figures: Vec::new(),
            places: HashMap::new(),
            last: 0,
        }
    }

    /// Counts under a value, from nothing where it is new: only then is the value copied.
    pub(crate) fn count(&mut self, value: &[String], add: impl FnOnce(&mut T)) {
        let is_last = |(last, _): &(Vec<String>, T)| last == value;
        if !self.figures.get(self.last).is_some_and(is_last) {
            self.last = match self.places.get(value) {
                Some(place) => *place,
                None => {
                    self.places.insert(value.to_vec(), self.figures.len());
                    self.figures.push((value.to_vec(), T::default()));
                    self.figures.len() - 1
                }
            };
        }
        if let Some((_, figure)) = self.figures.get_mut(self.last) {
            add(figure);
        }
    }

    /// Every value, in the order in which they were met, with its figure.
    pub(crate) fn into_figures(self) -> Vec<(Vec<String>, T)> {
        self.figures
    }
}
