//! Which questions the sets of actors answer: those about all events, or events by their names, in whole days (UTC).
//!
//! What is asked for is decided here, and answered by [`exec`]. A question that asks for more, a property, a cohort, a sample,
//! an hour, gets nothing from here and reads events as always.

mod exec;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::prelude::DataFrame;
use quintet_query::filter::{Filter, Operator, PropertyFilter, PropertySource};
use quintet_query::trends::Actor;
use quintet_store::{ActorKind, Events};

use super::Reading;
use crate::Result;
use exec::{ActorSets, Ask, Figure, Marked};

pub(super) use exec::{FIGURE, PERIOD, RETURNS, STARTS, STATUS, STATUSES};

const DAY: i64 = 86_400_000_000;
/// Cohorts are told apart by one word of bits, one of which stands for the time before.
const MOST_COHORTS: usize = 63;

/// The edges of periods, and the events that count in them: from an instant to before another.
type Periods<'a> = (&'a [i64], i64, i64);

/// Periods that are made of whole days.
struct Days {
    /// The first and, exclusive, the last.
    range: Range<i32>,
    /// Where all periods but the first one begin.
    starts: Vec<i32>,
}

impl Days {
    /// The days of events from `from` to before `end` in periods with these edges; none where something is not a whole day.
    fn of(edges: &[i64], from: i64, end: i64) -> Option<Self> {
        let starts = edges.get(1..edges.len().checked_sub(1)?)?;
        Some(Self {
            range: day(from)?..day(end)?,
            starts: starts
                .iter()
                .map(|edge| day(*edge))
                .collect::<Option<_>>()?,
        })
    }
}

fn day(at: i64) -> Option<i32> {
    (at % DAY == 0).then_some(i32::try_from(at / DAY).ok()?)
}

impl Reading<'_> {
    /// Rows of events per period.
    pub(super) fn rows_by_period(
        &self,
        events: &[&Filter],
        periods: Periods<'_>,
    ) -> Result<Option<DataFrame>> {
        self.figure(Figure::Rows, events, Actor::Person, periods)
    }

    /// Actors per period, each once in every period, or in its first one only.
    pub(super) fn actors_by_period(
        &self,
        events: &[&Filter],
        actor: Actor,
        only_first: bool,
        periods: Periods<'_>,
    ) -> Result<Option<DataFrame>> {
        let figure = match only_first {
            true => Figure::FirstPeriods,
            false => Figure::Actors,
        };
        self.figure(figure, events, actor, periods)
    }

    /// Actors in the `window` periods that end with each.
    pub(super) fn actors_in_window(
        &self,
        events: &[&Filter],
        actor: Actor,
        window: usize,
        periods: Periods<'_>,
    ) -> Result<Option<DataFrame>> {
        self.figure(Figure::Window(window), events, actor, periods)
    }

    /// Actors by the number of periods in which they are active.
    pub(super) fn actors_by_number(
        &self,
        events: &[&Filter],
        actor: Actor,
        periods: Periods<'_>,
    ) -> Result<Option<DataFrame>> {
        self.figure(Figure::Numbers, events, actor, periods)
    }

    /// Persons by what each period is to them.
    pub(super) fn statuses_by_period(
        &self,
        events: &Filter,
        edges: &[i64],
    ) -> Result<Option<DataFrame>> {
        let (Some(from), Some(end)) = (edges.first(), edges.last()) else {
            return Ok(None);
        };
        let figure = Figure::Statuses;
        self.figure(figure, &[events], Actor::Person, (edges, *from, *end))
    }

    /// Actors by the periods of their starts and returns, and, if asked for what they `ever` did, the time before.
    pub(super) fn cohorts_by_period(
        &self,
        starts: &[&Filter],
        returns: &[&Filter],
        actor: Actor,
        edges: &[i64],
        ever: bool,
    ) -> Result<Option<DataFrame>> {
        let (Some(from), Some(end)) = (edges.first(), edges.last()) else {
            return Ok(None);
        };
        let marked = |events: &[&Filter]| {
            let mut days = Days::of(edges, *from, *end)?;
            // The first period is all time before the window.
            days.starts.insert(0, days.range.start);
            if ever {
                days.range.start = i32::MIN;
            }
            self.marked(events, days)
        };
        if edges.len() > MOST_COHORTS + 1 {
            return Ok(None);
        }
        match (marked(starts), marked(returns)) {
            (Some(starts), Some(returns)) => {
                self.ask(Figure::Cohorts, vec![starts, returns], actor, edges)
            }
            _ => Ok(None),
        }
    }

    fn figure(
        &self,
        figure: Figure,
        events: &[&Filter],
        actor: Actor,
        (edges, from, end): Periods<'_>,
    ) -> Result<Option<DataFrame>> {
        let days = Days::of(edges, from, end);
        match days.and_then(|days| self.marked(events, days)) {
            Some(marked) => self.ask(figure, vec![marked], actor, edges),
            None => Ok(None),
        }
    }

    fn marked(&self, events: &[&Filter], days: Days) -> Option<Marked> {
        let source = self.data.sets()?;
        let mut found = Events::All;
        for filter in events {
            found = both(found, named(filter, source.has_personless_events())?);
        }
        source.has_actor_sets(&days.range).then_some(Marked {
            events: found,
            days: days.range,
            starts: days.starts,
        })
    }

    fn ask(
        &self,
        figure: Figure,
        marked: Vec<Marked>,
        actor: Actor,
        edges: &[i64],
    ) -> Result<Option<DataFrame>> {
        let (Some(source), Some(kind)) = (self.data.sets(), self.kind(actor)) else {
            return Ok(None);
        };
        if !source.knows(kind) {
            return Ok(None);
        }
        let ask = Ask {
            source: source.clone(),
            marked,
            kind,
            edges: edges.to_vec(),
            figure,
        };
        let sets = self
            .data
            .session
            .read_table(Arc::new(ActorSets(Arc::new(ask))))?;
        Ok(Some(sets))
    }

    /// Whose sets are meant; none of a group type whose index had another type before.
    fn kind(&self, actor: Actor) -> Option<ActorKind> {
        match actor {
            Actor::Person => Some(ActorKind::Person),
            Actor::Group(index) => {
                let is_reused = self.data.is_reused(usize::from(index.get()));
                (!is_reused).then_some(ActorKind::Group(index.get()))
            }
        }
    }
}

/// The events that a filter asks for by name; none if it asks for anything else.
fn named(filter: &Filter, has_personless: bool) -> Option<Events> {
    let of = |filter| named(filter, has_personless);
    match filter {
        Filter::Event(name) => Some(Events::Named(BTreeSet::from([name.clone()]))),
        Filter::All(filters) => filters
            .iter()
            .try_fold(Events::All, |all, filter| Some(both(all, of(filter)?))),
        Filter::Any(filters) => filters
            .iter()
            .try_fold(Events::Named(BTreeSet::new()), |any, filter| {
                Some(either(any, of(filter)?))
            }),
        Filter::Property(property) if !has_personless && asks_for_a_profile(property) => {
            Some(Events::All)
        }
        Filter::Property(_) | Filter::Cohort { .. } => None,
    }
}

fn asks_for_a_profile(filter: &PropertyFilter) -> bool {
    filter.property.source == PropertySource::Event
        && filter.property.key == "$process_person_profile"
        && filter.operator == Operator::IsNot
        && filter.values == ["false"]
}

fn both(one: Events, other: Events) -> Events {
    match (one, other) {
        (Events::All, other) | (other, Events::All) => other,
        (Events::Named(one), Events::Named(other)) => Events::Named(&one & &other),
    }
}

fn either(one: Events, other: Events) -> Events {
    match (one, other) {
        (Events::Named(one), Events::Named(other)) => Events::Named(&one | &other),
        _ => Events::All,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str) -> Filter {
        Filter::Event(name.into())
    }

    fn names(filter: &Filter) -> Option<Vec<String>> {
        match named(filter, true)? {
            Events::All => Some(vec!["*".into()]),
            Events::Named(names) => Some(names.into_iter().collect()),
        }
    }

    #[test]
    fn events_are_named_through_all_and_any_but_not_through_properties() {
        let either = Filter::Any(vec![event("a"), event("b")]);
        assert_eq!(names(&Filter::always()), Some(vec!["*".into()]));
        assert_eq!(names(&Filter::never()), Some(vec![]));
        assert_eq!(names(&either), Some(vec!["a".into(), "b".into()]));
        let both = Filter::All(vec![either, event("b"), Filter::always()]);
        assert_eq!(names(&both), Some(vec!["b".into()]));
    }

    #[test]
    fn only_whole_days_are_days() {
        let days = Days::of(&[0, 7 * DAY, 14 * DAY], DAY, 13 * DAY);
        let days = days.map(|days| (days.range, days.starts));
        assert_eq!(days, Some((1..13, vec![7])));
        assert!(Days::of(&[0, DAY / 24, DAY], 0, DAY).is_none());
        assert!(Days::of(&[0, DAY], 0, DAY - 1).is_none());
        assert!(Days::of(&[], 0, DAY).is_none());
    }
}
