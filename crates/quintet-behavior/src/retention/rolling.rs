//! Retention by windows that begin with the actor's start, such as those of 24 hours: an actor is in one cohort at most.
//!
//! Hours and days are counted by the boundaries between two times, not by the time that has passed.

use std::collections::BTreeMap;

use super::{Cohort, Event, Retention, Rolling, Starts, first_ever};

impl Retention {
    /// The start is looked for among all events; the actor then counts under every value that it shows from there on.
    pub(super) fn rolling(
        &self,
        rolling: Rolling,
        events: &[Event],
        mut found: impl FnMut(Cohort<'_>),
    ) {
        let length = rolling.length.max(1);
        let Some(start) = self.rolling_start(rolling, events) else {
            return;
        };
        let Some(first) = self.period(start) else {
            return;
        };
        let row = first / length;
        if row >= rolling.rows {
            return;
        }
        let mut by_value: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for event in events
            .iter()
            .filter(|event| self.counts_from(start, rolling, event))
        {
            let columns = by_value.entry(event.value).or_insert_with(|| vec![0]);
            let column = self
                .period(event.time)
                .and_then(|period| self.column(period.saturating_sub(first) / length))
                .filter(|column| event.is(Event::RETURN) && columns.last() != Some(column));
            columns.extend(column);
        }
        for (value, columns) in &by_value {
            found(Cohort {
                value: *value,
                row,
                columns,
                amounts: &[],
            });
        }
    }

    /// When the actor starts. A first start outside of the window is no start.
    fn rolling_start(&self, rolling: Rolling, events: &[Event]) -> Option<i64> {
        let in_window =
            |event: &&Event| event.time < rolling.until && self.period(event.time).is_some();
        let mut starts = events.iter().filter(|event| event.is(Event::START));
        let start = match self.starts {
            Starts::Recurring => starts.find(in_window),
            Starts::FirstTime => starts.next().filter(in_window),
            Starts::FirstEver => first_ever(events).filter(in_window),
        };
        start.map(|start| start.time)
    }

    /// Whether an event counts for the actor that started then. First starts see beyond the window, recurring ones do not.
    fn counts_from(&self, start: i64, rolling: Rolling, event: &Event) -> bool {
        event.time >= start
            && event.is(Event::START | Event::RETURN)
            && (self.starts != Starts::Recurring || event.time < rolling.until)
    }
}
