//! A definition read and resolved as the engine does it.

use quintet_query::groups::GroupsQuestion;
use quintet_query::{Context, Definitions, Error, Query};

/// A project with group types.
pub(crate) fn project(definitions: Definitions) -> Context {
    Context {
        timezone: "Europe/Berlin".parse().unwrap(),
        group_types: vec![Some("company".to_owned()), None, Some("project".to_owned())],
        earliest: Some(1_400_000_000_000_000),
        definitions,
        ..Context::new("2024-03-31T01:30:00Z".parse().unwrap())
    }
}

/// What a text comes to: the insight written out, or the sentence by which it is refused. Definitions of the project follow after
/// the first line.
pub(crate) fn read(text: &str) -> Result<String, Error> {
    let (query, definitions) = text.split_once('\n').unwrap_or((text, ""));
    let definitions = match serde_json::from_str(definitions) {
        Ok(value) => Definitions::parse(&value)?,
        Err(_) => Definitions::default(),
    };
    resolved(&Query::parse(query)?, &project(definitions))
}

fn resolved(query: &Query, context: &Context) -> Result<String, Error> {
    fn told(insight: impl std::fmt::Debug) -> String {
        format!("{insight:?}")
    }
    Ok(match query {
        Query::Trends(query) => told(query.resolve(context)?),
        Query::TrendsActors(query) => told(query.resolve(context)?),
        Query::Stickiness(query) => told(query.resolve(context)?),
        Query::StickinessActors(query) => told(query.resolve(context)?),
        Query::Lifecycle(query) => told(query.resolve(context)?),
        Query::LifecycleActors(query) => told(query.resolve(context)?),
        Query::Funnels(query) => told(query.resolve(context)?),
        Query::FunnelsActors(query) => told(query.resolve(context)?),
        Query::FunnelCorrelation(query) => told(query.resolve(context)?),
        Query::FunnelCorrelationActors(query) => told(query.resolve(context)?),
        Query::Retention(query) => told(query.resolve(context)?),
        Query::RetentionActors(query) => told(query.resolve(context)?),
        Query::Paths(query) => told(query.resolve(context)?),
        Query::PathsActors(query) => told(query.resolve(context)?),
        Query::Groups(GroupsQuestion::Table(query)) => told(query.resolve(context)?),
        Query::Groups(GroupsQuestion::List(query)) => told(query.resolve(context)?),
        Query::Groups(GroupsQuestion::Related(query)) => told(query.resolve(context)?),
        Query::Groups(GroupsQuestion::Page(query)) => told(query.resolve(context)?),
        other => told(other),
    })
}

/// Errors are one sentence, whatever is quoted in them.
pub(crate) fn is_a_sentence(error: &Error) {
    let text = error.to_string();
    assert!(
        !text.is_empty() && text.len() < 4096,
        "{} bytes",
        text.len()
    );
    assert!(!text.contains('\n'), "{text}");
}
