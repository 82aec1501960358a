//! From stickiness as it is asked for to what it means in a context. Rules: `spec/stickiness.md` sections 1 to 4 and 7.

use crate::Context;
use crate::dates::{Reading, ResolvedRange};
use crate::error::{Error, Result};
use crate::filter::Filter;
use crate::insight::{at_least_one_series, sampling};
use crate::reader::Path;
use crate::series::{Actor, Math, SeriesNode};

use super::{Bound, Comparison, Intervals, Series, Stickiness, StickinessQuery};

const MOST_INTERVALS: u32 = 365;

impl StickinessQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Stickiness> {
        at_least_one_series(self.series.len())?;
        let reading = Reading::by(self.interval);
        let path = Path::root().field("dateRange");
        let range = self.date_range.resolve(reading, context, &path)?;
        let previous =
            self.compare
                .resolve(&self.date_range, &range, reading, self.interval, context)?;
        let joined = self.joined()?;
        // Both ranges are cut back from the end of the one that is asked for.
        let cut = |cut: &ResolvedRange| {
            Intervals::of(cut, self.interval, joined, range.to, context, &path)
        };
        self.breakdown.refuse_true_other("stickiness")?;
        Ok(Stickiness {
            series: self
                .series
                .iter()
                .enumerate()
                .map(|(index, node)| self.resolve_series(index, node, context))
                .collect::<Result<_>>()?,
            interval: self.interval,
            current: cut(&range)?,
            previous: previous.as_ref().map(cut).transpose()?,
            criterion: self.resolve_criterion()?,
            cumulative: self.cumulative,
            breakdown: self.breakdown.resolve(self.breakdown.limit(), context)?,
            sampling: sampling(self.sampling_factor)?,
        })
    }

    fn joined(&self) -> Result<Option<u32>> {
        match self.interval_count {
            Some(count) if count == 0 || count > MOST_INTERVALS => {
                Err(wrong_interval_count(&Path::root().field("intervalCount")))
            }
            count => Ok(count),
        }
    }

    /// An interval without events is never active, so that only "at least 0" makes sense with 0.
    fn resolve_criterion(&self) -> Result<Bound> {
        if self.criterion.value == 0 && self.criterion.comparison != Comparison::AtLeast {
            let path = Path::root().field("stickinessFilter");
            return Err(Error::invalid(
                &path.field("stickinessCriteria").field("value"),
                "must be above 0 with lte and exact",
            ));
        }
        Ok(self.criterion)
    }

    fn resolve_series(&self, index: usize, node: &SeriesNode, context: &Context) -> Result<Series> {
        let path = Path::root().field("series").index(index);
        let action = node.known_action(context, &path)?;
        let group = node.group_index(context, &path)?;
        Ok(Series {
            actor: if node.math == Math::UniqueGroup {
                Actor::Group(node.required(group, &path)?)
            } else {
                Actor::Person
            },
            filter: Filter::all([
                node.matching(action, context, &path)?,
                self.conditions().resolve(index, node, context)?,
            ]),
            echo: node.echo(index, action, context, &path)?,
        })
    }
}

pub(super) fn wrong_interval_count(path: &Path) -> Error {
    Error::invalid(
        path,
        format!("must be a number of intervals, 1 to {MOST_INTERVALS}"),
    )
}

#[cfg(test)]
mod tests;
