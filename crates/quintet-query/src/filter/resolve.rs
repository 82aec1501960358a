//! From filters as they are written to [`Filter`]: group types get their index, cohorts their members, relative dates their day.

use chrono::SecondsFormat;

use crate::dates::relative_instant;
use crate::definitions::resolve_cohort;
use crate::error::Result;
use crate::reader::Path;
use crate::{Context, GroupIndex};

use super::{
    Filter, Property, PropertyCondition, PropertyFilter, PropertyNode, PropertyScope,
    PropertySource,
};

impl PropertyNode {
    /// The filter that this means in `context`; `path` is where it stands.
    pub(crate) fn resolve(&self, context: &Context, path: &Path) -> Result<Filter> {
        self.resolve_within(context, path, &[])
    }

    /// The same inside the descriptions of the cohorts `within`.
    pub(crate) fn resolve_within(
        &self,
        context: &Context,
        path: &Path,
        within: &[i64],
    ) -> Result<Filter> {
        let resolve_each = |nodes: &[Self]| -> Result<Vec<Filter>> {
            nodes
                .iter()
                .map(|node| node.resolve_within(context, path, within))
                .collect()
        };
        match self {
            Self::All(nodes) => Ok(Filter::all(resolve_each(nodes)?)),
            Self::Any(nodes) if nodes.is_empty() => Ok(Filter::always()),
            Self::Any(nodes) => Ok(Filter::any(resolve_each(nodes)?)),
            Self::Property(condition) => Ok(Filter::Property(condition.resolve(context, path)?)),
            Self::Cohort { id, negated } => Ok(Filter::Cohort {
                cohort: resolve_cohort(*id, context, path, within)?,
                negated: *negated,
            }),
        }
    }
}

impl PropertyCondition {
    fn resolve(&self, context: &Context, path: &Path) -> Result<PropertyFilter> {
        Ok(PropertyFilter {
            property: self.scope.property(&self.key, context, path)?,
            operator: self.operator,
            values: if self.operator.compares_dates() {
                self.values
                    .iter()
                    .map(|value| absolute_date(value, context))
                    .collect()
            } else {
                self.values.clone()
            },
        })
    }
}

impl PropertyScope {
    /// The property of this name. The key of an event's group is a column of the event, however it is asked for.
    pub(crate) fn property(&self, key: &str, context: &Context, path: &Path) -> Result<Property> {
        let source = match self {
            Self::Event if is_group_column(key) => PropertySource::EventMetadata,
            scope => scope.resolve(context, path)?,
        };
        Ok(Property {
            source,
            key: key.to_owned(),
        })
    }

    fn resolve(&self, context: &Context, path: &Path) -> Result<PropertySource> {
        Ok(match self {
            Self::Event => PropertySource::Event,
            Self::EventMetadata => PropertySource::EventMetadata,
            Self::Person => PropertySource::Person,
            Self::Group(group_type) => {
                PropertySource::Group(group_type.resolve(context, &path.field("group_type_index"))?)
            }
            Self::Session => PropertySource::Session,
        })
    }
}

/// True for `$group_0` to `$group_4`.
fn is_group_column(key: &str) -> bool {
    let index = key
        .strip_prefix("$group_")
        .and_then(|index| match index.as_bytes() {
            [digit @ b'0'..=b'9'] => GroupIndex::new(digit - b'0'),
            _ => None,
        });
    index.is_some()
}

/// A relative date such as `-7d` as an instant in UTC; any other text as it is.
fn absolute_date(value: &str, context: &Context) -> String {
    match relative_instant(value, context) {
        Some(instant) => instant.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        None => value.to_owned(),
    }
}
