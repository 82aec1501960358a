//! What the events of exposed entities came to: one row per entity, also of those that did nothing.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, UInt64Type};
use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::{count, count_distinct, max, min};
use datafusion::logical_expr::utils::{conjunction, disjunction};
use datafusion::logical_expr::{Expr, when};
use datafusion::prelude::{DataFrame, cast, coalesce, lit, nullif};
use quintet_behavior::funnel;
use quintet_functions::FunnelDefinition;
use quintet_functions::expr_fn::{SequenceColumns, funnel_runs, marks};
use quintet_query::experiments::{
    Experiment, Measured, Metric, RetentionWindow, Source, StartHandling,
};
use quintet_query::filter::Filter;
use quintet_query::funnels::Order;
use quintet_store::schema;

use super::{DENOMINATOR, FIRST, STEPS, VALUE, VARIANT};
use crate::actors::KEY;
use crate::data::{column, text};
use crate::plan::Reading;
use crate::plan::matching::{Matching, micros};
use crate::plan::trends::aggregate;
use crate::{Error, Result};

/// The columns of events that are joined.
const EVENT_KEY: &str = "event_key";
const TIME: &str = "time";
const OF_EVENT: &str = "of_event";
/// When a start of retention was.
const START: &str = "start";

/// [`VARIANT`], [`VALUE`] and [`DENOMINATOR`] of every entity that takes part; of a funnel the steps as well.
pub(super) fn values(experiment: &Experiment, reading: &Reading<'_>) -> Result<DataFrame> {
    let entities = super::taking_part(&experiment.exposures, reading)?;
    let entities = entities.select(vec![column(KEY), column(FIRST), column(VARIANT)])?;
    let joined = Joined {
        experiment,
        reading,
    };
    let one = lit(1.0).alias(DENOMINATOR);
    match &experiment.metric {
        Metric::Mean { source, .. } => {
            let valued = joined.value(entities, &[KEY, FIRST, VARIANT], source, VALUE)?;
            Ok(valued.select(vec![column(VARIANT), column(VALUE), one])?)
        }
        Metric::Ratio {
            numerator,
            denominator,
        } => {
            let valued = joined.value(entities, &[KEY, FIRST, VARIANT], numerator, VALUE)?;
            let told = [KEY, FIRST, VARIANT, VALUE];
            let valued = joined.value(valued, &told, denominator, DENOMINATOR)?;
            Ok(valued.select(vec![column(VARIANT), column(VALUE), column(DENOMINATOR)])?)
        }
        Metric::Funnel { steps, order, .. } => {
            let runs = joined.funnel(entities, steps, *order)?;
            let zero = lit(0.0).alias(VALUE);
            Ok(runs.select(vec![column(VARIANT), zero, one, column(STEPS)])?)
        }
        Metric::Retention {
            start,
            completion,
            window,
            handling,
        } => {
            let retained = joined.retention(entities, (start, completion), *window, *handling)?;
            Ok(retained.select(vec![column(VARIANT), column(VALUE), one])?)
        }
    }
}

/// What entities are joined with.
struct Joined<'a> {
    experiment: &'a Experiment,
    reading: &'a Reading<'a>,
}

impl Joined<'_> {
    /// The events of a metric, in the time of the experiment.
    fn events(&self, matching: &Filter) -> Result<Matching<'_>> {
        let exposures = &self.experiment.exposures;
        let events = self.reading.events(None);
        let events = events.since(exposures.from).until(exposures.to);
        events.that(&self.experiment.filter)?.that(matching)
    }

    /// Their actor, their time and something of them.
    fn told(&self, mut events: Matching<'_>, of_event: Expr) -> Result<DataFrame> {
        let actor = column(events.of(self.experiment.exposures.actor));
        Ok(events.events()?.select(vec![
            actor.alias(EVENT_KEY),
            column(schema::TIMESTAMP).alias(TIME),
            of_event.alias(OF_EVENT),
        ])?)
    }

    /// An event counts from the very moment of the exposure, and up to the end of the window, exclusive.
    fn after_exposure(&self) -> Expr {
        let mut conditions = vec![column(TIME).gt_eq(column(FIRST))];
        // As a difference: the sum might be later than any time.
        conditions.extend(
            self.experiment
                .window
                .map(|window| since(FIRST).lt(lit(window))),
        );
        all(conditions)
    }

    /// The entities, of which `told` are the columns, with what their events came to.
    fn value(
        &self,
        entities: DataFrame,
        told: &[&str],
        source: &Source,
        name: &str,
    ) -> Result<DataFrame> {
        let mut events = self.events(&source.matching)?;
        let (of_event, figure) = match &source.measured {
            Measured::Count => (lit(1i64), count(column(OF_EVENT))),
            Measured::Sessions => (
                nullif(events.session()?, text("")),
                count_distinct(column(OF_EVENT)),
            ),
            Measured::Actors(actor) => {
                (column(events.of(*actor)), count_distinct(column(OF_EVENT)))
            }
            Measured::Property {
                aggregate: how,
                property,
                multiplier,
            } => (
                events.number(property)? * lit(*multiplier),
                aggregate(*how, column(OF_EVENT)),
            ),
        };
        let events = self.told(events, of_event)?;
        let valued = put_beside(entities, told, events, self.after_exposure(), figure, name)?;
        with_number(valued, told, column(name), name)
    }

    /// How far each entity came. Its exposure is the first step; there is no other.
    fn funnel(
        &self,
        entities: DataFrame,
        steps: &[(Filter, bool)],
        order: Order,
    ) -> Result<DataFrame> {
        let mut events = self.events(&Filter::always())?;
        let met = steps.iter().map(|(step, _)| events.condition(step));
        let met = met.collect::<Result<Vec<_>>>()?;
        events = events.only(disjunction(met.clone()).unwrap_or_else(|| lit(false)));
        let exposure = std::iter::once(lit(false));
        let events = self.told(events, marks(exposure.chain(met).collect()))?;
        let exposed = entities.clone().select(vec![
            column(KEY),
            column(VARIANT),
            column(FIRST).alias(TIME),
            lit(1u64).alias(OF_EVENT),
        ])?;
        let within = self.after_exposure();
        let after = entities
            .join(events, JoinType::Inner, &[KEY], &[EVENT_KEY], Some(within))?
            .select(vec![
                column(KEY),
                column(VARIANT),
                column(TIME),
                column(OF_EVENT),
            ])?;
        let columns = SequenceColumns {
            time: column(TIME),
            marks: column(OF_EVENT),
            more_marks: lit(0u64),
            value: text(""),
        };
        let definition = self.definition(steps, order);
        let runs = funnel_runs(&definition, columns).alias(STEPS);
        let keys = vec![column(KEY), column(VARIANT)];
        Ok(exposed.union(after)?.aggregate(keys, vec![runs])?)
    }

    fn definition(&self, steps: &[(Filter, bool)], order: Order) -> FunnelDefinition {
        let optional = (1u32..).zip(steps).filter(|(_, (_, optional))| *optional);
        let simultaneity = match &self.experiment.metric {
            Metric::Funnel { simultaneity, .. } => *simultaneity,
            _ => 0,
        };
        FunnelDefinition {
            funnel: funnel::Funnel {
                steps: steps.len() + 1,
                order: match order {
                    Order::Ordered => funnel::Order::Ordered,
                    Order::Strict => funnel::Order::Strict,
                    Order::Unordered => funnel::Order::Unordered,
                },
                // No event lies outside of it.
                window: i64::MAX,
                optional: optional.fold(0, |bits, (bit, _)| bits | 1 << bit),
                simultaneity,
                attribution: funnel::Attribution::None,
                entry_until: None,
            },
            periods: None,
            empty: None,
        }
    }

    /// 1 for entities that come back, 0 for the others that start. Who never starts has no row.
    fn retention(
        &self,
        entities: DataFrame,
        (start, completion): (&Filter, &Filter),
        window: RetentionWindow,
        handling: StartHandling,
    ) -> Result<DataFrame> {
        let told = [KEY, FIRST, VARIANT];
        let starts = self.told(self.events(start)?, lit(1i64))?;
        let at = match handling {
            StartHandling::FirstSeen => min(column(TIME)),
            StartHandling::LastSeen => max(column(TIME)),
        };
        let started = put_beside(entities, &told, starts, self.after_exposure(), at, START)?
            .filter(column(START).is_not_null())?;
        let within = all(vec![
            column(TIME).gt(column(START)),
            since(START).gt_eq(lit(window.from)),
            since(START).lt(lit(window.until)),
        ]);
        let completions = self.told(self.events(completion)?, lit(1i64))?;
        let told = [KEY, FIRST, VARIANT, START];
        let times = count(column(OF_EVENT));
        let counted = put_beside(started, &told, completions, within, times, VALUE)?;
        let came_back = when(column(VALUE).gt(lit(0i64)), lit(1.0)).otherwise(lit(0.0))?;
        with_number(counted, &told, came_back, VALUE)
    }
}

/// Microseconds from the instant in a column to an event.
fn since(instant: &str) -> Expr {
    micros(column(TIME)) - micros(column(instant))
}

fn all(conditions: Vec<Expr>) -> Expr {
    conjunction(conditions).unwrap_or_else(|| lit(true))
}

/// Entities with one more column: an aggregate over those of their events that are `within`, which may be none.
fn put_beside(
    entities: DataFrame,
    told: &[&str],
    events: DataFrame,
    within: Expr,
    figure: Expr,
    name: &str,
) -> Result<DataFrame> {
    let joined = entities.join(events, JoinType::Left, &[KEY], &[EVENT_KEY], Some(within))?;
    let keys = told.iter().map(|name| column(*name)).collect();
    Ok(joined.aggregate(keys, vec![figure.alias(name)])?)
}

/// The columns of `told` and a number; none is 0.
fn with_number(valued: DataFrame, told: &[&str], number: Expr, name: &str) -> Result<DataFrame> {
    let number = coalesce(vec![cast(number, DataType::Float64), lit(0.0)]);
    let mut kept: Vec<Expr> = told.iter().map(|name| column(*name)).collect();
    kept.push(number.alias(name));
    Ok(valued.select(kept)?)
}

/// The steps that the entity of each row took, the exposure being the lowest bit.
pub(super) fn steps(batch: &RecordBatch) -> Result<Vec<u64>> {
    let lost = || Error::internal(format!("a plan lost its column {STEPS}"));
    let lists = batch
        .column_by_name(STEPS)
        .and_then(|column| column.as_list_opt::<i32>())
        .ok_or_else(lost)?;
    let runs = lists.values().as_struct_opt().ok_or_else(lost)?;
    let steps = runs.column_by_name("steps").ok_or_else(lost)?;
    let steps = steps.as_primitive_opt::<UInt64Type>().ok_or_else(lost)?;
    let one = |bounds: &[i32]| match bounds {
        &[from, to] if from < to => steps.value(from as usize),
        _ => 0,
    };
    Ok(lists.value_offsets().windows(2).map(one).collect())
}
