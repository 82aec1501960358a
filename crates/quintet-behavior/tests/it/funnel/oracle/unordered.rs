//! Unordered funnels, their step form (funnels-more.md §3.2) and their trend (§4.3).

use std::collections::{BTreeMap, VecDeque};

use quintet_behavior::funnel::{Funnel, Periods};

use super::{Evaluation, FoundEntrance, FoundRun, Seen, may_enter, period_of, within};

/// One first-in, first-out queue of event times per step.
struct Queues(Vec<VecDeque<i64>>);

impl Queues {
    fn new(funnel: &Funnel) -> Self {
        Self(vec![VecDeque::new(); funnel.steps])
    }

    fn done(&self) -> usize {
        self.heads().len()
    }

    /// Ascending.
    fn heads(&self) -> Vec<i64> {
        let mut heads: Vec<i64> = self
            .0
            .iter()
            .filter_map(|queue| queue.front().copied())
            .collect();
        heads.sort_unstable();
        heads
    }

    fn oldest(&self) -> Option<i64> {
        self.heads().first().copied()
    }

    /// Of equally old heads that of the lowest step.
    fn pop_oldest(&mut self) {
        let oldest = self.oldest();
        if let Some(queue) = self
            .0
            .iter_mut()
            .find(|queue| queue.front().copied() == oldest)
        {
            queue.pop_front();
        }
    }

    fn clear(&mut self) {
        self.0.iter_mut().for_each(VecDeque::clear);
    }

    /// Rules 2 and 3 of §3.2, for an event after what it drains.
    fn take(&mut self, funnel: &Funnel, evaluation: &Evaluation, event: &Seen) {
        if !event.exclusions.is_empty() {
            self.clear();
            return;
        }
        let opens = self.done() == 0;
        if opens && (evaluation.refuses(funnel, event, 1) || !may_enter(funnel, event.time)) {
            return;
        }
        // An empty queue's newest is `None`, which comes first; of equals `min_by_key` takes the first.
        let newest = |step: &&usize| self.0[**step - 1].back().copied();
        if let Some(step) = event.steps.iter().min_by_key(newest) {
            self.0[*step - 1].push_back(event.time);
        }
    }
}

pub(super) fn run(funnel: &Funnel, evaluation: &Evaluation) -> Option<FoundRun> {
    let mut queues = Queues::new(funnel);
    let mut best: Vec<i64> = Vec::new();
    let record = |best: &mut Vec<i64>, queues: &Queues| {
        let heads = queues.heads();
        if heads.len() > best.len() && may_enter(funnel, heads[0]) {
            *best = heads;
        }
    };
    for event in &evaluation.events {
        while let Some(oldest) = queues.oldest() {
            if queues.done() < funnel.steps && within(funnel.window, oldest, event.time) {
                break;
            }
            record(&mut best, &queues);
            queues.pop_oldest();
        }
        if best.len() == funnel.steps {
            break;
        }
        queues.take(funnel, evaluation, event);
    }
    record(&mut best, &queues);
    (!best.is_empty()).then(|| FoundRun {
        value: evaluation.value,
        steps: (1..=best.len()).collect(),
        times: best,
    })
}

pub(super) fn entrances(
    funnel: &Funnel,
    periods: &Periods,
    evaluation: &Evaluation,
) -> Vec<FoundEntrance> {
    let mut queues = Queues::new(funnel);
    let mut reached: BTreeMap<usize, usize> = BTreeMap::new();
    let mut drain_one = |queues: &mut Queues, oldest: i64| {
        if let Some(period) = period_of(periods, oldest).filter(|_| may_enter(funnel, oldest)) {
            let most = reached.entry(period).or_default();
            *most = (*most).max(queues.done());
        }
        queues.pop_oldest();
    };
    for event in &evaluation.events {
        while let Some(oldest) = queues.oldest() {
            if queues.done() < funnel.steps && within(funnel.window, oldest, event.time) {
                break;
            }
            drain_one(&mut queues, oldest);
        }
        queues.take(funnel, evaluation, event);
    }
    while let Some(oldest) = queues.oldest() {
        drain_one(&mut queues, oldest);
    }
    reached
        .into_iter()
        .filter(|(_, most)| *most > periods.from)
        .map(|(period, most)| FoundEntrance {
            value: evaluation.value,
            period,
            converted: most > periods.to,
        })
        .collect()
}
