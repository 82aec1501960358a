//! Reading an `InsightActorsQuery` about a trend.

use crate::breakdown::ActorsBreakdown;
use crate::error::Result;
use crate::insight::{ACTORS_HARMLESS, NODE_HARMLESS};
use crate::reader::Field;
use crate::{ActorsPage, compare};

use super::{InsightActorsQuery, TrendsQuery};

impl InsightActorsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        let query = Self {
            source: TrendsQuery::parse(&object.require("source")?)?,
            day: object.filled_text("day")?,
            series: object.count("series")?.unwrap_or(0),
            breakdown: ActorsBreakdown::parse_field(&mut object)?,
            previous: compare::parse_previous(&mut object)?,
            ..Self::default()
        };
        object.finish(&[NODE_HARMLESS, ACTORS_HARMLESS, &["interval", "status"]])?;
        Ok(query)
    }

    pub(crate) fn on_page(self, page: ActorsPage) -> Self {
        Self { page, ..self }
    }
}
