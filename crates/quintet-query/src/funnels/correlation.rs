//! Correlation: what those who convert do, or are, more often than those who do not. Rules: `spec/funnels-more.md` section 7.

mod actors;
mod parse;

use crate::Context;
use crate::error::{Error, Result};
use crate::filter::{Filter, Operator};
use crate::reader::Path;
use crate::series::{SeriesNode, SeriesSource};

use super::{FunnelsActors, FunnelsActorsQuery, FunnelsQuery, VizType};

pub use actors::{FunnelCorrelationActors, FunnelCorrelationActorsQuery};

/// Stands for every property in a list of names.
const ALL_PROPERTIES: &str = "$all";

/// What correlates with conversion, as it is asked for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FunnelCorrelationQuery {
    /// Whose outcomes are looked at: everybody who entered the funnel, unless it names a step.
    pub source: FunnelsActorsQuery,
    /// What is correlated.
    pub kind: CorrelationKind,
    /// Events that do not count.
    pub exclude_event_names: Vec<String>,
    /// Events whose properties count.
    pub event_names: Vec<String>,
    /// Properties of events that do not count.
    pub exclude_event_property_names: Vec<String>,
    /// Properties of actors that count; `$all` is every one.
    pub names: Vec<String>,
    /// Properties of actors that do not count.
    pub exclude_names: Vec<String>,
}

/// What is correlated with conversion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CorrelationKind {
    /// Events between the entry and the end of the run.
    #[default]
    Events,
    /// The properties of such events.
    EventWithProperties,
    /// The properties of the actors.
    Properties,
}

/// A resolved question for what correlates with conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelCorrelation {
    /// Whose outcomes are looked at: those whose runs it wants. Its page says nothing.
    pub population: FunnelsActors,
    /// What is correlated.
    pub of: Correlated,
}

/// What is correlated with conversion.
///
/// An event counts after the entry and before the last step, or the end of the window without conversion. The funnel's own
/// filter does not apply to it.
#[derive(Debug, Clone, PartialEq)]
pub enum Correlated {
    /// The names of the events that satisfy this.
    Events(Filter),
    /// Name, key and value of the properties of events.
    EventProperties {
        /// The events.
        events: Filter,
        /// Keys that do not count.
        without: Vec<String>,
    },
    /// Key and value of the actors' properties: those of groups where groups are followed, else of persons.
    ActorProperties(PropertyKeys),
}

/// Which properties of an actor count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PropertyKeys {
    /// Those of these names; the empty text is the value of one that the actor does not have.
    Named(Vec<String>),
    /// Those that it has, except these.
    AllBut(Vec<String>),
}

impl FunnelCorrelationQuery {
    /// What this means in `context`. A funnel without steps correlates with nothing: `None`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Option<FunnelCorrelation>> {
        if self.source.source.series.is_empty() {
            return Ok(None);
        }
        let of = self.resolve_correlated(context)?;
        let population = self
            .population()
            .resolve(context)
            .map_err(Error::in_source)?;
        Ok(Some(FunnelCorrelation { population, of }))
    }

    /// Those who entered the funnel, step by step, whatever it shows.
    fn population(&self) -> FunnelsActorsQuery {
        FunnelsActorsQuery {
            source: FunnelsQuery {
                viz: VizType::Steps,
                ..self.source.source.clone()
            },
            step: self.source.step.or(Some(1)),
            ..self.source.clone()
        }
    }

    fn resolve_correlated(&self, context: &Context) -> Result<Correlated> {
        let of_steps = self.events_of_steps(context);
        match self.kind {
            CorrelationKind::Events => {
                let left_out = of_steps.into_iter().chain(self.exclude_event_names.clone());
                Ok(Correlated::Events(not_named(left_out.collect())))
            }
            CorrelationKind::EventWithProperties => {
                let names = required(&self.event_names, "funnelCorrelationEventNames", "event")?;
                let counted = names.iter().filter(|name| !of_steps.contains(name));
                Ok(Correlated::EventProperties {
                    events: Filter::any(counted.cloned().map(Filter::Event)),
                    without: self.exclude_event_property_names.clone(),
                })
            }
            CorrelationKind::Properties => {
                let names = required(&self.names, "funnelCorrelationNames", "property")?;
                Ok(Correlated::ActorProperties(self.property_keys(names)))
            }
        }
    }

    fn property_keys(&self, names: &[String]) -> PropertyKeys {
        if names.iter().any(|name| name == ALL_PROPERTIES) {
            return PropertyKeys::AllBut(self.exclude_names.clone());
        }
        let counted = names
            .iter()
            .filter(|name| !self.exclude_names.contains(name));
        PropertyKeys::Named(counted.cloned().collect())
    }

    /// The names of the funnel's own events, and of every event that an action among them mentions: they correlate by themselves.
    fn events_of_steps(&self, context: &Context) -> Vec<String> {
        let steps = self.source.source.series.iter();
        let mut names: Vec<String> = steps
            .flat_map(|step| step.nodes())
            .flat_map(|node| events_of(node, context))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn events_of(node: &SeriesNode, context: &Context) -> Vec<String> {
    match &node.source {
        SeriesSource::Event(name) => name.iter().cloned().collect(),
        SeriesSource::Action(_) => {
            let steps = node
                .action(context)
                .into_iter()
                .flat_map(|action| &action.steps);
            steps.filter_map(|step| step.event.clone()).collect()
        }
    }
}

/// Events with none of these names.
fn not_named(names: Vec<String>) -> Filter {
    if names.is_empty() {
        return Filter::always();
    }
    Filter::event_name(Operator::IsNot, names)
}

fn required<'a>(names: &'a [String], field: &str, what: &str) -> Result<&'a [String]> {
    if names.is_empty() {
        return Err(Error::invalid(
            &Path::root().field(field),
            format!("must hold at least one {what} name"),
        ));
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
