//! Random actors: a funnel, periods and a history whose ties, near ties and windows all get hit.

use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use quintet_behavior::funnel::{Attribution, Event, Funnel, Order, Periods};

use super::oracle::{FoundEntrance, FoundRun, numbers};

const MILLISECOND: i64 = 1_000;
pub(super) const SECOND: i64 = 1_000 * MILLISECOND;
pub(super) const HOUR: i64 = 3_600 * SECOND;
pub(super) const NEAR: i64 = 50 * MILLISECOND;

/// Which of the two questions a funnel is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    Runs,
    Entrances,
}

/// One actor and what is asked about it.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) funnel: Funnel,
    pub(super) periods: Periods,
    pub(super) empty: Option<u32>,
    pub(super) events: Vec<Event>,
}

impl Case {
    /// What the fast machines find, sorted.
    pub(super) fn runs(&self) -> Vec<FoundRun> {
        let mut found = Vec::new();
        self.funnel.runs(&self.events, self.empty, |run| {
            found.push(FoundRun {
                value: run.value,
                steps: numbers(run.steps),
                times: run.times.to_vec(),
            });
        });
        found.sort();
        found
    }

    /// What the fast machines find, sorted.
    pub(super) fn entrances(&self) -> Vec<FoundEntrance> {
        let mut found = Vec::new();
        self.funnel
            .entrances(&self.periods, &self.events, self.empty, |entrance| {
                found.push(FoundEntrance {
                    value: entrance.value,
                    period: entrance.period,
                    converted: entrance.converted,
                });
            });
        found.sort();
        found
    }

    /// How many steps were done, 0 without a run; for funnels without a breakdown.
    pub(super) fn furthest(&self) -> usize {
        self.runs().first().map_or(0, |run| run.steps.len())
    }

    pub(super) fn without_breakdown(mut self) -> Self {
        self.funnel.attribution = Attribution::None;
        self.events.iter_mut().for_each(|event| event.value = 0);
        self
    }

    pub(super) fn without_optional_steps(mut self) -> Self {
        self.funnel.optional = 0;
        self
    }

    /// Events that were nothing else become foreign.
    pub(super) fn without_exclusions(mut self) -> Self {
        self.events
            .iter_mut()
            .for_each(|event| event.exclusions = 0);
        self.with_events_allowed()
    }

    /// Keeps one event of each instant, and takes no two instants for one.
    pub(super) fn without_ties(mut self) -> Self {
        self.funnel.simultaneity = 0;
        self.events.dedup_by_key(|event| event.time);
        self
    }

    /// Each event meets one step at most.
    pub(super) fn with_single_steps(mut self) -> Self {
        for event in &mut self.events {
            event.steps &= event.steps.wrapping_neg();
        }
        self.with_events_allowed()
    }

    /// Only strict funnels see events that are nothing to them; sorts.
    pub(super) fn with_events_allowed(mut self) -> Self {
        if self.funnel.order != Order::Strict {
            self.events
                .retain(|event| event.steps != 0 || event.exclusions != 0);
        }
        self.events.sort_by(Event::cmp);
        self
    }

    /// One period in which every entry of a random history lies.
    pub(super) fn with_one_period(mut self) -> Self {
        self.periods = Periods {
            edges: vec![-HOUR, 24 * HOUR],
            from: 0,
            to: self.funnel.steps - 1,
        };
        self
    }
}

/// Before it is known how many steps there are.
#[derive(Debug, Clone)]
struct RawEvent {
    gap: i64,
    name: usize,
    also: u64,
    kind: Kind,
    value: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Step,
    Foreign,
    /// Bit `i`: it meets the exclusion `i`.
    Exclusion(usize),
    StepAndExclusion(usize),
}

fn gap() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => Just(0),
        3 => (1..=6_i64).prop_map(|tens| 10 * tens * MILLISECOND),
        1 => Just(NEAR + 1),
        5 => (1..=4_i64).prop_map(|seconds| seconds * SECOND),
        1 => Just(60 * SECOND),
    ]
}

fn raw_event() -> impl Strategy<Value = RawEvent> {
    let also = prop_oneof![7 => Just(0), 1 => any::<u64>()];
    let kind = prop_oneof![
        16 => Just(Kind::Step),
        2 => Just(Kind::Foreign),
        3 => (1..4_usize).prop_map(Kind::Exclusion),
        1 => (1..4_usize).prop_map(Kind::StepAndExclusion),
    ];
    (gap(), 0..6_usize, also, kind, 0..4_u32).prop_map(|(gap, name, also, kind, value)| RawEvent {
        gap,
        name,
        also,
        kind,
        value,
    })
}

/// The name that each step asks for; repeated steps in half of the cases.
fn names() -> impl Strategy<Value = Vec<usize>> {
    let distinct = Just((0..6).collect::<Vec<_>>());
    prop_oneof![distinct, vec(0..4_usize, 6)]
}

fn attribution(steps: usize, order: Order) -> impl Strategy<Value = Attribution> {
    let attributed = if order == Order::Unordered { 1 } else { steps };
    prop_oneof![
        4 => Just(Attribution::None),
        1 => Just(Attribution::FirstTouch),
        1 => Just(Attribution::LastTouch),
        1 => Just(Attribution::AllEvents),
        1 => Just(Attribution::AnyEvent),
        3 => (0..attributed).prop_map(Attribution::Step),
    ]
}

fn funnel(steps: usize, order: Order, ask: Ask) -> impl Strategy<Value = Funnel> {
    let window = prop_oneof![
        4 => (1..=8_i64).prop_map(|seconds| seconds * SECOND),
        1 => Just(NEAR),
        1 => Just(200 * MILLISECOND),
        1 => Just(65 * SECOND),
        2 => Just(HOUR),
        1 => Just(i64::MAX),
    ];
    let may_skip = order != Order::Unordered && ask == Ask::Runs;
    let last = 1_u64 << steps;
    let optional = prop_oneof![2 => Just(0), 1 => 0..last];
    let optional = optional.prop_map(move |mask| if may_skip { mask & !1 } else { 0 });
    let simultaneity = prop_oneof![Just(NEAR), Just(0)];
    (window, optional, simultaneity, attribution(steps, order)).prop_map(
        move |(window, optional, simultaneity, attribution)| Funnel {
            steps,
            order,
            window,
            optional,
            simultaneity,
            attribution,
            entry_until: None,
        },
    )
}

fn periods(steps: usize) -> impl Strategy<Value = Periods> {
    let widths = vec(prop_oneof![3 => 1..=9_i64, 1 => Just(100)], 1..6);
    let span = prop_oneof![
        Just((0, steps - 1)),
        (1..steps).prop_flat_map(|to| (0..to, Just(to))),
    ];
    (-2..4_i64, widths, span).prop_map(|(start, widths, (from, to))| {
        let mut edges = vec![start * SECOND];
        for width in widths {
            edges.push(edges.last().unwrap() + width * SECOND);
        }
        Periods { edges, from, to }
    })
}

/// Bits of the exclusions from one step to another; unordered funnels know only that of the whole funnel.
fn exclusions(steps: usize, order: Order) -> BoxedStrategy<Vec<u64>> {
    let bits = |from: usize, to: usize| (from + 1..=to).fold(0, |bits, step| bits | 1_u64 << step);
    if order == Order::Unordered {
        return vec(Just(bits(0, steps - 1)), 0..=1).boxed();
    }
    let range = (1..steps).prop_flat_map(|to| (0..to, Just(to)));
    vec(range.prop_map(move |(from, to)| bits(from, to)), 0..=2).boxed()
}

fn history(names: &[usize], steps: usize, exclusions: &[u64], raw: &[RawEvent]) -> Vec<Event> {
    let mut time = 0;
    let all = (1 << steps) - 1;
    let event = |raw: &RawEvent| {
        time += raw.gap;
        let named = names
            .iter()
            .enumerate()
            .filter(|(_, name)| **name == raw.name % steps);
        let met = (named.fold(0, |bits, (step, _)| bits | 1 << step) | raw.also) & all;
        let excluded = |which: usize| {
            let hit = exclusions
                .iter()
                .enumerate()
                .filter(|(i, _)| which >> i & 1 == 1);
            hit.fold(0, |bits, (_, exclusion)| bits | exclusion)
        };
        let (steps, exclusions) = match raw.kind {
            Kind::Step => (met, 0),
            Kind::Foreign => (0, 0),
            Kind::Exclusion(which) => (0, excluded(which)),
            Kind::StepAndExclusion(which) => (met, excluded(which)),
        };
        Event {
            time,
            steps,
            exclusions,
            value: raw.value,
        }
    };
    raw.iter().map(event).collect()
}

/// Actors of funnels in that order.
pub(super) fn cases(order: Order, ask: Ask) -> impl Strategy<Value = Case> {
    let empty = prop_oneof![Just(None), Just(Some(0)), Just(Some(2))];
    let entry_until = prop_oneof![3 => Just(None), 1 => any::<Index>().prop_map(Some)];
    (2..=6_usize).prop_flat_map(move |steps| {
        (
            funnel(steps, order, ask),
            periods(steps),
            exclusions(steps, order),
            names(),
            vec(raw_event(), 0..=40),
            empty.clone(),
            entry_until.clone(),
        )
            .prop_map(
                |(mut funnel, periods, exclusions, names, raw, empty, until)| {
                    let events = history(&names, funnel.steps, &exclusions, &raw);
                    if let Some(index) = until
                        && !events.is_empty()
                    {
                        funnel.entry_until = Some(index.get(&events).time);
                    }
                    let case = Case {
                        funnel,
                        periods,
                        empty,
                        events,
                    };
                    match case.funnel.attribution {
                        Attribution::None => case.without_breakdown().with_events_allowed(),
                        _ => case.with_events_allowed(),
                    }
                },
            )
    })
}

/// Actors of funnels in any order.
pub(super) fn any_cases(ask: Ask) -> impl Strategy<Value = Case> {
    prop_oneof![
        cases(Order::Ordered, ask),
        cases(Order::Strict, ask),
        cases(Order::Unordered, ask),
    ]
}

/// As many cases of each test; failures are reported, not stored.
pub(super) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// One line per event, steps from 1, times in seconds.
impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |time: i64| time as f64 / SECOND as f64;
        let Self {
            funnel,
            periods,
            empty,
            events,
        } = self;
        writeln!(
            f,
            "{:?} funnel of {} steps, optional {:?}, window {} s, simultaneity {} s, {:?} (empty {empty:?}), entry until {:?}",
            funnel.order,
            funnel.steps,
            numbers(funnel.optional),
            seconds(funnel.window),
            seconds(funnel.simultaneity),
            funnel.attribution,
            funnel.entry_until.map(seconds),
        )?;
        let edges: Vec<f64> = periods.edges.iter().copied().map(seconds).collect();
        writeln!(
            f,
            "periods {edges:?}, step index {} to {}",
            periods.from, periods.to
        )?;
        for event in events {
            let time = seconds(event.time);
            let (steps, exclusions) = (numbers(event.steps), numbers(event.exclusions));
            writeln!(
                f,
                "{time:>12.6}  steps {steps:?}  exclusions {exclusions:?}  value {}",
                event.value
            )?;
        }
        Ok(())
    }
}
