//! Any query: which insight a definition asks for.
//!
//! Paths in errors are those within the insight itself: the wrappers of an editor around it are no part of them.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::experiments::{ExperimentExposureQuery, ExperimentQuery, StatisticsQuestion};
use crate::flags::FlagsQuestion;
use crate::funnels::{
    FunnelCorrelationActorsQuery, FunnelCorrelationQuery, FunnelsActorsQuery, FunnelsQuery,
};
use crate::groups::GroupsQuestion;
use crate::lifecycle::{LifecycleActorsQuery, LifecycleQuery};
use crate::paths::{PathsActorsQuery, PathsQuery};
use crate::reader::{Field, Path, not_too_deep};
use crate::retention::{RetentionActorsQuery, RetentionQuery};
use crate::stickiness::{StickinessActorsQuery, StickinessQuery};
use crate::trends::{InsightActorsQuery, TrendsQuery};

mod actors;

pub use actors::ActorsPage;

/// Any query that can be run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Query {
    /// A trend.
    Trends(TrendsQuery),
    /// The actors behind a figure of a trend.
    TrendsActors(InsightActorsQuery),
    /// How many actors were active in how many intervals.
    Stickiness(StickinessQuery),
    /// The actors behind a figure of stickiness.
    StickinessActors(StickinessActorsQuery),
    /// How many persons are new, come back or stay away.
    Lifecycle(LifecycleQuery),
    /// The persons behind a figure of a lifecycle.
    LifecycleActors(LifecycleActorsQuery),
    /// How many get through a sequence of steps.
    Funnels(FunnelsQuery),
    /// The actors behind a figure of a funnel.
    FunnelsActors(FunnelsActorsQuery),
    /// What goes with getting through a funnel.
    FunnelCorrelation(FunnelCorrelationQuery),
    /// The actors behind a figure of a correlation.
    FunnelCorrelationActors(Box<FunnelCorrelationActorsQuery>),
    /// How many of the actors that start come back.
    Retention(RetentionQuery),
    /// The actors behind a row of retention.
    RetentionActors(RetentionActorsQuery),
    /// Which steps persons take one after another.
    Paths(PathsQuery),
    /// The persons behind a link or a step of paths.
    PathsActors(PathsActorsQuery),
    /// What became of those who were exposed to the variants of a feature flag.
    Experiment(Box<ExperimentQuery>),
    /// How many were exposed to the variants of a feature flag.
    ExperimentExposures(ExperimentExposureQuery),
    /// What the figures of two arms say of each other.
    ExperimentStatistics(StatisticsQuestion),
    /// Groups as things: lists, one of them, who belongs together.
    Groups(GroupsQuestion),
    /// Feature flags: their values, and how many they take in.
    Flags(FlagsQuestion),
    /// SQL over events, persons and groups.
    Sql(String),
}

/// Kinds that only say how their `source` is shown.
const WRAPPERS: &[&str] = &["InsightVizNode", "DataTableNode", "DataVisualizationNode"];

/// Kinds of the language that this version does not run.
const NOT_YET: &[&str] = &[
    "CalendarHeatmapQuery",
    "EventsQuery",
    "ExperimentFunnelsQuery",
    "ExperimentTrendsQuery",
    "HogQLQuery",
    "InsightActorsQueryOptions",
    "PersonsNode",
    "SavedInsightNode",
    "SessionsTimelineQuery",
    "WebOverviewQuery",
    "WebStatsTableQuery",
];

const RUNS: &str = "TrendsQuery, StickinessQuery, LifecycleQuery, FunnelsQuery, FunnelCorrelationQuery, RetentionQuery, PathsQuery, \
    InsightActorsQuery, StickinessActorsQuery, FunnelsActorsQuery, FunnelCorrelationActorsQuery, ActorsQuery, ExperimentQuery, ExperimentExposureQuery, SQL";

impl Query {
    /// Reads a definition from JSON text.
    ///
    /// # Errors
    /// [`Error::Invalid`] names the place of what is wrong; [`Error::Unsupported`] says what to use instead.
    pub fn parse(text: &str) -> Result<Self> {
        let value = serde_json::from_str(text).map_err(|error| {
            Error::invalid(
                &Path::root(),
                format!("the definition is not JSON: {error}"),
            )
        })?;
        Self::from_value(&value)
    }

    /// Reads a definition from a JSON value.
    ///
    /// # Errors
    /// As [`Query::parse`].
    pub fn from_value(value: &Value) -> Result<Self> {
        not_too_deep(value)?;
        let definition = Field::new(Path::root(), unwrap(value));
        let mut object = definition.object()?;
        let kind = object.require("kind")?;
        match kind.text()?.as_str() {
            "TrendsQuery" => TrendsQuery::parse(&definition).map(Self::Trends),
            "StickinessQuery" => StickinessQuery::parse(&definition).map(Self::Stickiness),
            "LifecycleQuery" => LifecycleQuery::parse(&definition).map(Self::Lifecycle),
            "FunnelsQuery" => FunnelsQuery::parse(&definition).map(Self::Funnels),
            "FunnelCorrelationQuery" => {
                FunnelCorrelationQuery::parse(&definition).map(Self::FunnelCorrelation)
            }
            "RetentionQuery" => RetentionQuery::parse(&definition).map(Self::Retention),
            "PathsQuery" => PathsQuery::parse(&definition).map(Self::Paths),
            "ExperimentQuery" => ExperimentQuery::parse(&definition)
                .map(Box::new)
                .map(Self::Experiment),
            "ExperimentExposureQuery" => {
                ExperimentExposureQuery::parse(&definition).map(Self::ExperimentExposures)
            }
            "ActorsQuery" => actors::parse_wrapped(&definition),
            "SQL" => {
                let sql = object.require("query")?.text()?;
                object.finish(&[&["name", "tags", "version"]])?;
                Ok(Self::Sql(sql))
            }
            other => {
                let of_groups = GroupsQuestion::parse(other, &definition)
                    .map(|question| question.map(Self::Groups));
                let of_flags = || {
                    let question = FlagsQuestion::parse(other, &definition)?;
                    Some(question.map(Self::Flags))
                };
                let of_figures = || {
                    let question = StatisticsQuestion::parse(other, &definition)?;
                    Some(question.map(Self::ExperimentStatistics))
                };
                of_groups
                    .or_else(of_flags)
                    .or_else(of_figures)
                    .unwrap_or_else(|| actors::parse(&kind, &definition))
            }
        }
    }

    /// True when [`Context::earliest`](crate::Context::earliest) is needed to resolve it: its range starts with the first event.
    pub fn needs_earliest(&self) -> bool {
        match self {
            Self::Trends(trends) => trends.needs_earliest(),
            Self::TrendsActors(actors) => actors.source.needs_earliest(),
            Self::Stickiness(stickiness) => stickiness.needs_earliest(),
            Self::StickinessActors(actors) => actors.source.needs_earliest(),
            Self::Lifecycle(lifecycle) => lifecycle.needs_earliest(),
            Self::LifecycleActors(actors) => actors.source.needs_earliest(),
            Self::Funnels(funnels) => funnels.needs_earliest(),
            Self::FunnelsActors(actors) => actors.source.needs_earliest(),
            Self::FunnelCorrelation(correlation) => correlation.source.source.needs_earliest(),
            Self::FunnelCorrelationActors(actors) => actors.source.source.source.needs_earliest(),
            Self::Retention(retention) => retention.needs_earliest(),
            Self::RetentionActors(actors) => actors.source.needs_earliest(),
            Self::Paths(paths) => paths.needs_earliest(),
            Self::PathsActors(actors) => actors.source.needs_earliest(),
            Self::Experiment(query) => query.exposures.needs_earliest(),
            Self::ExperimentExposures(query) => query.needs_earliest(),
            Self::ExperimentStatistics(_) | Self::Groups(_) | Self::Flags(_) | Self::Sql(_) => {
                false
            }
        }
    }
}

/// What an editor's wrappers hold.
fn unwrap(mut value: &Value) -> &Value {
    while let Some(source) = wrapped(value) {
        value = source;
    }
    value
}

fn wrapped(value: &Value) -> Option<&Value> {
    let kind = value.get("kind")?.as_str()?;
    WRAPPERS.contains(&kind).then(|| value.get("source"))?
}

/// Why a query of this kind cannot be run.
fn not_run(field: &Field<'_>, kind: &str) -> Error {
    if NOT_YET.contains(&kind) {
        let instead = match kind.starts_with("Experiment") {
            true => "ask an ExperimentQuery with a mean or a funnel as its metric",
            false => "ask with a TrendsQuery, or with SQL",
        };
        Error::unsupported(format!("{kind} ({})", field.path), instead)
    } else if WRAPPERS.contains(&kind) {
        field.invalid(format!(
            "a {kind} needs a `source`, the query that it shows"
        ))
    } else {
        field.invalid(format!(
            "'{kind}' is not a kind of query; take one of {RUNS}, {}, {}, {}",
            StatisticsQuestion::KINDS,
            GroupsQuestion::KINDS,
            FlagsQuestion::KINDS
        ))
    }
}

#[cfg(test)]
mod tests;
