//! Which events count, and what is known of them.

use std::collections::BTreeSet;

use datafusion::arrow::datatypes::DataType;
use datafusion::logical_expr::Expr;
use datafusion::prelude::{DataFrame, lit, nullif};
use datafusion::scalar::ScalarValue;
use quintet_functions::expr_fn::{bin_label, in_sample, normalize_url};
use quintet_query::filter::{Filter, Property};
use quintet_query::trends::{Actor, BreakdownPart};
use quintet_store::schema;

use super::filter::{self, CohortMembership};
use super::property::{self, Wanted};
use crate::Result;
use crate::data::{Data, column, text};

/// The events of a question, being narrowed down. Times are microseconds since 1970 in UTC, both ends inclusive.
pub(crate) struct Matching<'a> {
    data: &'a Data,
    cohorts: &'a CohortMembership,
    wanted: BTreeSet<Wanted>,
    needs_person: bool,
    conditions: Vec<Expr>,
}

impl<'a> Matching<'a> {
    pub(super) fn new(data: &'a Data, cohorts: &'a CohortMembership) -> Self {
        Self {
            data,
            cohorts,
            wanted: BTreeSet::new(),
            needs_person: false,
            conditions: Vec::new(),
        }
    }

    /// Only events not before `from`.
    pub(crate) fn since(mut self, from: i64) -> Self {
        self.conditions.push(since(from));
        self
    }

    /// Only events not after `to`.
    pub(crate) fn until(mut self, to: i64) -> Self {
        self.conditions
            .push(column(schema::TIMESTAMP).lt_eq(time(to)));
        self
    }

    /// Only events that satisfy a filter.
    pub(crate) fn that(mut self, filter: &Filter) -> Result<Self> {
        let condition = self.condition(filter)?;
        self.conditions.push(condition);
        Ok(self)
    }

    /// Only events that have such an actor; returns the column that tells actors apart.
    pub(crate) fn of(&mut self, actor: Actor) -> &'static str {
        let (column, condition) = self.data.actor(actor);
        self.needs_person |= actor == Actor::Person;
        self.conditions.extend(condition);
        column
    }

    /// Only events of a fixed share of all distinct ids.
    pub(crate) fn sampled(mut self, share: Option<f64>) -> Self {
        self.conditions
            .extend(share.map(|share| in_sample(column(schema::DISTINCT_ID), share)));
        self
    }

    /// Only events for which a condition holds.
    pub(crate) fn only(mut self, condition: Expr) -> Self {
        self.conditions.push(condition);
        self
    }

    /// A filter as a condition that may be true or false for the events, without narrowing them.
    pub(crate) fn condition(&mut self, filter: &Filter) -> Result<Expr> {
        filter::wanted(filter, &mut self.wanted, &mut self.needs_person);
        filter::expr(self.data, self.cohorts, filter)
    }

    /// A property as a number.
    pub(crate) fn number(&mut self, property: &Property) -> Result<Expr> {
        self.wanted.extend(Wanted::of(property));
        Ok(property::value(self.data, property)?.number())
    }

    /// A property as text.
    pub(crate) fn text(&mut self, property: &Property) -> Result<Expr> {
        self.wanted.extend(Wanted::of(property));
        Ok(property::value(self.data, property)?.text())
    }

    /// The text that an event is broken down by, null where there is none; `edges` are those of its bins, if it has any.
    pub(crate) fn breakdown(
        &mut self,
        part: &BreakdownPart,
        edges: Option<&[f64]>,
    ) -> Result<Expr> {
        if let Some(edges) = edges {
            return Ok(bin_label(self.number(&part.property)?, edges));
        }
        let text = nullif(self.text(&part.property)?, text(""));
        Ok(if part.normalize_url {
            normalize_url(text)
        } else {
            text
        })
    }

    /// The length of an event's session in seconds.
    pub(crate) fn session_duration(&mut self) -> Result<Expr> {
        let wanted = Wanted::session_duration();
        let duration = property::value(self.data, &wanted.0)?.number();
        self.wanted.insert(wanted);
        Ok(duration)
    }

    /// The session of an event, null where it has none.
    pub(crate) fn session(&self) -> Result<Expr> {
        property::session_id(self.data)
    }

    /// The events that are left, with the properties that were asked for beside them.
    pub(crate) fn events(self) -> Result<DataFrame> {
        let needs_person = self.needs_person || self.wanted.iter().any(Wanted::is_of_person);
        let events = property::join(self.data, self.data.events(needs_person)?, &self.wanted)?;
        match datafusion::logical_expr::utils::conjunction(self.conditions) {
            Some(condition) => Ok(events.filter(condition)?),
            None => Ok(events),
        }
    }
}

/// An event's time is not before `from`.
pub(crate) fn since(from: i64) -> Expr {
    column(schema::TIMESTAMP).gt_eq(time(from))
}

/// A time as a literal.
pub(crate) fn time(micros: i64) -> Expr {
    lit(ScalarValue::TimestampMicrosecond(
        Some(micros),
        Some("UTC".into()),
    ))
}

/// A time column as microseconds since 1970.
pub(crate) fn micros(time: Expr) -> Expr {
    datafusion::prelude::cast(time, DataType::Int64)
}
