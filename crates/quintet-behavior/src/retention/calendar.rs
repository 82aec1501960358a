//! Retention by periods of the calendar: an actor may be in many cohorts, and every return period counts once in each.

use std::collections::BTreeMap;

use super::{Amounts, Cohort, Counts, Event, Retention, Starts, first_ever};

/// What an actor does under one breakdown value.
#[derive(Debug, Default)]
struct History {
    /// The first start of all time.
    first: Option<i64>,
    /// The periods with a start or a return, ascending.
    active: Vec<Activity>,
}

/// What an actor does in one period under one breakdown value.
#[derive(Debug, Default)]
struct Activity {
    period: usize,
    /// The first start in it.
    start: Option<i64>,
    returns: u64,
    amounts: Sums,
}

/// What the amounts in a period add up to.
#[derive(Debug, Default)]
struct Sums {
    starts: f64,
    returns: f64,
    /// Of the returns after the first start.
    later_returns: f64,
}

impl Retention {
    pub(super) fn counts(
        &self,
        counts: Counts,
        events: &[Event],
        mut found: impl FnMut(Cohort<'_>),
    ) {
        let mut columns = Vec::new();
        self.each_cohort(events, |value, cohort, later| {
            columns.clear();
            columns.push(0);
            for (column, period) in self.returns(cohort, later) {
                if period.returns >= counts.minimum && columns.last() != Some(&column) {
                    columns.push(column);
                }
            }
            if counts.cumulative {
                let last = columns.last().copied().unwrap_or(0);
                columns.clear();
                columns.extend(0..=last);
            }
            found(Cohort {
                value,
                row: cohort.period,
                columns: &columns,
                amounts: &[],
            });
        });
    }

    pub(super) fn amounts(
        &self,
        amounts: Amounts,
        events: &[Event],
        mut found: impl FnMut(Cohort<'_>),
    ) {
        let mut columns = Vec::new();
        let mut sums = Vec::new();
        self.each_cohort(events, |value, cohort, later| {
            columns.clear();
            columns.push(0);
            sums.clear();
            sums.push(match amounts {
                Amounts::OneEvent => cohort.amounts.starts,
                Amounts::TwoEvents => cohort.amounts.later_returns,
            });
            for (column, period) in self.returns(cohort, later) {
                match sums.last_mut() {
                    Some(sum) if columns.last() == Some(&column) => *sum += period.amounts.returns,
                    _ => {
                        columns.push(column);
                        sums.push(period.amounts.returns);
                    }
                }
            }
            found(Cohort {
                value,
                row: cohort.period,
                columns: &columns,
                amounts: &sums,
            });
        });
    }

    /// Hands over each cohort of the actor: the breakdown value, its period, and the active periods after it.
    fn each_cohort(&self, events: &[Event], mut found: impl FnMut(u32, &Activity, &[Activity])) {
        for (value, history) in self.histories(events) {
            let first = history.first.and_then(|first| self.period(first));
            for (at, activity) in history.active.iter().enumerate() {
                let founds = match self.starts {
                    Starts::Recurring => activity.start.is_some(),
                    Starts::FirstTime | Starts::FirstEver => first == Some(activity.period),
                };
                if founds {
                    let later = history.active.get(at + 1..).unwrap_or_default();
                    found(value, activity, later);
                }
            }
        }
    }

    /// What the actor does, by breakdown value.
    fn histories(&self, events: &[Event]) -> BTreeMap<u32, History> {
        let mut histories: BTreeMap<u32, History> = BTreeMap::new();
        let only_value = match self.starts {
            Starts::Recurring | Starts::FirstTime => None,
            Starts::FirstEver => match first_ever(events) {
                Some(first) => Some(first.value),
                None => return histories,
            },
        };
        for event in events {
            let history = histories
                .entry(only_value.unwrap_or(event.value))
                .or_default();
            history.add(event, self.period(event.time));
        }
        histories
    }

    /// The periods with returns after a cohort, each with its column. Beyond the last column there are none.
    fn returns<'a>(
        &self,
        cohort: &Activity,
        later: &'a [Activity],
    ) -> impl Iterator<Item = (usize, &'a Activity)> {
        later
            .iter()
            .filter(|activity| activity.returns > 0)
            .map_while(move |activity| {
                let column = self.column(activity.period.saturating_sub(cohort.period))?;
                Some((column, activity))
            })
    }
}

impl History {
    /// Adds an event. One outside of the window may still be the first start of all time.
    fn add(&mut self, event: &Event, period: Option<usize>) {
        if event.is(Event::START) && self.first.is_none() {
            self.first = Some(event.time);
        }
        let Some(period) = period.filter(|_| event.is(Event::START | Event::RETURN)) else {
            return;
        };
        match self.active.last_mut() {
            Some(activity) if activity.period == period => activity.add(event),
            _ => {
                let mut activity = Activity {
                    period,
                    ..Activity::default()
                };
                activity.add(event);
                self.active.push(activity);
            }
        }
    }
}

impl Activity {
    fn add(&mut self, event: &Event) {
        let amount = if event.amount.is_finite() {
            event.amount
        } else {
            0.0
        };
        if event.is(Event::RETURN) {
            self.returns += 1;
            self.amounts.returns += amount;
            if self.start.is_some_and(|start| start < event.time) {
                self.amounts.later_returns += amount;
            }
        }
        if event.is(Event::START) {
            self.start.get_or_insert(event.time);
            self.amounts.starts += amount;
        }
    }
}
