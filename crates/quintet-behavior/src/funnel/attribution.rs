//! Which breakdown values an actor is run with, and what each run sees: `spec/funnels.md` §6, `spec/funnels-more.md` §2.7.

use super::bits::{bit, has};
use super::{Attribution, Event, Funnel, Order};

/// One run over an actor's events.
pub(super) struct View<'a> {
    funnel: &'a Funnel,
    /// What the run sees.
    pub(super) events: &'a [Event],
    /// The breakdown values that its outcome is counted under.
    pub(super) values: &'a [u32],
    /// The step that only events of one value take, and that value.
    bound: Option<(usize, u32)>,
}

impl View<'_> {
    /// The steps that an event may take at `time`, which is its own or that of its tie group.
    pub(super) fn steps(&self, event: &Event, time: i64) -> u64 {
        let refused = match self.bound {
            Some((step, value)) if event.value != value => bit(step),
            _ => 0,
        };
        let late = if self.admits(time) { 0 } else { bit(0) };
        event.steps & !refused & !late
    }

    /// Whether a run without order may begin with the event.
    pub(super) fn opens(&self, event: &Event) -> bool {
        self.admits(event.time) && self.bound.is_none_or(|(_, value)| event.value == value)
    }

    /// Whether an entry at `time` counts.
    pub(super) fn admits(&self, time: i64) -> bool {
        self.funnel.entry_until.is_none_or(|until| time <= until)
    }
}

impl Funnel {
    /// The runs over an actor's events. A value that no touch takes is `empty`.
    pub(super) fn views(
        &self,
        events: &[Event],
        empty: Option<u32>,
        mut each: impl FnMut(&View<'_>),
    ) {
        let has_value = |event: &&Event| Some(event.value) != empty;
        let mut touch = |event: Option<&Event>| {
            if let Some(event) = event.or(events.first()) {
                each(&self.view(events, &[event.value]));
            }
        };
        match self.attribution {
            Attribution::None => each(&self.view(events, &[0])),
            Attribution::FirstTouch => touch(events.iter().find(has_value)),
            Attribution::LastTouch => touch(events.iter().rfind(has_value)),
            Attribution::AnyEvent => {
                let values = distinct(events.iter().filter(has_value));
                each(&self.view(events, &values));
            }
            Attribution::AllEvents => {
                let mut grouped = events.to_vec();
                grouped.sort_by_key(|event| event.value);
                for own in grouped.chunk_by(|one, other| one.value == other.value) {
                    let value = own.first().map(|event| event.value);
                    each(&self.view(own, value.as_slice()));
                }
            }
            Attribution::Step(step) => {
                let any = self.order == Order::Unordered;
                let candidates = events.iter().filter(|event| any || has(event.steps, step));
                for value in distinct(candidates) {
                    each(&View {
                        bound: Some((step, value)),
                        ..self.view(events, &[value])
                    });
                }
            }
        }
    }

    fn view<'a>(&'a self, events: &'a [Event], values: &'a [u32]) -> View<'a> {
        View {
            funnel: self,
            events,
            values,
            bound: None,
        }
    }
}

/// The values of the events, each once, in ascending order.
fn distinct<'a>(events: impl Iterator<Item = &'a Event>) -> Vec<u32> {
    let mut values: Vec<u32> = events.map(|event| event.value).collect();
    values.sort_unstable();
    values.dedup();
    values
}
