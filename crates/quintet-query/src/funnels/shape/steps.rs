//! Rows of steps. Rules: `spec/funnels.md` sections 6 and 9 to 11.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::breakdown::Breakdown;
use crate::funnels::figures::{ByValue, StepFigures, StepTally};
use crate::funnels::{Funnels, Order, Step};

use super::value::{Limit, RowValue};
use super::{FunnelsResult, actors, compared, time};

/// The steps of one breakdown value.
struct Funnel {
    value: RowValue,
    steps: Vec<StepTally>,
}

/// One list of steps, or one per breakdown value.
pub(super) fn result(
    funnels: &Funnels,
    mut current: StepFigures,
    previous: Option<StepFigures>,
) -> FunnelsResult {
    let rows = ranked(funnels, current.by_value);
    match previous {
        None => FunnelsResult {
            results: list(funnels, rows).into(),
            extra: vec![(
                "total_median_conversion_time",
                time(current.totals.median()),
            )],
        },
        Some(previous) => {
            let (current, previous) =
                of_same_values(funnels, rows, ranked(funnels, previous.by_value));
            FunnelsResult {
                results: compared(list(funnels, current), list(funnels, previous)).into(),
                extra: Vec::new(),
            }
        }
    }
}

/// What has a row, in the order of rows.
fn ranked(funnels: &Funnels, by_value: ByValue<Vec<StepTally>>) -> Vec<Funnel> {
    let breakdown = funnels.breakdown.as_ref();
    let mut all: Vec<Funnel> = by_value
        .into_figures()
        .into_iter()
        .map(|(value, steps)| Funnel {
            value: RowValue::of(breakdown, value),
            steps,
        })
        .collect();
    if let (false, Some(breakdown)) = (all.is_empty(), breakdown) {
        for value in RowValue::always(breakdown) {
            if all.iter().all(|row| row.value != value) {
                all.push(Funnel::of_nobody(funnels, value));
            }
        }
        all.sort_by(Funnel::by_conversions);
        limit(&mut all, breakdown);
        all.sort_by(Funnel::by_conversions);
    }
    all
}

/// Pools or drops what is beyond the limit of values in their order.
fn limit(all: &mut Vec<Funnel>, breakdown: &Breakdown) {
    let limit = Limit::of(breakdown);
    let rest = all.split_off(limit.rows.min(all.len())).into_iter();
    let pooled = rest.reduce(|mut pooled, funnel| {
        for (sum, tally) in pooled.steps.iter_mut().zip(funnel.steps) {
            sum.append(tally);
        }
        pooled
    });
    if let Some(pooled) = pooled.filter(|_| limit.pools_others) {
        all.push(Funnel {
            value: RowValue::other(breakdown),
            ..pooled
        });
    }
}

/// Both sides with the values of either: those of the current range in its order, then those of the previous one only.
fn of_same_values(
    funnels: &Funnels,
    current: Vec<Funnel>,
    previous: Vec<Funnel>,
) -> (Vec<Funnel>, Vec<Funnel>) {
    let mut values: Vec<RowValue> = current.iter().map(|row| row.value.clone()).collect();
    for row in &previous {
        if !values.contains(&row.value) {
            values.push(row.value.clone());
        }
    }
    let side = |mut rows: Vec<Funnel>| {
        let row = |value: &RowValue| match rows.iter().position(|row| row.value == *value) {
            Some(at) => rows.swap_remove(at),
            None => Funnel::of_nobody(funnels, value.clone()),
        };
        values.iter().map(row).collect()
    };
    (side(current), side(previous))
}

impl Funnel {
    fn of_nobody(funnels: &Funnels, value: RowValue) -> Self {
        Self {
            value,
            steps: vec![StepTally::default(); funnels.steps.len()],
        }
    }

    /// More at the last step first, then at the one before, and so on.
    fn by_conversions(&self, other: &Self) -> Ordering {
        other
            .counts_from_the_end()
            .cmp(self.counts_from_the_end())
            .then_with(|| self.value.cmp(&other.value))
    }

    fn counts_from_the_end(&self) -> impl Iterator<Item = u64> {
        self.steps.iter().rev().map(|step| step.count)
    }

    fn rows(self, funnels: &Funnels) -> Vec<Value> {
        let steps = funnels.steps.iter().zip(self.steps).enumerate();
        steps
            .map(|(order, (step, tally))| row(funnels, &self.value, (order, step), tally))
            .collect()
    }
}

/// The rows: lists of steps with a breakdown, steps without.
fn list(funnels: &Funnels, all: Vec<Funnel>) -> Vec<Value> {
    let lists = all.into_iter().map(|funnel| funnel.rows(funnels));
    if funnels.breakdown.is_some() {
        lists.map(Value::Array).collect()
    } else {
        lists.flatten().collect()
    }
}

fn row(
    funnels: &Funnels,
    value: &RowValue,
    (order, step): (usize, &Step),
    mut tally: StepTally,
) -> Value {
    let mut row = Map::new();
    let (action_id, name, custom_name) = names(funnels, order, step);
    row.insert("action_id".to_owned(), action_id);
    row.insert("name".to_owned(), name);
    row.insert("custom_name".to_owned(), custom_name);
    row.insert("order".to_owned(), order.into());
    row.insert("people".to_owned(), json!([]));
    row.insert("count".to_owned(), actors(funnels, tally.count));
    row.insert("type".to_owned(), step.echo.kind.into());
    row.insert(
        "average_conversion_time".to_owned(),
        time(tally.gaps.mean()),
    );
    row.insert(
        "median_conversion_time".to_owned(),
        time(tally.gaps.median()),
    );
    if funnels.pending {
        row.insert("pending".to_owned(), actors(funnels, tally.pending));
    }
    if funnels.breakdown.is_some() {
        row.insert("breakdown".to_owned(), value.label());
        row.insert("breakdown_value".to_owned(), value.key());
    }
    Value::Object(row)
}

/// `action_id`, `name` and `custom_name`. In no order a row is about a number of steps, not about one of them.
fn names(funnels: &Funnels, order: usize, step: &Step) -> (Value, Value, Value) {
    match funnels.order {
        Order::Unordered => {
            let done = order + 1;
            let plural = if done == 1 { "" } else { "s" };
            let name = format!("Completed {done} step{plural}");
            (Value::Null, name.into(), Value::Null)
        }
        Order::Ordered | Order::Strict => (
            step.echo.action_id.clone(),
            step.echo.name.clone().into(),
            step.echo.custom_name.clone().into(),
        ),
    }
}
