//! The breakdown value of a figure whose actors are asked for, and what it demands of the events behind it.

use serde_json::Value;

use crate::Context;
use crate::definitions::resolve_cohort;
use crate::error::{Error, Result};
use crate::filter::{Filter, Operator, Property, PropertyFilter};
use crate::reader::{Field, Object, Path, value_text};

use super::{Breakdown, BreakdownPart, CohortChoice, NULL_LABEL, OTHER_LABEL};

/// The breakdown value of a figure, as rows show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorsBreakdown {
    /// Of the single form, or the number of a cohort.
    Value(String),
    /// Of the list form.
    Values(Vec<String>),
}

impl ActorsBreakdown {
    /// Reads `breakdown`.
    pub(crate) fn parse_field(object: &mut Object<'_>) -> Result<Option<Self>> {
        object
            .get("breakdown")
            .map(|field| Self::parse(&field))
            .transpose()
    }

    fn parse(field: &Field<'_>) -> Result<Self> {
        match field.value {
            Value::Array(_) => Ok(Self::Values(
                field
                    .list()?
                    .iter()
                    .map(|item| label_text(item.value))
                    .collect(),
            )),
            Value::Object(_) => {
                Err(field.invalid("must be a value as rows show it, or a list of them"))
            }
            other => Ok(Self::Value(label_text(other))),
        }
    }
}

/// A value as rows show it; null is shown as its label.
fn label_text(value: &Value) -> String {
    match value {
        Value::Null => NULL_LABEL.to_owned(),
        other => value_text(other),
    }
}

/// What a breakdown value demands of events.
#[derive(Debug, Default)]
pub(crate) struct Restriction {
    pub(crate) conditions: Vec<Filter>,
    pub(crate) bins: Vec<(Property, f64, f64)>,
    pub(crate) urls: Vec<(Property, String)>,
}

impl Restriction {
    /// What `value` demands where rows are broken down like this.
    pub(crate) fn of(
        value: Option<&ActorsBreakdown>,
        breakdown: Option<&Breakdown>,
        context: &Context,
        path: &Path,
    ) -> Result<Self> {
        let mut restriction = Self::default();
        let Some(value) = value else {
            return Ok(restriction);
        };
        let values = match value {
            ActorsBreakdown::Value(value) => std::slice::from_ref(value),
            ActorsBreakdown::Values(values) => values,
        };
        match breakdown {
            None => {
                return Err(Error::invalid(
                    path,
                    "the query has no breakdown; leave it out",
                ));
            }
            Some(Breakdown::Properties { parts, .. }) if parts.len() == values.len() => {
                for (part, value) in parts.iter().zip(values) {
                    restriction.add_value(part, value, path)?;
                }
            }
            Some(Breakdown::Properties { parts, .. }) => {
                return Err(Error::invalid(
                    path,
                    format!(
                        "has {} values, but the query is broken down by {}",
                        values.len(),
                        parts.len()
                    ),
                ));
            }
            Some(Breakdown::Cohorts(_)) => restriction.add_cohort(values, context, path)?,
        }
        Ok(restriction)
    }

    fn add_value(&mut self, part: &BreakdownPart, value: &str, path: &Path) -> Result<()> {
        let condition = |operator, values| {
            Filter::Property(PropertyFilter {
                property: part.property.clone(),
                operator,
                values,
            })
        };
        let is_not_set = || condition(Operator::IsNotSet, Vec::new());
        match value {
            // PostHog does not restrict the actors of "Other".
            OTHER_LABEL => {}
            NULL_LABEL if part.bins.is_some() => self.conditions.push(is_not_set()),
            NULL_LABEL => {
                let empty = condition(Operator::Exact, vec![String::new()]);
                self.conditions.push(Filter::any([is_not_set(), empty]));
            }
            bin if part.bins.is_some() => {
                if let Some((low, high)) = parse_bin(bin, path)? {
                    self.bins.push((part.property.clone(), low, high));
                }
            }
            url if part.normalize_url => self.urls.push((part.property.clone(), url.to_owned())),
            text => self
                .conditions
                .push(condition(Operator::Exact, vec![text.to_owned()])),
        }
        Ok(())
    }

    fn add_cohort(&mut self, values: &[String], context: &Context, path: &Path) -> Result<()> {
        let [value] = values else {
            return Err(Error::invalid(
                path,
                "must be the number of one cohort, or all",
            ));
        };
        let json = Value::String(value.clone());
        match CohortChoice::parse(&Field::new(path.clone(), &json))? {
            CohortChoice::All => {}
            CohortChoice::Cohort(id) => self.conditions.push(Filter::Cohort {
                cohort: resolve_cohort(id, context, path, &[])?,
                negated: false,
            }),
        }
        Ok(())
    }
}

/// The bounds in a bin's text; the placeholder `["",""]` bounds nothing.
fn parse_bin(text: &str, path: &Path) -> Result<Option<(f64, f64)>> {
    let invalid = || {
        Error::invalid(
            path,
            format!("the bin '{text}' must hold two valid float or int values, like [10,20]"),
        )
    };
    let bounds: Vec<Value> = serde_json::from_str(text).map_err(|_| invalid())?;
    let bound = |value: &Value| match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    };
    match bounds.as_slice() {
        [low, high] if low == "" && high == "" => Ok(None),
        [low, high] => match (bound(low), bound(high)) {
            (Some(low), Some(high)) => Ok(Some((low, high))),
            _ => Err(invalid()),
        },
        _ => Err(invalid()),
    }
}
