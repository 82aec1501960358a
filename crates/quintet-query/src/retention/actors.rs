//! The actors behind a row of retention, and in which columns each counts. Rules: `spec/retention.md` section 10.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::breakdown::{ActorsBreakdown, Breakdown, NULL_LABEL, OTHER_LABEL, Restriction};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::insight::{ACTORS_HARMLESS, NODE_HARMLESS};
use crate::reader::{Field, Object, Path};
use crate::{ActorsPage, Context};

use super::{Mode, Retention, RetentionQuery};

/// The column that lists the columns in which an actor counts.
const APPEARANCES: &str = "appearances";

/// A question for the actors behind a row of retention.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RetentionActorsQuery {
    /// The retention.
    pub source: RetentionQuery,
    /// Position of the row; all rows together without.
    pub interval: Option<usize>,
    /// The breakdown value of the row, of cohorts the number; any without.
    pub breakdown: Option<String>,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

/// A resolved question for the actors behind a row.
///
/// An actor is listed when [`counts`](Self::counts) holds of any cohort that it belongs to, and appears in the columns of
/// all these. The usual order is by the number of columns, the most first, then by the actor's key.
#[derive(Debug, Clone, PartialEq)]
pub struct RetentionActors {
    /// The retention, not cumulative. A cohort that it is broken down by is part of its `filter`.
    pub retention: Retention,
    /// Position of the row; `None` is any.
    pub row: Option<usize>,
    /// The breakdown value, empty for null and absent; `None` is any.
    pub value: Option<String>,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

impl RetentionActorsQuery {
    /// Reads an `InsightActorsQuery`.
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            source: RetentionQuery::parse(&object.require("source")?)?,
            interval: object.count("interval")?,
            breakdown: parse_breakdown(&mut object)?,
            page: ActorsPage::default(),
        };
        object.finish(&[NODE_HARMLESS, ACTORS_HARMLESS])?;
        Ok(query)
    }

    pub(crate) fn on_page(self, page: ActorsPage) -> Self {
        Self { page, ..self }
    }

    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<RetentionActors> {
        let mut retention = self.source.resolve(context).map_err(Error::in_source)?;
        self.check_row(&retention)?;
        let value = self.resolve_value(&mut retention, context)?;
        if let Mode::Counts { cumulative, .. } = &mut retention.mode {
            *cumulative = false;
        }
        Ok(RetentionActors {
            retention,
            row: self.interval,
            value,
            page: self.page.clone(),
        })
    }

    fn check_row(&self, retention: &Retention) -> Result<()> {
        let rows = retention.window.rows();
        match self.interval {
            Some(row) if row >= rows => Err(Error::invalid(
                &Path::root().field("interval"),
                format!("there is no row {row}; the query has {rows}, counted from 0"),
            )),
            _ => Ok(()),
        }
    }

    /// The breakdown value that the actors must have; a cohort becomes a condition on events instead.
    fn resolve_value(
        &self,
        retention: &mut Retention,
        context: &Context,
    ) -> Result<Option<String>> {
        let path = Path::root().field("breakdown");
        match (&retention.breakdown, &self.breakdown) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Error::invalid(
                &path,
                "the query has no breakdown; leave it out",
            )),
            (Some(Breakdown::Properties { .. }), Some(value)) if value == OTHER_LABEL => {
                Err(Error::unsupported(
                    format!("the list of actors behind the values beyond the limit ({path})"),
                    "raise `breakdown_limit` and ask for one value",
                ))
            }
            (Some(Breakdown::Properties { .. }), value) => Ok(value.clone()),
            (Some(Breakdown::Cohorts(_)), None) => Err(Error::invalid(
                &path,
                "is missing: say which cohort is meant, as a list of its number",
            )),
            (Some(cohorts @ Breakdown::Cohorts(_)), Some(value)) => {
                let value = ActorsBreakdown::Value(value.clone());
                let member = Restriction::of(Some(&value), Some(cohorts), context, &path)?;
                let filter = std::mem::replace(&mut retention.filter, Filter::always());
                retention.filter = Filter::all([filter].into_iter().chain(member.conditions));
                retention.breakdown = None;
                Ok(None)
            }
        }
    }
}

/// The breakdown value as rows show it; null is the empty text.
fn parse_breakdown(object: &mut Object<'_>) -> Result<Option<String>> {
    let path = object.path.field("breakdown");
    match ActorsBreakdown::parse_field(object)? {
        None => Ok(None),
        Some(ActorsBreakdown::Value(_)) => Err(Error::invalid(
            &path,
            "must be a list that holds the breakdown value of the row",
        )),
        Some(ActorsBreakdown::Values(values)) if values.is_empty() => Ok(None),
        Some(ActorsBreakdown::Values(values)) => Ok(Some(match values.join("::") {
            missing if missing == NULL_LABEL => String::new(),
            value => value,
        })),
    }
}

impl RetentionActors {
    /// Whether an actor's cohort under this breakdown value is asked for; `None` is null, absent, or no breakdown.
    pub fn counts(&self, value: Option<&str>, row: usize) -> bool {
        self.row.is_none_or(|asked| asked == row)
            && self
                .value
                .as_ref()
                .is_none_or(|asked| asked == value.unwrap_or_default())
    }

    /// The columns of the list beside the actor: `appearances`, and those of the page's `select` that stand for one column
    /// of the insight, such as `day_0`, being 1 or 0.
    pub fn columns(&self, appearances: &BTreeSet<usize>) -> Vec<(String, Value)> {
        let unit = self.retention.window.interval.name();
        let one = |name: &String| {
            let column: usize = name.strip_prefix(unit)?.strip_prefix('_')?.parse().ok()?;
            let counts = u8::from(appearances.contains(&column));
            Some((name.clone(), counts.into()))
        };
        let list = appearances.iter().copied().collect();
        [(APPEARANCES.to_owned(), list)]
            .into_iter()
            .chain(self.page.select.iter().filter_map(one))
            .collect()
    }
}

#[cfg(test)]
mod tests;
