//! Flags that may depend on each other.

use std::collections::HashMap;

use super::definition::{Flag, Test};
use super::outcome::{Evaluation, FlagValue, Place};
use super::{Context, Subject};

/// Flags that may depend on each other, ready to be evaluated. May be shared between threads.
#[derive(Debug, Clone, Default)]
pub struct FlagSet {
    flags: Vec<Flag>,
    by_key: HashMap<String, usize>,
    /// Per flag, those that it waits for, directly or not, each after those that it waits for itself.
    before: Vec<Vec<usize>>,
    problems: Vec<Problem>,
}

/// A condition on another flag that can never be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The other flag is not there.
    UnknownFlag {
        /// The flag with the condition.
        flag: String,
        /// The flag that it names.
        on: String,
    },
    /// The other flag waits for this one.
    Cycle {
        /// The flag with the condition.
        flag: String,
        /// The flag that it names.
        on: String,
    },
}

impl FlagSet {
    /// Flags by their keys; of two with one key the first counts.
    pub fn new(mut flags: Vec<Flag>) -> Self {
        let mut by_key = HashMap::with_capacity(flags.len());
        let mut by_id = HashMap::new();
        for (at, flag) in flags.iter().enumerate() {
            by_key.entry(flag.key.clone()).or_insert(at);
            if let Some(id) = flag.id {
                by_id.entry(id.to_string()).or_insert(at);
            }
        }
        let mut problems = Vec::new();
        let find = |key: &String| by_key.get(key).or_else(|| by_id.get(key)).copied();
        let waits_for: Vec<Vec<usize>> = flags
            .iter_mut()
            .map(|flag| {
                let Flag { key, .. } = flag;
                let key = key.clone();
                let mut targets = Vec::new();
                each_dependency(flag, |dependency| {
                    dependency.at = find(&dependency.flag);
                    match dependency.at {
                        Some(at) => targets.push(at),
                        None => problems.push(Problem::UnknownFlag {
                            flag: key.clone(),
                            on: dependency.flag.clone(),
                        }),
                    }
                });
                targets
            })
            .collect();
        let reached: Vec<Vec<usize>> = (0..flags.len())
            .map(|at| in_order(at, &waits_for))
            .collect();
        for (at, flag) in flags.iter_mut().enumerate() {
            let key = flag.key.clone();
            each_dependency(flag, |dependency| {
                let waits_for_this = |on: usize| {
                    on == at || reached.get(on).is_some_and(|reached| reached.contains(&at))
                };
                if dependency.at.is_some_and(waits_for_this) {
                    dependency.at = None;
                    problems.push(Problem::Cycle {
                        flag: key.clone(),
                        on: dependency.flag.clone(),
                    });
                }
            });
        }
        let met: Vec<Vec<usize>> = flags
            .iter_mut()
            .map(|flag| {
                let mut targets = Vec::new();
                each_dependency(flag, |dependency| targets.extend(dependency.at));
                targets
            })
            .collect();
        let before = (0..flags.len()).map(|at| in_order(at, &met)).collect();
        Self {
            flags,
            by_key,
            before,
            problems,
        }
    }

    /// The flags, as they were given.
    pub fn flags(&self) -> &[Flag] {
        &self.flags
    }

    /// Conditions on other flags that can never be met.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The value of a flag; nothing if there is none of this key.
    pub fn evaluate(&self, key: &str, context: &Context) -> Option<Evaluation<'_>> {
        let at = *self.by_key.get(key)?;
        let known = self.known_before(at, context);
        Some(self.flags.get(at)?.evaluate(context, &known))
    }

    /// The value of every flag, in their order.
    pub fn evaluate_all(&self, context: &Context) -> Vec<Evaluation<'_>> {
        let mut known = vec![None; self.flags.len()];
        let values = self.flags.iter().zip(&self.before).enumerate();
        values
            .map(|(at, (flag, before))| {
                self.complete(&mut known, before, context);
                let found = flag.evaluate(context, &known);
                if let Some(slot) = known.get_mut(at) {
                    *slot = Some(found.value);
                }
                found
            })
            .collect()
    }

    /// Where a context lies to each condition of a flag, taken by itself; nothing if there is no such flag.
    pub fn places(&self, key: &str, context: &Context) -> Option<Vec<Place<'_>>> {
        let at = *self.by_key.get(key)?;
        let flag = self.flags.get(at)?;
        let known = self.known_before(at, context);
        let places = flag.conditions.iter();
        Some(
            places
                .map(|condition| flag.place(condition, context, &known))
                .collect(),
        )
    }

    /// Whether the value of a flag can depend on a property, or on the ids, of these, by itself or by what it waits for.
    pub fn asks_about(&self, key: &str, subject: Subject) -> bool {
        let at = self.by_key.get(key).copied();
        let before = at.and_then(|at| self.before.get(at)).into_iter().flatten();
        let mut flags = before.chain(&at).filter_map(|at| self.flags.get(*at));
        flags.any(|flag| flag.asks_about(subject))
    }

    fn known_before(&self, at: usize, context: &Context) -> Vec<Option<FlagValue<'_>>> {
        match self.before.get(at) {
            Some(before) if !before.is_empty() => {
                let mut known = vec![None; self.flags.len()];
                self.complete(&mut known, before, context);
                known
            }
            _ => Vec::new(),
        }
    }

    fn complete<'a>(
        &'a self,
        known: &mut [Option<FlagValue<'a>>],
        before: &[usize],
        context: &Context,
    ) {
        for &at in before {
            if let (Some(None), Some(flag)) = (known.get(at), self.flags.get(at)) {
                let value = flag.evaluate(context, known).value;
                if let Some(slot) = known.get_mut(at) {
                    *slot = Some(value);
                }
            }
        }
    }
}

fn each_dependency(flag: &mut Flag, mut each: impl FnMut(&mut super::Dependency)) {
    let mut found = Vec::new();
    flag.tests_mut()
        .for_each(|test: &mut Test| test.dependencies(&mut found));
    found.into_iter().for_each(&mut each);
}

/// Everything that is reached from `start`, each after what is reached from it. Not recursive: chains may be long.
fn in_order(start: usize, edges: &[Vec<usize>]) -> Vec<usize> {
    let mut is_seen = vec![false; edges.len()];
    let mut order = Vec::new();
    let mut path = vec![(start, 0)];
    while let Some((at, next)) = path.last_mut() {
        let target = edges.get(*at).and_then(|targets| targets.get(*next));
        *next += 1;
        match target {
            Some(&target) => {
                if let Some(seen @ false) = is_seen.get_mut(target) {
                    *seen = true;
                    path.push((target, 0));
                }
            }
            None => {
                order.extend(path.pop().map(|(at, _)| at));
            }
        }
    }
    // The start itself comes last, and once more where something leads back to it.
    order.pop();
    order
}
