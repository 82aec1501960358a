//! From retention as it is asked for to what it means in a context. Rules: `spec/retention.md` sections 1 to 7, 9 and 11.

use crate::breakdown::Breakdown;
use crate::calendar::Calendar;
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::insight::{followed, sampling};
use crate::reader::Path;
use crate::series::{Actor, MathProperty, SeriesNode};
use crate::{Context, GroupIndex, Interval};

use super::columns::total_intervals;
use super::{Aggregate, Amounts, Columns, Mode, Retention, RetentionQuery, Window};

/// More cells in a block of rows are a mistake rather than a question.
const MOST_CELLS: usize = 1_000_000;

/// What an entity of the definition means.
struct Entity {
    /// What the event itself must be.
    matching: Filter,
    /// That and the filters on it.
    all: Filter,
}

impl RetentionQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Retention> {
        self.refuse_what_does_not_go_together()?;
        self.check_period()?;
        let path = Path::root().field("retentionFilter");
        let columns = Columns::of(self)?;
        let intervals = total_intervals(self, &path)?;
        let window = Window::of(&self.date_range, self.interval, intervals, context)?;
        check_size(&window, &columns, &path)?;
        let target = resolve_entity(&self.target, context, &path.field("targetEntity"))?;
        Ok(Retention {
            actor: self.actor(context)?,
            filter: self.conditions().of_query(context)?,
            candidate: target.matching,
            start: target.all,
            returning: resolve_entity(&self.returning, context, &path.field("returningEntity"))?
                .all,
            starts: self.starts,
            mode: self.mode(&window, &columns, context)?,
            window,
            columns,
            breakdown: self.resolve_breakdown(context)?,
            sampling: sampling(self.sampling_factor)?,
            reference: self.reference,
            now: context.now.timestamp_micros(),
        })
    }

    fn refuse_what_does_not_go_together(&self) -> Result<()> {
        let refused = |what: &str, instead: &str| Err(Error::unsupported(what, instead));
        let aggregates = self.aggregate.is_some();
        if self.rolling && self.cumulative {
            refused(
                "cumulative retention in 24-hour windows",
                "take strict_calendar_dates as timeWindowMode, or leave out cumulative",
            )
        } else if self.rolling && aggregates {
            refused(
                "a sum or average in 24-hour windows",
                "take strict_calendar_dates as timeWindowMode, or leave out aggregationType",
            )
        } else if aggregates && self.cumulative {
            refused(
                "a sum or average in cumulative retention",
                "leave out cumulative or aggregationType",
            )
        } else if aggregates && !self.brackets.is_empty() {
            refused(
                "a sum or average by custom brackets",
                "leave out retentionCustomBrackets or aggregationType",
            )
        } else {
            Ok(())
        }
    }

    fn check_period(&self) -> Result<()> {
        match self.interval {
            Interval::Hour | Interval::Day | Interval::Week | Interval::Month => Ok(()),
            Interval::Minute | Interval::Quarter => Err(Error::invalid(
                &Path::root().field("retentionFilter").field("period"),
                "must be one of Hour, Day, Week, Month",
            )),
        }
    }

    fn actor(&self, context: &Context) -> Result<Actor> {
        match followed(self.group_type.as_ref(), context)? {
            Actor::Group(index) if !is_known(index, context) => Err(Error::invalid(
                &Path::root().field("aggregation_group_type_index"),
                format!(
                    "no group type {} is defined; take one of those that are, or leave it out to follow persons",
                    index.get()
                ),
            )),
            actor => Ok(actor),
        }
    }

    fn mode(&self, window: &Window, columns: &Columns, context: &Context) -> Result<Mode> {
        if self.rolling {
            let calendar = Calendar::of(context);
            let reach = columns.labels.len();
            return Ok(Mode::Rolling(window.rolling(reach, &calendar)));
        }
        Ok(match &self.aggregate {
            Some(aggregate) => Mode::Amounts(self.amounts(aggregate, context)?),
            None => Mode::Counts {
                minimum: self.minimum_occurrences.max(1),
                cumulative: self.cumulative,
            },
        })
    }

    fn amounts(&self, aggregate: &Aggregate, context: &Context) -> Result<Amounts> {
        let path = Path::root()
            .field("retentionFilter")
            .field("aggregationProperty");
        let MathProperty { scope, key } = &aggregate.property;
        Ok(Amounts {
            property: scope.property(key, context, &path)?,
            measure: aggregate.measure,
            one_event: self.target.source == self.returning.source
                && self.target.properties == self.returning.properties,
        })
    }

    /// One property or any number of cohorts.
    fn resolve_breakdown(&self, context: &Context) -> Result<Option<Breakdown>> {
        let path = Path::root().field("breakdownFilter");
        let breakdown = self.breakdown.resolve(self.breakdown.limit(), context)?;
        self.breakdown.refuse_true_other("retention")?;
        match &breakdown {
            Some(Breakdown::Properties { parts, .. }) => match parts.as_slice() {
                [part] if part.bins.is_some() => Err(Error::unsupported(
                    format!("a breakdown by bins in retention ({path})"),
                    "leave out the number of bins",
                )),
                [_] => Ok(breakdown),
                _ => Err(Error::unsupported(
                    format!("retention by several properties ({path}.breakdowns)"),
                    "break down by one property, or by cohorts",
                )),
            },
            Some(Breakdown::Cohorts(_)) | None => Ok(breakdown),
        }
    }
}

fn check_size(window: &Window, columns: &Columns, path: &Path) -> Result<()> {
    if window.rows() * columns.labels.len() > MOST_CELLS {
        return Err(Error::invalid(
            path,
            format!(
                "asks for more than {MOST_CELLS} cells; take fewer intervals, or a larger period"
            ),
        ));
    }
    Ok(())
}

fn resolve_entity(node: &SeriesNode, context: &Context, path: &Path) -> Result<Entity> {
    let action = node.known_action(context, path)?;
    let matching = node.matching(action, context, path)?;
    let properties = node
        .properties
        .resolve(context, &path.field("properties"))?;
    Ok(Entity {
        all: Filter::all([matching.clone(), properties]),
        matching,
    })
}

/// Files that are no store do not tell which group types they have: then any may be asked for.
fn is_known(index: GroupIndex, context: &Context) -> bool {
    let types = &context.group_types;
    let is_named = matches!(types.get(usize::from(index.get())), Some(Some(_)));
    is_named || types.iter().all(Option::is_none)
}

#[cfg(test)]
mod tests;
