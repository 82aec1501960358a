//! Retention after validation: what the engine plans and [`super::shape`] turns into rows.
//!
//! The engine reads the events that satisfy `filter` and are any of start, return and (of first-ever starts) candidate,
//! from [`Retention::begin`] to [`Retention::until`]. `quintet_behavior::retention` says which cohorts each actor belongs
//! to, and [`super::Figures`] counts them. A breakdown by cohorts of persons is as many questions, each of the events of
//! its members; any other value belongs to the event.

use crate::breakdown::Breakdown;
use crate::filter::{Filter, Property};
use crate::series::Actor;

use super::{Columns, Window};

/// A validated `RetentionQuery`. Times are microseconds since 1970 in UTC.
#[derive(Debug, Clone, PartialEq)]
pub struct Retention {
    /// Whose retention it is. Events without a group of the type are left out.
    pub actor: Actor,
    /// What every event must satisfy, before the window too.
    pub filter: Filter,
    /// What the target itself must be: its name, or the action. Only first-ever starts ask for it.
    pub candidate: Filter,
    /// What starts a cohort: the target with its filters.
    pub start: Filter,
    /// What counts as coming back.
    pub returning: Filter,
    /// Which starts found a cohort.
    pub starts: Starts,
    /// What is counted.
    pub mode: Mode,
    /// The rows.
    pub window: Window,
    /// The columns.
    pub columns: Columns,
    /// Blocks of rows by the values of one property, or by cohorts of persons.
    pub breakdown: Option<Breakdown>,
    /// Share of distinct ids to read, in [0, 1); `None` reads all. Counts and sums are scaled back.
    pub sampling: Option<f64>,
    /// What percentages are percentages of.
    pub reference: Reference,
    /// The clock: what lies after it is not known yet.
    pub now: i64,
}

/// Which starts found a cohort.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Starts {
    /// All of them: an actor is in the cohort of every period with a start. Rolling: the first one in the window.
    #[default]
    Recurring,
    /// The first of all time that satisfies the filters of the target.
    FirstTime,
    /// The first target of all time, if it satisfies the filters of the target.
    FirstEver,
}

/// What is counted.
#[derive(Debug, Clone, PartialEq)]
pub enum Mode {
    /// Actors by periods of the calendar.
    Counts {
        /// How many return events a period takes to be a return, at least 1.
        minimum: u64,
        /// A return counts in the columns before it too.
        cumulative: bool,
    },
    /// Actors by periods of the calendar, with an aggregate of their events.
    Amounts(Amounts),
    /// Actors by windows that begin with their own start.
    Rolling(Rolling),
}

/// An aggregate of the events of a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amounts {
    /// What is added up; 0 where it is no number.
    pub property: Property,
    /// What becomes of the sum.
    pub measure: Measure,
    /// Start and return are the same event with the same filters.
    pub one_event: bool,
}

/// What becomes of the sum of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// It is shown.
    Sum,
    /// It is divided by the actors of the cell, however many events they have.
    Average,
}

/// Windows that begin with the actor's own start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolling {
    /// Starts of the hours (for periods of an hour or a day) or local days that windows are made of, from the start of the
    /// window to as far as columns reach.
    pub edges: Vec<i64>,
    /// How many of them are a window: 1 hour, 24 hours, 7 days or 30 days. Rows are as long, whatever their dates say.
    pub length: usize,
}

/// What percentages are percentages of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reference {
    /// Column 0.
    #[default]
    Total,
    /// The column before.
    Previous,
}

impl Retention {
    /// First instant of the events that are read; `None` is ever, for whoever asks for the first of all time. Of the events
    /// before the window, one start (of first-ever starts, one candidate) per actor and breakdown value says all.
    pub fn begin(&self) -> Option<i64> {
        match self.starts {
            Starts::Recurring => Some(self.window.start()),
            Starts::FirstTime | Starts::FirstEver => None,
        }
    }

    /// Exclusive end of the events that are read; `None` is never: first starts see rolling returns after the window.
    pub fn until(&self) -> Option<i64> {
        match (&self.mode, self.starts) {
            (Mode::Rolling(_), Starts::FirstTime | Starts::FirstEver) => None,
            _ => Some(self.window.end()),
        }
    }

    /// True when nothing that happens from now on, or behind the window, can still add to a cell.
    pub(super) fn is_complete(&self, row: usize, column: usize) -> bool {
        let last = column
            .checked_sub(1)
            .and_then(|at| self.columns.reach.get(at))
            .copied()
            .unwrap_or(0);
        let end = match &self.mode {
            Mode::Counts { .. } | Mode::Amounts(_) => self.window.edges.get(row + last + 1),
            // The last actor of the row starts when the row ends.
            Mode::Rolling(rolling) => {
                let windows = row + last + if column == 0 { 1 } else { 2 };
                rolling.edges.get(windows.saturating_mul(rolling.length))
            }
        };
        end.is_some_and(|end| *end <= self.now && self.until().is_none_or(|until| *end <= until))
    }
}
