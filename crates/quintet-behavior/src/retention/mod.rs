//! Retention: which cohorts one actor belongs to, and in which columns of each it came back. Rules: `spec/retention.md` sections 3 to 9.
//!
//! A cohort is a row: a period of the window in which actors start. Column 0 is the cohort's own period, the columns after
//! it are later ones. `calendar` counts periods of the calendar, `rolling` counts from the actor's own start.
//!
//! Whoever calls this prepares the events of one actor, sorted by [`Event::order`]. Needed are
//! - starts and returns within the window, which is that of [`Retention::edges`] (rolling: up to [`Rolling::until`]);
//! - of first starts, also one [`Event::START`] (first ever: one [`Event::CANDIDATE`]) from before the window for each
//!   value that has any, whichever it is: it only says that the first one is gone. Rolling: for each actor that has any;
//! - of rolling first starts, also starts and returns after the window.
//!
//! More events than these change nothing.

mod calendar;
#[cfg(test)]
mod oracle;
mod rolling;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

/// One event of an actor as retention sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Microseconds.
    pub time: i64,
    /// What it is: [`Event::START`], [`Event::RETURN`] and [`Event::CANDIDATE`], or-ed.
    pub kinds: u8,
    /// Rank of the event's breakdown value in an order of the values themselves; 0 without a breakdown.
    pub value: u32,
    /// The number that is summed up; 0 where there is none.
    pub amount: f64,
}

/// What an actor's events are matched against.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Retention {
    /// Starts of the periods, ascending, then the exclusive end of the last one, in microseconds. Events outside found no
    /// cohort and are no returns. Rolling: starts of the hours or days that windows are made of, as far as columns reach.
    pub edges: Vec<i64>,
    /// Which starts found a cohort.
    #[serde(default)]
    pub starts: Starts,
    /// Of each column after column 0, how many periods after the cohort its last period is; ascending.
    pub reach: Vec<usize>,
    /// What is counted.
    #[serde(default)]
    pub mode: Mode,
}

/// Which starts found a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// All of them: an actor is in the cohort of every period with a start. Rolling: the first one in the window.
    #[default]
    Recurring,
    /// The first of all time; in periods of the calendar, the first of all time under each breakdown value.
    FirstTime,
    /// The first of all time, if no candidate comes before it. In periods of the calendar its value is the actor's only one.
    FirstEver,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Returns in periods of the calendar.
    Counts(Counts),
    /// Returns in periods of the calendar, with what their amounts add up to.
    Amounts(Amounts),
    /// Returns in windows that begin with the actor's start.
    Rolling(Rolling),
}

/// What makes a return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// How many return events a period takes; 0 says the same as 1.
    pub minimum: u64,
    /// A return counts in the columns before it too.
    #[serde(default)]
    pub cumulative: bool,
}

/// Whose amounts are summed up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Amounts {
    /// Starts are returns: column 0 holds all starts of its period.
    OneEvent,
    /// Starts are other events than returns and have no amount: column 0 holds the returns after the first start of its period.
    TwoEvents,
}

/// Windows that begin with the actor's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rolling {
    /// How many hours or days a window has.
    pub length: usize,
    /// How many cohorts there are; each is as long as a window.
    pub rows: usize,
    /// Exclusive end of starts, in microseconds. Returns of recurring starts end here too.
    pub until: i64,
}

/// A cohort that the actor belongs to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cohort<'a> {
    /// The breakdown value.
    pub value: u32,
    /// Position of the cohort.
    pub row: usize,
    /// The columns in which the actor counts, ascending; column 0 is always among them.
    pub columns: &'a [usize],
    /// What each of these columns adds up to; empty where nothing is summed up.
    pub amounts: &'a [f64],
}

impl Default for Mode {
    fn default() -> Self {
        Self::Counts(Counts::default())
    }
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            minimum: 1,
            cumulative: false,
        }
    }
}

impl Event {
    /// It starts a cohort: it is the target with its filters.
    pub const START: u8 = 1;
    /// It is a return.
    pub const RETURN: u8 = 2;
    /// It is the target, whether or not its filters hold. Only first-ever starts ask for it; every start is one.
    pub const CANDIDATE: u8 = 4;

    /// One event at each of these times whose bit is set in `starts` or in `returns`, lowest bit first: what the history of an actor
    /// comes to of which only the periods are known.
    pub fn at_each(times: &[i64], starts: u64, returns: u64) -> impl Iterator<Item = Self> {
        let at = move |(bit, time): (u32, &i64)| {
            let is_set = |bits: u64| bits.checked_shr(bit).is_some_and(|bits| bits & 1 == 1);
            let kind = |bits, kind| if is_set(bits) { kind } else { 0 };
            Self {
                time: *time,
                kinds: kind(starts, Self::START) | kind(returns, Self::RETURN),
                value: 0,
                amount: 0.0,
            }
        };
        let events = (0..).zip(times).map(at);
        events.filter(|event| event.kinds != 0)
    }

    /// By time; at one instant by what the events are, so that no result depends on the order in which they were stored.
    #[inline]
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |event: &Self| (event.time, event.value, event.kinds);
        key(self)
            .cmp(&key(other))
            .then_with(|| self.amount.total_cmp(&other.amount))
    }

    /// True when it is any of these.
    const fn is(&self, kinds: u8) -> bool {
        self.kinds & kinds != 0
    }
}

impl Retention {
    /// The cohorts that the actor belongs to, each handed to `found`, once per breakdown value and row.
    ///
    /// `events` are sorted by [`Event::order`]; which of them are needed is said above.
    pub fn cohorts(&self, events: &[Event], found: impl FnMut(Cohort<'_>)) {
        match self.mode {
            Mode::Counts(counts) => self.counts(counts, events, found),
            Mode::Amounts(amounts) => self.amounts(amounts, events, found),
            Mode::Rolling(rolling) => self.rolling(rolling, events, found),
        }
    }

    /// Position of the period that holds this time; rolling, of the hour or day.
    fn period(&self, time: i64) -> Option<usize> {
        let after = self.edges.partition_point(|edge| *edge <= time);
        (after < self.edges.len())
            .then(|| after.checked_sub(1))
            .flatten()
    }

    /// The column that lies as many periods after the cohort; none beyond the last.
    fn column(&self, periods: usize) -> Option<usize> {
        if periods == 0 {
            return Some(0);
        }
        let before = self.reach.partition_point(|last| *last < periods);
        (before < self.reach.len()).then_some(before + 1)
    }
}

/// The first start of all time, if no candidate comes before it; one at the same time does no harm.
fn first_ever(events: &[Event]) -> Option<&Event> {
    let mut candidates = events
        .iter()
        .filter(|event| event.is(Event::START | Event::CANDIDATE))
        .peekable();
    let first = candidates.peek()?.time;
    candidates
        .take_while(|event| event.time == first)
        .find(|event| event.is(Event::START))
}
