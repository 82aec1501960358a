//! Rows of trends: the share that converts by period of entrance. Rules: `spec/funnels-more.md` sections 4.4 to 4.6 and 11.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::breakdown::Breakdown;
use crate::funnels::figures::{ByValue, EntranceFigures, Entrances};
use crate::funnels::{Funnels, Span};
use crate::numbers::json_numbers;

use super::value::{Limit, RowValue};
use super::{FunnelsResult, actors, compared};

/// The entrances of one breakdown value by period.
struct Series {
    value: RowValue,
    periods: BTreeMap<usize, Entrances>,
}

/// One series, or one per breakdown value.
pub(super) fn result(
    funnels: &Funnels,
    current: EntranceFigures,
    previous: Option<(&Span, EntranceFigures)>,
) -> FunnelsResult {
    let (mut rows, mut summary) = written(funnels, &funnels.current, current);
    if let Some((span, figures)) = previous {
        let previous = written(funnels, span, figures);
        rows = compared(rows, previous.0);
        summary = compared(summary, previous.1);
    }
    FunnelsResult {
        results: rows.into(),
        extra: vec![("summary", summary.into())],
    }
}

/// The rows of one range, and the counts behind each.
fn written(funnels: &Funnels, span: &Span, figures: EntranceFigures) -> (Vec<Value>, Vec<Value>) {
    let series = series(funnels, figures.by_value);
    let rows = series.iter().map(|series| series.row(funnels, span));
    let summary = series.iter().map(|series| series.summary(funnels, span));
    (rows.collect(), summary.collect())
}

/// What has a row, in the order of rows. Without a breakdown there is always one.
fn series(funnels: &Funnels, mut by_value: ByValue<BTreeMap<usize, Entrances>>) -> Vec<Series> {
    let breakdown = funnels.breakdown.as_ref();
    if breakdown.is_none() {
        by_value.count(&[], |_| {});
    }
    let mut all: Vec<Series> = by_value
        .into_figures()
        .into_iter()
        .map(|(value, periods)| Series {
            value: RowValue::of(breakdown, value),
            periods,
        })
        .collect();
    if let (false, Some(breakdown)) = (all.is_empty(), breakdown) {
        all.sort_by(|one, other| {
            let by_entrances = other.entered().cmp(&one.entered());
            by_entrances.then_with(|| other.value.texts().cmp(one.value.texts()))
        });
        all.truncate(limit(breakdown));
        for value in RowValue::always(breakdown) {
            if all.iter().all(|series| series.value != value) {
                all.push(Series {
                    value,
                    periods: BTreeMap::new(),
                });
            }
        }
        all.sort_by(|one, other| one.value.texts().cmp(other.value.texts()));
    }
    all
}

/// Here the limit holds for properties of every kind, and the values beyond it have no row.
fn limit(breakdown: &Breakdown) -> usize {
    match breakdown {
        Breakdown::Properties { limit, .. } => *limit,
        Breakdown::Cohorts(_) => Limit::of(breakdown).rows,
    }
}

impl Series {
    fn entered(&self) -> u64 {
        self.periods.values().map(|period| period.entered).sum()
    }

    /// A figure for every period of the range.
    fn by_period(&self, span: &Span) -> impl Iterator<Item = Entrances> {
        (0..span.period.buckets())
            .map(|period| self.periods.get(&period).copied().unwrap_or_default())
    }

    fn row(&self, funnels: &Funnels, span: &Span) -> Value {
        let rates: Vec<f64> = self.by_period(span).map(Entrances::rate).collect();
        let mut row = Map::new();
        row.insert("count".to_owned(), rates.len().into());
        row.insert("data".to_owned(), json_numbers(&rates));
        row.insert("days".to_owned(), span.period.days.as_slice().into());
        row.insert("labels".to_owned(), span.period.labels.as_slice().into());
        self.insert_value(&mut row, funnels);
        Value::Object(row)
    }

    fn summary(&self, funnels: &Funnels, span: &Span) -> Value {
        let counts = |of: fn(Entrances) -> u64| -> Value {
            self.by_period(span)
                .map(|period| actors(funnels, of(period)))
                .collect()
        };
        let mut row = Map::new();
        row.insert(
            "reached_from_step_count".to_owned(),
            counts(|period| period.entered),
        );
        row.insert(
            "reached_to_step_count".to_owned(),
            counts(|period| period.converted),
        );
        self.insert_value(&mut row, funnels);
        Value::Object(row)
    }

    fn insert_value(&self, row: &mut Map<String, Value>, funnels: &Funnels) {
        if funnels.breakdown.is_some() {
            row.insert("breakdown_value".to_owned(), self.value.label());
        }
    }
}

impl Entrances {
    /// Per cent, to two places.
    fn rate(self) -> f64 {
        if self.entered == 0 {
            return 0.0;
        }
        let per_cent = 100.0 * self.converted as f64 / self.entered as f64;
        (per_cent * 100.0).round_ties_even() / 100.0
    }
}
