//! funnels.md §6: the values an actor is run with, and what each run sees.

use std::collections::BTreeSet;

use quintet_behavior::funnel::{Attribution, Funnel, Order};

use super::{Evaluation, Seen};

pub(super) fn evaluations(funnel: &Funnel, events: &[Seen], empty: Option<u32>) -> Vec<Evaluation> {
    if events.is_empty() {
        return Vec::new();
    }
    let seeing_all = |value| Evaluation {
        value,
        events: events.to_vec(),
    };
    let filled = |event: &&Seen| Some(event.value) != empty;
    match funnel.attribution {
        Attribution::None => vec![seeing_all(0)],
        Attribution::FirstTouch => {
            let value = events.iter().find(filled).map(|event| event.value);
            vec![seeing_all(value.or(empty).unwrap())]
        }
        Attribution::LastTouch => {
            let value = events.iter().rev().find(filled).map(|event| event.value);
            vec![seeing_all(value.or(empty).unwrap())]
        }
        Attribution::AnyEvent => distinct(events.iter().filter(filled))
            .into_iter()
            .map(seeing_all)
            .collect(),
        Attribution::AllEvents => distinct(events.iter())
            .into_iter()
            .map(|value| Evaluation {
                value,
                events: events
                    .iter()
                    .filter(|event| event.value == value)
                    .cloned()
                    .collect(),
            })
            .collect(),
        Attribution::Step(index) => {
            let meets = |event: &&Seen| {
                funnel.order == Order::Unordered || event.steps.contains(&(index + 1))
            };
            distinct(events.iter().filter(meets))
                .into_iter()
                .map(seeing_all)
                .collect()
        }
    }
}

fn distinct<'a>(events: impl Iterator<Item = &'a Seen>) -> BTreeSet<u32> {
    events.map(|event| event.value).collect()
}
