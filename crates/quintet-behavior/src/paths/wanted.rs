//! Which persons stand behind a figure of paths: those with certain steps. Rules: `spec/paths.md` section 5.

use serde::{Deserialize, Serialize};

use super::Step;

/// The steps that a person's paths must have. Numbers and items are those of paths as they were cut.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    /// Any step.
    Any,
    /// This step, as the last of a path.
    Last(Place),
    /// This step.
    At(Place),
    /// A step after this one.
    After(Place),
    /// The second of these steps, right after the first.
    Link(Place, Place),
    /// A step that no path can have.
    Nothing,
}

/// A step by its number and its item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Counted from 1.
    step: usize,
    item: String,
}

impl Wanted {
    /// What the keys of a question mean, each `"<number of a step>_<item>"`: `last` goes before the others. A key of another
    /// form is one of no step.
    pub fn by_keys(start: Option<&str>, end: Option<&str>, last: Option<&str>) -> Self {
        let wanted = match (start, end, last) {
            (.., Some(last)) => Place::of(last).map(Self::Last),
            (None, None, None) => Some(Self::Any),
            (Some(start), None, None) => Place::of(start).map(Self::After),
            (None, Some(end), None) => Place::of(end).map(Self::At),
            (Some(start), Some(end), None) => Place::of(start)
                .zip(Place::of(end))
                .map(|(start, end)| Self::Link(start, end)),
        };
        wanted.unwrap_or(Self::Nothing)
    }

    /// How many of the path's steps are wanted. `is` says whether a code is that of this text.
    pub fn steps(&self, path: &[Step], is: impl Fn(u32, &str) -> bool) -> usize {
        match self {
            Self::Any => path.len(),
            Self::Last(place) => (path.len() == place.step && place.is_on(path, is)).into(),
            Self::At(place) => place.is_on(path, is).into(),
            Self::After(place) => (path.len() > place.step && place.is_on(path, is)).into(),
            Self::Link(source, target) => {
                let follow = source.step.checked_add(1) == Some(target.step);
                (follow && source.is_on(path, &is) && target.is_on(path, &is)).into()
            }
            Self::Nothing => 0,
        }
    }
}

impl Place {
    fn of(key: &str) -> Option<Self> {
        let (number, item) = key.split_once('_')?;
        let step: usize = number.parse().ok()?;
        // Steps are written one way only: neither `+1` nor `01`.
        (step > 0 && step.to_string() == number).then(|| Self {
            step,
            item: item.to_owned(),
        })
    }

    fn is_on(&self, path: &[Step], is: impl Fn(u32, &str) -> bool) -> bool {
        let step = self.step.checked_sub(1).and_then(|at| path.get(at));
        step.is_some_and(|step| is(step.item, &self.item))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Wanted;
    use crate::paths::Step;

    const NAMES: [&str; 4] = ["a", "b", "", "c_d"];

    fn count(wanted: &Wanted, items: &[u32]) -> usize {
        let path: Vec<Step> = items.iter().map(|&item| Step { time: 0, item }).collect();
        wanted.steps(&path, |code, text| NAMES.get(code as usize) == Some(&text))
    }

    fn by_keys(start: &str, end: &str, last: &str) -> Wanted {
        let key = |key| Some(key).filter(|_| key != "-");
        Wanted::by_keys(key(start), key(end), key(last))
    }

    #[test]
    fn the_last_step_is_where_a_path_was_left() {
        let left = by_keys("-", "-", "2_b");
        assert_eq!(count(&left, &[0, 1]), 1);
        assert_eq!(count(&left, &[0, 1, 0]), 0);
        assert_eq!(count(&left, &[1]), 0);
        assert_eq!(by_keys("1_a", "2_a", "2_b"), left);
    }

    #[test]
    fn a_start_wants_a_step_after_it_and_an_end_the_step_itself() {
        assert_eq!(count(&by_keys("1_a", "-", "-"), &[0, 1, 0]), 1);
        assert_eq!(count(&by_keys("1_a", "-", "-"), &[0]), 0);
        assert_eq!(count(&by_keys("-", "1_a", "-"), &[0]), 1);
        assert_eq!(count(&by_keys("-", "2_a", "-"), &[0, 1]), 0);
    }

    #[test]
    fn both_want_the_link_between_them() {
        assert_eq!(count(&by_keys("1_a", "2_b", "-"), &[0, 1]), 1);
        assert_eq!(count(&by_keys("1_a", "2_b", "-"), &[1, 1]), 0);
        assert_eq!(count(&by_keys("1_a", "3_b", "-"), &[0, 0, 1]), 0);
    }

    #[test]
    fn without_a_key_every_step_is_wanted() {
        assert_eq!(count(&by_keys("-", "-", "-"), &[0, 1, 0]), 3);
    }

    #[test]
    fn items_may_be_empty_and_hold_the_mark_between_number_and_item() {
        assert_eq!(count(&by_keys("-", "1_", "-"), &[2]), 1);
        assert_eq!(count(&by_keys("-", "1_c_d", "-"), &[3]), 1);
    }

    #[test]
    fn a_key_of_no_step_wants_nothing() {
        for key in [
            "",
            "a",
            "0_a",
            "01_a",
            "+1_a",
            "-1_a",
            "_a",
            "99999999999999999999_a",
        ] {
            assert_eq!(by_keys(key, "-", "-"), Wanted::Nothing, "{key}");
            assert_eq!(by_keys("1_a", key, "-"), Wanted::Nothing, "{key}");
        }
        assert_eq!(count(&Wanted::Nothing, &[0, 1]), 0);
        let far = format!("{}_a", usize::MAX);
        assert_eq!(count(&by_keys(&far, &far, "-"), &[0, 1]), 0);
    }

    proptest! {
        #[test]
        fn agrees_with_looking_at_every_step(
            items in prop::collection::vec(0u32..3, 0..5),
            start in prop::option::of((1usize..5, 0usize..3)),
            end in prop::option::of((1usize..5, 0usize..3)),
            last in prop::option::of((1usize..5, 0usize..3)),
        ) {
            let text = |(step, item): (usize, usize)| format!("{step}_{}", NAMES[item]);
            let [start, end, last] = [start, end, last].map(|key| key.map(text));
            let keys: Vec<String> = items
                .iter()
                .enumerate()
                .map(|(at, item)| text((at + 1, *item as usize)))
                .collect();
            let slow = (0..keys.len()).filter(|&at| {
                let before = at.checked_sub(1).map(|at| &keys[at]);
                match &last {
                    Some(last) => at + 1 == keys.len() && keys[at] == *last,
                    None => {
                        start.as_ref().is_none_or(|start| before == Some(start))
                            && end.as_ref().is_none_or(|end| keys[at] == *end)
                    }
                }
            });
            let wanted = Wanted::by_keys(start.as_deref(), end.as_deref(), last.as_deref());
            prop_assert_eq!(count(&wanted, &items), slow.count());
        }
    }
}
