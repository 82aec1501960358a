//! The actors behind one figure of a correlation: those with an outcome who did an event on the way, or who have a property.

use crate::error::{Error, Result};
use crate::filter::{Filter, PropertyNode};
use crate::reader::Path;
use crate::series::SeriesNode;
use crate::{ActorsPage, Context};

use super::super::FunnelsActors;
use super::super::resolve::resolve_condition;
use super::{CorrelationKind, FunnelCorrelationQuery, not_named};

/// A question for the actors behind one figure of a correlation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FunnelCorrelationActorsQuery {
    /// The correlation.
    pub source: FunnelCorrelationQuery,
    /// True for those who converted, false for those who did not; either without.
    pub converted: Option<bool>,
    /// The event of the figure, for correlations with events and their properties.
    pub event: Option<SeriesNode>,
    /// The properties of the figure, for correlations with those of actors.
    pub properties: PropertyNode,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

/// A resolved question for the actors behind one figure of a correlation.
#[derive(Debug, Clone, PartialEq)]
pub struct FunnelCorrelationActors {
    /// Who can be meant. Properties of the figure are part of the funnel's filter. Its page is the one that is wanted.
    pub population: FunnelsActors,
    /// The outcome; `None` is either.
    pub converted: Option<bool>,
    /// What an event must satisfy that they did on the way; `None` where the figure is about no event. Between which instants
    /// it must lie is as for [`Correlated`](super::Correlated).
    pub event: Option<Filter>,
}

impl FunnelCorrelationActorsQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<FunnelCorrelationActors> {
        let mut population = self.source.population();
        population.page = self.page.clone();
        let event = match self.source.kind {
            CorrelationKind::Properties => {
                population
                    .source
                    .properties
                    .and(self.required_properties()?);
                None
            }
            CorrelationKind::Events | CorrelationKind::EventWithProperties => {
                Some(self.resolve_event(context)?)
            }
        };
        Ok(FunnelCorrelationActors {
            population: population
                .resolve(context)
                .map_err(Error::in_source)
                .map_err(Error::in_source)?,
            converted: self.converted,
            event,
        })
    }

    fn required_properties(&self) -> Result<PropertyNode> {
        if self.properties == PropertyNode::default() {
            return Err(Error::invalid(
                &Path::root().field("funnelCorrelationPropertyValues"),
                "must hold at least one property value",
            ));
        }
        Ok(self.properties.clone())
    }

    /// The event, which never is one of the funnel's own.
    fn resolve_event(&self, context: &Context) -> Result<Filter> {
        let path = Path::root().field("funnelCorrelationPersonEntity");
        let node = self
            .event
            .as_ref()
            .ok_or_else(|| Error::invalid(&path, "is missing: name the event of the figure"))?;
        let condition = resolve_condition(node, context, &path)?;
        let not_of_steps = not_named(self.source.events_of_steps(context));
        Ok(Filter::all([
            condition.matching,
            condition.filter,
            not_of_steps,
        ]))
    }
}

impl FunnelCorrelationActors {
    /// True when a run with this breakdown value, these steps and these times has the outcome that is asked for.
    pub fn wants_run(&self, value: &[String], steps: u64, times: &[i64]) -> bool {
        let has_outcome = |converted| self.population.funnels.is_converted(steps) == converted;
        self.population.wants_run(value, steps, times) && self.converted.is_none_or(has_outcome)
    }
}
