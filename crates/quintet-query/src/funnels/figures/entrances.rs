//! Who entered a funnel in which period, and who of them converted. Rules: `spec/funnels-more.md` section 4.

use std::collections::BTreeMap;

use super::super::Span;
use super::ByValue;

/// Entrances by breakdown value and period.
#[derive(Debug, Clone)]
pub(crate) struct EntranceFigures {
    periods: usize,
    /// Periods without an entrance are left out: most values of a breakdown have few.
    pub(crate) by_value: ByValue<BTreeMap<usize, Entrances>>,
}

/// The entrances of one period.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Entrances {
    pub(crate) entered: u64,
    pub(crate) converted: u64,
}

impl EntranceFigures {
    pub(super) fn of(span: &Span) -> Self {
        Self {
            periods: span.period.buckets(),
            by_value: ByValue::new(),
        }
    }

    /// Adds an entrance; one in a period that is not shown is none.
    pub(super) fn add(&mut self, value: &[String], period: usize, converted: bool) {
        if period >= self.periods {
            return;
        }
        self.by_value.count(value, |periods| {
            let entrances = periods.entry(period).or_default();
            entrances.entered += 1;
            entrances.converted += u64::from(converted);
        });
    }
}
