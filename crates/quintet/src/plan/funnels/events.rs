//! The events of a funnel as its aggregates take them: actor, time, which steps are met, what must not happen, breakdown value.

use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::first_value;
use datafusion::logical_expr::utils::disjunction;
use datafusion::logical_expr::{Expr, when};
use datafusion::prelude::{DataFrame, lit};
use quintet_functions::expr_fn::{SequenceColumns, bucket, json_list, marks};
use quintet_query::breakdown::Breakdown;
use quintet_query::funnels::{Condition, Exclusion, FirstTime, Funnels, Order, Span};
use quintet_query::series::Actor;
use quintet_store::schema;

use super::slice::Slice;
use crate::Result;
use crate::actors::KEY;
use crate::data::{Data, column, text};
use crate::plan::Reading;
use crate::plan::matching::Matching;

const STEPS: &str = "steps";
const EXCLUSIONS: &str = "exclusions";
const VALUE: &str = "value";

/// The rows of a funnel in a range, and the columns that sequence aggregates read of them.
pub(super) struct Rows {
    pub(super) rows: DataFrame,
    pub(super) columns: SequenceColumns,
}

/// Reads the events of one funnel in one range. `told` are columns of the events to keep beside.
pub(super) fn rows(
    funnels: &Funnels,
    span: &Span,
    slice: &Slice<'_>,
    told: &[&str],
    reading: &Reading<'_>,
) -> Result<Rows> {
    let mut events = possible(funnels, span, reading)?;
    if slice.only_members {
        events = events.that(&slice.members)?;
    }
    let actor = column(events.of(funnels.actor));
    let mut firsts = Firsts::new(funnels, span, reading);
    let steps = funnels
        .steps
        .iter()
        .map(|step| any_of(&step.conditions, &mut events, &mut firsts))
        .collect::<Result<Vec<_>>>()?;
    let exclusions = exclusions(funnels, &mut events)?;
    let value = value(funnels, slice, &mut events)?;
    // Between the steps of a strict funnel every event counts.
    if funnels.order != Order::Strict {
        let met = steps.iter().map(|step| step.possible.clone());
        let takes_part = disjunction(met.chain(exclusions.clone()));
        events = events.only(takes_part.unwrap_or_else(|| lit(false)));
    }
    let has_firsts = !firsts.lookups.is_empty();
    if has_firsts {
        events.of(Actor::Person);
    }
    let mut kept = vec![
        actor.alias(KEY),
        column(schema::TIMESTAMP),
        marks(steps.into_iter().map(|step| step.met).collect()).alias(STEPS),
        match exclusions.is_empty() {
            true => lit(0u64).alias(EXCLUSIONS),
            false => marks(exclusions).alias(EXCLUSIONS),
        },
        value.alias(VALUE),
    ];
    kept.extend(told.iter().map(|name| column(*name)));
    let mut rows = firsts.join(events.events()?)?.select(kept)?;
    // What might have been a first but was none has no value to give either.
    if has_firsts && funnels.order != Order::Strict {
        let is_marked = |marks: &str| column(marks).not_eq(lit(0u64));
        rows = rows.filter(is_marked(STEPS).or(is_marked(EXCLUSIONS)))?;
    }
    Ok(Rows {
        rows,
        columns: SequenceColumns {
            time: column(schema::TIMESTAMP),
            marks: column(STEPS),
            more_marks: column(EXCLUSIONS),
            value: column(VALUE),
        },
    })
}

/// The events that the funnel sees at all.
pub(super) fn possible<'a>(
    funnels: &Funnels,
    span: &Span,
    reading: &'a Reading<'a>,
) -> Result<Matching<'a>> {
    let events = reading
        .events(funnels.sampling)
        .since(span.period.from)
        .until(funnels.last_seen(span))
        .that(&funnels.filter)?;
    Ok(match &span.stretches {
        None => events,
        Some(stretches) => events.only(within(stretches)),
    })
}

/// Whether an event lies in one of the stretches of time, given as starts and ends in turn.
pub(super) fn within(stretches: &[i64]) -> Expr {
    (bucket(column(schema::TIMESTAMP), stretches) % lit(2u32)).eq(lit(0u32))
}

/// Whether an event meets a step.
struct Met {
    met: Expr,
    /// The same before it is known which events are a person's first.
    possible: Expr,
}

fn any_of(
    conditions: &[Condition],
    events: &mut Matching<'_>,
    firsts: &mut Firsts<'_>,
) -> Result<Met> {
    let (mut met, mut possible) = (Vec::new(), Vec::new());
    for condition in conditions {
        let matches = events
            .condition(&condition.matching)?
            .and(events.condition(&condition.filter)?);
        possible.push(matches.clone());
        met.push(match condition.first_time {
            None => matches,
            Some(first) => matches.and(firsts.is_first(condition, first)?),
        });
    }
    let any = |all| disjunction(all).unwrap_or_else(|| lit(false));
    Ok(Met {
        met: any(met),
        possible: any(possible),
    })
}

/// For each step from the second on: whether an event must not come before it. None where nothing is excluded.
fn exclusions(funnels: &Funnels, events: &mut Matching<'_>) -> Result<Vec<Expr>> {
    if funnels.exclusions.is_empty() {
        return Ok(Vec::new());
    }
    let before = |step: usize, events: &mut Matching<'_>| {
        let spans = |exclusion: &&Exclusion| exclusion.from < step && step <= exclusion.to;
        let filters = funnels.exclusions.iter().filter(spans);
        let conditions = filters.map(|exclusion| events.condition(&exclusion.filter));
        Ok(disjunction(conditions.collect::<Result<Vec<_>>>()?).unwrap_or_else(|| lit(false)))
    };
    (0..funnels.steps.len())
        .map(|step| before(step, events))
        .collect()
}

/// The text that an event is broken down by; null is the empty text.
fn value(funnels: &Funnels, slice: &Slice<'_>, events: &mut Matching<'_>) -> Result<Expr> {
    match &funnels.breakdown {
        None => Ok(text("")),
        Some(Breakdown::Cohorts(_)) if slice.only_members => Ok(text("")),
        Some(Breakdown::Cohorts(_)) => {
            let member = events.condition(&slice.members)?;
            Ok(when(member, text(super::slice::MEMBER)).otherwise(text(""))?)
        }
        Some(Breakdown::Properties { parts, .. }) => {
            let mut texts = parts
                .iter()
                .map(|part| events.breakdown(part, None))
                .collect::<Result<Vec<_>>>()?;
            Ok(match (texts.pop(), texts.is_empty()) {
                (Some(only), true) => only,
                (Some(last), false) => {
                    texts.push(last);
                    json_list(texts)
                }
                (None, _) => text(""),
            })
        }
    }
}

/// The first events of persons, looked up in all their history.
struct Firsts<'a> {
    funnels: &'a Funnels,
    until: i64,
    reading: &'a Reading<'a>,
    lookups: Vec<DataFrame>,
}

impl<'a> Firsts<'a> {
    fn new(funnels: &'a Funnels, span: &Span, reading: &'a Reading<'a>) -> Self {
        Self {
            funnels,
            until: funnels.last_seen(span),
            reading,
            lookups: Vec::new(),
        }
    }

    /// What tells one event from all others of its person.
    fn id(data: &Data) -> &'static str {
        match data.has_column(schema::UUID) {
            true => schema::UUID,
            false => schema::TIMESTAMP,
        }
    }

    /// Whether an event is its person's first that matches; [`join`](Self::join) must follow.
    fn is_first(&mut self, condition: &Condition, first: FirstTime) -> Result<Expr> {
        let position = self.lookups.len();
        let id = Self::id(self.reading.data);
        let mut events = self
            .reading
            .events(self.funnels.sampling)
            .until(self.until)
            .that(&condition.matching)?;
        if first == FirstTime::Filtered {
            events = events.that(&condition.filter)?;
        }
        let person = column(events.of(Actor::Person)).alias(person_column(position));
        let by_time = vec![
            column(schema::TIMESTAMP).sort(true, false),
            column(id).sort(true, false),
        ];
        let earliest = first_value(column(id), by_time).alias(first_column(position));
        self.lookups
            .push(events.events()?.aggregate(vec![person], vec![earliest])?);
        Ok(column(id).eq(column(first_column(position))))
    }

    /// The events with the first event of their person beside them.
    fn join(self, mut events: DataFrame) -> Result<DataFrame> {
        let (person, _) = self.reading.data.actor(Actor::Person);
        for (position, lookup) in self.lookups.into_iter().enumerate() {
            let key = person_column(position);
            events = events.join(lookup, JoinType::Left, &[person], &[key.as_str()], None)?;
        }
        Ok(events)
    }
}

fn person_column(lookup: usize) -> String {
    format!("person {lookup}")
}

fn first_column(lookup: usize) -> String {
    format!("first {lookup}")
}
