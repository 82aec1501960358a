//! Reading a `PathsQuery` from JSON. Rules: `spec/paths.md` sections 1 and 6.

use crate::PathCleaning;
use crate::error::{Error, Result};
use crate::insight::{DISPLAY_HARMLESS, EDITOR_HARMLESS, NODE_HARMLESS, parse_date_range};
use crate::reader::{Field, Object};

use super::{EventKind, FunnelPathsFilter, PathKeys, PathsQuery};

const KINDS: &[(&str, EventKind)] = &[
    ("$pageview", EventKind::PageView),
    ("$screen", EventKind::Screen),
    ("custom_event", EventKind::Custom),
];

/// Fields of `pathsFilter` that only change how a chart is drawn.
const PATHS_HARMLESS: &[&str] = &["display", "showFullUrls"];

impl PathsQuery {
    pub(crate) fn parse(field: &Field<'_>) -> Result<Self> {
        let mut object = field.object()?;
        refuse_groups(&mut object)?;
        let mut query = Self {
            date_range: parse_date_range(&mut object)?,
            funnel: object
                .get("funnelPathsFilter")
                .map(|field| FunnelPathsFilter::parse(&field))
                .transpose()?,
            ..Self::default()
        };
        query.parse_conditions(&mut object)?;
        if let Some(filter) = object.object("pathsFilter")? {
            query.parse_paths_filter(filter)?;
        }
        object.finish(&[NODE_HARMLESS, EDITOR_HARMLESS])?;
        Ok(query)
    }

    fn parse_paths_filter(&mut self, mut object: Object<'_>) -> Result<()> {
        self.include = parse_kinds(&mut object)?;
        self.exclude = object.texts("excludeEvents")?;
        self.start_point = object.filled_text("startPoint")?;
        self.end_point = object.filled_text("endPoint")?;
        self.step_limit = object.count("stepLimit")?;
        self.edge_limit = object.count("edgeLimit")?;
        self.min_edge_weight = object.count("minEdgeWeight")?.unwrap_or(0);
        self.max_edge_weight = object.count("maxEdgeWeight")?.unwrap_or(0);
        self.groupings = object.texts("pathGroupings")?;
        self.project_cleaning = object.flag("pathReplacements")?;
        self.cleaning = object
            .list("localPathCleaningFilters")?
            .iter()
            .map(PathCleaning::parse)
            .collect::<Result<_>>()?;
        self.keys = PathKeys {
            start: object.filled_text("pathStartKey")?,
            end: object.filled_text("pathEndKey")?,
            dropoff: object.filled_text("pathDropoffKey")?,
        };
        object.finish(&[DISPLAY_HARMLESS, PATHS_HARMLESS])
    }
}

fn refuse_groups(object: &mut Object<'_>) -> Result<()> {
    match object.get("aggregation_group_type_index") {
        Some(field) => Err(Error::unsupported(
            format!("a PathsQuery by group ({})", field.path),
            "leave it out to ask for the paths of persons; a filter on a group's properties tells their groups apart",
        )),
        None => Ok(()),
    }
}

/// The kinds of events that are asked for. Editors keep an expression after its kind is chosen no more: it says nothing then.
fn parse_kinds(object: &mut Object<'_>) -> Result<Vec<EventKind>> {
    let kinds = object.list("includeEventTypes")?;
    let expression = object.filled_text("pathsHogQLExpression")?;
    let by_expression = kinds.iter().any(|kind| *kind.value == "hogql");
    if by_expression || (kinds.is_empty() && expression.is_some()) {
        return Err(Error::unsupported(
            "a path of HogQL expressions (pathsFilter.includeEventTypes)",
            "include $pageview, $screen or custom_event, or rewrite their names with localPathCleaningFilters",
        ));
    }
    kinds.iter().map(|kind| kind.one_of(KINDS)).collect()
}
