//! Funnels as aggregates: the events of an actor in, how far it came out.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Int64Builder, ListBuilder, StringViewBuilder,
    UInt32Array, UInt32Builder, UInt64Builder,
};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::AggregateUDF;
use quintet_behavior::funnel::{Attribution, Event, Funnel, Machine, Order, Periods};
use serde::{Deserialize, Serialize};

use crate::sequence::{
    self, Columns, Kind, Outcomes, Reading, SequenceFunction, Values, list, list_of,
};

/// What `funnel_runs` and `funnel_entrances` take as their first argument, written as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FunnelDefinition {
    /// The funnel.
    pub funnel: Funnel,
    /// The periods of entrance; only `funnel_entrances` looks at them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub periods: Option<Periods>,
    /// The value that stands for none: no touch takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empty: Option<String>,
}

impl FunnelDefinition {
    fn read(json: &str) -> Result<Self> {
        serde_json::from_str(json)
            .map_err(|error| plan_datafusion_err!("this is no definition of a funnel: {error}"))
    }

    fn empty(&self, values: &Values<'_>) -> Option<u32> {
        self.empty.as_deref().and_then(|empty| values.rank(empty))
    }
}

/// `funnel(window, time, condition, …)`: how many steps were done, 0 to as many as there are conditions.
pub(crate) fn funnel() -> Arc<AggregateUDF> {
    static KIND: Kind = Kind {
        name: "funnel",
        columns: Columns::Conditions,
        returns: || DataType::UInt32,
        reading: |definition, conditions| {
            Ok(Arc::new(StepsDone(plain_funnel(definition, conditions)?)))
        },
    };
    SequenceFunction::udaf(&KIND)
}

/// `funnel_runs(definition, time, steps, exclusions, value)`: how far the actor came, per breakdown value.
pub(crate) fn funnel_runs() -> Arc<AggregateUDF> {
    static KIND: Kind = Kind {
        name: "funnel_runs",
        columns: Columns::Marked,
        returns: || list_of(runs_fields()),
        reading: |definition, _| runs_reading(definition),
    };
    SequenceFunction::udaf(&KIND)
}

pub(crate) fn runs_reading(definition: &str) -> Result<Arc<dyn Reading>> {
    Ok(Arc::new(Runs(FunnelDefinition::read(definition)?)))
}

/// `funnel_entrances(definition, time, steps, exclusions, value)`: the outcome per breakdown value and period of entrance.
pub(crate) fn funnel_entrances() -> Arc<AggregateUDF> {
    static KIND: Kind = Kind {
        name: "funnel_entrances",
        columns: Columns::Marked,
        returns: || list_of(entrance_fields()),
        reading: |definition, _| {
            let mut definition = FunnelDefinition::read(definition)?;
            match definition.periods.take() {
                Some(periods) => Ok(Arc::new(Entrances {
                    definition,
                    periods,
                })),
                None => plan_err!("the definition of entrances needs periods"),
            }
        },
    };
    SequenceFunction::udaf(&KIND)
}

/// A funnel as SQL writes it: a window such as `14 days`, or `{"window": "14 days", "order": "strict"}`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plain {
    window: String,
    #[serde(default)]
    order: Order,
    /// Milliseconds.
    #[serde(default)]
    simultaneity: u32,
}

fn plain_funnel(definition: &str, steps: usize) -> Result<Funnel> {
    let plain = if definition.trim_start().starts_with('{') {
        serde_json::from_str(definition)
            .map_err(|error| plan_datafusion_err!("this is no definition of a funnel: {error}"))?
    } else {
        Plain {
            window: definition.to_owned(),
            order: Order::default(),
            simultaneity: 0,
        }
    };
    Ok(Funnel {
        steps,
        order: plain.order,
        window: window(&plain.window)?,
        optional: 0,
        simultaneity: i64::from(plain.simultaneity) * 1_000,
        attribution: Attribution::None,
        entry_until: None,
    })
}

/// A length of time such as `14 days`, in microseconds. A month has 31 days.
fn window(text: &str) -> Result<i64> {
    const UNITS: [(&str, i64); 6] = [
        ("second", 1),
        ("minute", 60),
        ("hour", 3_600),
        ("day", 86_400),
        ("week", 604_800),
        ("month", 31 * 86_400),
    ];
    let wrong = || {
        plan_datafusion_err!(
            "'{text}' is no window; write a number and second, minute, hour, day, week or month, such as '14 days'"
        )
    };
    let (number, unit) = text.trim().split_once(' ').ok_or_else(wrong)?;
    let number: i64 = number
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(wrong)?;
    let unit = unit.trim();
    let unit = unit.strip_suffix('s').unwrap_or(unit);
    let seconds = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(wrong)?
        .1;
    Ok(number.saturating_mul(seconds).saturating_mul(1_000_000))
}

/// An actor's events as the funnel takes them, in its order.
fn prepared<'a>(events: &[sequence::Event], prepared: &'a mut Vec<Event>) -> &'a [Event] {
    prepared.clear();
    prepared.extend(events.iter().map(|event| Event {
        time: event.time,
        steps: event.marks[0],
        exclusions: event.marks[1],
        value: event.value,
    }));
    // Files hold events in order of time, so that most actors' events are sorted already.
    if !prepared.is_sorted_by(|one, next| one.cmp(next).is_le()) {
        prepared.sort_unstable_by(Event::cmp);
    }
    prepared
}

#[derive(Debug)]
struct StepsDone(Funnel);

impl Reading for StepsDone {
    fn outcomes(&self, actors: usize) -> Box<dyn Outcomes + '_> {
        Box::new(StepsDoneColumn {
            machine: self.0.machine(),
            prepared: Vec::new(),
            done: Vec::with_capacity(actors),
        })
    }
}

struct StepsDoneColumn<'a> {
    machine: Machine<'a>,
    prepared: Vec<Event>,
    done: Vec<u32>,
}

impl Outcomes for StepsDoneColumn<'_> {
    fn add(&mut self, events: &mut [sequence::Event], _: &Values<'_>) -> Result<()> {
        let mut done = 0;
        let events = prepared(events, &mut self.prepared);
        self.machine
            .runs(events, None, |run| done = run.steps.count_ones());
        self.done.push(done);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<ArrayRef> {
        Ok(Arc::new(UInt32Array::from(self.done)))
    }
}

fn runs_fields() -> Fields {
    let time = Arc::new(Field::new_list_field(DataType::Int64, true));
    Fields::from(vec![
        Field::new("value", DataType::Utf8View, false),
        Field::new("steps", DataType::UInt64, false),
        Field::new("times", DataType::List(time), false),
    ])
}

#[derive(Debug)]
struct Runs(FunnelDefinition);

impl Reading for Runs {
    fn outcomes(&self, actors: usize) -> Box<dyn Outcomes + '_> {
        Box::new(RunsColumn {
            definition: &self.0,
            machine: self.0.funnel.machine(),
            prepared: Vec::new(),
            lengths: Vec::with_capacity(actors),
            values: StringViewBuilder::new(),
            steps: UInt64Builder::with_capacity(actors),
            times: ListBuilder::new(Int64Builder::with_capacity(actors)),
        })
    }
}

struct RunsColumn<'a> {
    definition: &'a FunnelDefinition,
    machine: Machine<'a>,
    prepared: Vec<Event>,
    lengths: Vec<usize>,
    values: StringViewBuilder,
    steps: UInt64Builder,
    times: ListBuilder<Int64Builder>,
}

impl Outcomes for RunsColumn<'_> {
    fn add(&mut self, events: &mut [sequence::Event], values: &Values<'_>) -> Result<()> {
        let before = self.steps.len();
        let events = prepared(events, &mut self.prepared);
        let empty = self.definition.empty(values);
        self.machine.runs(events, empty, |run| {
            self.values.append_value(values.text(run.value));
            self.steps.append_value(run.steps);
            self.times.values().append_slice(run.times);
            self.times.append(true);
        });
        self.lengths.push(self.steps.len() - before);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.values.finish()),
            Arc::new(self.steps.finish()),
            Arc::new(self.times.finish()),
        ];
        list(runs_fields(), columns, self.lengths)
    }
}

fn entrance_fields() -> Fields {
    Fields::from(vec![
        Field::new("value", DataType::Utf8View, false),
        Field::new("period", DataType::UInt32, false),
        Field::new("converted", DataType::Boolean, false),
    ])
}

#[derive(Debug)]
struct Entrances {
    definition: FunnelDefinition,
    periods: Periods,
}

impl Reading for Entrances {
    fn outcomes(&self, actors: usize) -> Box<dyn Outcomes + '_> {
        Box::new(EntrancesColumn {
            reading: self,
            prepared: Vec::new(),
            lengths: Vec::with_capacity(actors),
            values: StringViewBuilder::new(),
            periods: UInt32Builder::with_capacity(actors),
            converted: BooleanBuilder::with_capacity(actors),
        })
    }
}

struct EntrancesColumn<'a> {
    reading: &'a Entrances,
    prepared: Vec<Event>,
    lengths: Vec<usize>,
    values: StringViewBuilder,
    periods: UInt32Builder,
    converted: BooleanBuilder,
}

impl Outcomes for EntrancesColumn<'_> {
    fn add(&mut self, events: &mut [sequence::Event], values: &Values<'_>) -> Result<()> {
        let before = self.periods.len();
        let Entrances {
            definition,
            periods,
        } = self.reading;
        let events = prepared(events, &mut self.prepared);
        let empty = definition.empty(values);
        definition
            .funnel
            .entrances(periods, events, empty, |entrance| {
                self.values.append_value(values.text(entrance.value));
                self.periods
                    .append_value(u32::try_from(entrance.period).unwrap_or(u32::MAX));
                self.converted.append_value(entrance.converted);
            });
        self.lengths.push(self.periods.len() - before);
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef> {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.values.finish()),
            Arc::new(self.periods.finish()),
            Arc::new(self.converted.finish()),
        ];
        list(entrance_fields(), columns, self.lengths)
    }
}
