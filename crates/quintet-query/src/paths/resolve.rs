//! From paths as they are asked for to what they mean in a context. Rules: `spec/paths.md` sections 1 to 3.

use std::ops::RangeInclusive;

use crate::dates::Reading;
use crate::error::{Error, Result};
use crate::filter::{Filter, Operator};
use crate::insight::sampling;
use crate::reader::Path;
use crate::{Context, Interval, Period};

use super::{EventKind, Items, Paths, PathsQuery};

const PAGE_VIEW: &str = "$pageview";
const SCREEN: &str = "$screen";

/// Half an hour, in microseconds.
const SESSION_GAP: i64 = 30 * 60 * 1_000_000;
const STEPS: usize = 5;
const LINKS: usize = 50;

impl PathsQuery {
    /// What this means in `context`.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn resolve(&self, context: &Context) -> Result<Paths> {
        let reading = Reading::by(Interval::Day);
        let path = Path::root().field("dateRange");
        let range = self
            .date_range
            .resolve_even_inverted(reading, context, &path)?;
        let Period { from, to, .. } = Period::as_one(&range);
        let funnel = self
            .funnel
            .as_ref()
            .map(|filter| filter.resolve(context))
            .transpose()?;
        let (start_point, end_point) = self.points();
        Ok(Paths {
            filter: Filter::all([self.of_kinds(), self.conditions().of_query(context)?]),
            from,
            to,
            sampling: sampling(self.sampling_factor)?,
            items: self.items(context)?,
            gap: funnel
                .as_ref()
                .map_or(SESSION_GAP, |around| around.funnel.window),
            step_limit: self.step_limit.unwrap_or(STEPS),
            start_point,
            end_point,
            edge_limit: self.edge_limit.unwrap_or(LINKS),
            weights: self.weights(),
            funnel,
        })
    }

    fn of_kinds(&self) -> Filter {
        if self.include.is_empty() {
            return Filter::always();
        }
        Filter::any(self.include.iter().map(|kind| match kind {
            EventKind::PageView => Filter::Event(PAGE_VIEW.to_owned()),
            EventKind::Screen => Filter::Event(SCREEN.to_owned()),
            EventKind::Custom => Filter::event_name(Operator::NotRegex, vec![r"^\$".to_owned()]),
        }))
    }

    fn items(&self, context: &Context) -> Result<Items> {
        if let Some(at) = self.groupings.iter().position(String::is_empty) {
            let path = Path::root().field("pathsFilter").field("pathGroupings");
            return Err(Error::invalid(
                &path.index(at),
                "must not be empty; write a text with `*` for any text",
            ));
        }
        let project = self
            .project_cleaning
            .then_some(&context.definitions.path_cleaning_filters);
        let excludes = !self.include.is_empty();
        let by_name = |event: &str| !excludes && self.exclude.iter().any(|item| item == event);
        Ok(Items {
            urls: !by_name(PAGE_VIEW),
            screen_names: !by_name(SCREEN),
            cleaning: project
                .into_iter()
                .flatten()
                .chain(&self.cleaning)
                .cloned()
                .collect(),
            groupings: self.groupings.clone(),
            excluded: if excludes {
                self.exclude.clone()
            } else {
                Vec::new()
            },
        })
    }

    /// Start and end point. One alone is compared without a slash at its end, as URLs are; both together as they are written.
    fn points(&self) -> (Option<String>, Option<String>) {
        let written = |point: &Option<String>| point.clone().filter(|point| !point.is_empty());
        match (written(&self.start_point), written(&self.end_point)) {
            (Some(start), Some(end)) => (Some(start), Some(end)),
            (start, end) => (start.map(without_slash), end.map(without_slash)),
        }
    }

    fn weights(&self) -> RangeInclusive<u64> {
        let most = match self.max_edge_weight {
            0 => u64::MAX,
            most => most as u64,
        };
        self.min_edge_weight as u64..=most
    }
}

fn without_slash(point: String) -> String {
    match point.strip_suffix('/') {
        Some(stripped) if !stripped.is_empty() => stripped.to_owned(),
        _ => point,
    }
}

#[cfg(test)]
mod tests;
