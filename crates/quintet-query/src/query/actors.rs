//! Questions for actors: which insight they are about, and the page that an `ActorsQuery` wants of the list.

use crate::error::{Error, Result};
use crate::funnels::{FunnelCorrelationActorsQuery, FunnelsActorsQuery};
use crate::insight::NODE_HARMLESS;
use crate::lifecycle::LifecycleActorsQuery;
use crate::paths::PathsActorsQuery;
use crate::reader::{Field, Object, Path};
use crate::retention::RetentionActorsQuery;
use crate::stickiness::StickinessActorsQuery;
use crate::trends::InsightActorsQuery;

use super::{Query, not_run};

/// Which actors of a list are wanted, and in which order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ActorsPage {
    /// Columns to return; empty is the usual ones.
    pub select: Vec<String>,
    /// Fewest events (of retention: columns) first instead of most.
    pub ascending: bool,
    /// Rows to return at most; `None` is all.
    pub limit: Option<usize>,
    /// Rows to skip.
    pub offset: usize,
    /// Case-insensitive text that an actor's name, key, ids or email must contain.
    pub search: Option<String>,
}

impl ActorsPage {
    fn parse(object: &mut Object<'_>) -> Result<Self> {
        Ok(Self {
            select: object.texts("select")?,
            ascending: parse_order(&object.list("orderBy")?)?,
            limit: object.count("limit")?,
            offset: object.count("offset")?.unwrap_or(0),
            search: object.filled_text("search")?,
        })
    }
}

/// Reads a question for actors, which is of this kind.
pub(super) fn parse(kind: &Field<'_>, field: &Field<'_>) -> Result<Query> {
    match kind.text()?.as_str() {
        "InsightActorsQuery" => parse_by_source(field),
        "StickinessActorsQuery" => {
            StickinessActorsQuery::parse_with_operator(field).map(Query::StickinessActors)
        }
        "FunnelsActorsQuery" => FunnelsActorsQuery::parse(field).map(Query::FunnelsActors),
        "FunnelCorrelationActorsQuery" => FunnelCorrelationActorsQuery::parse(field)
            .map(Box::new)
            .map(Query::FunnelCorrelationActors),
        other => Err(not_run(kind, other)),
    }
}

/// Reads an `InsightActorsQuery`: its source says which insight it is about.
fn parse_by_source(field: &Field<'_>) -> Result<Query> {
    let source = field.object()?.require("source")?;
    let kind = source.object()?.require("kind")?;
    match kind.text()?.as_str() {
        "TrendsQuery" => InsightActorsQuery::parse(field).map(Query::TrendsActors),
        "StickinessQuery" => StickinessActorsQuery::parse(field).map(Query::StickinessActors),
        "LifecycleQuery" => LifecycleActorsQuery::parse(field).map(Query::LifecycleActors),
        "FunnelsQuery" => Err(Error::unsupported(
            format!("an InsightActorsQuery about a FunnelsQuery ({})", kind.path),
            "ask a FunnelsActorsQuery",
        )),
        "RetentionQuery" => RetentionActorsQuery::parse(field).map(Query::RetentionActors),
        "PathsQuery" => PathsActorsQuery::parse(field).map(Query::PathsActors),
        other => Err(not_run(&kind, other)),
    }
}

/// Reads the `ActorsQuery` that PostHog wraps the question in.
pub(super) fn parse_wrapped(field: &Field<'_>) -> Result<Query> {
    let mut object = field.object()?;
    let source = Field::new(Path::root(), object.require("source")?.value);
    for name in ["properties", "fixedProperties"] {
        object.refuse(name, "put the filters into the insight's `properties`")?;
    }
    let page = ActorsPage::parse(&mut object)?;
    object.finish(&[NODE_HARMLESS])?;
    let kind = source.object()?.require("kind")?;
    Ok(match parse(&kind, &source)? {
        Query::TrendsActors(query) => Query::TrendsActors(query.on_page(page)),
        Query::StickinessActors(query) => Query::StickinessActors(query.on_page(page)),
        Query::LifecycleActors(query) => Query::LifecycleActors(query.on_page(page)),
        Query::FunnelsActors(query) => Query::FunnelsActors(query.on_page(page)),
        Query::FunnelCorrelationActors(query) => {
            Query::FunnelCorrelationActors(Box::new(query.on_page(page)))
        }
        Query::RetentionActors(query) => Query::RetentionActors(query.on_page(page)),
        Query::PathsActors(query) => Query::PathsActors(query.on_page(page)),
        other => other,
    })
}

/// True for the fewest events, or columns of retention, first. Further columns only break ties.
fn parse_order(columns: &[Field<'_>]) -> Result<bool> {
    let Some(first) = columns.first() else {
        return Ok(false);
    };
    let text = first.text()?;
    match text
        .to_ascii_lowercase()
        .split_whitespace()
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["event_count" | "length(appearances)", "desc"] => Ok(false),
        ["event_count" | "length(appearances)"]
        | ["event_count" | "length(appearances)", "asc"] => Ok(true),
        _ => Err(Error::unsupported(
            format!("the order '{text}' ({})", first.path),
            "take event_count DESC or event_count ASC, of retention length(appearances) DESC or length(appearances) ASC",
        )),
    }
}
