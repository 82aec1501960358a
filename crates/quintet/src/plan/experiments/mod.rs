//! Experiments: who was exposed to which variant, and what became of them after that. Rules: `spec/groups-and-ingestion.md` §6.1.
//!
//! [`exposed`] gives one row per entity, [`metric`] puts beside it what its events came to. There is one row per entity in the end;
//! [`observations`] reads them, and `quintet_behavior::experiments` folds them.

mod exposed;
mod metric;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::when;
use datafusion::prelude::{DataFrame, lit};
use quintet_behavior::experiments::Observation;
use quintet_query::experiments::{
    Experiment, ExposureFigures, Exposures, MULTIPLE, Metric, MultipleVariants,
};
use quintet_query::filter::Filter;
use quintet_query::series::Actor;

use super::Reading;
use super::breakdown::named;
use super::matching::micros;
use crate::Result;
use crate::data::column;

/// When an entity was exposed first.
const FIRST: &str = "first";
/// The variant that an entity belongs to.
const VARIANT: &str = "variant";
/// Whether an entity saw several variants.
const SEVERAL: &str = "several";
/// Whether one of the persons of a group saw several variants.
const SEVERAL_OF_PERSON: &str = "several_of_person";
/// The value of the metric, of a ratio its numerator.
const VALUE: &str = "value";
/// The denominator of a ratio.
const DENOMINATOR: &str = "denominator";
/// The steps of a funnel that an entity took, the exposure first.
const STEPS: &str = "steps";

/// Every filter that an experiment asks of events.
pub(crate) fn filters(experiment: &Experiment) -> Vec<&Filter> {
    let mut filters = experiment.metric.filters();
    filters.extend([&experiment.filter, &experiment.exposures.matching]);
    filters
}

/// What became of all entities.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// One per entity that takes part.
    pub(crate) observations: Vec<Observation>,
    /// Per arm how many took each step of a funnel after the exposure; empty for other metrics.
    pub(crate) step_counts: Vec<Vec<u64>>,
}

/// What became of the entities of an experiment.
pub(crate) async fn observations(
    experiment: &Experiment,
    reading: &Reading<'_>,
) -> Result<Observed> {
    let variants = &experiment.exposures.variants;
    let steps = match &experiment.metric {
        Metric::Funnel { steps, .. } => steps.as_slice(),
        _ => &[],
    };
    let mut observed = Observed {
        observations: Vec::new(),
        step_counts: vec![vec![0; steps.len()]; variants.len()],
    };
    let entities = metric::values(experiment, reading)?;
    let goal = goal(steps);
    let each = |batch: RecordBatch| {
        let (arms, values) = (
            arms(&batch, variants)?,
            named(&batch, VALUE, &DataType::Float64)?,
        );
        let denominators = named(&batch, DENOMINATOR, &DataType::Float64)?;
        let (values, denominators) = (
            values.as_primitive::<Float64Type>(),
            denominators.as_primitive::<Float64Type>(),
        );
        let taken = match steps.is_empty() {
            true => None,
            false => Some(metric::steps(&batch)?),
        };
        for (row, arm) in arms.into_iter().enumerate() {
            let Some(arm) = arm else { continue };
            let mut value = number(values, row);
            if let Some(taken) = taken.as_ref().and_then(|taken| taken.get(row)) {
                value = f64::from(u8::from(taken & goal == goal));
                let counts = observed.step_counts.get_mut(arm);
                for (step, count) in counts.into_iter().flatten().enumerate() {
                    *count += taken >> (step + 1) & 1;
                }
            }
            observed.observations.push(Observation {
                arm,
                value,
                denominator: number(denominators, row),
            });
        }
        Ok(())
    };
    reading.run.each(entities, each).await?;
    Ok(observed)
}

/// The steps that must be taken, the exposure first: those that may be left out are no part of it.
fn goal(steps: &[(Filter, bool)]) -> u64 {
    let required = (1u32..).zip(steps).filter(|(_, (_, optional))| !optional);
    required.fold(1, |goal, (bit, _)| goal | 1 << bit)
}

/// What is none, or no number, is 0.
fn number(numbers: &datafusion::arrow::array::PrimitiveArray<Float64Type>, row: usize) -> f64 {
    match numbers.is_valid(row) {
        true => Some(numbers.value(row))
            .filter(|value| value.is_finite())
            .unwrap_or(0.0),
        false => 0.0,
    }
}

/// The position of each row's variant; none of those that take no part.
fn arms(batch: &RecordBatch, variants: &[String]) -> Result<Vec<Option<usize>>> {
    let found = named(batch, VARIANT, &DataType::Utf8View)?;
    let found = found.as_string_view().iter();
    let arm = |variant: Option<&str>| {
        variants
            .iter()
            .position(|key| Some(key.as_str()) == variant)
    };
    Ok(found.map(arm).collect())
}

/// How many entities were exposed, by variant and day. Those that saw several stand last, if there are any.
pub(crate) async fn exposures(
    exposures: &Exposures,
    reading: &Reading<'_>,
) -> Result<Vec<ExposureFigures>> {
    let days = &exposures.days.starts;
    let mut by_arm = vec![vec![0u64; days.len()]; exposures.variants.len() + 1];
    let multiple = exposures.variants.len();
    let entities = exposed::entities(exposures, reading)?;
    let entities = entities.select(vec![column(VARIANT), micros(column(FIRST)).alias(FIRST)])?;
    let each = |batch: RecordBatch| {
        let arms = arms(&batch, &exposures.variants)?;
        let firsts = named(&batch, FIRST, &DataType::Int64)?;
        for (arm, first) in arms.into_iter().zip(firsts.as_primitive::<Int64Type>()) {
            let day = first.and_then(|at| days.partition_point(|day| *day <= at).checked_sub(1));
            let of_arm = by_arm.get_mut(arm.unwrap_or(multiple));
            if let (Some(of_arm), Some(day)) = (of_arm, day)
                && let Some(count) = of_arm.get_mut(day)
            {
                *count += 1;
            }
        }
        Ok(())
    };
    reading.run.each(entities, each).await?;
    let names = exposures
        .variants
        .iter()
        .cloned()
        .chain([MULTIPLE.to_owned()]);
    let figures = names
        .zip(by_arm)
        .map(|(variant, by_day)| ExposureFigures { variant, by_day });
    let is_shown = |figure: &ExposureFigures| {
        figure.variant != MULTIPLE || figure.by_day.iter().any(|count| *count > 0)
    };
    Ok(figures.filter(is_shown).collect())
}

/// Groups that saw several variants though none of their persons did, and all groups that were exposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Torn {
    pub(crate) groups: u64,
    pub(crate) of: u64,
}

/// Whether variants were given to persons where groups are looked at. Persons have nothing that they could be torn from.
pub(crate) async fn torn(exposures: &Exposures, reading: &Reading<'_>) -> Result<Option<Torn>> {
    if exposures.actor == Actor::Person {
        return Ok(None);
    }
    let is_torn = column(SEVERAL).and(column(SEVERAL_OF_PERSON).eq(lit(0i64)));
    let counted = exposed::entities(exposures, reading)?.aggregate(
        vec![],
        vec![
            sum(when(is_torn, lit(1i64)).otherwise(lit(0i64))?).alias("torn"),
            count(lit(1)).alias("groups"),
        ],
    )?;
    let mut found = None;
    for batch in reading.run.collect(counted).await? {
        let number = |name| -> Result<u64> {
            let column = named(&batch, name, &DataType::Int64)?;
            let number = column.as_primitive::<Int64Type>().iter().next().flatten();
            Ok(number
                .and_then(|number| u64::try_from(number).ok())
                .unwrap_or(0))
        };
        found = Some(Torn {
            groups: number("torn")?,
            of: number("groups")?,
        });
    }
    Ok(found.filter(|torn| torn.groups > 0))
}

/// The entities that take part, without those that leave it because they saw several variants.
fn taking_part(exposures: &Exposures, reading: &Reading<'_>) -> Result<DataFrame> {
    let entities = exposed::entities(exposures, reading)?;
    Ok(match exposures.multiple {
        MultipleVariants::Exclude => entities.filter(column(SEVERAL).is_false())?,
        MultipleVariants::FirstSeen => entities,
    })
}
