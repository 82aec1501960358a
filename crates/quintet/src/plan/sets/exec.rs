//! `ActorSetsExec`: figures from the sets of actors that lie beside the events, without a row of events.
//!
//! ```text
//! files ─► sets of the days asked for ─► masks: one bit per actor and period ─► figures
//! ```
//! Persons that became part of others are followed on the way into the masks. All figures are counts over masks
//! ([`quintet_behavior::masks`]); how many rows there were is in the directories beside the sets.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt64Array};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties,
};
use futures::stream;
use hashbrown::HashMap;
use quintet_behavior::lifecycle::{Status, activities};
use quintet_behavior::masks::Masks;
use quintet_store::{ActorKind, DayOfActors, Events};

use crate::data::Sets;

/// Some events, and the period that each day belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marked {
    pub(super) events: Events,
    /// Days since 1970-01-01 UTC; the end is exclusive.
    pub(super) days: Range<i32>,
    /// The first day of each period but the first one, which begins with the range.
    pub(super) starts: Vec<i32>,
}

impl Marked {
    fn period(&self, day: i32) -> Option<usize> {
        let period = || self.starts.partition_point(|start| *start <= day);
        self.days.contains(&day).then(period)
    }

    fn periods(&self) -> usize {
        self.starts.len() + 1
    }
}

/// What is made of the sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    /// Rows of events: `period`, `figure`.
    Rows,
    /// Actors: `period`, `figure`.
    Actors,
    /// Actors in the first of their periods: `period`, `figure`.
    FirstPeriods,
    /// Actors in so many periods ending with each: `period`, `figure`.
    Window(usize),
    /// Actors by their number of periods: `period`, `figure`.
    Numbers,
    /// Persons to whom a period is the same: `period`, `status` (position in [`STATUSES`]), `figure`.
    Statuses,
    /// Actors that did the same: `starts` and `returns` as bits by period, the lowest bit being all time before, `figure`.
    Cohorts,
}

pub(in crate::plan) const PERIOD: &str = "period";
pub(in crate::plan) const FIGURE: &str = "figure";
pub(in crate::plan) const STATUS: &str = "status";
pub(in crate::plan) const STARTS: &str = "starts";
pub(in crate::plan) const RETURNS: &str = "returns";

/// What a period can be to a person.
pub(in crate::plan) const STATUSES: [Status; 4] = [
    Status::New,
    Status::Returning,
    Status::Resurrecting,
    Status::Dormant,
];

fn position(status: Status) -> Option<usize> {
    STATUSES.iter().position(|one| *one == status)
}

impl Figure {
    fn schema(self) -> SchemaRef {
        let number = |name: &str| Field::new(name, DataType::UInt64, true);
        let columns = match self {
            Self::Statuses => vec![PERIOD, STATUS, FIGURE],
            Self::Cohorts => vec![STARTS, RETURNS, FIGURE],
            _ => vec![PERIOD, FIGURE],
        };
        Arc::new(Schema::new(
            columns.into_iter().map(number).collect::<Vec<_>>(),
        ))
    }
}

/// What is read, of whom, and what is made of it.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    pub(super) source: Sets,
    /// Of retention two: starts and returns, with the same periods.
    pub(super) marked: Vec<Marked>,
    pub(super) kind: ActorKind,
    /// When each period begins and the last one ends, microseconds UTC.
    pub(super) edges: Vec<i64>,
    pub(super) figure: Figure,
}

impl Ask {
    async fn answer(&self, memory: &MemoryReservation) -> Result<RecordBatch> {
        let columns = match self.figure {
            Figure::Rows => of_figures(self.rows().await?),
            Figure::Actors => of_figures(self.actors(memory).await?),
            Figure::FirstPeriods => of_figures(self.masks(memory).await?.actors_by_first_period()),
            Figure::Window(window) => {
                of_figures(self.masks(memory).await?.actors_in_window(window))
            }
            Figure::Numbers => of_figures(self.masks(memory).await?.actors_by_number()),
            Figure::Statuses => self.statuses(memory).await?,
            Figure::Cohorts => self.cohorts(memory).await?,
        };
        Ok(RecordBatch::try_new(self.figure.schema(), columns)?)
    }

    async fn rows(&self) -> Result<Vec<u64>> {
        let mut rows = Vec::new();
        for marked in &self.marked {
            rows.resize(marked.periods(), 0);
            let by_day = self.source.rows_by_day(&marked.events, marked.days.clone());
            for (day, count) in by_day.await.map_err(external)? {
                if let Some(figure) = marked.period(day).and_then(|period| rows.get_mut(period)) {
                    *figure += count;
                }
            }
        }
        Ok(rows)
    }

    /// Without merges a period's actors are just the sets of its days, united.
    async fn actors(&self, memory: &MemoryReservation) -> Result<Vec<u64>> {
        let [marked] = self.marked.as_slice() else {
            return Err(DataFusionError::Internal("one series is expected".into()));
        };
        if self.has_merges() {
            return Ok(self.masks(memory).await?.actors_by_period());
        }
        let sets = self.sets(marked).await?;
        let mut periods = vec![None; marked.periods()];
        for day in sets.iter().flat_map(|days| days.iter()) {
            let period = marked.period(day.day).and_then(|at| periods.get_mut(at));
            match period {
                Some(Some(actors)) => *actors |= &day.actors,
                Some(none) => *none = Some(day.actors.clone()),
                None => {}
            }
        }
        let counts = periods
            .iter()
            .map(|actors| actors.as_ref().map_or(0, |actors| actors.len()));
        Ok(counts.collect())
    }

    fn has_merges(&self) -> bool {
        self.kind == ActorKind::Person && self.source.has_merges()
    }

    async fn sets(&self, marked: &Marked) -> Result<Vec<Arc<Vec<DayOfActors>>>> {
        let days = marked.days.clone();
        let sets = self.source.actors_by_day(&marked.events, self.kind, days);
        sets.await.map_err(external)
    }

    async fn masks(&self, memory: &MemoryReservation) -> Result<Masks> {
        match self.marked.as_slice() {
            [marked] => self.masks_of(marked, memory).await,
            _ => Err(DataFusionError::Internal("one series is expected".into())),
        }
    }

    async fn masks_of(&self, marked: &Marked, memory: &MemoryReservation) -> Result<Masks> {
        let sets = self.sets(marked).await?;
        let merges = match self.has_merges() {
            true => Some(self.source.person_index().await.map_err(external)?),
            false => None,
        };
        let greatest = sets
            .iter()
            .flat_map(|days| days.iter().filter_map(|day| day.actors.max()))
            .max()
            .unwrap_or(0);
        memory.try_grow(Masks::bytes(marked.periods(), greatest))?;
        let mut masks = Masks::new(marked.periods());
        masks.make_room(greatest);
        for day in sets.iter().flat_map(|days| days.iter()) {
            let Some(period) = marked.period(day.day) else {
                continue;
            };
            match &merges {
                None => masks.mark_all(day.actors.iter(), period),
                Some(persons) => {
                    let last = |actor| persons.last.get(actor as usize).copied();
                    let lasts = day.actors.iter().map(|actor| last(actor).unwrap_or(actor));
                    masks.mark_all(lasts, period);
                }
            }
        }
        Ok(masks)
    }

    async fn statuses(&self, memory: &MemoryReservation) -> Result<Vec<ArrayRef>> {
        let masks = self.masks(memory).await?;
        let persons = self.source.person_index().await.map_err(external)?;
        // Dormant may be said of one period after the last.
        let mut counted = vec![[0u64; STATUSES.len()]; self.edges.len() + 1];
        let mut active = Vec::new();
        for (actor, periods) in masks.iter() {
            active.clear();
            active.extend(periods);
            let created_at = persons.created_at.get(actor as usize).copied().flatten();
            let created = created_at.and_then(|at| period_of(&self.edges, at));
            for activity in activities(&active, created) {
                for (period, status) in activity.statuses() {
                    let figure = counted.get_mut(period).zip(position(status));
                    if let Some(figure) = figure.and_then(|(by_status, at)| by_status.get_mut(at)) {
                        *figure += 1;
                    }
                }
            }
        }
        let (mut periods, mut statuses, mut figures) = (Vec::new(), Vec::new(), Vec::new());
        for (period, by_status) in (0..).zip(counted) {
            for (status, figure) in (0..).zip(by_status).filter(|(_, figure)| *figure > 0) {
                periods.push(period);
                statuses.push(status);
                figures.push(figure);
            }
        }
        let columns = [periods, statuses, figures];
        Ok(columns
            .map(|numbers| Arc::new(UInt64Array::from(numbers)) as _)
            .to_vec())
    }

    async fn cohorts(&self, memory: &MemoryReservation) -> Result<Vec<ArrayRef>> {
        let [starts, returns] = self.marked.as_slice() else {
            return Err(DataFusionError::Internal("two series are expected".into()));
        };
        let returns = match starts == returns {
            true => None,
            false => {
                let asked = |marked: &Marked| (marked.events.clone(), marked.days.clone());
                let both = [starts, returns].map(asked).to_vec();
                let expected = self.source.expect(self.kind, both);
                expected.await.map_err(external)?;
                Some(self.masks_of(returns, memory).await?)
            }
        };
        let starts = self.masks_of(starts, memory).await?;
        let word = |masks: &Masks, actor| masks.words_of(actor).map_or(0, |words| words[0]);
        let mut alike: HashMap<(u64, u64), u64> = HashMap::new();
        // Whoever never starts belongs to no cohort.
        for actor in 0..=starts.greatest_actor() {
            let started = word(&starts, actor);
            if started != 0 {
                let returned = returns
                    .as_ref()
                    .map_or(started, |returns| word(returns, actor));
                *alike.entry((started, returned)).or_default() += 1;
            }
        }
        let number = |of: &dyn Fn(&(u64, u64)) -> u64| -> ArrayRef {
            Arc::new(UInt64Array::from_iter_values(alike.keys().map(of)))
        };
        Ok(vec![
            number(&|did| did.0),
            number(&|did| did.1),
            Arc::new(UInt64Array::from_iter_values(alike.values().copied())),
        ])
    }
}

fn period_of(edges: &[i64], at: i64) -> Option<usize> {
    let after = edges.partition_point(|edge| *edge <= at);
    (after < edges.len())
        .then(|| after.checked_sub(1))
        .flatten()
}

/// The figures that are not 0, with their periods.
fn of_figures(figures: Vec<u64>) -> Vec<ArrayRef> {
    let found = (0..).zip(figures).filter(|(_, figure)| *figure > 0);
    let (periods, figures): (Vec<u64>, Vec<u64>) = found.unzip();
    vec![
        Arc::new(UInt64Array::from(periods)),
        Arc::new(UInt64Array::from(figures)),
    ]
}

fn external(error: quintet_store::Error) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The figures as a table, so that they are planned and explained like all others.
#[derive(Debug)]
pub(super) struct ActorSets(pub(super) Arc<Ask>);

#[async_trait]
impl TableProvider for ActorSets {
    fn schema(&self) -> SchemaRef {
        self.0.figure.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        _: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(columns) => Arc::new(self.schema().project(columns)?),
            None => self.schema(),
        };
        Ok(Arc::new(ActorSetsExec {
            ask: Arc::clone(&self.0),
            projection: projection.cloned(),
            properties: Arc::new(PlanProperties::new(
                EquivalenceProperties::new(schema),
                Partitioning::UnknownPartitioning(1),
                EmissionType::Final,
                Boundedness::Bounded,
            )),
        }))
    }
}

/// See the module.
#[derive(Debug)]
struct ActorSetsExec {
    ask: Arc<Ask>,
    projection: Option<Vec<usize>>,
    properties: Arc<PlanProperties>,
}

impl DisplayAs for ActorSetsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ask {
            marked,
            kind,
            figure,
            ..
        } = &*self.ask;
        write!(f, "ActorSetsExec: figure={figure:?}, actor={kind:?}")?;
        for Marked {
            events,
            days,
            starts,
        } in marked
        {
            write!(
                f,
                ", events={events:?} of {} days in {} periods",
                days.len(),
                starts.len() + 1
            )?;
        }
        Ok(())
    }
}

impl ExecutionPlan for ActorSetsExec {
    fn name(&self) -> &'static str {
        "ActorSetsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (ask, projection) = (Arc::clone(&self.ask), self.projection.clone());
        let memory = MemoryConsumer::new("ActorSetsExec").register(context.memory_pool());
        let answer = async move {
            let batch = ask.answer(&memory).await?;
            match projection {
                Some(columns) => Ok(batch.project(&columns)?),
                None => Ok(batch),
            }
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(
            self.schema(),
            stream::once(answer),
        )))
    }
}
