//! The persons behind a step or a link of paths. Rules: `spec/paths.md` section 5.

use crate::compare::refuse_previous;
use crate::error::{Error, Result};
use crate::insight::{ACTORS_HARMLESS, NODE_HARMLESS, refuse_series};
use crate::reader::{Field, Object};
use crate::{ActorsPage, Context};

use super::{Paths, PathsQuery};

/// Which steps are asked for, each as results name them: `2_/pricing`. Without any it is every step.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathKeys {
    /// Steps after this one.
    pub start: Option<String>,
    /// This step; with a start, right after it.
    pub end: Option<String>,
    /// This step, as the last of a path. It goes before the others.
    pub dropoff: Option<String>,
}

/// A question for the persons behind a step or a link of paths.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PathsActorsQuery {
    /// The paths, with the keys of what is asked for.
    pub source: PathsQuery,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

/// A resolved question for persons.
#[derive(Debug, Clone, PartialEq)]
pub struct PathsActors {
    /// The paths. Their limit of links and their weights say nothing here.
    pub paths: Paths,
    /// The steps that a person's paths must have. A key that names no step is one that nobody has.
    pub keys: PathKeys,
    /// Which of them are wanted.
    pub page: ActorsPage,
}

impl PathsActorsQuery {
    /// Reads an `InsightActorsQuery`.
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        refuse_what_paths_have_not(&mut object)?;
        let query = Self {
            source: PathsQuery::parse(&object.require("source")?)?,
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
    pub fn resolve(&self, context: &Context) -> Result<PathsActors> {
        Ok(PathsActors {
            paths: self.source.resolve(context).map_err(Error::in_source)?,
            keys: self.source.keys.clone(),
            page: self.page.clone(),
        })
    }
}

/// Keys in the source say all there is to say.
fn refuse_what_paths_have_not(object: &mut Object<'_>) -> Result<()> {
    refuse_series(object, "paths have no series")?;
    refuse_previous(object, "paths are not compared")?;
    for name in ["breakdown", "day", "status"] {
        object.refuse(
            name,
            "name the step with pathStartKey, pathEndKey or pathDropoffKey of the source's pathsFilter",
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
