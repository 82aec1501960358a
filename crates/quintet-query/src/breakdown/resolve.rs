//! What a breakdown means in a context: group types get their index, cohorts their members.

use crate::Context;
use crate::definitions::resolve_cohort;
use crate::error::{Error, Result};
use crate::reader::Path;

use super::parse::at_most_three;
use super::{
    Breakdown, BreakdownBy, BreakdownFilter, BreakdownPart, BreakdownProperty, CohortChoice,
};

const DEFAULT_LIMIT: usize = 25;

impl BreakdownFilter {
    /// Adds a property. A single one is the single form, several are the list form.
    pub(crate) fn add(&mut self, property: BreakdownProperty) {
        self.by = match std::mem::take(&mut self.by) {
            BreakdownBy::Property(first) => BreakdownBy::Properties(vec![first, property]),
            BreakdownBy::Properties(mut properties) => {
                properties.push(property);
                BreakdownBy::Properties(properties)
            }
            BreakdownBy::Nothing | BreakdownBy::Cohorts(_) => BreakdownBy::Property(property),
        };
    }

    /// How many values keep a row of their own.
    pub(crate) fn limit(&self) -> usize {
        self.limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Refuses the true figure of the rest, which not every insight has.
    pub(crate) fn refuse_true_other(&self, of: &str) -> Result<()> {
        if self.true_other {
            return Err(Error::unsupported(
                format!("breakdown_true_other in {of} (breakdownFilter.breakdown_true_other)"),
                "leave it out, or raise breakdown_limit",
            ));
        }
        Ok(())
    }

    /// What it means in `context` where `limit` values keep a row of their own.
    pub(crate) fn resolve(&self, limit: usize, context: &Context) -> Result<Option<Breakdown>> {
        if let BreakdownBy::Properties(properties) = &self.by {
            let path = Path::root().field("breakdownFilter").field("breakdowns");
            at_most_three(&path, properties.len())?;
        }
        self.resolve_any_number(limit, context)
    }

    /// The same by any number of properties.
    pub(crate) fn resolve_any_number(
        &self,
        limit: usize,
        context: &Context,
    ) -> Result<Option<Breakdown>> {
        let path = Path::root().field("breakdownFilter");
        match &self.by {
            BreakdownBy::Nothing => Ok(None),
            BreakdownBy::Property(property) => {
                let part = property.resolve(context, &path.field("breakdown"))?;
                Ok(Some(self.by_properties(vec![part], false, limit)))
            }
            BreakdownBy::Properties(properties) => {
                let path = path.field("breakdowns");
                let parts = properties
                    .iter()
                    .enumerate()
                    .map(|(index, property)| property.resolve(context, &path.index(index)))
                    .collect::<Result<Vec<_>>>()?;
                Ok((!parts.is_empty()).then(|| self.by_properties(parts, true, limit)))
            }
            BreakdownBy::Cohorts(choices) => {
                let path = path.field("breakdown");
                let cohorts = choices
                    .iter()
                    .map(|choice| match choice {
                        CohortChoice::All => Ok(None),
                        CohortChoice::Cohort(id) => {
                            resolve_cohort(*id, context, &path, &[]).map(Some)
                        }
                    })
                    .collect::<Result<Vec<_>>>()?;
                Ok((!cohorts.is_empty()).then_some(Breakdown::Cohorts(cohorts)))
            }
        }
    }

    fn by_properties(&self, parts: Vec<BreakdownPart>, list: bool, limit: usize) -> Breakdown {
        Breakdown::Properties {
            parts,
            list,
            limit,
            hide_other: self.hide_other,
            true_other: self.true_other,
        }
    }
}

impl BreakdownProperty {
    fn resolve(&self, context: &Context, path: &Path) -> Result<BreakdownPart> {
        Ok(BreakdownPart {
            property: self.scope.property(&self.key, context, path)?,
            normalize_url: self.normalize_url,
            bins: self.bins,
        })
    }
}
