//! The actors behind one figure of stickiness: who was active in as many intervals. Rules: `spec/stickiness.md` section 6.
//!
//! PostHog unites the actors of all series and of both ranges; here they are those of one series in one range.

use crate::breakdown::{ActorsBreakdown, Breakdown, OTHER_LABEL, Restriction};
use crate::compare::{self, not_compared};
use crate::error::{Error, Result};
use crate::filter::{Filter, Property};
use crate::insight::{ACTORS_HARMLESS, NODE_HARMLESS, parse_source, the_series};
use crate::reader::{Field, Object, Path};
use crate::{ActorsPage, Context};

use super::{Bound, Comparison, Intervals, Series, StickinessQuery, bound};

/// A question for the actors behind one figure of stickiness.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StickinessActorsQuery {
    /// The stickiness.
    pub source: StickinessQuery,
    /// Number of active intervals; everybody in the histogram without.
    pub day: Option<u64>,
    /// How an actor's intervals are compared with `day`. Cumulative stickiness counts those of as many or more, whatever this says.
    pub operator: Comparison,
    /// Position of the series.
    pub series: usize,
    /// The breakdown value of the figure.
    pub breakdown: Option<ActorsBreakdown>,
    /// True for a figure of the range compared with.
    pub previous: bool,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

/// A resolved question for the actors behind one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct StickinessActors {
    /// The series of the figure. A breakdown value is part of its `filter`.
    pub series: Series,
    /// The range of the figure.
    pub intervals: Intervals,
    /// How many events of an actor make an interval an active one.
    pub criterion: Bound,
    /// How many active intervals an actor has.
    pub active: Bound,
    /// Numeric bins that the figure is restricted to: property, lower bound, exclusive upper bound.
    pub bins: Vec<(Property, f64, f64)>,
    /// URLs that the figure is restricted to: property, and what it must be after stripping trailing `/?#` (nothing left is `/`).
    pub urls: Vec<(Property, String)>,
    /// Share of distinct ids to read, in [0, 1); `None` reads all.
    pub sampling: Option<f64>,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

impl StickinessActorsQuery {
    /// Reads an `InsightActorsQuery`.
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        Self::parse_fields(field.object()?, Comparison::default())
    }

    /// Reads a `StickinessActorsQuery`, which has an operator.
    pub(crate) fn parse_with_operator(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let operator = object.one_of("operator", bound::WIRE_NAMES)?;
        Self::parse_fields(object, operator.unwrap_or_default())
    }

    fn parse_fields(mut object: Object<'_>, operator: Comparison) -> Result<Self> {
        let query = Self {
            source: parse_source(
                &object.require("source")?,
                "StickinessQuery",
                StickinessQuery::parse,
            )?,
            day: object.count("day")?.map(|day| day as u64),
            operator,
            series: object.count("series")?.unwrap_or(0),
            breakdown: ActorsBreakdown::parse_field(&mut object)?,
            previous: compare::parse_previous(&mut object)?,
            page: ActorsPage::default(),
        };
        object.finish(&[NODE_HARMLESS, ACTORS_HARMLESS, &["interval", "status"]])?;
        Ok(query)
    }

    pub(crate) fn on_page(self, page: ActorsPage) -> Self {
        Self { page, ..self }
    }

    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<StickinessActors> {
        let stickiness = self.source.resolve(context).map_err(Error::in_source)?;
        let mut series = the_series(stickiness.series, self.series)?;
        let intervals = if self.previous {
            stickiness.previous.ok_or_else(not_compared)?
        } else {
            stickiness.current
        };
        let restriction = self.restriction(stickiness.breakdown.as_ref(), context)?;
        series.filter = Filter::all([series.filter].into_iter().chain(restriction.conditions));
        Ok(StickinessActors {
            series,
            intervals,
            criterion: stickiness.criterion,
            active: self.active(),
            bins: restriction.bins,
            urls: restriction.urls,
            sampling: stickiness.sampling,
            page: self.page.clone(),
        })
    }

    fn restriction(&self, breakdown: Option<&Breakdown>, context: &Context) -> Result<Restriction> {
        let path = Path::root().field("breakdown");
        let asks_for_the_rest = match &self.breakdown {
            None => false,
            Some(ActorsBreakdown::Value(value)) => value == OTHER_LABEL,
            Some(ActorsBreakdown::Values(values)) => values.iter().any(|v| v == OTHER_LABEL),
        };
        if asks_for_the_rest {
            return Err(Error::unsupported(
                format!("the list of actors behind the values beyond the limit ({path})"),
                "raise `breakdown_limit` and ask for one value",
            ));
        }
        Restriction::of(self.breakdown.as_ref(), breakdown, context, &path)
    }

    fn active(&self) -> Bound {
        match self.day {
            None => Bound::default(),
            Some(day) if self.source.cumulative => Bound::at_least(day),
            Some(day) => Bound::new(self.operator, day),
        }
    }
}

#[cfg(test)]
mod tests;
