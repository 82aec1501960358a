//! The persons behind one figure of a lifecycle: to whom an interval is what. Rules: `spec/lifecycle.md` section 4.

use std::ops::Range;

use crate::calendar::Calendar;
use crate::compare::refuse_previous;
use crate::dates::parse_instant;
use crate::error::{Error, Result};
use crate::insight::{ACTORS_HARMLESS, NODE_HARMLESS, refuse_series};
use crate::period::micros;
use crate::reader::{Field, Object, Path};
use crate::{ActorsPage, Context};

use super::{Lifecycle, LifecycleQuery, Status};

const STATUSES: &[(&str, Status)] = &[
    (Status::New.name(), Status::New),
    (Status::Returning.name(), Status::Returning),
    (Status::Resurrecting.name(), Status::Resurrecting),
    (Status::Dormant.name(), Status::Dormant),
];

/// A question for the persons behind one figure of a lifecycle.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct LifecycleActorsQuery {
    /// The lifecycle.
    pub source: LifecycleQuery,
    /// A day or instant in the figure's interval; every interval that is shown without.
    pub day: Option<String>,
    /// What the interval is to them; anything without.
    pub status: Option<Status>,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

/// A resolved question for the persons behind one figure.
#[derive(Debug, Clone, PartialEq)]
pub struct LifecycleActors {
    /// The lifecycle.
    pub lifecycle: Lifecycle,
    /// Buckets in one of which the person has the status. The look-back is among those that can be asked for, and so is the
    /// bucket behind the last, in which persons are dormant. Empty for a day that is far from the range: nobody.
    pub buckets: Range<usize>,
    /// The status; `None` is any.
    pub status: Option<Status>,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

impl LifecycleActorsQuery {
    /// Reads an `InsightActorsQuery`.
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        refuse_what_lifecycle_has_not(&mut object)?;
        let query = Self {
            source: LifecycleQuery::parse(&object.require("source")?)?,
            day: object.filled_text("day")?,
            status: object.one_of("status", STATUSES)?,
            page: ActorsPage::default(),
        };
        object.finish(&[NODE_HARMLESS, ACTORS_HARMLESS, &["interval"]])?;
        Ok(query)
    }

    pub(crate) fn on_page(self, page: ActorsPage) -> Self {
        Self { page, ..self }
    }

    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<LifecycleActors> {
        let lifecycle = self.source.resolve(context).map_err(Error::in_source)?;
        let buckets = match &self.day {
            None => lifecycle.shown.clone(),
            Some(day) => {
                let instant = parse_instant(day, context, &Path::root().field("day"))?;
                bucket_of(&lifecycle, micros(instant), context).map_or(0..0, |at| at..at + 1)
            }
        };
        Ok(LifecycleActors {
            lifecycle,
            buckets,
            status: self.status,
            page: self.page.clone(),
        })
    }
}

/// A lifecycle has one series, one range and no values: a figure is named by its day and status alone.
fn refuse_what_lifecycle_has_not(object: &mut Object<'_>) -> Result<()> {
    refuse_series(object, "all series are one in a lifecycle")?;
    refuse_previous(object, "a lifecycle is not compared")?;
    object.refuse("breakdown", "leave it out: a lifecycle is not broken down")
}

/// The bucket of an instant; the one behind the last is as long as an interval.
fn bucket_of(lifecycle: &Lifecycle, instant: i64, context: &Context) -> Option<usize> {
    let bucket = lifecycle
        .edges
        .partition_point(|edge| *edge <= instant)
        .checked_sub(1)?;
    let behind = lifecycle.buckets();
    if bucket < behind || instant < end_behind(lifecycle, context)? {
        Some(bucket)
    } else {
        None
    }
}

/// End of the interval behind the last bucket.
fn end_behind(lifecycle: &Lifecycle, context: &Context) -> Option<i64> {
    let calendar = Calendar::of(context);
    let end = chrono::DateTime::from_timestamp_micros(*lifecycle.edges.last()?)?;
    let local = end.with_timezone(&calendar.zone).naive_local();
    let next = calendar.next(lifecycle.interval, local)?;
    Some(micros(calendar.edge(next)))
}

#[cfg(test)]
mod tests;
